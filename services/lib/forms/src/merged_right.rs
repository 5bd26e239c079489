//! Zeros of merged cells in layouts that keep the places of the cells they cover, as blanks: `0 | | | | | 0`.
//!
//! Such blanks cannot be told from cells that were left blank, so they are unreadable. Where as many follow other
//! numbers too, the document leaves cells blank, and they are what they are.

use crate::{
    read_cell::ReadCell,
    rows::{Item, Row},
    value::CellValue,
};

/// Minimum number of blanks that a merged zero leaves: those of the five organisations, or of a block of chapter 四.
const FEWEST: usize = 4;

/// Number of blanks that a zero under 自然人 leaves up to 总计. No cell is merged over these columns.
const UP_TO_TOTAL: usize = 5;

/// Minimum number of rows that show a table's padding.
const FEWEST_ROWS: usize = 3;

/// Makes the blanks behind zeros in the rows of a range unreadable.
pub(crate) fn doubt(range: &mut [Item<'_>]) {
    let rows = || range.iter().filter_map(row);
    // Blanks behind the values of all rows are cells that the table does not have.
    let behind = |row: &Row<'_>| row.values.iter().rev().take_while(|piece| is_blank(piece)).count();
    let padding = rows().map(behind).min().filter(|_| rows().nth(FEWEST_ROWS - 1).is_some());
    let padding = padding.unwrap_or_default();
    if !rows().any(|row| !runs(row, padding).is_empty()) || rows().any(|row| has_other_blanks(row, padding)) {
        return;
    }
    for item in range {
        let Item::Row(row) = item else { continue };
        for run in runs(row, padding) {
            for piece in row.values.get_mut(run).unwrap_or_default() {
                piece.value = CellValue::Text;
            }
        }
    }
}

fn row<'r, 'a>(item: &'r Item<'a>) -> Option<&'r Row<'a>> {
    match item {
        Item::Row(row) if !row.stream && row.filled().next().is_some() => Some(row),
        _ => None,
    }
}

/// Returns the blanks behind each zero of a row that can be a merged one.
fn runs(row: &Row<'_>, padding: usize) -> Vec<std::ops::Range<usize>> {
    if row.stream {
        return Vec::new();
    }
    let values = own_values(row, padding);
    let zeros = (0..values.len()).filter(|at| values.get(*at).is_some_and(is_zero));
    let behind = |at: usize| {
        let rest = values.get(at + 1..).unwrap_or_default();
        let blanks = rest.iter().take_while(|piece| is_blank(piece)).count();
        (at + 1..at + 1 + blanks, rest.len())
    };
    let is_merged = |(run, rest): &(std::ops::Range<usize>, usize)| {
        run.len() >= FEWEST && (run.len() != UP_TO_TOTAL || run.len() == *rest)
    };
    zeros.map(behind).filter(is_merged).map(|(run, _)| run).collect()
}

/// Returns true if as many blanks follow a number that is not zero.
fn has_other_blanks(row: &Row<'_>, padding: usize) -> bool {
    let is_number = |piece: &ReadCell<'_>| matches!(piece.value, CellValue::Number(..)) && !is_zero(piece);
    own_values(row, padding).windows(FEWEST + 1).any(|run| {
        run.split_first().is_some_and(|(first, blanks)| is_number(first) && blanks.iter().all(is_blank))
    })
}

/// Returns the values without the padding behind them.
fn own_values<'r, 'a>(row: &'r Row<'a>, padding: usize) -> &'r [ReadCell<'a>] {
    row.values.get(..row.values.len().saturating_sub(padding)).unwrap_or_default()
}

fn is_zero(piece: &ReadCell<'_>) -> bool {
    let is_narrow = piece.cell.column_span <= 1;
    is_narrow && matches!(piece.value, CellValue::Number(number, _) if number.is_zero())
}

fn is_blank(piece: &ReadCell<'_>) -> bool {
    piece.value == CellValue::Blank
}
