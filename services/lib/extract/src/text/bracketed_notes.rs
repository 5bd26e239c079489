//! Rows of a drawn table whose numbers have notes in brackets on several lines: `6942（其中⏎修订16件⏎）`.
//!
//! Without rules between the rows, only the brackets show that these lines are one row.

use super::{
    lines::{Line, is_number},
    ruled_rows::{bars, cells, is_whole},
};

/// Maximum number of lines of such a row.
const MOST_LINES: usize = 12;

/// What is known of a column after some lines of a row.
#[derive(Debug, Default, Clone, Copy)]
struct OpenColumn {
    /// True if its text begins with a digit.
    is_value: bool,
    has_text: bool,
    /// Number of brackets that are open.
    depth: usize,
}

/// Returns the number of lines of the row that begins with the first line. It is 1 unless a number has a note whose
/// brackets close on a later line, and no column has two numbers.
pub(super) fn lines_of_row(lines: &[Line<'_>]) -> usize {
    let opens = |line: &&Line<'_>| line.text.contains(['（', '(']) && is_whole(line);
    let Some(first) = lines.first().filter(opens) else { return 1 };
    let mut columns = vec![OpenColumn::default(); bars(first).saturating_sub(1)];
    for (before, line) in lines.iter().take(MOST_LINES).enumerate() {
        if !is_whole(line) || bars(line) != bars(first) {
            return 1;
        }
        let fits = columns.iter_mut().zip(cells(line)).all(|(column, (_, text))| column.add(text.trim()));
        if !fits {
            return 1;
        }
        if !columns.iter().any(|column| column.is_value && column.depth > 0) {
            return before + 1;
        }
    }
    1
}

impl OpenColumn {
    /// Adds a line. Returns false if it is a second number.
    fn add(&mut self, text: &str) -> bool {
        if text.is_empty() {
            return true;
        }
        if !self.has_text {
            self.is_value = text.starts_with(|c: char| c.is_ascii_digit());
        }
        let is_second = self.depth == 0 && self.is_value && self.has_text && is_number(text);
        self.has_text = true;
        for c in text.chars() {
            match c {
                '（' | '(' => self.depth += 1,
                '）' | ')' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
        !is_second
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{source_text::SourceText, text::lines::classify};

    fn check(text: &str, expect: usize) {
        let source = SourceText::verbatim(text.to_owned());
        assert_eq!(lines_of_row(&classify(&source)), expect, "{text}");
    }

    #[test]
    fn a_note_is_a_row_up_to_its_bracket() {
        check("| 要求 | | 6942（其中 |\n| 确认 | 17 | 修订 16 件 |\n| | | ） |\n| 其他 | 19 | 23 |", 3);
        check("| 要求 | 17 | 6942（其中 |\n| | 19 | 修订 16 件） |", 1);
        check("| 要求 | 17 | 6942（其中 |\n| 其他 | 19 | 23 |", 1);
        check("| 第二十条第（一 | | |\n| ）项 | | |", 1);
        check("| 要求 | 17 | 6942（16 件） |\n| 其他 | 19 | 23 |", 1);
    }
}
