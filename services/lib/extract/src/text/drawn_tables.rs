//! Tables of box-drawing characters and of comma-separated values, rewritten with bars.

use std::ops::Range;

use crate::source_text::SourceText;

/// Minimum number of commas in a line of comma-separated values, and of such lines one after the other.
const FEWEST_COMMAS: usize = 3;
const FEWEST_LINES: usize = 3;

/// Returns the text with bars between the cells of such tables, or `None` if it has none.
pub(crate) fn barred(source: &SourceText) -> Option<SourceText> {
    let text = source.as_str();
    if text.contains(['│', '┃', '║']) {
        return Some(source.replaced(text.char_indices().filter_map(|(at, c)| {
            let bar = match c {
                '│' | '┃' | '║' | '\u{250c}'..='\u{254b}' | '\u{2552}'..='\u{256c}' => "|",
                '─' | '━' | '═' => "-",
                _ => return None,
            };
            Some((at..at + c.len_utf8(), bar.to_owned()))
        })));
    }
    let rows =
        if text.matches(',').nth(FEWEST_COMMAS * FEWEST_LINES).is_some() { rows(text) } else { Vec::new() };
    (!rows.is_empty()).then(|| source.replaced(rows.into_iter().flat_map(|row| bars(text, row))))
}

/// Returns the lines of comma-separated values, as ranges of bytes.
fn rows(text: &str) -> Vec<Range<usize>> {
    let mut rows = Vec::new();
    let mut open: (usize, Vec<Range<usize>>) = (0, Vec::new());
    let mut first = 0;
    for line in text.split_inclusive('\n') {
        let body = line.trim_end_matches(['\n', '\r']);
        let sentence = body.contains(['。', '|']);
        let commas = if sentence { 0 } else { separators(body).count() };
        if commas != open.0 {
            let done = std::mem::replace(&mut open, (commas, Vec::new()));
            rows.extend(done.1.into_iter().filter(|_| done.0 >= FEWEST_COMMAS).collect::<Vec<_>>());
        }
        open.1.push(first..first + body.len());
        first += line.len();
    }
    rows.extend(open.1.into_iter().filter(|_| open.0 >= FEWEST_COMMAS));
    if rows.len() < FEWEST_LINES { Vec::new() } else { rows }
}

/// Returns the bytes of a line's commas outside of quotes.
fn separators(line: &str) -> impl Iterator<Item = usize> {
    let mut quoted = false;
    line.bytes().enumerate().filter_map(move |(at, byte)| {
        quoted ^= byte == b'"';
        (byte == b',' && !quoted).then_some(at)
    })
}

/// Returns the changes that put bars around the cells of a row.
fn bars(text: &str, row: Range<usize>) -> Vec<(Range<usize>, String)> {
    let line = text.get(row.clone()).unwrap_or_default();
    let bar = |at: usize, length: usize| (row.start + at..row.start + at + length, "|".to_owned());
    let mut changes: Vec<(Range<usize>, String)> = separators(line).map(|at| bar(at, 1)).collect();
    changes
        .extend(line.match_indices('"').map(|(at, _)| (row.start + at..row.start + at + 1, String::new())));
    changes.sort_by_key(|(range, _)| range.start);
    changes.insert(0, bar(0, 0));
    changes.push(bar(line.len(), 0));
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
    fn boxes_become_bars() {
        check("┌──┬──┐\n│规章│ 7│\n└──┴──┘", "|--|--|\n|规章| 7|\n|--|--|");
    }

    #[test]
    fn values_between_commas_become_cells() {
        check(
            "一、总体\n规章,7,19,\n\"许可,含\",8,,\n处罚,\"1,204\",,\n完,了",
            "一、总体\n|规章|7|19||\n|许可,含|8|||\n|处罚|1,204|||\n完,了",
        );
        check("a, b, c, d。\ne, f, g, h。\ni, j, k, l。", "a, b, c, d。\ne, f, g, h。\ni, j, k, l。");
    }
}
