//! Joins the lines of a text that a program broke at a fixed width: words and numbers are cut wherever the width was
//! reached. Some programs drop the text's own line breaks, others keep them.

use std::ops::Range;

use gongkai_model::is_han;

use super::{
    lines::{is_item, is_title},
    two_up::{IN_COLUMNS, IN_SCALARS, WIDTHS, sizes},
};
use crate::source_text::SourceText;

/// Minimum number of lines that are broken at one width.
const LINES: usize = 8;

/// Minimum length of a line, in scalars.
const SHORTEST: usize = 20;

/// Minimum number of words that are cut at the width, and that width.
const CUT_WORDS: usize = 3;
const NARROWEST: usize = 38;

/// A line without its break, and its width in each of the ways of [`WIDTHS`].
struct Line<'t> {
    text: &'t str,
    sizes: [usize; WIDTHS.len()],
}

/// Returns the text without the line breaks that the width made, or `None` if it made none.
pub(super) fn mended(source: &SourceText) -> Option<SourceText> {
    let lines = Line::all(source);
    let rejoined = || (0..WIDTHS.len()).find_map(|width| rejoined(source, &lines, width));
    joined(source, &lines).or_else(rejoined)
}

/// Returns the text with the words and numbers joined that are cut at the end of a line of the greatest width, or `None`
/// unless some words are. A break before or behind a space is left.
fn rejoined(source: &SourceText, lines: &[Line<'_>], width: usize) -> Option<SourceText> {
    let text = source.as_str();
    let size = |line: &Line<'_>| line.sizes.get(width).copied().unwrap_or_default();
    let widest = lines.iter().map(size).max().filter(|widest| *widest >= NARROWEST)?;
    let (mut breaks, mut words, mut at) = (Vec::new(), 0, 0);
    for (own, next) in lines.iter().zip(lines.iter().skip(1)) {
        at += own.text.len();
        let end = at + text.get(at..)?.find('\n')? + 1;
        // A character that is two wide may not fit into the last column.
        if size(own) + 1 >= widest {
            let cut = cut(own.text, next.text);
            words += usize::from(cut == Some(Cut::Word));
            breaks.extend(cut.map(|_| at..end));
        }
        at = end;
    }
    let breaks = (words >= CUT_WORDS).then_some(breaks)?;
    Some(source.replaced(breaks.into_iter().map(|place: Range<usize>| (place, String::new()))))
}

/// What is cut at the end of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    Word,
    Number,
}

fn cut(own: &str, next: &str) -> Option<Cut> {
    let (last, first) = (own.chars().next_back()?, next.chars().next()?);
    let is_number = |c: char| c.is_ascii_digit() || c == '.';
    let is_word = |c: char| is_han(c) || matches!(c, '、' | '，' | '（' | '）');
    if is_number(last) && is_number(first) {
        return Some(Cut::Number);
    }
    let is_start = is_item(next) || is_title(next) || is_title(own);
    (is_word(last) && is_word(first) && !is_start).then_some(Cut::Word)
}

/// Returns the text as one line, or `None` unless all lines but the last are equally long or equally wide.
fn joined(source: &SourceText, lines: &[Line<'_>]) -> Option<SourceText> {
    let (_, lines) = lines.split_last()?;
    let is_short = |line: &Line<'_>| line.sizes.iter().any(|size| *size < SHORTEST);
    // A character that is two wide may not fit into the last column.
    let is_broken =
        spread(lines, IN_SCALARS) == Some(0) || spread(lines, IN_COLUMNS).is_some_and(|spread| spread < 2);
    if lines.len() < LINES || lines.iter().any(is_short) || !is_broken {
        return None;
    }
    let breaks = source.as_str().trim_end().match_indices('\n').map(|(at, _)| (at..at + 1, String::new()));
    Some(source.replaced(breaks))
}

/// Returns the difference between the longest and the shortest line, by one of [`WIDTHS`].
fn spread(lines: &[Line<'_>], width: usize) -> Option<usize> {
    let sizes = || lines.iter().filter_map(|line| line.sizes.get(width));
    Some(sizes().max()? - sizes().min()?)
}

// === impl Line ===

impl<'t> Line<'t> {
    fn all(source: &'t SourceText) -> Vec<Self> {
        let lines = source.as_str().trim_end().split('\n').map(|line| line.trim_end_matches('\r'));
        lines.map(|text| Self { text, sizes: sizes(text) }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cut_words_and_numbers_are_joined() {
        let line = "本年新收政府信息公开申请数量 31 27 1458 9 ";
        let prose = "公开情况公开情况公开情况公开情况公开情况公开";
        let cut = format!("{prose}\n情况\n").repeat(3);
        let text = format!("一、总体\n{line}17\n3\n{cut}");
        let joined = mended(&SourceText::verbatim(text)).unwrap();
        let lines: Vec<&str> = joined.as_str().lines().collect();
        assert_eq!(lines[1], format!("{line}173"));
        assert_eq!(lines[2], format!("{prose}情况"));
        let rows = "31 27 1458 9 17 31 27 1458 9 17 31 27 1458\n".repeat(9);
        assert_eq!(mended(&SourceText::verbatim(format!("一、总体\n{rows}三\n"))), None);
    }

    #[test]
    fn lines_of_one_width_are_joined() {
        let whole = "2023年全年公开信息317条，".repeat(20);
        let chars: Vec<char> = whole.chars().collect();
        let folded = |width: usize| {
            let mut lines = vec![String::new()];
            for c in &chars {
                let next: usize = lines.last().unwrap().chars().chain([*c]).map(WIDTHS[IN_COLUMNS]).sum();
                if next > width {
                    lines.push(String::new());
                }
                lines.last_mut().unwrap().push(*c);
            }
            lines.join("\n")
        };
        let joined = |text: String| {
            let source = SourceText::verbatim(text);
            joined(&source, &Line::all(&source)).map(|text| text.as_str().to_owned())
        };
        assert_eq!(joined(folded(43)).as_deref(), Some(whole.as_str()));
        assert_eq!(joined(folded(30)), None, "too narrow");
        assert_eq!(joined(format!("一、总体情况\n{}", folded(43))), None);
    }
}
