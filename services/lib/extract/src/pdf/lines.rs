//! Groups glyphs into lines of text.

use std::ops::Range;

use super::drawn_page::Glyph;
use crate::raised::{lowered_digit, raised_digit};

/// The share of a page's height at the top and at the bottom that contains page numbers.
pub(super) const MARGIN: f64 = 0.12;

/// Maximum distance between the baselines of glyphs on one line, as a share of the font size.
const SAME_LINE: f64 = 0.5;

/// Maximum distance between two prints of one character that imitate bold type, as a share of the font size.
const SAME_GLYPH: f64 = 0.15;

/// Minimum gap between two words beside a character that is not Han, as a share of the font size.
const WORD_GAP: f64 = 0.4;

/// Minimum gap between two Han characters of different words, as a share of the font size.
const HAN_GAP: f64 = 1.5;

/// Minimum gap between two columns, as a share of the font size.
const COLUMN_GAP: f64 = 2.0;

/// Minimum gap between two narrow cells with names, as a share of the font size.
const RUN_GAP: f64 = 0.3;

/// Minimum gap between two columns before a digit, as a share of the font size. Spaces inside and around numbers are
/// narrower.
const DIGIT_GAP: f64 = 0.6;

/// Maximum size of the mark of a footnote and minimum distance above the baseline, as shares of the font size of the
/// number before it.
const RAISED_SIZE: f64 = 0.8;
const RAISED_BY: f64 = 0.15;

/// Minimum distance from the baseline of the digit before it of a digit that is lowered, or raised in the same size.
const LOWERED_BY: f64 = 0.1;
const FULL_SIZE_RAISED_BY: f64 = 0.3;

/// Glyphs on one baseline, as text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TextLine {
    pub(super) text: String,
    pub(super) x0: f64,
    pub(super) x1: f64,
    /// Baseline.
    pub(super) y: f64,
    /// Size of the largest glyph.
    pub(super) size: f64,
    /// Pieces of the line, separated by gaps as wide as those between cells.
    pub(super) pieces: Vec<LinePiece>,
    /// Runs of the line: the parts without a gap that could separate two cells.
    pub(super) runs: Vec<LinePiece>,
}

/// A part of a line that may be a cell.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LinePiece {
    /// Range in the line's text, in bytes.
    pub(super) place: Range<usize>,
    pub(super) x0: f64,
    pub(super) x1: f64,
    /// Baseline of the first glyph.
    pub(super) y: f64,
}

impl TextLine {
    /// Returns the text of one of the line's pieces or runs.
    pub(super) fn text_of(&self, piece: &LinePiece) -> &str {
        self.text.get(piece.place.clone()).unwrap_or_default()
    }
}

/// The margins of a cell, left and right together, in points. Word uses 0.38 cm.
pub(super) const CELL_MARGINS: f64 = 13.0;

impl TextLine {
    /// Returns true if another character would not fit beside the line in a cell of this width.
    pub(super) fn fills(&self, width: f64) -> bool {
        let next = if is_wide(self.text.chars().next_back()) { 1.0 } else { 0.5 };
        width - (self.x1 - self.x0) < self.size * next + CELL_MARGINS
    }
}

/// Groups glyphs into lines, from top to bottom.
///
/// A gap as wide as one between columns becomes a tab, so that the cells of a table without rulings stay separate.
pub(super) fn lines<'g>(glyphs: impl IntoIterator<Item = &'g Glyph>) -> Vec<TextLine> {
    rows(glyphs).into_iter().filter_map(line).collect()
}

/// Groups glyphs that stand on one line, from top to bottom.
fn rows<'g>(glyphs: impl IntoIterator<Item = &'g Glyph>) -> Vec<Vec<&'g Glyph>> {
    let mut glyphs: Vec<&Glyph> = glyphs.into_iter().collect();
    glyphs.sort_by(|a, b| a.y.total_cmp(&b.y));
    let mut rows: Vec<(f64, f64, Vec<&Glyph>)> = Vec::new();
    for glyph in glyphs {
        match rows.last_mut() {
            Some((y, size, row)) if glyph.y - *y <= size.min(glyph.size).max(4.0) * SAME_LINE => {
                row.push(glyph);
            }
            _ => rows.push((glyph.y, glyph.size, vec![glyph])),
        }
    }
    rows.into_iter().map(|(_, _, row)| row).collect()
}

