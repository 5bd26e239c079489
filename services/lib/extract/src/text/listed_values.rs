//! Rows as lists: `规章：12，3，40`, or a list in Markdown with one value to an item. The first become rows with bars, and the
//! second lose the marks of their items.

use std::ops::Range;

use super::lines;
use crate::source_text::SourceText;

/// Minimum number of values of a wide row, and of such rows.
const WIDE: usize = 7;
const FEWEST_ROWS: usize = 10;

/// Minimum number of items of a list of values.
const FEWEST_ITEMS: usize = 60;

/// Marks of items and of quoted lines in Markdown.
const MARKS: [char; 6] = ['-', '*', '+', '•', '·', '>'];

/// Returns the text with bars around listed values or without the marks of items, or `None` if it has neither.
pub(super) fn barred(source: &SourceText) -> Option<SourceText> {
    let text = source.as_str();
    let has = |mark: &str, least: usize| text.matches(mark).nth(least - 1).is_some();
    if has("：", FEWEST_ROWS) && has("，", FEWEST_ROWS * (WIDE - 1)) {
        let rows: Vec<(Range<usize>, usize)> =
            lines_of(text).filter_map(|line| Some((line.clone(), colon(text.get(line)?)?))).collect();
        let is_wide = |row: &&(Range<usize>, usize)| {
            text.get(row.0.clone()).is_some_and(|line| line.matches('，').count() + 1 >= WIDE)
        };
        if rows.iter().filter(is_wide).count() >= FEWEST_ROWS {
            let changes = rows.into_iter().flat_map(|(line, colon)| bars(text, line, colon));
            return Some(source.replaced(changes));
        }
    }
    if MARKS.iter().any(|mark| has(&format!("{mark} "), FEWEST_ITEMS)) {
        let marks: Vec<Range<usize>> = lines_of(text).filter_map(|line| mark(text, line)).collect();
        if marks.len() >= FEWEST_ITEMS {
            return Some(source.replaced(marks.into_iter().map(|mark| (mark, String::new()))));
        }
    }
    None
}

fn lines_of(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    text.split_inclusive('\n').map(move |line| {
        let own = start..start + line.trim_end().len();
        start += line.len();
        own
    })
}

/// Returns the colon between the label of a row and its values, or `None` if the line is no such row.
fn colon(line: &str) -> Option<usize> {
    let at = line.rfind('：')?;
    let values = line.get(at + '：'.len_utf8()..)?;
    let is_value = |text: &str| {
        let text = text.trim();
        text.is_empty() || lines::is_number(text) || lines::is_mark(text)
    };
    (!line.get(..at)?.contains(['。', '|']) && values.split('，').all(is_value)).then_some(at)
}

/// Returns the changes that put bars around the label and the values of a row.
fn bars(text: &str, line: Range<usize>, colon: usize) -> Vec<(Range<usize>, String)> {
    let values = text.get(line.start + colon..line.end).unwrap_or_default();
    let separators = values.match_indices(['：', '，']).map(|(at, sign)| {
        let at = line.start + colon + at;
        (at..at + sign.len(), "|".to_owned())
    });
    let ends = [(line.start..line.start, "|".to_owned()), (line.end..line.end, "|".to_owned())];
    let [first, last] = ends;
    // Without a label, the colon is the first bar.
    let has_label = text.get(line.start..line.start + colon).is_some_and(|label| !label.trim().is_empty());
    has_label.then_some(first).into_iter().chain(separators).chain([last]).collect()
}

/// Returns the mark of an item, the space before it and one behind it. `- 4 -` is a page number.
fn mark(text: &str, line: Range<usize>) -> Option<Range<usize>> {
    let body = text.get(line.clone())?;
    let item = body.trim_start();
    let rest = item.strip_prefix(MARKS)?;
    let behind = rest.strip_prefix(' ').filter(|behind| !behind.ends_with(MARKS))?;
    Some(line.start..line.end - behind.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: Option<&str>) {
        let source = SourceText::verbatim(text.to_owned());
        let barred = barred(&source);
        let first = barred.as_ref().map(|text| text.as_str().lines().take(2).collect::<Vec<_>>().join("\n"));
        assert_eq!(first.as_deref(), expect, "{text}");
    }

    #[test]
    fn values_behind_a_label_become_cells() {
        let row = "（一）予以公开：1，2，，4，5，/，12\n";
        check(
            &format!("行政许可：7\n{}", row.repeat(10)),
            Some("|行政许可|7|\n|（一）予以公开|1|2||4|5|/|12|"),
        );
        check(&row.repeat(9), None);
        check(&"2023年情况：公开1条，2条，3条，4条，5条，6条，7条\n".repeat(10), None);
    }

    #[test]
    fn items_of_a_list_become_lines() {
        let items = "- 规章\n  - 12\n".repeat(30);
        check(&items, Some("规章\n12"));
        check(&"- 4 -\n规章\n".repeat(60), None);
        check(&"- 规章\n".repeat(20), None);
    }
}
