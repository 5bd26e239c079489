//! Edits of rows and labels.

use super::{Cell, Choices, Sample, head, is_value};
use crate::support::Table;

/// The rows of a table that have values.
fn filled(table: &Table) -> Vec<usize> {
    (0..table.len()).filter(|row| table[*row].iter().any(is_value)).collect()
}

/// Returns a row with several values, and its table.
fn wide_row(sample: &Sample, choices: &mut Choices) -> (usize, usize) {
    let table = choices.below(3);
    let rows = filled(&sample.tables[table]);
    let is_wide = |row: &usize| sample.tables[table][*row].iter().filter(|cell| is_value(cell)).count() > 1;
    let wide: Vec<usize> = rows.into_iter().filter(is_wide).collect();
    if wide.is_empty() { (1, 3) } else { (table, choices.of(&wide)) }
}

/// Returns the columns of a table.
fn width(table: &Table) -> usize {
    table.first().map_or(1, |row| row.iter().map(|cell| cell.columns).sum())
}

/// Ends the merging of cells over rows. The rows below get blank cells or, with `repeats`, the same text.
fn unmerged(table: &Table, repeats: bool) -> Table {
    let mut open: Vec<(usize, usize, Cell)> = Vec::new();
    let mut rows = Vec::new();
    for row in table {
        let (mut column, mut line, mut next) = (0, Vec::new(), Vec::new());
        let mut cells = row.iter();
        loop {
            if let Some(at) = open.iter().position(|(first, _, _)| *first == column) {
                let (first, left, cell) = open.remove(at);
                let text = if repeats && !is_value(&cell) { cell.text.clone() } else { String::new() };
                line.push(head(&text, cell.columns, 1));
                column += cell.columns;
                next.extend((left > 1).then(|| (first, left - 1, cell)));
                continue;
            }
            let Some(cell) = cells.next() else { break };
            line.push(Cell { rows: 1, ..cell.clone() });
            next.extend((cell.rows > 1).then(|| (column, cell.rows - 1, cell.clone())));
            column += cell.columns;
        }
        open = next;
        rows.push(line);
    }
    rows
}

pub(super) fn unmerge(sample: &mut Sample, _: &mut Choices) {
    sample.tables.iter_mut().for_each(|table| *table = unmerged(table, false));
}

pub(super) fn repeat_labels(sample: &mut Sample, _: &mut Choices) {
    sample.tables.iter_mut().for_each(|table| *table = unmerged(table, true));
}

pub(super) fn add_blank_rows(sample: &mut Sample, choices: &mut Choices) {
    for table in &mut sample.tables {
        let blank = vec![head("", width(table), 1)];
        let at = choices.of(&[0, table.len()]);
        table.insert(at, blank);
    }
}

pub(super) fn add_note(sample: &mut Sample, choices: &mut Choices) {
    let table = &mut sample.tables[choices.below(3)];
    let note = head("注：行政复议数量含上年度结转数量3件；2.另有12件。", width(table), 1);
    table.push(vec![note]);
}

pub(super) fn add_title(sample: &mut Sample, choices: &mut Choices) {
    let table = &mut sample.tables[choices.below(3)];
    let title = choices.of(&["2023年统计表", "表1", "附表3 政府信息公开情况统计表（2023年）"]);
    let title = head(title, width(table), 1);
    table.insert(0, vec![title]);
}

/// Prints the header of chapter 三 again, before a row that no label reaches into.
pub(super) fn repeat_header(sample: &mut Sample, _: &mut Choices) {
    let table = &mut sample.tables[1];
    let last = table.len() - 1;
    if table.len() > 6 && table[last].iter().all(|cell| cell.rows == 1) {
        let again: Table = table[..3].to_vec();
        table.splice(last..last, again);
    }
}

