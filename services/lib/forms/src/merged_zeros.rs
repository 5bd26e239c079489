//! Zeros of cells merged over several rows, in layouts that keep the places of the cells they cover, as blanks.

use crate::{
    read_cell::ReadCell,
    rows::{Item, Row},
    value::CellValue,
};

/// Columns of chapter 三.
const COLUMNS: usize = 7;

/// Makes rows of blanks below rows of zeros unreadable, in a range of chapter 三 without a cell over several rows: the zeros
/// may have been merged. Where a row of blanks follows other numbers too, the document leaves cells blank, and they are
/// what they are. A row whose label `is_name` does not know is none of the form's: the second line of a label has blanks
/// beside it.
pub(crate) fn doubt(range: &mut [Item<'_>], is_name: impl Fn(&str) -> bool) {
    let mut rows: Vec<&mut Row<'_>> = range.iter_mut().filter_map(|item| row(item, &is_name)).collect();
    let mut below_zeros = false;
    let mut doubtful = Vec::new();
    for (at, row) in rows.iter().enumerate().skip_while(|(_, row)| row.filled().next().is_none()) {
        if row.labels.iter().chain(&row.values).any(|piece| piece.cell.row_span > 1) {
            return;
        }
        match row.filled().next() {
            Some(_) => below_zeros = row.values.iter().all(is_zero),
            None if below_zeros => doubtful.push(at),
            None => return,
        }
    }
    for at in doubtful {
        for piece in rows.get_mut(at).into_iter().flat_map(|row| &mut row.values) {
            piece.value = CellValue::Text;
        }
    }
}

/// Returns the row of the layout with a name of the form's and a cell for each column.
fn row<'r, 'a>(item: &'r mut Item<'a>, is_name: impl Fn(&str) -> bool) -> Option<&'r mut Row<'a>> {
    match item {
        Item::Row(row) if !row.stream && row.values.len() >= COLUMNS => {
            row.labels.last().is_some_and(|own| is_name(&own.label)).then_some(row)
        }
        _ => None,
    }
}

fn is_zero(piece: &ReadCell<'_>) -> bool {
    matches!(piece.value, CellValue::Number(number, _) if number.is_zero())
}
