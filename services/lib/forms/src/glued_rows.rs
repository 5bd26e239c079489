//! Rows of the form that an editor put into one row of a table, with a line in each cell for each of them.

use crate::{
    label::norm,
    read_cell::ReadCell,
    rows::{Item, Row},
    value::CellValue,
};

/// Makes the numbers of such rows unreadable: a cell of one number may have it for any of them. Returns the rows of the form
/// that the labels name. `row` returns the row with a label.
pub(crate) fn doubt<T>(range: &mut [Item<'_>], row: impl Fn(&str) -> Option<T>) -> Vec<T> {
    let mut glued = Vec::new();
    for item in range {
        let Item::Row(own) = item else { continue };
        let names = names(own, &row);
        if names.len() > 1 {
            glued.extend(names);
            let numbers = own.values.iter_mut().filter(|piece| matches!(piece.value, CellValue::Number(..)));
            numbers.for_each(|piece| piece.value = CellValue::Text);
        }
    }
    glued
}

/// Returns true for the numbers of several rows in one cell, each on a line of its own.
pub(crate) fn are_in(piece: &ReadCell<'_>) -> bool {
    let is_number = |line: &&str| line.trim_start().starts_with(|c: char| c.is_ascii_digit());
    piece.value == CellValue::Text && piece.cell.text.lines().filter(is_number).nth(1).is_some()
}

/// Returns the rows that the lines of a row's label name.
fn names<T>(own: &Row<'_>, row: impl Fn(&str) -> Option<T>) -> Vec<T> {
    let text = own.labels.last().map_or("", |piece| piece.cell.text.as_str());
    if text.contains('\n') { text.lines().filter_map(|line| row(&norm(line))).collect() } else { Vec::new() }
}
