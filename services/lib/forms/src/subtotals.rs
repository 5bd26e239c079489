//! Rows that editors add to chapter 三: the sum of a group, under 合计 or 小计.
//!
//! A row is taken for a subtotal only if it has such a name, it is the sum of the rows right before it, and another
//! total follows.

use rust_decimal::Decimal;

use crate::{
    read_cell::ReadCell,
    rows::{Item, Row},
    value::CellValue,
};

/// The most rows of a group.
const LARGEST_GROUP: usize = 8;

/// Returns for each row whether it is a subtotal. The values of a row are its last `columns` cells. `items` has the rows,
/// and labels that stand apart from their values.
pub(crate) fn among(rows: &[&Row<'_>], items: &[Item<'_>], columns: usize) -> Vec<bool> {
    let total = items.iter().rev().find_map(|item| match item {
        Item::Row(row) if is_total(row) => Some(row),
        _ => None,
    });
    let is_last = |row: &Row<'_>| total.is_some_and(|total| std::ptr::eq(total, row));
    let is_subtotal = |at: usize| {
        let Some(row) = rows.get(at).filter(|row| !is_last(row) && is_plain_total(row)) else {
            return false;
        };
        (2..=LARGEST_GROUP.min(at))
            .any(|size| rows.get(at - size..at).is_some_and(|group| is_sum(row, group, columns)))
    };
    (0..rows.len()).map(is_subtotal).collect()
}

/// Returns true for the name of a subtotal that is no name of the form's total: 小计, 本项小计.
pub(crate) fn is_name(label: &str) -> bool {
    label.ends_with("小计") || label == "分计"
}

fn is_total(row: &Row<'_>) -> bool {
    row.labels.last().is_some_and(|own| matches!(own.label.as_str(), "合计" | "小计" | "总计" | "分计"))
}

/// Returns true for a total without a number of its own: （七）总计 is the form's.
fn is_plain_total(row: &Row<'_>) -> bool {
    let own = row.labels.last();
    is_total(row) && own.is_some_and(|own| !own.cell.text.trim_start().starts_with(['（', '(', '七', '7']))
}

/// Returns true if each cell is the sum of the cells above it.
fn is_sum(total: &Row<'_>, group: &[&Row<'_>], columns: usize) -> bool {
    let total = total.last_values(columns);
    (0..total.len()).all(|column| {
        let own = total.get(column).and_then(number);
        let sum = group.iter().try_fold(Decimal::ZERO, |sum, row| {
            sum.checked_add(row.last_values(columns).get(column).and_then(number)?)
        });
        own.is_some() && own == sum
    })
}

fn number(piece: &ReadCell<'_>) -> Option<Decimal> {
    match piece.value {
        CellValue::Number(number, _) => Some(number),
        CellValue::Blank | CellValue::NotApplicable => Some(Decimal::ZERO),
        CellValue::Text => None,
    }
}
