//! `residue.*`: residue of word processors, content management systems and mirror sites.

use std::ops::Range;

use gongkai_model::Note;

use crate::{
    check::{Cases, Check},
    draft::{Draft, quotation},
    input::Input,
    params::Params,
    static_regex::StaticRegex,
};

pub(crate) const CHECKS: &[Check] = &[
    Check::one("residue.markup", &[("left", QUOTED)], |_, input| found(input, "left", &MARKUP)),
    Check::one("residue.encoding", &[("garbled", QUOTED), ("lost", &["count"])], encoding),
    Check::one("residue.mirror", &[("pinyin", &["count"]), ("traditional", &[])], mirror),
    Check::many("residue.editing", EDITING, editing),
];

const EDITING: Cases = &[("changes", &["count"]), ("comments", &["count"]), ("hidden", &["count"])];

const QUOTED: &[&str] = &["chapter", "quote"];

/// Fields and marks of word processors, HTML entities, and marks of Markdown.
static MARKUP: StaticRegex = StaticRegex::new(
    r"\[bookmark:[^\]]{0,40}\]|HYPERLINK|MERGEFORMAT|错误[!！]\s?未(?:找到|定义)[^。，]{0,8}|Error! Reference|&nbsp;|&amp;|&lt;|&#\d+;|<o:p>|</?(?:span|font|p|br|div)\b|\*\*|\{\{|#REF!",
);

/// U+FFFD, private-use characters, and UTF-8 that was decoded as GBK or Latin-1.
static GARBLED: StaticRegex =
    StaticRegex::new("[\u{fffd}\u{e000}-\u{f8ff}]|锟斤拷|烫烫烫|屯屯屯|Ã¤|Ã¥|ä¸|å›|æ”|ï¼|鐨勬|锛屽|涓€");

/// Reports one finding per pattern, at its first match.
fn found(input: &Input<'_>, case: &'static str, pattern: &StaticRegex) -> Option<Draft> {
    input.paragraphs().find_map(|(chapter, paragraph)| {
        let text = paragraph.text.as_str();
        let quote = pattern.find_iter(text).find(|found| !is_mask(text, found.range()))?.as_str();
        let draft = Draft::of_quote(case, chapter, quotation(paragraph, quote));
        Some(Draft { actual: Some(quote.to_owned()), ..draft })
    })
}

/// Returns true if the asterisks mask digits: 138****1234.
fn is_mask(text: &str, range: Range<usize>) -> bool {
    let is_digit = |c: char| c.is_ascii_digit();
    let (before, after) =
        (text[..range.start].trim_end_matches('*'), text[range.end..].trim_start_matches('*'));
    text[range].starts_with('*') && before.ends_with(is_digit) && after.starts_with(is_digit)
}

fn encoding(_: &Params, input: &Input<'_>) -> Option<Draft> {
    let lost = || {
        input.report.notes.iter().find_map(|note| match note {
            Note::ReplacementCharacters(count) => Some(counted("lost", "encoding", *count)),
            _ => None,
        })
    };
    found(input, "garbled", &GARBLED).or_else(lost)
}

fn counted(case: &'static str, part: &str, count: u32) -> Draft {
    let draft = Draft::of_part(case, part).with("count", count.to_string());
    Draft { actual: Some(count.to_string()), ..draft }
}

/// Finds mirrored text. Pinyin after the characters is a sign of a scraped mirror; traditional characters alone may
/// be an edition of the site itself.
fn mirror(_: &Params, input: &Input<'_>) -> Option<Draft> {
    let notes = &input.report.notes;
    let pinyin = notes.iter().find_map(|note| match note {
        Note::PinyinRemoved(count) => Some(*count),
        _ => None,
    });
    let is_converted = notes.contains(&Note::TraditionalConverted) && !is_gate(input);
    let converted = is_converted.then(|| Draft::of_part("traditional", "mirror"));
    pinyin.map(|count| counted("pinyin", "mirror", count)).or(converted)
}

/// Finds what an editor left in the document: whoever opens it can read it.
fn editing(_: &Params, input: &Input<'_>) -> Vec<Draft> {
    let drafts = input.report.notes.iter().filter_map(|note| match note {
        Note::TrackedChanges(count) => Some(counted("changes", "tracked-changes", *count)),
        Note::Comments(count) => Some(counted("comments", "comments", *count)),
        Note::HiddenText(count) => Some(counted("hidden", "hidden-text", *count)),
        _ => None,
    });
    drafts.collect()
}

/// Returns true if the address is that of a gateway that shows pages of government sites in traditional characters.
fn is_gate(input: &Input<'_>) -> bool {
    input.context.publication.url.is_some_and(|url| {
        ["/gate/", "big5", "/hant/", "zh-tw", "zh-hk", "trad"].iter().any(|mark| url.contains(mark))
    })
}
