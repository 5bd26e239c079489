//! The content of a page that matters for tables and text: glyphs with their boxes, and axis-parallel lines.
//!
//! Coordinates are in points from the top left corner of the page, with y increasing downwards.

/// A character and its position.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Glyph {
    /// The text, usually one scalar. A ligature has several.
    pub(super) text: String,
    /// Left end.
    pub(super) x0: f64,
    /// Right end: the position where the next glyph would begin.
    pub(super) x1: f64,
    /// Baseline.
    pub(super) y: f64,
    /// Font size on the page.
    pub(super) size: f64,
    /// True for the text of an annotation, which is drawn over the page.
    pub(super) is_annotation: bool,
}

impl Glyph {
    /// Returns the middle of the box.
    pub(super) fn middle(&self) -> (f64, f64) {
        (f64::midpoint(self.x0, self.x1), self.y - self.size * 0.35)
    }
}

/// A straight line: level at `y = at`, or upright at `x = at`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ruling {
    pub(super) is_level: bool,
    pub(super) at: f64,
    pub(super) from: f64,
    pub(super) to: f64,
}

/// The glyphs and lines of a page.
#[derive(Debug, Default)]
pub(super) struct DrawnPage {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) glyphs: Vec<Glyph>,
    pub(super) rules: Vec<Ruling>,
    /// Number of glyphs that are not shown, such as an OCR layer under a scan.
    pub(super) hidden_glyphs: usize,
    pub(super) pictures: usize,
}
