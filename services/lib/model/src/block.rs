//! Blocks: the content of a document as readers return it, paragraphs and table grids in reading order.
//!
//! Text is already decoded, and cleaned of additions by others (pinyin in brackets, traditional glyphs of a mirror),
//! but not normalised further: labels keep their spaces and brackets. Its position in the original is kept with it as
//! a [`Span`].

use std::ops::Range;

/// A half-open range in Unicode scalars of the decoded original, before any normalising.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// First scalar.
    pub start: u32,
    /// One past the last scalar.
    pub end: u32,
}

impl Span {
    /// Returns the smallest span that contains `self` and `other`.
    #[must_use]
    pub fn cover(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// Returns the smallest span that contains both, or the one that is known.
    #[must_use]
    pub fn of_both(a: Option<Self>, b: Option<Self>) -> Option<Self> {
        a.zip(b).map(|(a, b)| a.cover(b)).or(a).or(b)
    }
}

/// A box on a page, in points from the page's top left corner, rounded outwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Area {
    /// Left side.
    pub left: u32,
    /// Upper side.
    pub top: u32,
    /// Right side.
    pub right: u32,
    /// Lower side.
    pub bottom: u32,
}

/// A piece of a document, in reading order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// Running text: one line or one `<p>`.
    Paragraph(Paragraph),
    /// A table, or the remains of one in a flattened layout.
    Table(Grid),
}

impl Block {
    /// Removes the positions, because they are none in the decoded original.
    pub fn forget_spans(&mut self) {
        match self {
            Self::Paragraph(paragraph) => paragraph.span = None,
            Self::Table(grid) => grid.cells.iter_mut().for_each(|cell| cell.span = None),
        }
    }
}

/// A paragraph of prose or a heading.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Paragraph {
    /// The text, trimmed.
    pub text: String,
    /// Position in the original, if the format has positions.
    pub span: Option<Span>,
    /// Page, from 1, if the format has pages.
    pub page: Option<u32>,
}

impl Paragraph {
    /// Returns the span of a range of the paragraph's characters, or the span of the whole paragraph if characters
    /// and span do not map one to one.
    #[must_use]
    pub fn span_of(&self, part: Range<usize>) -> Option<Span> {
        let span = self.span?;
        if span.end.checked_sub(span.start) != u32::try_from(self.text.chars().count()).ok() {
            return Some(span);
        }
        let at = |offset: usize| span.start.checked_add(u32::try_from(offset).ok()?);
        Some(Span { start: at(part.start)?, end: at(part.end)? })
    }
}

/// A table cell with its position on the expanded grid.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cell {
    /// First row, from 0.
    pub row: u32,
    /// First column, from 0.
    pub column: u32,
    /// Rows covered, at least 1.
    pub row_span: u32,
    /// Columns covered, at least 1.
    pub column_span: u32,
    /// The text, trimmed but otherwise verbatim; empty for a blank cell.
    pub text: String,
    /// Position of the text in the original, or of the gap for a blank cell.
    pub span: Option<Span>,
    /// Page, from 1, if the format has pages.
    pub page: Option<u32>,
    /// The cell's box on that page, if the format draws one.
    pub area: Option<Area>,
}

/// A table as origin cells on an expanded grid.
///
/// `spans_known` is true for a grid from HTML, where each cell has its actual column. In a grid from flattened text
/// only the order of the cells is known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grid {
    /// Number of rows.
    pub rows: u32,
    /// Number of columns of the widest row.
    pub columns: u32,
    /// The origin cells, by row, then column.
    pub cells: Vec<Cell>,
    /// True if `column` and `column_span` come from the document's own geometry.
    pub spans_known: bool,
    /// True if blank cells were inserted. A blank at the end of a row may then hide that an earlier cell is missing and
    /// the cells after it moved to the left.
    pub ends_unsure: bool,
}

impl Grid {
    /// Returns the origin cells of each row, left to right.
    #[must_use]
    pub fn by_row(&self) -> Vec<Vec<&Cell>> {
        let mut rows: Vec<Vec<&Cell>> = vec![Vec::new(); self.rows as usize];
        for cell in &self.cells {
            if let Some(row) = rows.get_mut(cell.row as usize) {
                row.push(cell);
            }
        }
        for row in &mut rows {
            row.sort_by_key(|cell| cell.column);
        }
        rows
    }
}
