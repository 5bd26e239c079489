//! The part with the comments.

use std::fmt::Write as _;

use quick_xml::{Reader, events::Event};

use super::{outline::Outline, targets::Target};
use crate::sheet::{Remark, RemarkSheet};

/// Comments beside those that a document has.
pub(super) struct CommentsPart {
    /// The part up to the place of the next comment.
    before: String,
    /// The end of the part.
    after: String,
    /// Prefix of the names of its elements.
    prefix: String,
    next_id: u32,
}

impl CommentsPart {
    /// Continues a part, or begins one. Returns `None` if the existing part is broken.
    pub(super) fn new(existing: Option<String>, outline: &Outline, main: &str) -> Option<Self> {
        let used = used_ids(main);
        let Some(text) = existing else {
            let w = &outline.prefix;
            let declared =
                if w.is_empty() { "xmlns".to_owned() } else { format!("xmlns:{}", w.trim_end_matches(':')) };
            return Some(Self {
                before: format!(
                    "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<{w}comments {declared}=\"{}\">",
                    outline.namespace
                ),
                after: format!("</{w}comments>"),
                prefix: w.clone(),
                next_id: used.map_or(0, |id| id.saturating_add(1)),
            });
        };
        let next_id = used.max(used_ids(&text)).map_or(0, |id| id.saturating_add(1));
        let (prefix, is_single_tag, at) = end_of_root(&text)?;
        let (before, after) = text.split_at_checked(at)?;
        let (before, after) = match is_single_tag {
            true => (format!("{}>", before.strip_suffix("/>")?), format!("</{prefix}comments>{after}")),
            false => (before.to_owned(), after.to_owned()),
        };
        Some(Self { before, after, prefix, next_id })
    }

    /// Adds the comment of a target, and returns its id.
    pub(super) fn add(&mut self, target: &Target, sheet: &RemarkSheet) -> u32 {
        let id = self.next_id;
        self.next_id = id.saturating_add(1);
        let lang = sheet.lang;
        let author = escaped(lang.choose("政务公开核查", "gongkai"));
        let initials = lang.choose("核查", "gk");
        let w = self.prefix.clone();
        let head = format!("<{w}comment {w}id=\"{id}\" {w}author=\"{author}\" {w}initials=\"{initials}\">");
        self.before.push_str(&head);
        for line in
            sheet.remarks.get(target.remark).map(|remark| lines(remark, target, sheet)).unwrap_or_default()
        {
            let line = escaped(&line);
            write!(self.before, "<{w}p><{w}r><{w}t xml:space=\"preserve\">{line}</{w}t></{w}r></{w}p>")
                .expect("a string takes every text");
        }
        self.before.push_str(&format!("</{w}comment>"));
        id
    }

    pub(super) fn finish(self) -> String {
        super::cuts::in_utf8(self.before + &self.after)
    }
}

/// Returns the paragraphs of a comment.
fn lines(remark: &Remark, target: &Target, sheet: &RemarkSheet) -> Vec<String> {
    let (lang, number) = (sheet.lang, target.remark + 1);
    if target.is_further {
        let same = lang.choose("同一问题的另一处，见批注", "another place of the same finding, see");
        return vec![format!("[{number}] {} {}: {same} [{number}]", remark.label, remark.rule)];
    }
    let mut lines = vec![format!("[{number}] {}", remark.sentence(lang))];
    let details = remark.details(lang).into_iter();
    lines.extend(details.map(|(name, text)| format!("{name}{}{text}", lang.choose("：", ": "))));
    if !target.is_placed {
        lines.push(lang.choose("（文中没有可标注的位置）", "(no place in the text to mark)").to_owned());
    }
    lines
}

/// Returns the greatest id of a comment in a part.
fn used_ids(text: &str) -> Option<u32> {
    let mut reader = Reader::from_str(text);
    let mut greatest = None;
    while let Ok(event) = reader.read_event() {
        let tag = match &event {
            Event::Start(tag) | Event::Empty(tag) => tag,
            Event::Eof => break,
            _ => continue,
        };
        let name = tag.local_name();
        if !matches!(name.as_ref(), "comment" | "commentRangeStart" | "commentRangeEnd" | "commentReference")
        {
            continue;
        }
        let mut attributes = tag.attributes();
        let id =
            attributes.with_checks(false).flatten().find(|found| found.key.local_name().as_ref() == "id");
        greatest = greatest.max(id.and_then(|id| id.value.trim().parse::<u32>().ok()));
    }
    greatest
}

/// Returns the prefix of a part's root, whether it is a single tag, and the position before its end tag or after its only
/// tag.
fn end_of_root(text: &str) -> Option<(String, bool, usize)> {
    let mut reader = Reader::from_str(text);
    let (mut depth, mut start, mut prefix) = (0_usize, 0, None);
    loop {
        let event = reader.read_event().ok()?;
        let end = usize::try_from(reader.buffer_position()).ok()?;
        match &event {
            Event::Start(tag) => {
                depth += 1;
                if prefix.is_none() {
                    prefix = Some(tag.name().as_ref().strip_suffix("comments")?.to_owned());
                }
            }
            Event::Empty(tag) if depth == 0 => {
                return Some((tag.name().as_ref().strip_suffix("comments")?.to_owned(), true, end));
            }
            Event::End(_) => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some((prefix?, false, start));
                }
            }
            Event::Eof => return None,
            _ => {}
        }
        start = end;
    }
}

/// Returns a text as XML, without the characters that XML forbids.
fn escaped(text: &str) -> String {
    let is_allowed = |c: char| matches!(c, '\t' | '\n' | '\u{20}'..='\u{fffd}' | '\u{10000}'..);
    let allowed: String = text.chars().filter(|c| is_allowed(*c)).collect();
    quick_xml::escape::escape(allowed.as_str()).into_owned()
}
