//! Tables with one full-width space (U+3000) between the cells, rewritten with bars.
//!
//! Two such spaces in a row have a blank cell between them. That is certain only if all wide rows of the text then have
//! equally many cells.

use std::ops::Range;

use crate::source_text::SourceText;

const SPACE: char = '\u{3000}';

/// Minimum number of cells of a wide row. Narrower rows prove nothing.
const WIDE: usize = 6;

/// Maximum number of cells of a row of chapter 三. Chapter 四 has wider rows.
const WIDEST: usize = 12;

/// Minimum number of wide rows.
const ROWS: usize = 10;

/// Returns the text with bars between the cells, or `None` if no cell is blank or the rows do not agree.
pub(super) fn barred(source: &SourceText) -> Option<SourceText> {
    let text = source.as_str();
    if !text.contains("\u{3000}\u{3000}") {
        return None;
    }
    let rows: Vec<Range<usize>> = rows(text);
    let cells = |row: &Range<usize>| text.get(row.clone()).map_or(0, |line| line.split(SPACE).count());
    let mut wide = rows.iter().map(cells).filter(|count| (WIDE..=WIDEST).contains(count));
    let first = wide.next()?;
    let others: Vec<usize> = wide.collect();
    if others.len() + 1 < ROWS || others.iter().any(|count| *count != first) {
        return None;
    }
    let spaces = rows.iter().flat_map(|row| {
        let line = text.get(row.clone()).unwrap_or_default();
        line.match_indices(SPACE).map(|(at, space)| row.start + at..row.start + at + space.len())
    });
    Some(source.replaced(spaces.map(|space| (space, "|".to_owned()))))
}

/// Returns the lines that can be rows: a label, then numbers or blanks. An indented line is a paragraph.
fn rows(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let row = line.trim_end_matches(['\n', '\r']);
        let is_value = |cell: &str| cell.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let mut cells = row.split(SPACE);
        let label = cells.next().is_some_and(|cell| !is_value(cell));
        if label && row.contains(SPACE) && cells.all(is_value) {
            found.push(start..start + row.len());
        }
        start += line.len();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns ten rows of seven values, the last with these cells.
    fn table(last: &str) -> SourceText {
        let row = "予以公开　1　2　3　4　5　6　21\n".repeat(9);
        SourceText::verbatim(format!("　　2023年，公开5条。\n{row}{last}\n规章　　7　\n"))
    }

    #[test]
    fn blanks_between_full_width_spaces_are_cells() {
        let barred = barred(&table("其他　1　　　　　　1")).unwrap();
        let tail: Vec<&str> = barred.as_str().lines().rev().take(2).collect();
        assert_eq!(tail, ["规章||7|", "其他|1||||||1"]);
        assert!(barred.as_str().starts_with("　　2023年"));
    }

    #[test]
    fn rows_of_other_widths_leave_the_text_as_it_is() {
        assert_eq!(barred(&table("其他　1　　　　　1")), None);
        assert_eq!(barred(&table("其他　1　　　　　　　　1")), None);
        assert_eq!(barred(&SourceText::verbatim("规章　1　　3\n".to_owned())), None);
    }
}
