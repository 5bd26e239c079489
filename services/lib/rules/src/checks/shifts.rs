//! `shifts`: rows and pairs of cells of chapter 三 whose numbers were displaced. Reported only beside a broken
//! equation.

use crate::{check::Check, draft::Draft, input::Input, params::Params};

pub(crate) const CHECKS: &[Check] = &[Check::many("shifts", &[("moved", &["repair", "cause"])], shifts)];

fn shifts(_: &Params, input: &Input<'_>) -> Vec<Draft> {
    let Some(table) = &input.table else { return Vec::new() };
    let moved = input.repairs.iter().filter_map(|(suspect, repairs)| {
        let repair = repairs.first().filter(|repair| repair.is_move())?;
        let (zh, en) = repair.words(table);
        let cells = repair.changes(table).into_iter().map(|(cell, _)| cell);
        let cause = &table.layout.cells[*suspect];
        let draft = Draft::of_cells("moved", table.ids(cells)).with_both("repair", &zh, en).with_both(
            "cause",
            &cause.position,
            cause.id.to_string(),
        );
        Some(Draft { cause: Some(cause.id.clone()), suggestion: Some(zh), ..draft })
    });
    moved.collect()
}
