//! `residue.*`: residue of word processors, content management systems and mirror sites.

use std::{ops::Range, sync::LazyLock};

use regex::Regex;

use gongkai_model::{Note, Paragraph, Source};

use crate::{
    check::Check,
    draft::{Draft, Value, chapter_name},
    fingerprint::Key,
    input::Input,
};

pub(crate) const CHECKS: &[Check] = &[
    Check {
        name: "residue.markup",
        cases: &[("left", &["chapter", "quote"])],
        params: &[],
        run: |_, input| found(input, "left", &MARKUP),
    },
    Check {
        name: "residue.encoding",
        cases: &[("garbled", &["chapter", "quote"]), ("lost", &["count"])],
        params: &[],
        run: |_, input| encoding(input),
    },
    Check {
        name: "residue.mirror",
        cases: &[("pinyin", &["count"]), ("traditional", &[])],
        params: &[],
        run: |_, input| mirror(input),
    },
];

/// Fields and marks of word processors, HTML entities, and marks of Markdown.
static MARKUP: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\[bookmark:[^\]]{0,40}\]|HYPERLINK|MERGEFORMAT|错误[!！]\s?未(?:找到|定义)[^。，]{0,8}|Error! Reference|&nbsp;|&amp;|&lt;|&#\d+;|<o:p>|</?(?:span|font|p|br|div)\b|\*\*|\{\{|#REF!")
        .expect("the pattern is a constant that a test compiles")
});

/// U+FFFD, private-use characters, and UTF-8 that was decoded as GBK or Latin-1.
static GARBLED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("[\u{fffd}\u{e000}-\u{f8ff}]|锟斤拷|烫烫烫|屯屯屯|Ã¤|Ã¥|ä¸|å›|æ”|ï¼|鐨勬|锛屽|涓€")
        .expect("the pattern is a constant that a test compiles")
});

/// Reports one finding per pattern, at its first match.
fn found(input: &Input<'_>, case: &'static str, pattern: &Regex) -> Vec<Draft> {
    let report = input.report;
    let preamble = report.preamble.iter().map(|paragraph| (0, paragraph));
    let sections = report.sections.iter();
    let prose = sections.flat_map(|section| section.paragraphs.iter().map(|p| (section.number, p)));
    let mut places = preamble.chain(prose);
    places.find_map(|(chapter, paragraph)| place(case, pattern, chapter, paragraph)).into_iter().collect()
}

fn place(case: &'static str, pattern: &Regex, chapter: u32, paragraph: &Paragraph) -> Option<Draft> {
    let text = paragraph.text.as_str();
    let quote = pattern.find_iter(text).find(|found| !is_mask(text, found.range()))?.as_str();
    let source =
        Source { text: quote.to_owned(), span: paragraph.span, page: paragraph.page, ..Source::default() };
    Some(Draft {
        actual: Some(quote.to_owned()),
        values: vec![chapter_name(chapter), Value::same("quote", quote)],
        source: Some(source),
        ..Draft::new(case, Key::Quote { chapter, text: quote.to_owned() })
    })
}

/// True if the asterisks mask digits: 138****1234.
fn is_mask(text: &str, range: Range<usize>) -> bool {
    let is_digit = |c: char| c.is_ascii_digit();
    let (before, after) =
        (text[..range.start].trim_end_matches('*'), text[range.end..].trim_start_matches('*'));
    text[range].starts_with('*') && before.ends_with(is_digit) && after.starts_with(is_digit)
}

fn encoding(input: &Input<'_>) -> Vec<Draft> {
    let garbled = found(input, "garbled", &GARBLED);
    if !garbled.is_empty() {
        return garbled;
    }
    let lost = input.report.notes.iter().find_map(|note| match note {
        Note::ReplacementCharacters(count) => Some(*count),
        _ => None,
    });
    let draft = |count: u32| Draft {
        actual: Some(count.to_string()),
        values: vec![Value::same("count", count.to_string())],
        ..Draft::new("lost", Key::Part("encoding".to_owned()))
    };
    lost.map(draft).into_iter().collect()
}

/// Finds mirrored text. Pinyin after the characters is a sign of a scraped mirror; traditional characters alone may
/// be an edition of the site itself.
fn mirror(input: &Input<'_>) -> Vec<Draft> {
    let notes = &input.report.notes;
    let pinyin = notes.iter().find_map(|note| match note {
        Note::PinyinRemoved(count) => Some(*count),
        _ => None,
    });
    let draft = match pinyin {
        Some(count) => Draft {
            actual: Some(count.to_string()),
            values: vec![Value::same("count", count.to_string())],
            ..Draft::new("pinyin", Key::Part("mirror".to_owned()))
        },
        None if notes.contains(&Note::TraditionalConverted) && !is_gate(input) => {
            Draft::new("traditional", Key::Part("mirror".to_owned()))
        }
        None => return Vec::new(),
    };
    vec![draft]
}

/// True if the address is that of a gateway, as government sites run them to show every page in traditional characters.
fn is_gate(input: &Input<'_>) -> bool {
    input.context.publication.url.is_some_and(|url| {
        ["/gate/", "big5", "/hant/", "zh-tw", "zh-hk", "trad"].iter().any(|mark| url.contains(mark))
    })
}
