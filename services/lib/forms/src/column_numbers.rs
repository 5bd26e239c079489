//! Rows with the numbers of the columns, which editors put below a header: 栏次, 1, 2, 3.

use rust_decimal::Decimal;

use crate::{
    rows::{Item, Row},
    value::CellValue,
    vocabulary::Vocabulary,
};

/// Minimum number of columns.
const FEWEST: usize = 5;

/// Removes such rows from a range.
pub(crate) fn drop(range: &mut Vec<Item<'_>>, vocabulary: &Vocabulary) {
    range.retain(|item| !matches!(item, Item::Row(row) if is_one(row, vocabulary)));
}

/// Returns true if a row counts from 1 and has no label of the form. Without a label, it may have the name of the last column.
fn is_one(row: &Row<'_>, vocabulary: &Vocabulary) -> bool {
    let counts = (1_u32..)
        .map(Decimal::from)
        .zip(row.filled())
        .all(|(count, piece)| matches!(piece.value, CellValue::Number(number, _) if number == count));
    counts
        && row.filled().nth(FEWEST - 1).is_some()
        && row.labels.last().is_none_or(|own| own.label == "其他" || !vocabulary.is_structural(&own.label))
}
