//! A column of percentages in chapter 三 of a document without geometry. Editors add one; the form has none.

use crate::{
    read_cell::ReadCell,
    rows::{Item, Row},
};

/// Minimum number of rows with exactly one percentage for a column of them to be assumed.
const FEWEST_ROWS: usize = 10;

/// Removes the column from the rows of a range. Rows with geometry stay: their header tells the columns.
pub(crate) fn drop(range: &mut [Item<'_>]) {
    let rows = range.iter().filter(|item| matches!(item, Item::Row(row) if place(row).is_some()));
    if rows.count() < FEWEST_ROWS {
        return;
    }
    for item in range {
        if let Item::Row(row) = item
            && let Some(at) = place(row)
        {
            row.values.remove(at);
        }
    }
}

/// Returns the place of the one percentage in a row without geometry.
fn place(row: &Row<'_>) -> Option<usize> {
    if row.spans_known {
        return None;
    }
    let mut places =
        row.values.iter().enumerate().filter(|(_, piece)| is_percentage(piece)).map(|(at, _)| at);
    places.next().filter(|_| places.next().is_none())
}

fn is_percentage(piece: &ReadCell<'_>) -> bool {
    let text = piece.cell.text.trim();
    let number = text.strip_suffix(['%', '％']).map(str::trim);
    number.is_some_and(|number| {
        !number.is_empty() && number.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '-' | '+'))
    })
}
