//! `page.*`: the fields of the page itself, compared with each other and with the registry.

use gongkai_model::{FieldName, Region, metadata::day};

use crate::{
    check::{Cases, Check},
    draft::Draft,
    input::Input,
    params::Params,
};

const FIELDS: Cases = &[("missing", &["fields"]), ("differs", &["field", "actual", "expected"])];
const CODES: Cases = &[("site", &["actual", "expected"]), ("index", &["actual", "expected"])];

pub(crate) const CHECKS: &[Check] =
    &[Check::many("page.fields", FIELDS, fields), Check::many("page.codes", CODES, codes)];

/// The tags that every article must have, by their names in the site guideline.
const TAGS: [(FieldName, &str); 3] = [
    (FieldName::ArticleTitle, "ArticleTitle"),
    (FieldName::Published, "PubDate"),
    (FieldName::ContentSource, "ContentSource"),
];

/// Checks the required tags. A page without any tags is not checked.
fn fields(_: &Params, input: &Input<'_>) -> Vec<Draft> {
    let fields = &input.report.metadata.fields;
    if !fields.iter().any(|field| field.is_tag) {
        return Vec::new();
    }
    let tag = |name: FieldName| {
        let found = fields.iter().find(|field| field.is_tag && field.name == name);
        found.map(|field| field.value.trim()).filter(|value| !value.is_empty() && *value != "null")
    };
    let missing: Vec<&str> =
        TAGS.iter().filter(|(name, _)| tag(*name).is_none()).map(|(_, name)| *name).collect();
    let mut drafts = Vec::new();
    if !missing.is_empty() {
        let draft = Draft::of_part("missing", "page-fields").with("fields", missing.join("、"));
        drafts.push(Draft { actual: Some(missing.join("、")), ..draft });
    }
    let shown = fields.iter().find(|field| !field.is_tag && field.name == FieldName::Published);
    if let (Some(tagged), Some(shown)) =
        (tag(FieldName::Published).and_then(day), shown.and_then(|f| day(&f.value)))
    {
        let text = |(year, month, day): (i32, u8, u8)| format!("{year:04}-{month:02}-{day:02}");
        if tagged != shown {
            let draft = Draft::of_part("differs", "page-PubDate").with("field", "PubDate");
            drafts.push(draft.actual(text(tagged)).expected(text(shown)));
        }
    }
    drafts
}

/// Compares the site's code with the agency's region, and the index number with the agency's code.
fn codes(_: &Params, input: &Input<'_>) -> Vec<Draft> {
    let Some(agency) = input.context.profile else { return Vec::new() };
    let field = |name| input.report.metadata.field(name).map(|field| field.value.trim());
    let mut drafts = Vec::new();
    let site = input.context.publication.site_code.or_else(|| field(FieldName::SiteIdCode));
    // The rule asks for ten digits. Longer codes and codes with letters contain no region.
    let site = site.filter(|code| code.len() == 10 && code.bytes().all(|byte| byte.is_ascii_digit()));
    if let (Some(code), true) = (site, agency.region != Region::UNKNOWN) {
        let own = agency.region.as_str().trim_end_matches("00");
        // A site of the province or the city also publishes the reports of lower bodies.
        let shared = code.chars().zip(own.chars()).take_while(|(a, b)| a == b).count();
        let is_above = code[..6].trim_end_matches('0').len() <= shared;
        if shared < own.len() && !is_above {
            drafts.push(code_draft("site", code, agency.region.as_str()));
        }
    }
    let key = agency.key.as_str();
    if let Some(index) = field(FieldName::IndexNumber).and_then(|index| index.split(['/', '-']).next())
        && key.len() >= 9
        && !key.starts_with("p-")
        && index.len() >= 9
        && index.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && !key.contains(index)
        && !index.contains(key)
    {
        drafts.push(code_draft("index", index, key));
    }
    drafts
}

fn code_draft(case: &'static str, actual: &str, expected: &str) -> Draft {
    Draft::of_part(case, format!("code-{case}")).actual(actual).expected(expected)
}
