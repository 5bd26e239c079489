//! Edits of the table of chapter 四.

use super::{Cell, Choices, Sample, head, is_value};

const COLUMNS: [&str; 5] = ["结果维持", "结果纠正", "其他结果", "尚未审结", "总计"];
const BLOCKS: [[&str; 3]; 3] = [
    ["行政复议", "未经复议直接起诉", "复议后起诉"],
    ["行政复议", "行政诉讼（未经复议直接起诉）", "行政诉讼（复议后起诉）"],
    ["一、行政复议", "二、未经复议直接起诉", "三、复议后起诉"],
];

/// Returns the fifteen values if the table is that of the form, but for rows of years.
fn values(sample: &Sample) -> Option<Vec<Cell>> {
    let row = sample.tables[2].iter().find(|row| row.iter().any(is_value))?;
    let is_whole = row.iter().all(|cell| is_value(cell) || cell.text.ends_with('年'));
    (is_whole && row.iter().filter(|cell| is_value(cell)).count() == 15).then(|| row.clone())
}

fn names() -> Vec<Cell> {
    COLUMNS.iter().map(|name| head(name, 1, 1)).collect()
}

/// Puts the blocks below each other. A year before the values moves with them.
pub(super) fn stack(sample: &mut Sample, choices: &mut Choices) {
    let Some(values) = values(sample) else { return };
    let titles = choices.of(&BLOCKS);
    let gone: Vec<Cell> = values.iter().skip(15).cloned().collect();
    let mut table = vec![[vec![head("类别", 1, 1)], names()].concat()];
    for (title, block) in titles.iter().zip(values.chunks(5)) {
        table.push([vec![head(title, 1, 1)], block.to_vec()].concat());
    }
    for fact in gone.into_iter().filter_map(|cell| cell.fact) {
        sample.truth.insert(fact.to_string(), None);
    }
    sample.tables[2] = table;
}

/// Puts the blocks side by side, with one row for each column.
pub(super) fn turn(sample: &mut Sample, _: &mut Choices) {
    let Some(values) = values(sample).filter(|values| values.len() == 15) else { return };
    let mut table = vec![
        vec![head("结果", 1, 2), head("行政复议", 1, 2), head("行政诉讼", 2, 1)],
        vec![head("未经复议直接起诉", 1, 1), head("复议后起诉", 1, 1)],
    ];
    for (at, name) in COLUMNS.iter().enumerate() {
        let own = [0, 5, 10].map(|block| values[block + at].clone());
        table.push([vec![head(name, 1, 1)], own.to_vec()].concat());
    }
    sample.tables[2] = table;
}

/// Adds the rows of two earlier years.
pub(super) fn add_years(sample: &mut Sample, choices: &mut Choices) {
    let table = &mut sample.tables[2];
    if table.len() != 4 || table[3].len() != 15 {
        return;
    }
    table[0].insert(0, head("年度", 1, 3));
    table[3].insert(0, head("2023年", 1, 1));
    let at = choices.of(&[3, 4]);
    for year in ["2022年", "2021年"] {
        let other = (0..15).map(|_| head(&choices.foreign(), 1, 1)).collect();
        table.insert(at, [vec![head(year, 1, 1)], other].concat());
    }
}

/// Adds a total of all blocks at either end.
pub(super) fn add_total(sample: &mut Sample, choices: &mut Choices) {
    let table = &mut sample.tables[2];
    if table.len() != 4 || table[3].len() != 15 {
        return;
    }
    let is_first = choices.below(2) == 0;
    for (row, text) in [(0, "合计".to_owned()), (3, choices.foreign())] {
        let at = if is_first { 0 } else { table[row].len() };
        table[row].insert(at, head(&text, 1, if row == 0 { 3 } else { 1 }));
    }
}
