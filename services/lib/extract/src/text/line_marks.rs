//! Marks that a program put before every line: `> ` of quoted mail, and the number of the line.

use std::ops::Range;

use crate::source_text::SourceText;

/// Minimum number of lines with marks.
const FEWEST_LINES: usize = 20;

/// What stands between the number of a line and its text.
const SEPARATORS: [&str; 5] = ["\t", ": ", ". ", "  ", " "];

/// Returns the text without such marks, or `None` unless all lines have them.
pub(super) fn removed(source: &SourceText) -> Option<SourceText> {
    let text = source.as_str();
    let marks = quotes(text).or_else(|| numbers(text))?;
    Some(source.replaced(marks.into_iter().map(|mark| (mark, String::new()))))
}

/// Returns the quoting marks.
fn quotes(text: &str) -> Option<Vec<Range<usize>>> {
    if !text.trim_start().starts_with('>') {
        return None;
    }
    let mut marks = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let rest = line.trim_start_matches('>');
        let is_marked = rest.len() < line.len();
        if !is_marked && !line.trim().is_empty() {
            return None;
        }
        let mark = line.len() - rest.strip_prefix(' ').unwrap_or(rest).len();
        marks.extend(is_marked.then_some(start..start + mark));
        start += line.len();
    }
    (marks.len() >= FEWEST_LINES).then_some(marks)
}

/// Returns the numbers of lines with the signs behind them.
fn numbers(text: &str) -> Option<Vec<Range<usize>>> {
    let first = text.trim_start().strip_prefix('1')?;
    let separator = SEPARATORS.iter().find(|separator| first.starts_with(**separator))?;
    let mut marks = Vec::new();
    let mut start = 0;
    for (at, line) in text.split_inclusive('\n').enumerate() {
        let number = (at + 1).to_string();
        let body = line.trim_start_matches(' ');
        let rest = body.strip_prefix(number.as_str())?;
        let rest = match rest.strip_prefix(separator) {
            Some(rest) => rest,
            // The separator of a blank line may be cut.
            None if separator.trim_end().starts_with(rest.trim_end()) => "",
            None => return None,
        };
        let mark = line.trim_end_matches(['\n', '\r']).len().min(line.len() - rest.len());
        marks.push(start..start + mark);
        start += line.len();
    }
    (marks.len() >= FEWEST_LINES).then_some(marks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: impl Fn(usize) -> String, expect: Option<&str>) {
        let text: String = (0..24).map(|at| line(at) + "\n").collect();
        let removed = removed(&SourceText::verbatim(text));
        let last = removed.as_ref().and_then(|text| text.as_str().lines().last());
        assert_eq!(last, expect);
    }

    #[test]
    fn marks_before_every_line_are_removed() {
        check(|at| format!("> 规章 {at}"), Some("规章 23"));
        check(|at| format!("{}\t规章 {at}", at + 1), Some("规章 23"));
        check(|at| format!("{:3}: 规章 {at}", at + 1), Some("规章 23"));
        check(|at| format!("{}. {at}", at + 1), Some("23"));
        check(|at| if at == 9 { "规章".to_owned() } else { format!("> {at}") }, None);
        check(|at| format!("{}、规章", at + 1), None);
        check(|at| format!("{} 规章", at + 2), None);
    }
}
