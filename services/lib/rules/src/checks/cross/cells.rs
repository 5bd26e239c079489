//! Cells by their public names: their values in this report and in last year's, and drafts about one of them.

use gongkai_model::{Applicant, Concept, FactId};
use rust_decimal::Decimal;

use crate::{
    draft::{Draft, Value, decimal},
    fingerprint::Key,
    input::Input,
    neighbours::AgencyYear,
    params::Params,
};

/// Returns the agency's report on the year before.
pub(super) fn previous<'a>(input: &Input<'a>) -> Option<&'a AgencyYear> {
    input.context.neighbours?.previous.as_ref()
}

pub(super) fn cell(concept: &str) -> FactId {
    FactId { concept: Concept::new(concept), applicant: None }
}

pub(super) fn total(concept: &str) -> FactId {
    of(concept, Applicant::Total)
}

pub(super) fn of(concept: &str, applicant: Applicant) -> FactId {
    FactId { concept: Concept::new(concept), applicant: Some(applicant) }
}

/// Returns the number in a cell of this report.
pub(super) fn value(input: &Input<'_>, id: &FactId) -> Option<Decimal> {
    input.report.state(id).value()
}

/// Returns a cell in the words of an editor, for the placeholder `cell`.
pub(super) fn place(input: &Input<'_>, id: &FactId) -> Value {
    let cells = input.table.as_ref().map(|table| &table.layout.cells);
    let position =
        cells.and_then(|cells| cells.iter().find(|cell| cell.id == *id)).map(|cell| &cell.position);
    Value::new("cell", position.cloned().unwrap_or_else(|| id.to_string()), id.to_string())
}

/// True if the prose contains a word of one of the rule's lists.
pub(super) fn mentions(params: &Params, list: &str, input: &Input<'_>) -> bool {
    let words = params.words(list);
    words.is_some_and(|words| input.prose.passages().iter().any(|passage| words.any(passage.text())))
}

/// Returns a draft about one cell, with its expected and actual value.
pub(super) fn about(
    input: &Input<'_>,
    case: &'static str,
    id: &FactId,
    expected: Decimal,
    actual: Decimal,
) -> Draft {
    Draft {
        concept: Some(id.concept.clone()),
        expected: Some(decimal(expected)),
        actual: Some(decimal(actual)),
        facts: vec![id.clone()],
        values: vec![
            place(input, id),
            Value::same("expected", decimal(expected)),
            Value::same("actual", decimal(actual)),
            Value::same("year", input.report.year.to_string()),
            Value::same("last_year", input.report.year.saturating_sub(1).to_string()),
        ],
        ..Draft::new(case, Key::Operands)
    }
}
