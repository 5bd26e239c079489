//! Resource limits for one document. A document over a limit is rejected, so it never slows down others.

use std::time::Duration;

/// Bounds on one document. The defaults are far above any real report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest input, in bytes: more is `TOO_LARGE`.
    pub input_bytes: usize,
    /// Longest expansion of a compressed document, in bytes: more is `TOO_LARGE`.
    pub expanded_bytes: usize,
    /// Deepest nesting, in open elements: more is `TOO_DEEP`.
    pub nesting: usize,
    /// Table cells of the whole document: more is `TOO_LARGE`.
    pub cells: usize,
    /// Paragraphs of the whole document: more is `TOO_LARGE`.
    pub paragraphs: usize,
    /// Longest paragraph or cell, in Unicode scalars: more is `TOO_LARGE`.
    pub line_scalars: usize,
    /// Widest table, in columns: wider spans are clipped, more cells in a row are `TOO_LARGE`.
    pub columns: u32,
    /// Longest table, in rows: longer spans are clipped, more rows are `TOO_LARGE`.
    pub rows: u32,
    /// Pages of the whole document: more is `TOO_LARGE`.
    pub pages: usize,
    /// Glyphs of a page, and its ruled lines: more is `TOO_LARGE`.
    pub glyphs: usize,
    /// Everything that a PDF draws on all its pages, in calls: more is `TOO_LARGE`.
    pub drawings: usize,
    /// CPU time that a PDF may take to be drawn: more is `TOO_SLOW`. The only limit that a clock measures, far above
    /// the time of any real report. A few bytes can repeat a drawing many times, and counts do not tell how long the
    /// library takes for each. A service sets it to three quarters of the time for a document.
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