/// Returns the glyphs that are shown, line by line and from left to right. A character that is drawn twice is one.
pub(super) fn in_order<'g>(glyphs: impl IntoIterator<Item = &'g Glyph>) -> Vec<&'g Glyph> {
    let mut ordered: Vec<&Glyph> = Vec::new();
    for mut row in rows(glyphs) {
        row.sort_by(|a, b| a.x0.total_cmp(&b.x0));
        for glyph in row.into_iter().filter(|glyph| !glyph.text.trim().is_empty()) {
            if !ordered.last().is_some_and(|before| is_same(before, glyph)) {
                ordered.push(glyph);
            }
        }
    }
    ordered
}

fn line(mut row: Vec<&Glyph>) -> Option<TextLine> {
    row.sort_by(|a, b| a.x0.total_cmp(&b.x0));
    let mut text = String::new();
    let mut previous: Option<&Glyph> = None;
    let mut on_baseline: Option<&Glyph> = None;
    let mut spaced = false;
    let mut pieces: Vec<LinePiece> = Vec::new();
    let mut runs: Vec<LinePiece> = Vec::new();
    for glyph in row.iter().copied() {
        if glyph.text.trim().is_empty() {
            spaced = true;
            continue;
        }
        if let Some(previous) = previous {
            if is_same(previous, glyph) {
                continue;
            }
            text.push_str(between(previous, glyph, spaced));
        }
        let form = on_baseline.and_then(|before| shifted_form(before, glyph));
        on_baseline = if form.is_some() { on_baseline } else { Some(glyph) };
        let own = form.as_deref().unwrap_or(&glyph.text);
        let place = text.len()..text.len() + own.len();
        text.push_str(own);
        let gap = previous.map_or(f64::MAX, |previous| gap(previous, glyph));
        match pieces.last_mut() {
            Some(piece) if gap <= WORD_GAP => (piece.place.end, piece.x1) = (place.end, glyph.x1),
            _ => pieces.push(LinePiece { place: place.clone(), x0: glyph.x0, x1: glyph.x1, y: glyph.y }),
        }
        match runs.last_mut() {
            Some(run) if gap <= RUN_GAP => (run.place.end, run.x1) = (place.end, glyph.x1),
            _ => runs.push(LinePiece { place, x0: glyph.x0, x1: glyph.x1, y: glyph.y }),
        }
        (previous, spaced) = (Some(glyph), false);
    }
    let (x0, x1) = (pieces.first()?.x0, pieces.last()?.x1);
    let shown = row.iter().filter(|glyph| !glyph.text.trim().is_empty());
    let size = shown.clone().map(|glyph| glyph.size).fold(0.0, f64::max);
    let y = shown.map(|glyph| glyph.y).fold(f64::MIN, f64::max);
    Some(TextLine { text, x0, x1, y, size, pieces, runs })
}

/// Returns the text of a glyph off the baseline of the one before it, as the mark of a footnote: small and above or below,
/// or of the same size and above.
fn shifted_form(before: &Glyph, glyph: &Glyph) -> Option<String> {
    let rise = (before.y - glyph.y) / before.size;
    let is_small = glyph.size < before.size * RAISED_SIZE;
    // Elsewhere, cells of one row have different baselines.
    let follows = before.text.ends_with(|c: char| c.is_ascii_digit()) && gap(before, glyph) < WORD_GAP;
    if (is_small && rise > RAISED_BY) || (follows && rise > FULL_SIZE_RAISED_BY) {
        Some(glyph.text.chars().map(raised_digit).collect())
    } else if is_small && follows && -rise > LOWERED_BY {
        Some(glyph.text.chars().map(lowered_digit).collect())
    } else {
        None
    }
}

fn is_same(a: &Glyph, b: &Glyph) -> bool {
    let near = SAME_GLYPH * a.size.min(b.size);
    a.text == b.text && (a.x0 - b.x0).abs() < near && (a.y - b.y).abs() < near
}

