//! A line of running text on its page, and the properties of its layout: centred titles and indented first lines of
//! paragraphs.

use super::lines::TextLine;
use crate::text::lines::is_item;

/// A line of running text.
pub(super) struct PageLine {
    pub(super) line: TextLine,
    pub(super) page: u32,
}

/// Returns true if a line continues the paragraph of the line above: that line is full, and this one is not indented.
pub(super) fn goes_on(above: &PageLine, line: &PageLine, (left, right): (f64, f64)) -> bool {
    let size = above.line.size.max(line.line.size);
    let same_size = is_same_size(&above.line, &line.line);
    let is_full = above.line.x1 >= right - size * 2.0;
    let is_indented = line.line.x0 >= left + size && !is_centred(above, line, (left, right));
    let is_below = above.page != line.page || line.line.y - above.line.y <= size * 3.0;
    same_size && is_full && !is_indented && is_below && !is_heading(&line.line.text)
}

pub(super) fn is_same_size(a: &TextLine, b: &TextLine) -> bool {
    (a.size - b.size).abs() <= a.size.max(b.size) * 0.15
}

/// Returns true for the short last line of a title: it is centred on the page, and so is the line above.
pub(super) fn is_centred(above: &PageLine, line: &PageLine, (left, right): (f64, f64)) -> bool {
    let off = |line: &TextLine| ((line.x0 - left) - (right - line.x1)).abs() / line.size;
    off(&above.line) <= 1.5 && off(&line.line) <= 1.5 && line.line.x1 < right - line.line.size * 2.0
}

/// Returns true for an indented line of prose.
pub(super) fn is_first(line: &PageLine, left: f64) -> bool {
    line.line.x0 >= left + line.line.size && !line.line.text.contains('\t')
}

/// Returns true for a text that begins like a chapter: `一、`, `（一）`.
fn is_heading(text: &str) -> bool {
    is_item(text) && !text.trim_start_matches(['（', '(', ' ']).starts_with(|c: char| c.is_ascii_digit())
}
