//! Citations of documents by number (文号), in any kind of brackets around the year.

use std::sync::LazyLock;

use gongkai_model::{Citation, Paragraph};
use regex::Regex;

use crate::compact_text::CompactText;

static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?:\p{Han}{1,14}[〔\[【（(﹝［〈<](?:19|20)\d{2}年?[〕\]】）)﹞］〉>]第?\d{1,5}号|国务院令第?\d{3}号)",
    )
    .expect("the pattern is constant")
});

/// The end of a number. Searching for it is fast, whereas the whole pattern would be tried at every Han character.
static END: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"[〔\[【（(﹝［〈<](?:19|20)\d{2}年?[〕\]】）)﹞］〉>]第?\d{1,5}号|国务院令第?\d{3}号")
        .expect("the pattern is constant")
});

/// Words before a number that do not belong to it.
const LEADS: [&str; 16] = [
    "根据", "按照", "依据", "依照", "落实", "执行", "贯彻", "转发", "印发", "文件", "通知", "以及", "规定",
    "要求", "严格", "遵照",
];

/// Returns all numbers in some paragraphs, in order.
pub(crate) fn read<'p>(paragraphs: impl Iterator<Item = &'p Paragraph>) -> Vec<Citation> {
    paragraphs.filter(|paragraph| counts(&paragraph.text)).flat_map(of_paragraph).collect()
}

/// Returns true if a text has 号 after a digit, as at the end of every number.
fn counts(text: &str) -> bool {
    let spaced = |c: char| c.is_whitespace() || c == '*';
    let before = |at: usize| text.get(..at).unwrap_or_default().trim_end_matches(spaced);
    text.match_indices('号').any(|(at, _)| before(at).ends_with(char::is_numeric))
}

fn of_paragraph(paragraph: &Paragraph) -> Vec<Citation> {
    let text = CompactText::new(paragraph);
    if !END.is_match(&text.text) {
        return Vec::new();
    }
    let found = NUMBER.find_iter(&text.text).map(|found| {
        let start = LEADS.iter().filter_map(|lead| Some(found.as_str().rfind(lead)? + lead.len())).max();
        let start = found.start() + start.unwrap_or(0);
        let before = text.text.get(..start).unwrap_or_default();
        Citation {
            number: text.text.get(start..found.end()).unwrap_or_default().to_owned(),
            title: title_before(before),
            source: text.source(start..found.end()),
        }
    });
    found.filter(|citation| !citation.number.starts_with(|c: char| !c.is_alphabetic())).collect()
}

/// Returns the title in 《》 that ends right before the number, but for an opening bracket.
fn title_before(before: &str) -> Option<String> {
    let titled = before.trim_end_matches(['（', '(']).strip_suffix('》')?;
    let mut depth = 1u32;
    for (at, c) in titled.char_indices().rev() {
        match c {
            '》' => depth += 1,
            '《' if depth == 1 => return titled.get(at + c.len_utf8()..).map(str::to_owned),
            '《' => depth -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use gongkai_model::Span;

    use super::*;

    fn check(text: &str, expect: &[(&str, Option<&str>)]) {
        let paragraph = Paragraph { text: text.to_owned(), ..Paragraph::default() };
        let found = read(std::iter::once(&paragraph));
        let found: Vec<_> = found.iter().map(|c| (c.number.as_str(), c.title.as_deref())).collect();
        assert_eq!(found, expect, "{text}");
    }

    #[test]
    fn numbers_are_found_with_their_titles() {
        check(
            "依据《条例》（国务院令第711号）和《关于印发〈格式〉的通知》（国办公开办函〔2021〕30号）编制。",
            &[
                ("国务院令第711号", Some("条例")),
                ("国办公开办函〔2021〕30号", Some("关于印发〈格式〉的通知")),
            ],
        );
        check("根据国办发[2016]80号文件", &[("国办发[2016]80号", None)]);
        check("按照 国办公开办函（2019） 60 号要求", &[("国办公开办函（2019）60号", None)]);
        check("2023年共受理3119件，12345号热线", &[]);
    }

    #[test]
    fn a_number_stands_where_its_source_says() {
        let text = "依据（国办发 〔2016〕80号）";
        let length = u32::try_from(text.chars().count()).unwrap();
        let paragraph = Paragraph {
            text: text.to_owned(),
            span: Some(Span { start: 70, end: 70 + length }),
            ..Paragraph::default()
        };
        let found = read(std::iter::once(&paragraph));
        let source = &found.first().unwrap().source;
        assert_eq!(source.text, "国办发 〔2016〕80号");
        assert_eq!(source.span, Some(Span { start: 73, end: 70 + length - 1 }));
    }
}
