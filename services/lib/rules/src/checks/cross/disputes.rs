//! Chapter 四 compared with last year's: lawsuits after reconsideration, and disputes without requests.

use rust_decimal::Decimal;

use super::cells::{ABOUT, about, cell, mentions, previous, total, value};
use crate::{
    check::Check,
    draft::Draft,
    input::Input,
    params::{ParamKind, Params},
};

pub(crate) const CHECKS: &[Check] = &[
    Check::one("cross.suits_after_reconsideration", &[("more", ABOUT)], after_reconsideration),
    Check::one("cross.disputes_without_requests", &[("disputes", ABOUT)], without_requests)
        .with(&[("proactive", ParamKind::List)]),
];

/// Checks that there are no more lawsuits after reconsideration than reconsiderations concluded this year or last
/// year.
fn after_reconsideration(_: &Params, input: &Input<'_>) -> Option<Draft> {
    let concluded = ["upheld", "corrected", "other"].map(|r| cell(&format!("disputes.reconsideration.{r}")));
    let previous = previous(input)?;
    let suits = cell("disputes.litigation_after_reconsideration.total");
    let mut most = Decimal::ZERO;
    for id in &concluded {
        most = most.checked_add(value(input, id)?)?.checked_add(previous.cells.value(id)?)?;
    }
    let actual = value(input, &suits)?;
    let mut draft = about(input, "more", &suits, most, actual);
    draft.facts.extend(concluded);
    (actual > most).then_some(draft)
}

/// Finds disputes over requests in a report without requests this year and last year. Disputes over proactive
/// disclosure need no request.
fn without_requests(params: &Params, input: &Input<'_>) -> Option<Draft> {
    let blocks = ["reconsideration", "litigation_direct", "litigation_after_reconsideration"];
    let previous = previous(input)?;
    let had_none = ["requests.received", "requests.carried_in"]
        .map(total)
        .iter()
        .all(|id| value(input, id) == Some(Decimal::ZERO) && previous.cells.value(id) == Some(Decimal::ZERO));
    if !had_none || mentions(params, "proactive", input) {
        return None;
    }
    let totals = blocks.map(|block| cell(&format!("disputes.{block}.total")));
    let first = totals.iter().find(|id| value(input, id).is_some_and(|number| number > Decimal::ZERO))?;
    let sum: Decimal = totals.iter().filter_map(|id| value(input, id)).sum();
    Some(Draft { facts: totals.to_vec(), ..about(input, "disputes", first, Decimal::ZERO, sum) })
}
