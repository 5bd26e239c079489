//! Resource limits for one document. A document over a limit is rejected, so it never slows down others.

use std::time::Duration;

/// Limits of one document. The defaults are far above any real report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Maximum size of the input, in bytes: more is `TOO_LARGE`.
    pub input_bytes: usize,
    /// Maximum size of a compressed document after expansion, in bytes: more is `TOO_LARGE`.
    pub expanded_bytes: usize,
    /// Maximum nesting, in open elements: more is `TOO_DEEP`.
    pub nesting: usize,
    /// Maximum number of table cells: more is `TOO_LARGE`.
    pub cells: usize,
    /// Maximum number of paragraphs: more is `TOO_LARGE`.
    pub paragraphs: usize,
    /// Maximum length of a paragraph or cell, in Unicode scalars: more is `TOO_LARGE`.
    pub line_scalars: usize,
    /// Maximum number of columns of a table: wider spans are clipped, more cells in a row are `TOO_LARGE`.
    pub columns: u32,
    /// Maximum number of rows of a table: longer spans are clipped, more rows are `TOO_LARGE`.
    pub rows: u32,
    /// Maximum number of pages: more is `TOO_LARGE`.
    pub pages: usize,
    /// Maximum number of glyphs of a page, and of its ruled lines: more is `TOO_LARGE`.
    pub glyphs: usize,
    /// Maximum number of drawing calls of a PDF on all its pages: more is `TOO_LARGE`.
    pub drawings: usize,
    /// Maximum CPU time for drawing a PDF: more is `TOO_SLOW`. It is the only limit that a clock measures, far above
    /// the time of any real report. A few bytes can repeat a drawing many times, and counts do not show how long the
    /// library needs for each. A service sets it to three quarters of the time for a document.
    pub drawing_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            input_bytes: 32 << 20,
            expanded_bytes: 64 << 20,
            nesting: 512,
            cells: 50_000,
            paragraphs: 50_000,
            line_scalars: 200_000,
            columns: 512,
            rows: 20_000,
            pages: 2_000,
            glyphs: 200_000,
            drawings: 500_000,
            drawing_time: Duration::from_secs(15),
        }
    }
}
