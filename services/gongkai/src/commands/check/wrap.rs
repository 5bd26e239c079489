//! Breaks text into lines of a terminal. Chinese characters are two columns wide.

use unicode_width::UnicodeWidthChar as _;

/// Columns of a line.
pub(super) const COLUMNS: usize = 80;

/// Characters that do not begin a line.
const NOT_FIRST: &str = "，。；：、！？）》」』”’%,.;:!?)]";

/// Returns the number of columns of a text.
pub(super) fn width(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// Breaks a text into lines of a terminal. The first one follows `first` columns of other text, the others are indented by
/// `indent` spaces. Words of Latin letters and digits are not broken, unless they are longer than a line.
pub(in crate::commands) fn wrap(text: &str, first: usize, indent: usize) -> String {
    wrap_in(COLUMNS, text, first, indent)
}

/// Breaks a text into lines of this many columns, like [`wrap`].
fn wrap_in(columns: usize, text: &str, first: usize, indent: usize) -> String {
    let mut lines = String::new();
    let mut column = first;
    for piece in pieces(text) {
        let length = width(piece);
        let fits = column + length <= columns;
        let stays = piece.starts_with(|c| NOT_FIRST.contains(c)) && column + length <= columns + 2;
        if !fits && !stays && column > indent {
            while lines.ends_with(' ') {
                lines.pop();
            }
            lines.push('\n');
            lines.extend(std::iter::repeat_n(' ', indent));
            column = indent;
            if piece == " " {
                continue;
            }
        }
        lines.push_str(piece);
        column += length;
    }
    lines
}

/// Returns the lines of a cell of this many columns. A word that is longer than a line is broken.
pub(super) fn cell_lines(columns: usize, text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for line in wrap_in(columns.max(2), text, 0, 0).lines() {
        let (mut part, mut used) = (String::new(), 0);
        for c in line.chars() {
            let length = c.width().unwrap_or(0);
            // A mark that does not begin a line may stand two columns out.
            if used + length > columns + 2 {
                lines.push(std::mem::take(&mut part));
                used = 0;
            }
            part.push(c);
            used += length;
        }
        lines.push(part);
    }
    lines
}

/// Characters that do not end a line.
const NOT_LAST: &str = "「『（《“【〔(";

/// Splits a text where a line may break: around every wide character and every space, but not behind an opening mark.
fn pieces(text: &str) -> Vec<&str> {
    let is_word = |c: char| c.width() == Some(1) && c != ' ';
    let mut pieces = Vec::new();
    let (mut start, mut last): (usize, Option<char>) = (0, None);
    for (at, c) in text.char_indices() {
        let holds = last.is_some_and(|last| NOT_LAST.contains(last) || (is_word(last) && is_word(c)));
        if last.is_some() && !holds {
            pieces.push(&text[start..at]);
            start = at;
        }
        last = Some(c);
    }
    if start < text.len() {
        pieces.push(&text[start..]);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_wider_than_a_terminal() {
        let text =
            "第三部分表格「一、本年新收政府信息公开申请数量」行：六类申请人之和 9509+153+51+41+67+38=9859，"
                .repeat(5);
        let lines = wrap(&text, 20, 4);
        assert!(lines.lines().count() > 4);
        assert!(lines.lines().skip(1).all(|line| line.starts_with("    ") && width(line) <= COLUMNS + 2));
        let bare = |text: &str| text.split_whitespace().collect::<String>();
        assert_eq!(bare(&lines), bare(&text));
    }

    #[test]
    fn words_are_not_broken_and_marks_do_not_begin_a_line() {
        let text = format!("{}agency", "公".repeat(38));
        assert_eq!(wrap(&text, 0, 2), format!("{}\n  agency", "公".repeat(38)));
        let text = format!("{}。", "公".repeat(40));
        assert_eq!(wrap(&text, 0, 2), text);
        assert_eq!(wrap("one two", 78, 2), "\n  one two");
        let text = format!("{}「市", "公".repeat(39));
        assert_eq!(wrap(&text, 0, 2), format!("{}\n  「市", "公".repeat(39)));
    }
}
