//! `identity.*`: the equations (勾稽关系) that the form itself implies. There is one finding per broken equation.

use gongkai_model::State;

use crate::{
    check::{Cases, Check},
    draft::{Draft, decimal},
    equation::Broken,
    input::Input,
    layout::{Equation, EquationKind},
    table::Table,
};

pub(crate) const CHECKS: &[Check] = &[
    Check::many("identity.row", CASES, |_, input| run(EquationKind::Row, input)),
    Check::many("identity.sum", CASES, |_, input| run(EquationKind::Sum, input)),
    Check::many("identity.balance", CASES, |_, input| run(EquationKind::Balance, input)),
    Check::many("identity.dispute", CASES, |_, input| run(EquationKind::Dispute, input)),
];

/// Maximum number of repairs that a finding names.
const SHOWN: usize = 2;

const CASES: Cases = &[("broken", &["place", "parts", "expected", "printed", "actual", "cause"])];

fn run(kind: EquationKind, input: &Input<'_>) -> Vec<Draft> {
    let Some(table) = &input.table else { return Vec::new() };
    let broken = input.broken.iter().map(|broken| (broken, &table.layout.equations[broken.equation]));
    broken
        .filter(|(_, equation)| equation.kind == kind)
        .map(|(broken, equation)| Draft {
            suggestion: suggestion(input, table, broken.cause),
            ..draft(table, broken, equation)
        })
        .collect()
}

/// Describes the repairs that would satisfy all broken equations with this suspect cell, the best ones first.
fn suggestion(input: &Input<'_>, table: &Table<'_>, cause: usize) -> Option<String> {
    let (_, repairs) = input.repairs.iter().find(|(suspect, _)| *suspect == cause)?;
    let shown: Vec<String> = repairs.iter().take(SHOWN).map(|repair| repair.words(table).0).collect();
    let words = shown.join("；或");
    (!shown.is_empty()).then(|| format!("{words}，相关勾稽关系即全部成立（仅供参考，请核对原始数据）"))
}

fn draft(table: &Table<'_>, broken: &Broken, equation: &Equation) -> Draft {
    let cause = &table.layout.cells[broken.cause];
    let (left, right) = (&equation.left, &equation.right);
    let draft = Draft::of_cells("broken", table.ids(left.iter().chain(right).copied()))
        .with_both("place", &equation.place, &equation.place_en)
        .with_both("parts", addends(table, left, "空"), addends(table, left, "blank"))
        .expected(decimal(broken.left))
        .with_both("printed", addends(table, right, "空"), addends(table, right, "blank"))
        .actual(decimal(broken.right))
        .with_both("cause", &cause.position, cause.id.to_string());
    Draft { cause: Some(cause.id.clone()), concept: Some(equation.concept.clone()), ..draft }
}

/// Joins the numbers as printed with `+`.
fn addends(table: &Table<'_>, cells: &[usize], blank: &str) -> String {
    let text = |cell: &usize| match table.state(*cell) {
        State::Reported(value) => decimal(value),
        _ => blank.to_owned(),
    };
    cells.iter().map(text).collect::<Vec<_>>().join("+")
}
