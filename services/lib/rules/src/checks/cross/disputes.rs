//! Chapter 四 compared with last year's: lawsuits after reconsideration, and disputes without requests.

use rust_decimal::Decimal;

use super::cells::{about, cell, mentions, previous, total, value};
use crate::{
    check::Check,
    draft::{Draft, decimal},
    input::Input,
    params::{Kind, Params},
};

pub(crate) const CHECKS: &[Check] = &[
    Check {
        name: "cross.suits_after_reconsideration",
        cases: &[("more", &["cell", "expected", "actual", "year", "last_year"])],
        params: &[],
        run: |_, input| after_reconsideration(input),
    },
    Check {
        name: "cross.disputes_without_requests",
        cases: &[("disputes", &["cell", "expected", "actual", "year", "last_year"])],
        params: &[("proactive", Kind::List)],
        run: without_requests,
    },
];

/// Checks that there are no more lawsuits after reconsideration than reconsiderations concluded this year or last
/// year.
fn after_reconsideration(input: &Input<'_>) -> Vec<Draft> {
    let concluded = ["upheld", "corrected", "other"].map(|r| cell(&format!("disputes.reconsideration.{r}")));
    let more = || {
        let previous = previous(input)?;
        let suits = cell("disputes.litigation_after_reconsideration.total");
        let mut most = Decimal::ZERO;
        for id in &concluded {
            most = most.checked_add(value(input, id)?)?.checked_add(previous.cells.value(id)?)?;
        }
        let actual = value(input, &suits)?;
        let mut draft = about(input, "more", &suits, most, actual);
        draft.facts.extend(concluded.clone());
        (actual > most).then_some(draft)
    };
    more().into_iter().collect()
}

/// Finds disputes over requests in a report without requests this year and last year. Disputes over proactive
/// disclosure need no request.
fn without_requests(params: &Params, input: &Input<'_>) -> Vec<Draft> {
    let blocks = ["reconsideration", "litigation_direct", "litigation_after_reconsideration"];
    let none = |read: &dyn Fn(&gongkai_model::FactId) -> Option<Decimal>| {
        ["requests.received", "requests.carried_in"]
            .iter()
            .all(|row| read(&total(row)) == Some(Decimal::ZERO))
    };
    let found = || {
        let previous = previous(input)?;
        if !none(&|id| value(input, id))
            || !none(&|id| previous.cells.value(id))
            || mentions(params, "proactive", input)
        {
            return None;
        }
        let totals = blocks.map(|block| cell(&format!("disputes.{block}.total")));
        let first = totals.iter().find(|id| value(input, id).is_some_and(|number| number > Decimal::ZERO))?;
        let sum: Decimal = totals.iter().filter_map(|id| value(input, id)).sum();
        let mut draft = about(input, "disputes", first, Decimal::ZERO, sum);
        draft.actual = Some(decimal(sum));
        draft.facts = totals.to_vec();
        Some(draft)
    };
    found().into_iter().collect()
}
