//! Cells by their public names: their values in this report and in last year's, and drafts about one of them.

use gongkai_model::{Applicant, Concept, FactId};
use rust_decimal::Decimal;

use crate::{
    draft::{Draft, decimal},
    input::Input,
    neighbours::AgencyYear,
    params::Params,
};

/// The placeholders that [`about`] sets.
pub(super) const ABOUT: &[&str] = &["cell", "expected", "actual", "year", "last_year"];

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

/// Returns the position of a cell in an editor's words.
pub(super) fn position(input: &Input<'_>, id: &FactId) -> String {
    let cells = input.table.as_ref().map(|table| &table.layout.cells);
    let cell = cells.and_then(|cells| cells.iter().find(|cell| cell.id == *id));
    cell.map_or_else(|| id.to_string(), |cell| cell.position.clone())
}

/// Returns true if the prose contains a word of one of the rule's lists.
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
    Draft::of_cells(case, vec![id.clone()])
        .with_both("cell", position(input, id), id.to_string())
        .expected(decimal(expected))
        .actual(decimal(actual))
        .with("year", input.report.year.to_string())
        .with("last_year", input.report.year.saturating_sub(1).to_string())
}
