//! Rows of chapter 三 that lost their labels: `（三）不予公开` followed by the numbers of all rows of the group.
//!
//! The numbers are split into rows only if there are exactly seven for each row of the group, every row adds up to its
//! total, and the next label is the one that follows the group in the form. Otherwise their rows are unknown.

use rust_decimal::Decimal;

use crate::{
    form::Form,
    label::norm,
    read_cell::ReadCell,
    rows::{Item, Row},
    value::CellValue,
};

/// Columns of chapter 三.
const COLUMNS: usize = 7;

/// Replaces each group without row labels by its labelled rows.
pub(crate) fn split(range: &mut Vec<Item<'_>>, form: &Form) {
    let mut at = 0;
    while at < range.len() {
        let next = range.get(at + 1..).unwrap_or_default().iter().find_map(|item| match item {
            Item::Row(row) => row.labels.first().map(|piece| piece.label.clone()),
            Item::Line(text) => Some(text.clone()),
            Item::Chapter(_) => None,
        });
        let rows = match range.get(at) {
            Some(Item::Row(row)) if row.values.len() >= 2 * COLUMNS => rows(row, next.as_deref(), form),
            _ => None,
        };
        let Some(rows) = rows else {
            at += 1;
            continue;
        };
        let count = rows.len();
        range.splice(at..=at, rows.into_iter().map(Item::Row));
        at += count;
    }
}

/// Returns the labelled rows of a group, or `None` if the row is not a group or its numbers cannot be split.
fn rows<'a>(row: &Row<'a>, next: Option<&str>, form: &Form) -> Option<Vec<Row<'a>>> {
    let own = row.labels.last()?;
    let of_group = |group: &Option<String>| group.as_deref().is_some_and(|group| norm(group) == own.label);
    let first = form.rows.iter().position(|row| of_group(&row.group))?;
    let group: Vec<_> = form.rows.iter().skip(first).take_while(|row| of_group(&row.group)).collect();
    let behind = form.rows.get(first + group.len())?;
    let goes_on = next
        .is_some_and(|next| behind.label.all().chain(behind.group.as_deref()).any(|name| norm(name) == next));
    let complete = row.values.len() == group.len() * COLUMNS && row.values.chunks(COLUMNS).all(adds_up);
    if !(goes_on && complete) {
        return None;
    }
    let (last, before) = row.labels.split_last()?;
    let rows = group.iter().zip(row.values.chunks(COLUMNS)).enumerate().map(|(at, (named, values))| {
        let cell = values.first().map_or(last.cell, |piece| piece.cell);
        let label = ReadCell { cell, label: norm(&named.label.text), ..last.clone() };
        // Labels before the group's label stay before its first row.
        let before = if at == 0 { before } else { &[] };
        let labels = before.iter().cloned().chain([label]).collect();
        Row { labels, values: values.to_vec(), ..row.clone() }
    });
    Some(rows.collect())
}

/// Returns true if all values are numbers and the last is the sum of the others.
fn adds_up(values: &[ReadCell<'_>]) -> bool {
    let number = |piece: &ReadCell<'_>| match piece.value {
        CellValue::Number(number, _) => Some(number),
        _ => None,
    };
    let Some((total, parts)) = values.split_last() else { return false };
    let sum: Option<Decimal> =
        parts.iter().try_fold(Decimal::ZERO, |sum, piece| sum.checked_add(number(piece)?));
    sum.is_some() && sum == number(total)
}