/// Returns the gap between two glyphs as a share of the font size.
fn gap(a: &Glyph, b: &Glyph) -> f64 {
    (b.x0 - a.x1) / a.size.max(b.size)
}

fn between(a: &Glyph, b: &Glyph, spaced: bool) -> &'static str {
    let gap = gap(a, b);
    let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit() || ('０'..='９').contains(&c));
    let (last, first) = (a.text.chars().next_back(), b.text.chars().next());
    let han = is_wide(last) && is_wide(first) && !(digit(last) && digit(first));
    let parted = gap > if han { HAN_GAP } else { WORD_GAP };
    let columns = digit(first) && (digit(last) || is_wide(last)) && gap > DIGIT_GAP;
    let is_note = a.is_annotation != b.is_annotation;
    match (gap > COLUMN_GAP || columns, parted || spaced || is_note) {
        (true, _) => "\t",
        (false, true) => " ",
        (false, false) => "",
    }
}

/// Joins the lines of a cell of this width.
///
/// A number that fills the cell continues on the next line. Any other two numbers stay separate.
pub(super) fn cell_text(lines: &[TextLine], width: f64) -> String {
    let mut text = String::new();
    let mut previous: Option<&TextLine> = None;
    for line in lines {
        if let Some(previous) = previous {
            text.push_str(cell_break(previous, line, width));
        }
        text.push_str(&line.text.replace('\t', " "));
        previous = Some(line);
    }
    text
}

fn cell_break(above: &TextLine, below: &TextLine, width: f64) -> &'static str {
    let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit() || c == '.');
    let (last, first) = (above.text.chars().next_back(), below.text.chars().next());
    if digit(last) && digit(first) {
        return if above.fills(width) { "" } else { "\n" };
    }
    if is_wide(last) || is_wide(first) { "" } else { "\n" }
}

/// Returns true for Han characters and the punctuation between them.
pub(super) fn is_wide(c: Option<char>) -> bool {
    c.is_some_and(|c| {
        gongkai_model::is_han(c)
            || matches!(c, '\u{2014}'..='\u{2026}' | '\u{3000}'..='\u{303f}' | '\u{ff01}'..='\u{ff60}')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glyphs(text: &str, x: f64, y: f64, step: f64) -> Vec<Glyph> {
        let places = (0..).map(|index| x + f64::from(index) * step);
        let glyph = |(c, x0): (char, f64)| {
            let width = if c.is_ascii() { 5.0 } else { 10.0 };
            Glyph { text: c.into(), x0, x1: x0 + width, y, size: 10.0, is_annotation: false }
        };
        text.chars().zip(places).map(glyph).collect()
    }

    fn check(glyphs: &[Glyph], expect: &[&str]) {
        let lines = lines(glyphs);
        assert_eq!(lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>(), expect);
    }

    #[test]
    fn glyphs_of_one_height_are_a_line() {
        let mut all = glyphs("17", 0.0, 30.0, 5.0);
        all.extend(glyphs("申请", 0.0, 10.0, 10.0));
        all.extend(glyphs("5", 20.0, 11.0, 5.0));
        check(&all, &["申请5", "17"]);
    }

    #[test]
    fn a_digit_drawn_twice_for_bold_is_one_digit() {
        let mut all = glyphs("11", 0.0, 10.0, 5.0);
        all.extend(glyphs("11", 0.4, 10.2, 5.0));
        check(&all, &["11"]);
    }

    #[test]
    fn numbers_apart_stay_apart() {
        check(&glyphs("12", 0.0, 10.0, 10.0), &["1 2"]);
        check(&glyphs("12", 0.0, 10.0, 12.0), &["1\t2"]);
        check(&glyphs("12", 0.0, 10.0, 40.0), &["1\t2"]);
        check(&glyphs("总计", 0.0, 10.0, 20.0), &["总计"]);
    }

    #[test]
    fn a_number_that_fills_its_cell_goes_on_in_the_next_line() {
        let mut all = glyphs("146", 6.0, 10.0, 5.0);
        all.extend(glyphs("09", 6.0, 22.0, 5.0));
        let lines = lines(&all);
        assert_eq!(cell_text(&lines, 27.0), "14609");
        assert_eq!(cell_text(&lines, 60.0), "146\n09");
    }
}
