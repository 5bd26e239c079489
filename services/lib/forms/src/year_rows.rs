//! Rows of several years below each other in tables with geometry: 规章 of 2022年, 规章 of 2023年. Only those of the
//! latest year are the report's. Rows of ratios between them belong to no year.

use crate::{
    foreign_titles,
    read_cell::ReadCell,
    rows::{Item, Row},
};

/// Removes the rows of earlier years from a range, and the years from the labels of the others.
pub(crate) fn keep_latest(range: &mut Vec<Item<'_>>) {
    let is_of_year = |item: &Item<'_>| matches!(item, Item::Row(row) if year(row).is_some());
    if !range.iter().any(is_of_year) {
        return;
    }
    share_labels(range);
    let latest = |own: u32| {
        let years = range.iter().filter_map(|item| match item {
            Item::Row(row) if table(row) == Some(own) => year(row).filter(|_| row.labels.len() > 1),
            _ => None,
        });
        years.max()
    };
    let mut tables: Vec<(u32, i32)> = Vec::new();
    for item in range.iter() {
        if let Item::Row(row) = item
            && let Some(own) = table(row).filter(|own| tables.iter().all(|(other, _)| other != own))
        {
            tables.extend(latest(own).map(|year| (own, year)));
        }
    }
    range.retain_mut(|item| match item {
        Item::Row(row) => {
            let latest = tables.iter().find(|(own, _)| table(row) == Some(*own)).map(|(_, year)| *year);
            latest.is_none_or(|latest| keep(row, latest))
        }
        Item::Line(_) | Item::Chapter(_) => true,
    });
}

/// Returns whether a row of a table whose latest year is known is of that year, or of none. Removes the year from its labels.
fn keep(row: &mut Row<'_>, latest: i32) -> bool {
    if row.labels.len() < 2 {
        return true;
    }
    match year(row) {
        Some(own) if own == latest => {
            row.labels.pop();
            true
        }
        Some(_) => false,
        None => !is_ratio(row),
    }
}

/// Adds the labels that reach down from the rows above to each row that has only a year or the title of a ratio.
fn share_labels(range: &mut [Item<'_>]) {
    let mut reaching: Vec<ReadCell<'_>> = Vec::new();
    for item in range {
        let Item::Row(row) = item else { continue };
        let [own] = row.labels.as_slice() else {
            reaching = row.labels.iter().filter(|label| label.cell.row_span > 1).cloned().collect();
            continue;
        };
        let reaches = |label: &&ReadCell<'_>| {
            label.table == own.table && label.cell.row + label.cell.row_span > own.cell.row
        };
        if year(row).is_some() || is_ratio(row) {
            let above: Vec<ReadCell<'_>> = reaching.iter().filter(reaches).cloned().collect();
            row.labels.splice(0..0, above);
        } else {
            reaching.clear();
        }
    }
}

fn table(row: &Row<'_>) -> Option<u32> {
    row.values.first().filter(|_| row.spans_known).map(|piece| piece.table)
}

/// Returns the year of a row with numbers.
fn year(row: &Row<'_>) -> Option<i32> {
    let own = row.labels.last().filter(|_| row.spans_known)?;
    foreign_titles::year(&own.label).filter(|_| row.filled().next().is_some())
}

fn is_ratio(row: &Row<'_>) -> bool {
    let words = ["占比", "比例", "百分比", "比重", "同比", "同比增减", "增减", "增幅"];
    row.labels.last().is_some_and(|own| words.contains(&own.label.as_str()))
}
