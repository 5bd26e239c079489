//! Markup inside lines: struck-out text, line breaks in cells, raised digits, spaces written as entities.
//!
//! Converters write it into Markdown and text, because neither has a form of its own for it.

use std::{ops::Range, sync::LazyLock};

use gongkai_model::is_han;
use regex::{Captures, Regex};

use crate::{raised::raised_digit, source_text::SourceText};

static MARKUP: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?i)(?P<gone>~~[^~\n]+~~|<(?:del|s|strike)>[^\n]*?</(?:del|s|strike)>|<!--[^\n]*?-->|\[\^[^\]\n]{1,8}\])",
        r"|(?P<br><br\s*/?>)|<sup>(?P<sup>[^<\n]{1,12})</sup>|(?P<space>&(?:nbsp|emsp|ensp|thinsp|#160|#xa0);)",
    ))
    .expect("the pattern is constant")
});

/// Returns the text without its markup, or `None` if it has none.
pub(crate) fn without(source: &SourceText) -> Option<SourceText> {
    let text = source.as_str();
    let may_have = text.contains(['<', '&']) || text.contains("~~") || text.contains("[^");
    if !may_have || !MARKUP.is_match(text) {
        return None;
    }
    let changes = MARKUP.captures_iter(text).filter_map(|found| {
        let place = found.get(0)?.range();
        let new = replacement(text, &place, &found);
        Some((place, new))
    });
    Some(source.replaced(changes))
}

fn replacement(text: &str, place: &Range<usize>, found: &Captures<'_>) -> String {
    if let Some(raised) = found.name("sup") {
        return raised.as_str().chars().map(raised_digit).collect();
    }
    let wide = |c: Option<char>| {
        c.is_some_and(|c| is_han(c) || matches!(c, '\u{3001}'..='\u{303f}' | '\u{ff01}'..='\u{ff60}'))
    };
    let before = text.get(..place.start).and_then(|before| before.chars().next_back());
    let behind = text.get(place.end..).and_then(|behind| behind.chars().next());
    let joins = found.name("br").is_some() && wide(before) && wide(behind);
    if found.name("gone").is_some() || joins { String::new() } else { " ".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &str) {
        let source = SourceText::verbatim(text.to_owned());
        assert_eq!(without(&source).as_ref().map_or(text, SourceText::as_str), expect, "{text}");
    }

    #[test]
    fn markup_goes_and_text_stays() {
        check("| ~~413~~39 | 7 |", "| 39 | 7 |");
        check("|行政规<br>范性文件|<del>5</del>8|", "|行政规范性文件|8|");
        check("|39<br/>17|", "|39 17|");
        check("|39<sup>2</sup>|&nbsp;|", "|39²| |");
        check("|39[^1]|", "|39|");
        check("3~~5, a<b & c", "3~~5, a<b & c");
    }

    #[test]
    fn what_is_left_keeps_its_place() {
        let source = without(&SourceText::verbatim("甲~~413~~39".to_owned())).unwrap();
        let span = source.span(1, 3);
        assert_eq!((source.as_str(), span.start, span.end), ("甲39", 8, 10));
    }
}
