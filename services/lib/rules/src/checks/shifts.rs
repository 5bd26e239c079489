//! `shifts`: rows and pairs of cells of chapter 三 whose numbers were displaced. Reported only beside a broken
//! equation.

use crate::{
    check::Check,
    draft::{Draft, Value},
    fingerprint::Key,
    input::Input,
};

pub(crate) const CHECKS: &[Check] = &[Check {
    name: "shifts",
    cases: &[("moved", &["repair", "cause"])],
    params: &[],
    run: |_, input| run(input),
}];

fn run(input: &Input<'_>) -> Vec<Draft> {
    let Some(table) = &input.table else { return Vec::new() };
    let moved = input.repairs.iter().filter_map(|(suspect, repairs)| {
        let repair = repairs.first().filter(|repair| repair.is_move())?;
        let (zh, en) = repair.words(table);
        let cells: Vec<usize> = repair.changes(table).into_iter().map(|(cell, _)| cell).collect();
        let cause = &table.layout.cells[*suspect];
        Some(Draft {
            cause: Some(cause.id.clone()),
            concept: cells.first().map(|cell| table.id(*cell).concept),
            facts: table.ids(cells),
            values: vec![
                Value::new("repair", &zh, en),
                Value::new("cause", &cause.position, cause.id.to_string()),
            ],
            suggestion: Some(zh),
            ..Draft::new("moved", Key::Operands)
        })
    });
    moved.collect()
}
