//! The rows of a table that is read from flattened text.

use gongkai_model::{Cell, Grid};

use crate::source_text::SourceText;

/// Rows under construction.
pub(super) struct OpenRows<'a> {
    source: &'a SourceText,
    pieces: Vec<FlatCell>,
    /// Index of the first piece of each finished row, and then of the open one.
    starts: Vec<usize>,
    /// Number of cells that are still kept.
    room: usize,
}

/// A cell's text and its scalars in the source.
pub(super) struct FlatCell {
    start: usize,
    end: usize,
    text: String,
}

impl<'a> OpenRows<'a> {
    pub(super) fn new(source: &'a SourceText, room: usize) -> Self {
        Self { source, pieces: Vec::new(), starts: vec![0], room }
    }

    /// Returns the cells of the open row.
    pub(super) fn row(&self) -> &[FlatCell] {
        let start = self.starts.last().copied().unwrap_or_default();
        self.pieces.get(start..).unwrap_or_default()
    }

    /// Adds a cell to the open row.
    pub(super) fn cell(&mut self, first: usize, raw: &str) {
        if let Some(room) = self.room.checked_sub(1) {
            self.room = room;
            self.pieces.push(piece(first, raw));
        }
    }

    /// Adds text to the last cell of the open row, or a row of its own if there is none.
    pub(super) fn continue_cell(&mut self, first: usize, raw: &str) {
        if self.row().is_empty() {
            return self.alone(first, raw);
        }
        let more = piece(first, raw);
        if let Some(last) = self.pieces.last_mut() {
            last.append(more);
        }
    }

    /// Adds text to a cell of the open row, if it has the cell.
    pub(super) fn add_to_cell(&mut self, column: usize, first: usize, raw: &str) {
        let start = self.starts.last().copied().unwrap_or_default();
        let more = piece(first, raw);
        if let Some(cell) = self.pieces.get_mut(start + column).filter(|_| !more.text.is_empty()) {
            cell.append(more);
        }
    }

    /// Ends the open row.
    pub(super) fn end_row(&mut self) {
        if !self.row().is_empty() {
            self.starts.push(self.pieces.len());
        }
    }

    /// Adds a row of one cell.
    pub(super) fn alone(&mut self, first: usize, raw: &str) {
        self.end_row();
        self.cell(first, raw);
        self.end_row();
    }

    pub(super) fn finish(mut self) -> Grid {
        self.end_row();
        let mut grid = Grid { spans_known: false, ..Grid::default() };
        grid.cells.reserve_exact(self.pieces.len());
        let mut pieces = self.pieces.into_iter();
        for (row, bounds) in (0u32..).zip(self.starts.windows(2)) {
            let width = bounds.last().zip(bounds.first()).map_or(0, |(end, start)| end - start);
            for (column, piece) in (0u32..).zip(pieces.by_ref().take(width)) {
                grid.cells.push(Cell {
                    row,
                    column,
                    row_span: 1,
                    column_span: 1,
                    span: Some(self.source.span(piece.start, piece.end)),
                    text: piece.text,
                    page: None,
                    area: None,
                });
                grid.columns = grid.columns.max(column + 1);
            }
            grid.rows = row + 1;
        }
        grid
    }
}

impl FlatCell {
    /// Adds a line to the text.
    fn append(&mut self, more: Self) {
        if self.text.is_empty() {
            *self = more;
            return;
        }
        self.text.push('\n');
        self.text.push_str(&more.text);
        self.end = more.end;
    }
}

/// Returns a trimmed text with its position. A blank one is at the position where its white space begins.
fn piece(first: usize, raw: &str) -> FlatCell {
    let text = raw.trim();
    if text.is_empty() {
        return FlatCell { start: first, end: first, text: String::new() };
    }
    let start = first + raw.chars().take_while(|c| c.is_whitespace()).count();
    FlatCell { start, end: start + text.chars().count(), text: text.to_owned() }
}
