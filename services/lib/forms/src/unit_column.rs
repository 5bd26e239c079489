//! A column 单位 that editors add: it states the unit of each row (件, 万元), and the form has no such column.

use crate::{
    read_cell::ReadCell,
    rows::{Item, Row},
};

/// Minimum number of units in one row for each number to have one of its own.
const ONE_EACH: usize = 3;

/// Takes the cells of the column out of the rows of a range. The unit of a row stays known as [`Row::unit`]. Units behind
/// each number are taken out too.
pub(crate) fn take(range: &mut [Item<'_>]) {
    let has_column = range.iter().any(|item| match item {
        Item::Row(row) => {
            row.labels.iter().chain(&row.values).any(is_title) || units(row).nth(ONE_EACH - 1).is_some()
        }
        Item::Line(_) | Item::Chapter(_) => false,
    });
    for item in range.iter_mut().filter(|_| has_column) {
        if let Item::Row(row) = item {
            take_from(row);
        }
    }
}

fn take_from(row: &mut Row<'_>) {
    row.labels.retain(|piece| !is_title(piece));
    if row.labels.len() > 1 && row.labels.last().is_some_and(is_unit) {
        row.unit = row.labels.pop();
        return;
    }
    row.values.retain(|piece| !is_title(piece));
    if units(row).nth(1).is_some() {
        row.values.retain(|piece| !is_unit(piece));
    }
    if let Some(at) = row.values.iter().position(is_unit) {
        row.unit = Some(row.values.remove(at));
    }
}

fn units<'r, 'a>(row: &'r Row<'a>) -> impl Iterator<Item = &'r ReadCell<'a>> {
    row.values.iter().filter(|piece| is_unit(piece))
}

fn is_title(piece: &ReadCell<'_>) -> bool {
    matches!(piece.label.as_str(), "单位" | "计量单位")
}

fn is_unit(piece: &ReadCell<'_>) -> bool {
    let label = piece.label.as_str();
    matches!(label, "件" | "条" | "项" | "个" | "宗" | "次" | "份" | "件次" | "件条" | "条件")
        || (label.ends_with('元') && label.chars().nth(3).is_none())
}
