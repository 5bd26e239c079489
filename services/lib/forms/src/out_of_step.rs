//! Documents of one cell per line whose labels stand behind their numbers.
//!
//! Read from top to bottom, the numbers of each row follow the label of the row before. Two things show it: the first
//! numbers follow the table's header, and the last label has no numbers.

use crate::{
    index::RequestIndex,
    rows::{Item, Row},
};

/// Returns true if labels stand behind the numbers of chapter 三. `columns` is the number of values of a row.
pub(crate) fn requests(items: &[Item<'_>], index: &RequestIndex, columns: usize) -> bool {
    let is_header = |row: &Row<'_>| {
        let own = row.labels.last().map(|piece| piece.label.as_str());
        own.is_none_or(|own| index.applicant(own).is_some())
            && row.labels.iter().filter(|piece| index.applicant(&piece.label).is_some()).count() != 1
    };
    let is_name = |label: &str| index.exact(label).is_some() && index.applicant(label).is_none();
    labels_follow(items, columns, is_header, is_name)
}

/// Returns true if the first row with at least `columns` values is a header, and the last label that `is_name` has fewer.
pub(crate) fn labels_follow(
    items: &[Item<'_>],
    columns: usize,
    is_header: impl Fn(&Row<'_>) -> bool,
    is_name: impl Fn(&str) -> bool,
) -> bool {
    let first = items.iter().find_map(|item| match item {
        Item::Row(row) if row.stream && row.values.len() >= columns => Some(row),
        _ => None,
    });
    let values_of_name = |item: &Item<'_>| match item {
        Item::Row(row) => row.labels.last().filter(|own| is_name(&own.label)).map(|_| row.values.len()),
        Item::Line(text) => is_name(text).then_some(0),
        Item::Chapter(_) => None,
    };
    let last = items.iter().rev().find_map(values_of_name);
    first.is_some_and(is_header) && last.is_some_and(|values| values < columns)
}
