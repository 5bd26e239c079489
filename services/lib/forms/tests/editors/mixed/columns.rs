//! Edits of columns, in chapter 三 unless they say otherwise.

use super::{Choices, Sample, head, is_value};
use crate::editors::with_column;
use crate::support::Table;

/// Returns true if the header of chapter 三 is that of the form.
fn has_header(table: &Table) -> bool {
    table.len() > 10 && table[0].len() == 2 && table[1].len() >= 3 && table[2].len() >= 5
}

/// Adds a column at a place that the header and the rows may count differently.
fn add(sample: &mut Sample, choices: &mut Choices, title: &str, text: impl Fn(&mut Choices) -> String) {
    if has_header(&sample.tables[1]) {
        let at = choices.of(&[0, 1, 7]);
        with_column(sample, at, title, |_| text(choices));
    }
}

pub(super) fn add_percentages(sample: &mut Sample, choices: &mut Choices) {
    add(sample, choices, "占比", |choices| format!("{}.{}%", choices.below(99), 1 + choices.below(9)));
}

pub(super) fn add_bare_percentages(sample: &mut Sample, choices: &mut Choices) {
    add(sample, choices, "占比（%）", |choices| {
        format!("{}.{}", choices.below(99), 1 + choices.below(9))
    });
}

pub(super) fn add_last_year(sample: &mut Sample, choices: &mut Choices) {
    let title = choices.of(&["上年数", "2022年", "去年同期", "同比增减"]);
    add(sample, choices, title, Choices::foreign);
}

/// Gives each column a second one for the year before, under a row of years.
pub(super) fn pair_years(sample: &mut Sample, choices: &mut Choices) {
    let table = &mut sample.tables[1];
    if !has_header(table) || table[1].len() > 3 || table[3].iter().all(|cell| !is_value(cell)) {
        return;
    }
    let is_first = choices.below(2) == 0;
    let [own, other] = choices.of(&[["2023年", "2022年"], ["2023", "2022"], ["本年", "上年"]]);
    table[0][0].rows += 1;
    table[0][1].columns *= 2;
    table[1].iter_mut().for_each(|cell| cell.columns *= 2);
    table[2].iter_mut().for_each(|cell| cell.columns = 2);
    let pair = if is_first { [own, other] } else { [other, own] };
    table.insert(3, (0..7).flat_map(|_| pair.map(|year| head(year, 1, 1))).collect());
    for row in table.iter_mut().skip(4) {
        let cells = std::mem::take(row);
        for cell in cells {
            let other = is_value(&cell).then(|| head(&choices.foreign(), 1, 1));
            let pair = if is_first { [Some(cell), other] } else { [other, Some(cell)] };
            row.extend(pair.into_iter().flatten());
        }
    }
}

/// Adds a first column with the ordinals of the rows.
pub(super) fn add_ordinals(sample: &mut Sample, _: &mut Choices) {
    let table = &mut sample.tables[1];
    if has_header(table) {
        table[0].insert(0, head("序号", 1, 3));
        for (n, row) in table.iter_mut().skip(3).enumerate() {
            row.insert(0, head(&(n + 1).to_string(), 1, 1));
        }
    }
}

/// Adds a blank column at the left or right of any table.
pub(super) fn add_blank(sample: &mut Sample, choices: &mut Choices) {
    let is_left = choices.below(2) == 0;
    for row in &mut sample.tables[choices.below(3)] {
        row.insert(if is_left { 0 } else { row.len() }, head("", 1, 1));
    }
}

/// Adds a blank column behind each.
pub(super) fn space_out(sample: &mut Sample, _: &mut Choices) {
    let table = &mut sample.tables[1];
    if !has_header(table) {
        return;
    }
    table[0][1].columns = 14;
    table[1].iter_mut().for_each(|cell| cell.columns *= 2);
    table[2].iter_mut().for_each(|cell| cell.columns = 2);
    for row in table.iter_mut().skip(3) {
        let cells = std::mem::take(row);
        for cell in cells {
            let blank = is_value(&cell).then(|| head("", 1, 1));
            row.extend([Some(cell), blank].into_iter().flatten());
        }
    }
}

pub(super) fn add_remarks(sample: &mut Sample, choices: &mut Choices) {
    let text = choices.of(&["", "见附件", "无", "—"]);
    let table = &mut sample.tables[1];
    if has_header(table) {
        table[0].push(head("备注", 1, 3));
        table.iter_mut().skip(3).for_each(|row| row.push(head(text, 1, 1)));
    }
}

/// Prints the label of each row behind its numbers too.
pub(super) fn repeat_labels(sample: &mut Sample, _: &mut Choices) {
    let table = &mut sample.tables[1];
    if has_header(table) {
        table[0].push(head("项目", 1, 3));
        for row in table.iter_mut().skip(3) {
            let label = row.iter().rfind(|cell| !is_value(cell)).map(|cell| cell.text.clone());
            row.push(head(&label.unwrap_or_default(), 1, 1));
        }
    }
}
