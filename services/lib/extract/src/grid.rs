//! Converts cells with known positions to blocks: a grid, or paragraphs if the table was only page layout.
//!
//! The readers of office formats and PDF share it, so that they agree on what counts as a table.

use gongkai_model::{Block, Cell, Grid, Paragraph, Rejection};

use crate::{limits::Limits, reject};

/// Maximum length of a cell's text in a statutory table, in scalars. A table with a longer text is page layout.
const LONGEST_CELL: usize = 1000;

/// Returns the blocks of a table with these cells, in rows, left to right.
pub(crate) fn blocks(rows: u32, mut cells: Vec<Cell>, limits: &Limits) -> Result<Vec<Block>, Rejection> {
    if rows > limits.rows {
        return Err(reject::too_many_rows(limits));
    }
    if !is_data(&cells) {
        return Ok(cells.iter().flat_map(lines).collect());
    }
    drop_unused_columns(&mut cells);
    let columns = cells.iter().map(|cell| cell.column + cell.column_span).max().unwrap_or(0);
    if columns > limits.columns {
        return Err(reject::too_many_columns(limits));
    }
    cells.sort_by_key(|cell| (cell.row, cell.column));
    Ok(vec![Block::Table(Grid { rows, columns, cells, spans_known: true, ends_unsure: false })])
}

/// Returns true for data. A single cell, one text beside one or two empty cells, and prose are layout.
fn is_data(cells: &[Cell]) -> bool {
    let filled = cells.iter().filter(|cell| !cell.text.is_empty()).count();
    let longest = cells.iter().map(|cell| cell.text.chars().count()).max().unwrap_or(0);
    (filled >= 2 || (filled == 1 && cells.len() > 3)) && longest <= LONGEST_CELL
}

fn lines(cell: &Cell) -> Vec<Block> {
    let lines = cell.text.split('\n').map(str::trim).filter(|line| !line.is_empty());
    lines
        .map(|line| Block::Paragraph(Paragraph { text: line.to_owned(), span: cell.span, page: cell.page }))
        .collect()
}

/// Removes columns in which no cell begins.
fn drop_unused_columns(cells: &mut [Cell]) {
    let mut begun: Vec<u32> = cells.iter().map(|cell| cell.column).collect();
    begun.sort_unstable();
    begun.dedup();
    let rank = |column: u32| u32::try_from(begun.partition_point(|b| *b < column)).unwrap_or(u32::MAX);
    for cell in cells {
        let end = rank(cell.column.saturating_add(cell.column_span));
        cell.column = rank(cell.column);
        cell.column_span = end.saturating_sub(cell.column).max(1);
    }
}
