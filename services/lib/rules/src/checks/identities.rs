//! `identity.*`: the sums that the form itself prints. One finding a broken identity.

use gongkai_model::State;

use crate::{
    check::Check,
    draft::{Draft, Value, decimal},
    fingerprint::Key,
    identity::Broken,
    input::Input,
    layout::{Identity, IdentityKind},
    params::Params,
    table::Table,
};

pub(crate) const CHECKS: &[Check] = &[
    check("identity.row", |_, input| run(IdentityKind::Row, input)),
    check("identity.sum", |_, input| run(IdentityKind::Sum, input)),
    check("identity.balance", |_, input| run(IdentityKind::Balance, input)),
    check("identity.dispute", |_, input| run(IdentityKind::Dispute, input)),
];

/// Repairs that a finding names.
const SHOWN: usize = 2;

const CASES: &[(&str, &[&str])] =
    &[("broken", &["place", "parts", "expected", "printed", "actual", "cause"])];

const fn check(name: &'static str, run: fn(&Params, &Input<'_>) -> Vec<Draft>) -> Check {
    Check { name, cases: CASES, params: &[], run }
}

fn run(kind: IdentityKind, input: &Input<'_>) -> Vec<Draft> {
    let Some(table) = &input.table else { return Vec::new() };
    let broken = input.broken.iter().map(|broken| (broken, &table.layout.identities[broken.identity]));
    broken
        .filter(|(_, identity)| identity.kind == kind)
        .map(|(broken, identity)| Draft {
            suggestion: suggestion(input, table, broken.cause),
            ..draft(table, broken, identity)
        })
        .collect()
}

/// What would mend all that has this suspect: the best change, and the next best if it is as small.
fn suggestion(input: &Input<'_>, table: &Table<'_>, cause: usize) -> Option<String> {
    let (_, repairs) = input.repairs.iter().find(|(suspect, _)| *suspect == cause)?;
    let shown: Vec<String> = repairs.iter().take(SHOWN).map(|repair| repair.words(table).0).collect();
    let words = shown.join("；或");
    (!shown.is_empty()).then(|| format!("{words}，相关勾稽关系即全部成立（仅供参考，请核对原始数据）"))
}

fn draft(table: &Table<'_>, broken: &Broken, identity: &Identity) -> Draft {
    let (expected, actual) = (decimal(broken.left), decimal(broken.right));
    let cause = &table.layout.cells[broken.cause];
    Draft {
        cause: Some(cause.id.clone()),
        concept: Some(identity.concept.clone()),
        facts: table.ids(identity.left.iter().chain(&identity.right).copied()),
        values: vec![
            Value::new("place", &identity.place, &identity.place_en),
            addends(table, "parts", &identity.left),
            Value::same("expected", &expected),
            addends(table, "printed", &identity.right),
            Value::same("actual", &actual),
            Value::new("cause", &cause.position, cause.id.to_string()),
        ],
        expected: Some(expected),
        actual: Some(actual),
        ..Draft::new("broken", Key::Operands)
    }
}

/// The numbers as printed, joined by `+`.
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
