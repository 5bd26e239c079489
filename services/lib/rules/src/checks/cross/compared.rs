//! Comparison with last year's numbers: outliers, wrong units, copied tables and missing years.

use gongkai_model::FactId;
use rust_decimal::Decimal;

use super::cells::{ABOUT, about, cell, previous, total, value};
use crate::{
    check::Check,
    draft::Draft,
    input::Input,
    params::{ParamKind, Params},
};

pub(crate) const CHECKS: &[Check] = &[
    Check::many("cross.jump", &[("leaps", ABOUT)], jump)
        .with(&[("ratio", ParamKind::Decimal), ("least", ParamKind::Whole)]),
    Check::one("cross.fee_unit", &[("slip", ABOUT)], fee_unit).with(&[("ratio", ParamKind::Decimal)]),
    Check::one("cross.copied_numbers", &[("copied", &["count", "last_year"])], copied_numbers)
        .with(&[("least", ParamKind::Whole)]),
    Check::one("cross.gap", &[("missing", &["missing", "before"])], gap),
];

/// Returns the cells that are checked for jumps: overall activity, not single results.
fn leaping() -> Vec<FactId> {
    let plain = [
        "proactive.licensing.decisions",
        "proactive.punishment.decisions",
        "proactive.coercion.decisions",
        "disputes.reconsideration.total",
        "disputes.litigation_direct.total",
        "disputes.litigation_after_reconsideration.total",
    ];
    let mut cells = vec![total("requests.received"), total("requests.outcome.total")];
    cells.extend(plain.map(cell));
    cells
}

fn jump(params: &Params, input: &Input<'_>) -> Vec<Draft> {
    let Some(previous) = previous(input) else { return Vec::new() };
    let (ratio, least) = (params.decimal("ratio"), Decimal::from(params.whole("least")));
    let drafts = leaping().into_iter().filter_map(|id| {
        let (now, before) = (value(input, &id)?, previous.cells.value(&id)?);
        let is_far = (now - before).abs() >= least;
        let leaps = is_far && (now > before.checked_mul(ratio)? || before > now.checked_mul(ratio)?);
        leaps.then(|| about(input, "leaps", &id, before, now))
    });
    drafts.collect()
}

/// Finds an amount in 元 where 万元 is required, or the reverse.
fn fee_unit(params: &Params, input: &Input<'_>) -> Option<Draft> {
    let id = cell("proactive.fees.amount");
    let (now, before) = (value(input, &id)?, previous(input)?.cells.value(&id)?);
    let (low, high) = (now.min(before), now.max(before));
    let is_slip = low > Decimal::ZERO && high >= low.checked_mul(params.decimal("ratio"))?;
    is_slip.then(|| about(input, "slip", &id, before, now))
}

/// Finds a report whose numbers other than 0 all equal last year's. Reports of zeros only are always alike and are
/// skipped.
fn copied_numbers(params: &Params, input: &Input<'_>) -> Option<Draft> {
    let previous = previous(input).filter(|previous| previous.form == input.report.form)?;
    let not_zero = |value: &Decimal| !value.is_zero();
    let own = input
        .report
        .facts
        .iter()
        .filter_map(|fact| fact.state.value().filter(not_zero).map(|v| (&fact.id, v)));
    let mut count = 0_i64;
    for (id, value) in own {
        if previous.cells.value(id) != Some(value) {
            return None;
        }
        count += 1;
    }
    let before =
        previous.cells.iter().filter(|(_, state)| state.value().is_some_and(|v| not_zero(&v))).count();
    let is_copied = count >= params.whole("least") && usize::try_from(count) == Ok(before);
    is_copied.then(|| {
        Draft::of_part("copied", "numbers")
            .with("count", count.to_string())
            .with("last_year", previous.year.to_string())
    })
}

/// Finds years without a report between this one and an earlier one.
fn gap(_: &Params, input: &Input<'_>) -> Option<Draft> {
    let neighbours = input.context.neighbours?;
    let earlier = neighbours.earlier.filter(|_| neighbours.previous.is_none())?;
    let years = earlier.saturating_add(1)..input.report.year;
    let missing: Vec<String> = years.map(|year| year.to_string()).collect();
    let draft = Draft::of_part("missing", "gap");
    Some(
        draft
            .with_both("missing", missing.join("、"), missing.join(", "))
            .with("before", earlier.to_string()),
    )
}
