//! Builds a table from rows of cells and the positions of their edges.

use gongkai_model::{Block, Cell, Rejection};

use super::props::RowShape;
use crate::{grid, limits::Limits, reject};

/// Edges that are closer than this, in twentieths of a point, are the same edge.
const SAME_EDGE: i32 = 100;

/// A table that is being read.
#[derive(Debug, Default)]
pub(super) struct OpenTable {
    rows: Vec<OpenRow>,
    /// Cells of the unfinished row.
    cells: Vec<Vec<String>>,
    /// Lines of the unfinished cell.
    lines: Vec<String>,
    /// True if the table contained another table. All its text then becomes paragraphs.
    pub(super) is_layout: bool,
}

#[derive(Debug)]
struct OpenRow {
    cells: Vec<Vec<String>>,
    shape: RowShape,
}

impl OpenTable {
    pub(super) fn push_line(&mut self, line: String) {
        self.lines.push(line);
    }

    pub(super) fn end_cell(&mut self) {
        self.cells.push(std::mem::take(&mut self.lines));
    }

    /// Ends the row. Its last cell is the mark of the row's end and has no text.
    pub(super) fn end_row(&mut self, shape: Option<RowShape>, limits: &Limits) -> Result<usize, Rejection> {
        let mut cells = std::mem::take(&mut self.cells);
        let shape = shape.filter(|shape| shape.merges.len() == cells.len());
        let shape = shape.unwrap_or_else(|| RowShape::even(cells.len()));
        if !self.lines.is_empty() {
            let rest = std::mem::take(&mut self.lines);
            if let Some(cell) = cells.last_mut() {
                cell.extend(rest);
            }
        }
        let count = cells.len();
        self.rows.push(OpenRow { cells, shape });
        if self.rows.len() > limits.rows as usize { Err(reject::too_many_rows(limits)) } else { Ok(count) }
    }

    /// Removes and returns the text so far, for a table that turns out to be layout.
    pub(super) fn take_as_layout(&mut self) -> Vec<String> {
        self.is_layout = true;
        let ended = self.rows.iter_mut().flat_map(|row| &mut row.cells).chain(&mut self.cells);
        let mut lines: Vec<String> = ended.flat_map(std::mem::take).collect();
        lines.append(&mut self.lines);
        lines
    }

    pub(super) fn close(mut self, limits: &Limits) -> Result<Vec<Block>, Rejection> {
        if !self.lines.is_empty() {
            self.end_cell();
        }
        if !self.cells.is_empty() {
            self.end_row(None, limits)?;
        }
        let edges = self.edges();
        let rows = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        let mut cells: Vec<Cell> = Vec::new();
        let mut open: Vec<(u32, u32, usize)> = Vec::new();
        for (row, content) in (0..).zip(self.rows) {
            open = content.place(row, &edges, &open, &mut cells);
        }
        grid::blocks(rows, cells, limits)
    }

    /// Returns, for each edge of all rows, the first edge that is close enough to be the same.
    fn edges(&self) -> Vec<i32> {
        let mut all: Vec<i32> =
            self.rows.iter().flat_map(|row| &row.shape.edges).map(|edge| i32::from(*edge)).collect();
        all.sort_unstable();
        let is_narrow =
            |row: &OpenRow| row.shape.edges.windows(2).any(|pair| pair[1].saturating_sub(pair[0]) < 200);
        // A cell may be narrower than the differences of hand-drawn edges.
        let same = if self.rows.iter().any(is_narrow) { 1 } else { SAME_EDGE };
        let mut edges: Vec<i32> = Vec::new();
        for edge in all {
            if edges.last().is_none_or(|last| edge - last >= same) {
                edges.push(edge);
            }
        }
        edges
    }
}

impl OpenRow {
    /// Places the cells on the grid. Returns the merged cells that may continue below: column, span, index.
    fn place(
        self,
        row: u32,
        edges: &[i32],
        above: &[(u32, u32, usize)],
        cells: &mut Vec<Cell>,
    ) -> Vec<(u32, u32, usize)> {
        let rank = |edge: Option<&i16>| {
            let edge = i32::from(edge.copied().unwrap_or(0));
            u32::try_from(edges.partition_point(|e| *e <= edge)).unwrap_or(0).saturating_sub(1)
        };
        let mut open = Vec::new();
        let first = cells.len();
        for (index, lines) in self.cells.into_iter().enumerate() {
            let (column, end) = (rank(self.shape.edges.get(index)), rank(self.shape.edges.get(index + 1)));
            let column_span = end.saturating_sub(column).max(1);
            let merge = self.shape.merges.get(index).copied().unwrap_or_default();
            if let (true, Some(left)) = (merge.left, cells.get_mut(first..).and_then(<[Cell]>::last_mut)) {
                left.column_span += column_span;
                continue;
            }
            let over = above.iter().find(|(c, _, _)| merge.above && *c == column);
            if let Some((column, span, index)) = over.copied() {
                if let Some(cell) = cells.get_mut(index) {
                    cell.row_span = row - cell.row + 1;
                }
                open.push((column, span, index));
                continue;
            }
            if merge.begins || merge.above {
                open.push((column, column_span, cells.len()));
            }
            let text = lines.join("\n");
            cells.push(Cell { row, column, row_span: 1, column_span, text, ..Cell::default() });
        }
        open
    }
}

impl RowShape {
    /// Returns the shape of a row whose cells have no known positions.
    fn even(count: usize) -> Self {
        let edge = |index: usize| i16::try_from(index.saturating_mul(400)).unwrap_or(i16::MAX);
        Self {
            edges: (0..=count).map(edge).collect(),
            merges: vec![super::props::CellMerge::default(); count],
        }
    }
}