/// Tears a row of chapter 三 in two: its label and some numbers, and the other numbers in a row without a label.
pub(super) fn tear(sample: &mut Sample, choices: &mut Choices) {
    let table = &mut sample.tables[1];
    let rows = filled(table);
    let is_torn = |row: &usize| table[*row].iter().filter(|cell| !is_value(cell)).count() == 1;
    let rows: Vec<usize> = rows.into_iter().filter(is_torn).filter(|row| table[*row][0].rows == 1).collect();
    let (Some(first), Some(last)) = (rows.first().copied(), rows.last().copied()) else { return };
    // The first two rows and the last have labels of the whole width, which no other label reaches.
    let row = choices.of(&[first, last]);
    let label = table[row][0].columns;
    let kept = 1 + choices.below(table[row].len());
    let mut below = table[row].clone();
    below[0] = head("", label, 1);
    for (at, cell) in table[row].iter_mut().enumerate().skip(1).filter(|(_, cell)| is_value(cell)) {
        let torn = if at < kept { &mut below[at] } else { cell };
        (torn.text, torn.fact) = (String::new(), None);
    }
    table.insert(row + 1, below);
}

/// Puts the first two rows of chapter 三 into one, with two lines in each cell.
pub(super) fn glue(sample: &mut Sample, _: &mut Choices) {
    let table = &mut sample.tables[1];
    let rows = filled(table);
    let [first, second, ..] = rows.as_slice() else { return };
    if table[*first].len() != table[*second].len() || table[*first].iter().any(|cell| cell.rows > 1) {
        return;
    }
    let below = table.remove(*second);
    for (cell, below) in table[*first].iter_mut().zip(below).filter(|(_, below)| !below.text.is_empty()) {
        cell.text = format!("{}<br>{}", cell.text, below.text);
    }
}

pub(super) fn lose_label(sample: &mut Sample, choices: &mut Choices) {
    let (table, row) = wide_row(sample, choices);
    let label = sample.tables[table][row].iter_mut().rfind(|cell| !is_value(cell));
    label.into_iter().for_each(|label| label.text.clear());
}

pub(super) fn lose_cell(sample: &mut Sample, choices: &mut Choices) {
    let (table, row) = wide_row(sample, choices);
    let row = &mut sample.tables[table][row];
    // Beside a number that is not the form's, a lost cell cannot be told.
    if row.iter().any(|cell| !is_value(cell) && cell.text.starts_with('9')) {
        return;
    }
    let values: Vec<usize> = (0..row.len()).filter(|at| is_value(&row[*at])).collect();
    let gone = row.remove(choices.of(&values));
    sample.truth.extend(gone.fact.map(|fact| (fact.to_string(), None)));
}

pub(super) fn double_cell(sample: &mut Sample, choices: &mut Choices) {
    let (table, row) = wide_row(sample, choices);
    if sample.truth.values().any(Option::is_none) {
        return;
    }
    let row = &mut sample.tables[table][row];
    let values: Vec<usize> = (0..row.len()).filter(|at| is_value(&row[*at])).collect();
    row.insert(choices.of(&values), head(&choices.foreign(), 1, 1));
}

pub(super) fn add_sum(sample: &mut Sample, choices: &mut Choices) {
    let table = &mut sample.tables[1];
    let sum = (0..7).map(|_| head(&choices.foreign(), 1, 1)).collect::<Vec<_>>();
    let label = width(table).saturating_sub(7).max(1);
    table.push([vec![head(choices.of(&["合计", "总计", "年度合计"]), label, 1)], sum].concat());
}

/// Adds a row 栏次 with the numbers of the columns below the header of chapter 三.
pub(super) fn number_columns(sample: &mut Sample, choices: &mut Choices) {
    let table = &mut sample.tables[1];
    if width(table) == 10 {
        let numbers = (1..=7).map(|n| head(&n.to_string(), 1, 1)).collect::<Vec<_>>();
        table.insert(3, [vec![head(choices.of(&["栏次", "甲", ""]), 3, 1)], numbers].concat());
    }
}
