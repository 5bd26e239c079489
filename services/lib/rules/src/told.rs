//! The suspect of a broken balance, if the prose tells a number that restores it.
//!
//! 一 + 二 = （七） + 四 does not show which of the four rows is wrong. The prose often does: 上年结转2件 beside a table
//! whose row 二 is 0.

use rust_decimal::Decimal;

use gongkai_forms::RowKind;
use gongkai_model::Applicant;

use crate::{
    equation::Broken,
    layout::{EquationKind, LayoutRow},
    prose::{Prose, quantity::Quantity},
    table::Table,
};

/// The rows of a balance, with the quantity by which the prose states each.
const ROWS: [(RowKind, Quantity); 3] = [
    (RowKind::CarriedIn, Quantity::CarriedIn),
    (RowKind::CarriedOut, Quantity::CarriedOut),
    (RowKind::Received, Quantity::NewlyReceived),
];

/// Makes the row that the prose tells the suspect of the broken balances, in every column.
pub(crate) fn suspect(table: &Table<'_>, prose: &Prose<'_>, broken: &mut [Broken]) {
    let is_balance = |broken: &&Broken| table.layout.equations[broken.equation].kind == EquationKind::Balance;
    let of_total = broken.iter().filter(is_balance).find(|broken| {
        let first = table.layout.equations[broken.equation].right.first();
        first.is_some_and(|cell| table.layout.cells[*cell].id.applicant == Some(Applicant::Total))
    });
    let Some(of_total) = of_total.copied() else { return };
    let Some(row) = ROWS.iter().find_map(|(kind, quantity)| told(table, prose, &of_total, *kind, *quantity))
    else {
        return;
    };
    for broken in broken.iter_mut().filter(|broken| is_balance(&&**broken)) {
        let equation = &table.layout.equations[broken.equation];
        let own = equation.cells().find(|cell| row.total == *cell || row.parts.contains(cell));
        broken.cause = own.unwrap_or(broken.cause);
    }
}

/// Returns the row if the prose gives it a number with which the balance of the totals holds.
fn told<'t>(
    table: &'t Table<'_>,
    prose: &Prose<'_>,
    broken: &Broken,
    kind: RowKind,
    quantity: Quantity,
) -> Option<&'t LayoutRow> {
    let row = table.layout.rows.iter().find(|row| row.kind == kind)?;
    let printed = table.value(row.total).unwrap_or(Decimal::ZERO);
    let is_left = table.layout.equations[broken.equation].left.contains(&row.total);
    let gap = broken.right.checked_sub(broken.left)?;
    let due = if is_left { printed.checked_add(gap)? } else { printed.checked_sub(gap)? };
    let mut claims = prose.claims().flat_map(|(_, claims)| claims);
    claims.any(|claim| claim.quantity == quantity && claim.value == due && due != printed).then_some(row)
}
