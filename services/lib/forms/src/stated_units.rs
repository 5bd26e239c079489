//! The unit of money that a document states around the amounts of chapter 二: in a title, in brackets behind a label, or in
//! a row of its own (单位：元).

use crate::{
    form::{Band, Unit},
    rows::{Item, ReadCell},
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
        Unit::Yuan => Some((at, PrintedUnit::Yuan)),
        Unit::TenThousandYuan => Some((at, PrintedUnit::TenThousandYuan)),
        Unit::Count | Unit::Change => None,
    })
}

/// Returns the units that rows and lines of their own state for all amounts: 单位：万元.
pub(crate) fn of_chapter(items: &[Item<'_>]) -> Vec<PrintedUnit> {
    let of = |label: &str| match label {
        "单位元" | "金额单位元" => Some(PrintedUnit::Yuan),
        "单位万元" | "金额单位万元" => Some(PrintedUnit::TenThousandYuan),
        "单位亿元" | "金额单位亿元" => Some(PrintedUnit::HundredMillionYuan),
        _ => None,
    };
    let labels = items.iter().flat_map(|item| match item {
        Item::Row(row) => row.labels.iter().map(|piece| piece.label.as_str()).collect(),
        Item::Line(text) => vec![text.as_str()],
        Item::Chapter(_) => Vec::new(),
    });
    labels.filter_map(of).collect()
}

/// Returns what titles and labels state about an amount whose unit in the form is `own`.
pub(crate) fn of<'p, 'a: 'p>(
    around: impl Iterator<Item = &'p ReadCell<'a>>,
    of_chapter: &[PrintedUnit],
    own: PrintedUnit,
) -> Stated {
    let mut units: Vec<PrintedUnit> = Vec::new();
    let printed = around.filter_map(|piece| PrintedUnit::stated(&piece.cell.text));
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
