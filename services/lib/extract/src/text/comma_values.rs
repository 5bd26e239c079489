//! Comma-separated values, rewritten with bars. Spreadsheets write semicolons where the comma is the decimal point.

use std::ops::Range;

use super::lines;
use crate::source_text::SourceText;

/// Minimum number of separators in a line of values, and of such lines one after the other.
const FEWEST_SEPARATORS: usize = 3;
const FEWEST_LINES: usize = 3;

/// Maximum number of lines of a cell in quotes.
const LONGEST_CELL: usize = 6;

/// Returns the text with bars between the values, or `None` if it has none.
pub(super) fn barred(source: &SourceText) -> Option<SourceText> {
    let text = source.as_str();
    let enough = |separator: char| text.matches(separator).nth(FEWEST_SEPARATORS * FEWEST_LINES).is_some();
    // A TAB alone is for the reader of plain text. It does not know quotes.
    let has_quoted_tabs = text.contains("\"\t");
    let candidates = [(',', true), (';', true), ('\t', has_quoted_tabs)];
    let fits = |separator: char| enough(separator) && !rows(text, separator).is_empty();
    let (separator, _) = candidates.into_iter().find(|(separator, usable)| *usable && fits(*separator))?;
    let changes = rows(text, separator).into_iter().flat_map(|row| changes(text, row, separator));
    Some(source.replaced(changes))
}

/// Returns the lines of values, as ranges of bytes.
fn rows(text: &str, separator: char) -> Vec<Range<usize>> {
    let mut rows = Vec::new();
    let mut open: (usize, Vec<Range<usize>>) = (0, Vec::new());
    for line in records(text) {
        let body = text.get(line.clone()).unwrap_or_default();
        let count = if body.contains('|') { 0 } else { separators(body, separator).count() };
        let is_sentence = body.contains('。') && !is_padded(body, separator);
        let count = if is_sentence { 0 } else { count };
        if count != open.0 {
            let done = std::mem::replace(&mut open, (count, Vec::new()));
            rows.extend(done.1.into_iter().filter(|_| done.0 >= FEWEST_SEPARATORS));
        }
        open.1.push(line);
    }
    rows.extend(open.1.into_iter().filter(|_| open.0 >= FEWEST_SEPARATORS));
    if rows.len() < FEWEST_LINES { Vec::new() } else { rows }
}

/// Returns the lines without their ends. A line end inside quotes ends no line.
fn records(text: &str) -> Vec<Range<usize>> {
    let mut records: Vec<Range<usize>> = Vec::new();
    let (mut first, mut start, mut lines, mut quotes) = (0, 0, 0, 0);
    for line in text.split_inclusive('\n') {
        lines += 1;
        quotes += line.matches('"').count();
        first += line.len();
        if quotes.is_multiple_of(2) || lines == LONGEST_CELL {
            let end = start + text.get(start..first).unwrap_or_default().trim_end_matches(['\n', '\r']).len();
            records.push(start..end);
            (start, lines, quotes) = (first, 0, 0);
        }
    }
    records
}

/// Returns the bytes of a line's separators outside of quotes.
fn separators(line: &str, separator: char) -> impl Iterator<Item = usize> {
    let mut quoted = false;
    line.char_indices().filter_map(move |(at, c)| {
        quoted ^= c == '"';
        (c == separator && !quoted).then_some(at)
    })
}

/// Returns true for a line of text that a spreadsheet filled up with blank cells: a title or a sentence.
fn is_padded(line: &str, separator: char) -> bool {
    let text = line.trim_end_matches(separator).trim_matches('"').trim();
    let is_text = text.contains('。') || text.ends_with("报告") || lines::is_title(text);
    is_text && line.ends_with(separator) && separators(text, separator).next().is_none()
}

/// Returns the changes that put bars around the cells of a row, or that remove its blank cells if it is a line of text.
fn changes(text: &str, row: Range<usize>, separator: char) -> Vec<(Range<usize>, String)> {
    let line = text.get(row.clone()).unwrap_or_default();
    let is_padded = is_padded(line, separator);
    let bar = if is_padded { "" } else { "|" };
    let at = |at: usize, new: &str| (row.start + at..row.start + at + 1, new.to_owned());
    let mut changes: Vec<(Range<usize>, String)> =
        separators(line, separator).map(|place| at(place, bar)).collect();
    changes.extend(line.match_indices(['"', '\n', '\r']).map(|(place, _)| at(place, "")));
    // ['规章', '12']: a list as programs print it.
    let body = line.trim_end_matches([',', ' ']);
    if body.starts_with('[') && body.ends_with(']') {
        changes.extend(line.match_indices(['\'', '[', ']']).map(|(place, _)| at(place, "")));
    }
    changes.sort_by_key(|(range, _)| range.start);
    changes.insert(0, (row.start..row.start, bar.to_owned()));
    changes.push((row.end..row.end, bar.to_owned()));
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &str) {
        let source = SourceText::verbatim(text.to_owned());
        assert_eq!(barred(&source).as_ref().map_or(text, SourceText::as_str), expect, "{text}");
    }

    #[test]
    fn values_between_commas_become_cells() {
        check(
            "一、总体\n规章,7,19,\n\"许可,含\",8,,\n处罚,\"1,204\",,\n完,了",
            "一、总体\n|规章|7|19||\n|许可,含|8|||\n|处罚|1,204|||\n完,了",
        );
        check("a, b, c, d。\ne, f, g, h。\ni, j, k, l。", "a, b, c, d。\ne, f, g, h。\ni, j, k, l。");
    }

    #[test]
    fn values_between_semicolons_become_cells() {
        check(
            "规章;7;1,9;\n许可;8;;\n处罚;1;2;3\n强制;;;",
            "|规章|7|1,9||\n|许可|8|||\n|处罚|1|2|3|\n|强制||||",
        );
    }

    #[test]
    fn a_cell_may_have_several_lines() {
        check(
            "\"规\n章\",7,19,\n许可,8,,\n处罚,1,2,3\n强制,,,",
            "|规章|7|19||\n|许可|8|||\n|处罚|1|2|3|\n|强制||||",
        );
    }

    #[test]
    fn lines_of_text_lose_their_blank_cells() {
        check(
            "某局2023年度报告,,,\n一、总体情况,,,\n\"公开12条，办理3件。\",,,\n规章,7,19,1",
            "某局2023年度报告\n一、总体情况\n公开12条，办理3件。\n|规章|7|19|1|",
        );
    }
}
