//! A table under construction. Cells are placed on the grid as they open, and spans are clipped when the table
//! closes.
//!
//! This is the table model of the HTML standard: a cell occupies the first free column of its row, a `rowspan` ends
//! at the latest with its row group, and columns in which no cell begins are removed.

use gongkai_model::{Cell, Grid, Paragraph, Rejection, RejectionCode, Span};

use crate::limits::Limits;

/// Maximum length of a cell's text in a statutory table, in scalars. A table with a longer text is page layout.
const LONGEST_CELL: usize = 1000;

/// A table that is being read.
#[derive(Debug, Default)]
pub(super) struct OpenTable {
    cells: Vec<OpenCell>,
    /// Number of rows that have begun.
    rows: u32,
    row_is_open: bool,
    row_is_hidden: bool,
    /// Whether text belongs to the last cell.
    cell: CellState,
    /// For each column, the first row in which it is free.
    free_from: Vec<u32>,
    /// Index of the first cell of the current row group.
    group: usize,
    /// First row of the open `<tfoot>`.
    foot: Option<u32>,
    /// The rows of closed `<tfoot>`s. They are shown last.
    feet: Vec<std::ops::Range<u32>>,
    /// True once a table with content was found inside. From then on all text here becomes paragraphs.
    pub(super) is_layout: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum CellState {
    #[default]
    Closed,
    Open,
    /// Open but not shown. It has no position on the grid.
    Hidden,
}

#[derive(Debug, Default)]
struct OpenCell {
    row: u32,
    column: u32,
    row_span: u32,
    column_span: u32,
    /// Position at which the cell's text would begin.
    at: u32,
    lines: Vec<Paragraph>,
}

/// The result of closing a table.
#[derive(Debug)]
pub(super) enum Closed {
    /// A data table, as a grid.
    Data(Grid),
    /// Layout around text. The list of its paragraphs may be empty.
    Layout(Vec<Paragraph>),
}

impl OpenTable {
    /// Returns true if text belongs to a cell.
    pub(super) fn has_open_cell(&self) -> bool {
        self.cell != CellState::Closed
    }

    /// Returns true if rows and cells that open now are not shown.
    pub(super) fn row_is_hidden(&self) -> bool {
        self.row_is_hidden
    }

    /// Begins a row and closes the previous one.
    pub(super) fn open_row(&mut self, hidden: bool, limits: &Limits) -> Result<(), Rejection> {
        self.close_row();
        self.row_is_open = true;
        self.row_is_hidden = hidden;
        if !hidden {
            self.rows += 1;
        }
        if self.rows > limits.rows { Err(too_large("rows", limits.rows)) } else { Ok(()) }
    }

    /// Ends the row.
    pub(super) fn close_row(&mut self) {
        self.cell = CellState::Closed;
        self.row_is_open = false;
        self.row_is_hidden = false;
    }

    /// Begins a row group.
    pub(super) fn open_group(&mut self, is_foot: bool) {
        self.close_group();
        self.foot = is_foot.then_some(self.rows);
    }

    /// Ends the row group. No `rowspan` extends beyond it.
    pub(super) fn close_group(&mut self) {
        self.close_row();
        let rows = self.rows;
        for cell in &mut self.cells[self.group..] {
            cell.row_span = cell.row_span.min(rows.saturating_sub(cell.row));
        }
        self.group = self.cells.len();
        self.free_from.clear();
        self.feet.extend(self.foot.take().map(|first| first..rows));
    }

    /// Begins a cell with these spans in the first free column and closes the previous cell.
    pub(super) fn open_cell(&mut self, spans: (u32, u32), at: u32, limits: &Limits) -> Result<(), Rejection> {
        if !self.row_is_open {
            self.open_row(false, limits)?;
        }
        let (row, (row_span, column_span)) = (self.rows.saturating_sub(1), spans);
        let free = self.free_from.iter().position(|free| *free <= row).unwrap_or(self.free_from.len());
        let column = u32::try_from(free).unwrap_or(u32::MAX);
        if column >= limits.columns {
            return Err(too_large("columns", limits.columns));
        }
        let column_span = column_span.clamp(1, limits.columns - column);
        let row_span = if row_span == 0 { limits.rows } else { row_span.min(limits.rows) };
        self.occupy(free, column_span as usize, row.saturating_add(row_span));
        self.cell = CellState::Open;
        self.cells.push(OpenCell { row, column, row_span, column_span, at, lines: Vec::new() });
        Ok(())
    }

