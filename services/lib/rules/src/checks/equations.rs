//! `identity.*`: the equations (勾稽关系) that the form itself implies. There is one finding per broken equation.

use gongkai_model::State;

use crate::{
    check::Check,
    draft::{Draft, Value, decimal},
    equation::Broken,
    fingerprint::Key,
    input::Input,
    layout::{Equation, EquationKind},
    params::Params,
    table::Table,
};

pub(crate) const CHECKS: &[Check] = &[
    check("identity.row", |_, input| run(EquationKind::Row, input)),
    check("identity.sum", |_, input| run(EquationKind::Sum, input)),
    check("identity.balance", |_, input| run(EquationKind::Balance, input)),
    check("identity.dispute", |_, input| run(EquationKind::Dispute, input)),
];

/// Maximum number of repairs that a finding names.
const SHOWN: usize = 2;

const CASES: &[(&str, &[&str])] =
    &[("broken", &["place", "parts", "expected", "printed", "actual", "cause"])];

const fn check(name: &'static str, run: fn(&Params, &Input<'_>) -> Vec<Draft>) -> Check {
    Check { name, cases: CASES, params: &[], run }
}

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
    let (expected, actual) = (decimal(broken.left), decimal(broken.right));
    let cause = &table.layout.cells[broken.cause];
    Draft {
        cause: Some(cause.id.clone()),
        concept: Some(equation.concept.clone()),
        facts: table.ids(equation.left.iter().chain(&equation.right).copied()),
        values: vec![
            Value::new("place", &equation.place, &equation.place_en),
            addends(table, "parts", &equation.left),
            Value::same("expected", &expected),
            addends(table, "printed", &equation.right),
            Value::same("actual", &actual),
            Value::new("cause", &cause.position, cause.id.to_string()),
        ],
        expected: Some(expected),
        actual: Some(actual),
        ..Draft::new("broken", Key::Operands)
    }
}

/// Joins the numbers as printed with `+`.
fn addends(table: &Table<'_>, name: &'static str, cells: &[usize]) -> Value {
    let join = |blank: &str| {
        let texts: Vec<String> = cells
            .iter()
            .map(|cell| match table.state(*cell) {
                State::Reported(value) => decimal(value),
                _ => blank.to_owned(),
            })
            .collect();
        texts.join("+")
    };
    Value::new(name, join("空"), join("blank"))
}
