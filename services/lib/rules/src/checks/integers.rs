//! `integers`: counts are whole numbers. Only the change columns of the 2019 form may be negative.

use rust_decimal::Decimal;

use gongkai_forms::Unit;

use crate::{
    check::{Cases, Check},
    draft::{Draft, decimal},
    input::Input,
};

const CASES: Cases = &[("fraction", &["cell", "actual"]), ("negative", &["cell", "actual"])];

pub(crate) const CHECKS: &[Check] = &[
    Check::many("integers", CASES, |_, input| run(input, |chapter| chapter > 2)),
    Check::many("integers.proactive", CASES, |_, input| run(input, |chapter| chapter == 2)),
];

fn run(input: &Input<'_>, is_wanted: fn(u32) -> bool) -> Vec<Draft> {
    let Some(table) = &input.table else { return Vec::new() };
    let mut drafts = Vec::new();
    for (at, cell) in table.layout.cells.iter().enumerate() {
        let Some(value) = table.value(at).filter(|_| is_wanted(cell.chapter)) else { continue };
        let case = match cell.unit {
            Unit::Count | Unit::Change if !value.fract().is_zero() => "fraction",
            Unit::Count | Unit::TenThousandYuan | Unit::Yuan if value < Decimal::ZERO => "negative",
            _ => continue,
        };
        let draft = Draft::of_cells(case, vec![cell.id.clone()])
            .with_both("cell", &cell.position, cell.id.to_string())
            .actual(decimal(value));
        drafts.push(Draft { cause: Some(cell.id.clone()), ..draft });
    }
    drafts
}
