//! Zeros of merged cells in layouts that keep the places of the cells they cover, as blanks: `0 | | | | | 0`.
//!
//! Such blanks cannot be told from cells that were left blank, so they are unreadable. Where blanks follow other numbers
//! too, the document leaves cells blank, and they are what they are.

use crate::{
    read_cell::ReadCell,
    rows::{Item, Row},
    value::CellValue,
};

/// Minimum number of blanks that a merged zero leaves: those of the five organisations, or of a block of chapter 四.
const FEWEST: usize = 4;

/// Number of blanks that a zero under 自然人 leaves up to 总计. No cell is merged over these columns.
const UP_TO_TOTAL: usize = 5;

/// Makes the blanks behind zeros in the rows of a range unreadable.
pub(crate) fn doubt(range: &mut [Item<'_>]) {
    let rows = || range.iter().filter_map(row);
    if !rows().any(|row| !runs(row).is_empty()) || rows().any(has_other_blanks) {
        return;
    }
    for item in range {
        let Item::Row(row) = item else { continue };
        for run in runs(row) {
            for piece in row.values.get_mut(run).unwrap_or_default() {
                piece.value = CellValue::Text;
            }
        }
    }
}

fn row<'r, 'a>(item: &'r Item<'a>) -> Option<&'r Row<'a>> {
    match item {
        Item::Row(row) if !row.stream => Some(row),
        _ => None,
    }
}

/// Returns the blanks behind each zero of a row that can be a merged one.
fn runs(row: &Row<'_>) -> Vec<std::ops::Range<usize>> {
    if row.stream {
        return Vec::new();
    }
    let zeros = (0..row.values.len()).filter(|at| row.values.get(*at).is_some_and(is_zero));
    let behind = |at: usize| {
        let rest = row.values.get(at + 1..).unwrap_or_default();
        let blanks = rest.iter().take_while(|piece| is_blank(piece)).count();
        (at + 1..at + 1 + blanks, rest.len())
    };
    let is_merged = |(run, rest): &(std::ops::Range<usize>, usize)| {
        run.len() >= FEWEST && (run.len() != UP_TO_TOTAL || run.len() == *rest)
    };
    zeros.map(behind).filter(is_merged).map(|(run, _)| run).collect()
}

/// Returns true if a blank follows a number that is not zero.
fn has_other_blanks(row: &Row<'_>) -> bool {
    let is_number = |piece: &ReadCell<'_>| matches!(piece.value, CellValue::Number(..)) && !is_zero(piece);
    row.values.windows(2).any(|pair| pair.first().is_some_and(is_number) && pair.last().is_some_and(is_blank))
}

fn is_zero(piece: &ReadCell<'_>) -> bool {
    let is_narrow = piece.cell.column_span <= 1;
    is_narrow && matches!(piece.value, CellValue::Number(number, _) if number.is_zero())
}

fn is_blank(piece: &ReadCell<'_>) -> bool {
    piece.value == CellValue::Blank
}
