//! A table's cells with their positions on the grid, as office formats and PDF need them.

use super::{Cell, Table};

/// A position in a row, and the cell that begins there.
#[derive(Debug, Clone)]
pub(crate) struct Placed<'t> {
    /// The cell that begins here; `None` if a cell from above covers the position.
    pub(crate) cell: Option<&'t Cell>,
    /// First grid column.
    pub(crate) column: usize,
    /// Columns covered.
    pub(crate) columns: usize,
}

/// Returns the rows of a table, left to right. Rows that lost cells end early, as they do in documents.
pub(crate) fn rows(table: &Table) -> Vec<Vec<Placed<'_>>> {
    // For each column that a cell from above covers: rows left, first column, width.
    let mut covered: Vec<Option<(usize, usize, usize)>> = Vec::new();
    let mut rows = Vec::new();
    for row in table {
        let mut line = Vec::new();
        let mut column = 0;
        let mut below = covered.clone();
        let mut go_on = |column: &mut usize, line: &mut Vec<Placed<'_>>| {
            while let Some(Some((left, first, columns))) = covered.get(*column).copied() {
                line.push(Placed { cell: None, column: first, columns });
                let rest = (left > 1).then_some((left - 1, first, columns));
                below[first..first + columns].fill(rest);
                *column += columns;
            }
        };
        let mut new = Vec::new();
        for cell in row {
            go_on(&mut column, &mut line);
            line.push(Placed { cell: Some(cell), column, columns: cell.columns });
            new.push((column, cell.columns, cell.rows));
            column += cell.columns;
        }
        go_on(&mut column, &mut line);
        for (first, columns, rows) in new {
            below.resize(below.len().max(first + columns), None);
            let rest = (rows > 1).then_some((rows - 1, first, columns));
            below[first..first + columns].fill(rest);
        }
        covered = below;
        rows.push(line);
    }
    rows
}

/// Columns of the widest row.
pub(crate) fn width(rows: &[Vec<Placed<'_>>]) -> usize {
    rows.iter().flatten().map(|placed| placed.column + placed.columns).max().unwrap_or(0)
}
