//! Builds a table from rows of cells with `gridSpan` and `vMerge`. Cells are placed on the grid when the table ends.

use gongkai_model::{Block, Cell, Paragraph, Rejection, Span};

use crate::{grid, limits::Limits, reject};

/// Column edges closer than this, in twentieths of a point, are the same edge. The edges of hand-drawn rows differ by
/// up to this much.
const SAME_EDGE: u32 = 100;

/// A table that is being read.
#[derive(Debug, Default)]
pub(super) struct OpenTable {
    rows: Vec<Vec<OpenCell>>,
    /// Widths of the grid's columns, in twentieths of a point.
    widths: Vec<u32>,
    /// True if the open row is hidden, or deleted by a tracked change.
    pub(super) row_is_gone: bool,
    /// True while text belongs to the last cell.
    cell_is_open: bool,
    /// True once a table with content was found inside: all text here becomes paragraphs.
    is_layout: bool,
}

/// A cell as in the file.
#[derive(Debug, Default)]
pub(super) struct OpenCell {
    /// `gridSpan`
    pub(super) span: u32,
    pub(super) merge: VerticalMerge,
    /// True if the cell was deleted by a tracked change, or is only space that the row leaves free.
    pub(super) is_gap: bool,
    lines: Vec<Paragraph>,
    /// Range of its element; absent for space that the row leaves free.
    place: Option<Span>,
}

/// How a cell is merged with the one above it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum VerticalMerge {
    /// The cell is not merged.
    #[default]
    None,
    /// The cell begins a merged cell.
    Restart,
    /// The cell belongs to the one above.
    Continue,
}

impl OpenTable {
    pub(super) fn push_width(&mut self, width: u32, limits: &Limits) {
        if self.widths.len() < limits.columns as usize {
            self.widths.push(width);
        }
    }

    pub(super) fn open_row(&mut self, limits: &Limits) -> Result<(), Rejection> {
        self.row_is_gone = false;
        self.cell_is_open = false;
        self.rows.push(Vec::new());
        if self.rows.len() > limits.rows as usize { Err(reject::too_many_rows(limits)) } else { Ok(()) }
    }

    pub(super) fn close_row(&mut self) {
        self.cell_is_open = false;
        if std::mem::take(&mut self.row_is_gone) {
            self.rows.pop();
        }
    }

    /// Leaves the next `columns` columns of the row free.
    pub(super) fn skip(&mut self, columns: u32) {
        if let Some(row) = self.rows.last_mut().filter(|_| columns > 0) {
            row.push(OpenCell { span: columns, is_gap: true, ..OpenCell::default() });
        }
    }

    /// Opens a cell, whose tag is at `place`.
    pub(super) fn open_cell(&mut self, place: Span, limits: &Limits) -> Result<(), Rejection> {
        if self.rows.is_empty() {
            self.open_row(limits)?;
        }
        self.cell_is_open = true;
        let Some(row) = self.rows.last_mut() else { return Ok(()) };
        row.push(OpenCell { span: 1, place: Some(place), ..OpenCell::default() });
        if row.len() > limits.columns as usize { Err(reject::too_many_columns(limits)) } else { Ok(()) }
    }

    /// Closes the open cell, if there is one. Its element ends at `end`.
    pub(super) fn close_cell(&mut self, end: u32) {
        if let Some(place) = self.cell().and_then(|cell| cell.place.as_mut()) {
            place.end = end;
        }
        self.cell_is_open = false;
    }

    /// Merges the open cell with the one to its left.
    pub(super) fn merge_left(&mut self) {
        if let Some([.., left, cell]) = self.rows.last_mut().map(Vec::as_mut_slice) {
            left.span = left.span.saturating_add(std::mem::take(&mut cell.span));
            cell.is_gap = true;
        }
    }

    /// Returns the open cell.
    pub(super) fn cell(&mut self) -> Option<&mut OpenCell> {
        self.rows.last_mut()?.last_mut().filter(|_| self.cell_is_open)
    }

    /// Adds a line to the open cell. Text between cells is dropped.
    pub(super) fn push_line(&mut self, line: Paragraph) {
        if let Some(cell) = self.cell() {
            cell.lines.push(line);
        }
    }

    /// Removes and returns the text so far, for a table that turns out to be layout.
    pub(super) fn take_as_layout(&mut self) -> Vec<Paragraph> {
        self.is_layout = true;
        self.rows.iter_mut().flatten().flat_map(|cell| std::mem::take(&mut cell.lines)).collect()
    }

    pub(super) fn is_layout(&self) -> bool {
        self.is_layout
    }

    /// Ends the table.
    pub(super) fn close(mut self, limits: &Limits) -> Result<Vec<Block>, Rejection> {
        let edges = self.edges();
        let rows = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        let mut placed = GridCells { edges, ..GridCells::default() };
        for (row, cells) in (0..).zip(std::mem::take(&mut self.rows)) {
            placed.row(row, cells, limits);
        }
        grid::blocks(rows, placed.cells, limits)
    }

    /// Returns, for each edge of the grid, its number after close edges are merged, or `None` if a cell would be left
    /// without width.
    fn edges(&self) -> Option<Vec<u32>> {
        let mut edges = vec![0];
        let (mut rank, mut last, mut at) = (0, 0, 0_u32);
        for width in &self.widths {
            at = at.saturating_add(*width);
            if at - last >= SAME_EDGE {
                rank += 1;
                last = at;
            }
            edges.push(rank);
        }
        let fits = self.rows.iter().all(|row| {
            let mut column = 0_usize;
            row.iter().all(|cell| {
                let begin = edges.get(column);
                column = column.saturating_add(cell.span as usize);
                cell.is_gap || begin.zip(edges.get(column)).is_some_and(|(begin, end)| begin < end)
            })
        });
        fits.then_some(edges)
    }
}

/// Cells on the grid.
#[derive(Debug, Default)]
struct GridCells {
    edges: Option<Vec<u32>>,
    cells: Vec<Cell>,
    /// Merged cells that continue from the row above: column, span, index.
    open: Vec<(u32, u32, usize)>,
}

impl GridCells {
    fn row(&mut self, row: u32, cells: Vec<OpenCell>, limits: &Limits) {
        let mut edge = 0_u32;
        let mut open = Vec::new();
        for cell in cells {
            let next = edge.saturating_add(cell.span.min(limits.columns));
            let (column, end) = (self.grid_column(edge), self.grid_column(next));
            edge = next;
            if cell.is_gap {
                continue;
            }
            let span = end.saturating_sub(column).max(1);
            let above = self.open.iter().find(|(c, s, _)| (*c, *s) == (column, span)).map(|open| open.2);
            match (cell.merge, above) {
                (VerticalMerge::Continue, Some(index)) => {
                    if let Some(above) = self.cells.get_mut(index) {
                        above.row_span = row - above.row + 1;
                    }
                    open.push((column, span, index));
                }
                (merge, _) => {
                    if merge != VerticalMerge::None {
                        open.push((column, span, self.cells.len()));
                    }
                    self.cells.push(cell.placed(row, column, span));
                }
            }
        }
        self.open = open;
    }

    fn grid_column(&self, edge: u32) -> u32 {
        self.edges.as_ref().and_then(|edges| edges.get(edge as usize)).copied().unwrap_or(edge)
    }
}

impl OpenCell {
    fn placed(self, row: u32, column: u32, column_span: u32) -> Cell {
        let lines: Vec<&str> = self.lines.iter().map(|line| line.text.as_str()).collect();
        let text = lines.join("\n");
        Cell { row, column, row_span: 1, column_span, text, span: self.place, ..Cell::default() }
    }
}
