//! The unit of money that a document states around the amounts of chapter 二: in a title, in brackets behind a label, or in
//! a row of its own (单位：元).

use crate::{
    form::{Band, Unit},
    read_cell::ReadCell,
    rows::Item,
    value::PrintedUnit,
};

/// What the text around an amount states about its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stated {
    /// Nothing, or the unit of the form.
    Nothing,
    /// Another unit than the form's.
    Unit(PrintedUnit),
    /// Several units.
    Contradiction,
}

/// Returns the column of a band that is money, and its unit.
pub(crate) fn money(band: &Band) -> Option<(usize, PrintedUnit)> {
    band.columns.iter().enumerate().find_map(|(at, column)| match column.unit {
        Unit::Yuan => Some((at, PrintedUnit::YUAN)),
        Unit::TenThousandYuan => Some((at, PrintedUnit::TEN_THOUSAND_YUAN)),
        Unit::Count | Unit::Change => None,
    })
}

/// Returns the units that rows and lines of their own state for all amounts: `单位：万元`, `（单位：件、元）`.
pub(crate) fn of_chapter(items: &[Item<'_>]) -> Vec<PrintedUnit> {
    let labels = items.iter().flat_map(|item| match item {
        Item::Row(row) => row.labels.iter().map(|piece| piece.label.as_str()).collect(),
        Item::Line(text) => vec![text.as_str()],
        Item::Chapter(_) => Vec::new(),
    });
    labels.filter_map(of_line).collect()
}

/// Returns true for a line that states units.
pub(crate) fn are_in(label: &str) -> bool {
    of_line(label).is_some()
}

/// Maximum length of a list of units, in scalars.
const LONGEST_LIST: usize = 12;

/// Words before 单位 in a line that states units.
const KINDS: [&str; 5] = ["", "金额", "计量", "货币", "数据"];

/// Returns the unit of money in a line of units, given without punctuation: 单位件元, 金额单位人民币万元.
fn of_line(label: &str) -> Option<PrintedUnit> {
    let (kind, units) = label.split_once("单位")?;
    if !KINDS.contains(&kind) || units.chars().nth(LONGEST_LIST).is_some() {
        return None;
    }
    PrintedUnit::at_last_yuan(units).map(|(unit, _)| unit)
}

/// Returns what titles and labels state about an amount whose unit in the form is `own`.
pub(crate) fn of<'p, 'a: 'p>(
    around: impl Iterator<Item = &'p ReadCell<'a>>,
    of_chapter: &[PrintedUnit],
    own: PrintedUnit,
) -> Stated {
    let mut units: Vec<PrintedUnit> = Vec::new();
    let texts = whole_labels(around.map(|piece| piece.cell.text.as_str()));
    let printed = texts.iter().filter_map(|text| PrintedUnit::stated(text));
    for unit in printed.chain(of_chapter.iter().copied()) {
        if !units.contains(&unit) {
            units.push(unit);
        }
    }
    match units.as_slice() {
        [] => Stated::Nothing,
        [unit] if *unit == own => Stated::Nothing,
        [unit] => Stated::Unit(*unit),
        _ => Stated::Contradiction,
    }
}

/// Returns the labels, those joined that white space divides before their unit: `（单位：万` and `元）`.
fn whole_labels<'t>(pieces: impl Iterator<Item = &'t str>) -> Vec<String> {
    let is_open = |label: &String| label.ends_with(['十', '百', '千', '万', '亿', '：', ':', '（', '(']);
    let mut labels: Vec<String> = Vec::new();
    for piece in pieces.map(str::trim) {
        let is_rest = piece.starts_with(['百', '千', '万', '亿', '元']);
        match labels.last_mut().filter(|label| is_rest && is_open(label)) {
            Some(label) => label.push_str(piece),
            None => labels.push(piece.to_owned()),
        }
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_states_the_unit_of_money_among_others() {
        for (label, expect) in [
            ("单位元", Some(PrintedUnit::YUAN)),
            ("单位件元", Some(PrintedUnit::YUAN)),
            ("金额单位人民币万元", Some(PrintedUnit::TEN_THOUSAND_YUAN)),
            ("单位千元件", Some(PrintedUnit::Money(3))),
            ("单位件", None),
            ("报送单位财政局元", None),
        ] {
            assert_eq!(of_line(label), expect, "{label}");
        }
    }

    #[test]
    fn a_unit_that_white_space_divides_is_one() {
        let whole = |pieces: &[&str]| whole_labels(pieces.iter().copied());
        assert_eq!(whole(&["金额（单位：万", "元）", "收费"]), ["金额（单位：万元）", "收费"]);
        assert_eq!(whole(&["金额（", "万元）"]), ["金额（万元）"]);
        assert_eq!(whole(&["金额", "元"]), ["金额", "元"]);
    }
}
