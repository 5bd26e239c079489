//! The parts that name the part with the comments: the relations of the main part, and the content types.

use gongkai_extract::DocxPackage;
use gongkai_model::Rejection;
use quick_xml::{Reader, events::Event};

use crate::refusal::corrupt;

const TYPES: &str = "[Content_Types].xml";
const CONTENT_TYPE: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.comments+xml";
const RELATION: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/comments";
const STRICT_RELATION: &str = "http://purl.oclc.org/ooxml/officeDocument/relationships/comments";
const EMPTY_RELATIONS: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n\
    <Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"></Relationships>";
/// Id of our relation. Word numbers its own.
const RELATION_ID: &str = "rIdGongkaiComments";

/// The names of the parts.
pub(super) struct Names {
    /// The part with the comments.
    pub(super) comments: String,
    /// True if the document has one already.
    exists: bool,
    /// Target of the relation.
    target: String,
    /// The part with the relations of the main part, and its text.
    relations: (String, String),
}

impl Names {
    pub(super) fn of(package: &mut DocxPackage<'_>, main: &str) -> Result<Self, Rejection> {
        let (folder, file) = main.rsplit_once('/').unwrap_or(("", main));
        let beside = |name: &str| format!("{folder}/{name}").trim_start_matches('/').to_owned();
        let relations_name = beside(&format!("_rels/{file}.rels"));
        let relations = package.part(&relations_name)?.unwrap_or_else(|| EMPTY_RELATIONS.to_owned());
        let existing = attribute_where(&relations, ("Type", |kind| kind.ends_with("/comments")), "Target");
        if let Some(target) = existing {
            let comments = target.strip_prefix('/').map_or_else(|| beside(&target), str::to_owned);
            return Ok(Self { comments, exists: true, target, relations: (relations_name, relations) });
        }
        let mut target = "comments.xml";
        if package.part(&beside(target))?.is_some() {
            target = "comments-gongkai.xml";
        }
        let relations = (relations_name, relations);
        Ok(Self { comments: beside(target), exists: false, target: target.to_owned(), relations })
    }
}

/// Returns the parts that must change so that the comments are known: none if the document has comments.
pub(super) fn naming(
    names: &Names,
    package: &mut DocxPackage<'_>,
    is_strict: bool,
) -> Result<Vec<(String, String)>, Rejection> {
    if names.exists {
        return Ok(Vec::new());
    }
    let (name, relations) = &names.relations;
    let kind = if is_strict { STRICT_RELATION } else { RELATION };
    let relation = |p: &str| {
        format!("<{p}Relationship Id=\"{RELATION_ID}\" Type=\"{kind}\" Target=\"{}\"/>", names.target)
    };
    let types = package.part(TYPES)?.ok_or_else(corrupt)?;
    let part = format!("/{}", names.comments);
    let is_named = types.contains(&format!("PartName=\"{part}\""));
    let content_type = |p: &str| format!("<{p}Override PartName=\"{part}\" ContentType=\"{CONTENT_TYPE}\"/>");
    let mut changed = vec![(name.clone(), appended(relations, relation).ok_or_else(corrupt)?)];
    if !is_named {
        changed.push((TYPES.to_owned(), appended(&types, content_type).ok_or_else(corrupt)?));
    }
    Ok(changed)
}

/// Returns an attribute of the first element whose attribute satisfies a condition.
fn attribute_where(text: &str, (name, is_wanted): (&str, fn(&str) -> bool), wanted: &str) -> Option<String> {
    let mut reader = Reader::from_str(text);
    loop {
        let event = reader.read_event().ok()?;
        let tag = match &event {
            Event::Start(tag) | Event::Empty(tag) => tag,
            Event::Eof => return None,
            _ => continue,
        };
        let attribute = |name: &str| {
            let mut all = tag.attributes();
            all.with_checks(false)
                .flatten()
                .find(|found| found.key.as_ref() == name)
                .map(|found| found.value.into_owned())
        };
        if attribute(name).is_some_and(|value| is_wanted(&value)) {
            return attribute(wanted);
        }
    }
}

/// Returns a part with an element at the end of its root. `element` gets the prefix of the root.
fn appended(text: &str, element: impl Fn(&str) -> String) -> Option<String> {
    let at = text.rfind("</")?;
    let name = text.get(at + 2..)?.split('>').next()?.trim();
    let prefix = name.rsplit_once(':').map_or(String::new(), |(prefix, _)| format!("{prefix}:"));
    let (before, after) = text.split_at_checked(at)?;
    Some(format!("{before}{}{after}", element(&prefix)))
}