    /// Begins a cell that is not shown.
    pub(super) fn open_hidden_cell(&mut self) {
        self.cell = CellState::Hidden;
    }

    /// Ends the cell.
    pub(super) fn close_cell(&mut self) {
        self.cell = CellState::Closed;
    }

    /// Adds a line to the open cell.
    pub(super) fn push_line(&mut self, line: Paragraph) {
        if let (CellState::Open, Some(cell)) = (self.cell, self.cells.last_mut()) {
            cell.lines.push(line);
        }
    }

    /// Removes and returns the lines of all cells so far, for a table that turns out to be layout.
    pub(super) fn take_lines(&mut self) -> Vec<Paragraph> {
        self.cells.iter_mut().flat_map(|cell| std::mem::take(&mut cell.lines)).collect()
    }

    /// Ends the table.
    pub(super) fn close(mut self) -> Closed {
        self.close_group();
        if self.is_layout || !self.is_data() {
            return Closed::Layout(self.take_lines());
        }
        self.put_feet_last();
        let columns = self.cells.iter().map(|cell| cell.column + 1).max().unwrap_or(0);
        let cells = self.cells.into_iter().map(|cell| cell.finished(columns)).collect();
        Closed::Data(Grid { rows: self.rows, columns, cells, spans_known: true, ends_unsure: false })
    }

    /// Moves the rows of `<tfoot>` behind all others, where a browser shows them.
    fn put_feet_last(&mut self) {
        let (feet, rows) = (std::mem::take(&mut self.feet), self.rows);
        let in_foot = |row: &u32| feet.iter().any(|foot| foot.contains(row));
        if feet.iter().all(|foot| foot.end == rows) {
            return;
        }
        let mut places = vec![0; rows as usize];
        let order = (0..rows).filter(|row| !in_foot(row)).chain((0..rows).filter(in_foot));
        for (place, row) in (0..).zip(order) {
            if let Some(slot) = places.get_mut(row as usize) {
                *slot = place;
            }
        }
        for cell in &mut self.cells {
            cell.row = places.get(cell.row as usize).copied().unwrap_or(cell.row);
        }
        self.cells.sort_by_key(|cell| (cell.row, cell.column));
    }

    /// Marks the columns of a cell as occupied.
    fn occupy(&mut self, column: usize, span: usize, until: u32) {
        let end = column + span;
        if self.free_from.len() < end {
            self.free_from.resize(end, 0);
        }
        for free in &mut self.free_from[column..end] {
            *free = (*free).max(until);
        }
    }

    /// Returns true for data. A single cell, one text beside at most two empty cells, and long prose are layout.
    fn is_data(&self) -> bool {
        let filled = self.cells.iter().filter(|cell| !cell.lines.is_empty()).count();
        let longest = self.cells.iter().map(OpenCell::len).max().unwrap_or(0);
        let enough = filled >= 2 || (filled == 1 && self.cells.len() > 3);
        enough && longest <= LONGEST_CELL
    }
}

// === impl OpenCell ===

impl OpenCell {
    fn len(&self) -> usize {
        self.lines.iter().map(|line| line.text.chars().count()).sum()
    }

    fn finished(self, columns: u32) -> Cell {
        let blank = Span { start: self.at, end: self.at };
        let span = self.lines.iter().filter_map(|line| line.span).reduce(Span::cover).unwrap_or(blank);
        let texts: Vec<&str> = self.lines.iter().map(|line| line.text.as_str()).collect();
        Cell {
            row: self.row,
            column: self.column,
            row_span: self.row_span.max(1),
            column_span: self.column_span.min(columns - self.column),
            text: texts.join("\n"),
            span: Some(span),
            page: None,
            area: None,
        }
    }
}

fn too_large(what: &str, limit: u32) -> Rejection {
    let what_zh = if what == "rows" { "行" } else { "列" };
    Rejection::new(
        RejectionCode::TooLarge,
        format!("表格过大：超过 {limit} {what_zh}"),
        format!("a table has more than {limit} {what}"),
    )
}
