//! Comparison with last year's numbers: outliers, wrong units, copied tables, missing years, and the growth that the
//! prose states.

use gongkai_model::FactId;
use rust_decimal::Decimal;

use super::cells::{ABOUT, about, cell, previous, total, value};
use crate::{
    check::{Cases, Check},
    draft::{Draft, decimal},
    input::Input,
    params::{ParamKind, Params},
    static_regex::StaticRegex,
};

const GROWTH_CASES: Cases =
    &[("differs", &["chapter", "quote", "expected", "actual", "now", "before", "last_year"])];

pub(crate) const CHECKS: &[Check] = &[
    Check::many("cross.jump", &[("leaps", ABOUT)], jump)
        .with(&[("ratio", ParamKind::Decimal), ("least", ParamKind::Whole)]),
    Check::one("cross.fee_unit", &[("slip", ABOUT)], fee_unit).with(&[("ratio", ParamKind::Decimal)]),
    Check::one("cross.copied_numbers", &[("copied", &["count", "last_year"])], copied_numbers)
        .with(&[("least", ParamKind::Whole)]),
    Check::one("cross.gap", &[("missing", &["missing", "before"])], gap),
    Check::many("cross.growth", GROWTH_CASES, growth).with(&[("tolerance", ParamKind::Decimal)]),
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

/// `(新)收(到)…申请 N 件，比上年增长 X%`: a clause about requests, followed by growth or decline in percent.
static GROWTH: StaticRegex = StaticRegex::new(
    r"(?:收到|新收|受理)[^。;,]{0,16}?申请[^。;,%]{0,12}?(\d+)[件宗条](?:\([^)]*\))?,?(?:同比|(?:比|较|与)(?:上年度?|去年|上一年度?|\d{4}年)(?:同期)?(?:相比)?)[^。;,%\d]{0,6}?(增长|增加|上升|提高|下降|减少|降低)(?:了|约|近)?(\d+(?:\.\d+)?)%",
);

/// Compares the growth of requests in the prose with this year's and last year's table. Skipped if the count in the
/// prose differs from the table, because the prose then concerns another matter.
fn growth(params: &Params, input: &Input<'_>) -> Vec<Draft> {
    let Some(previous) = previous(input) else { return Vec::new() };
    let id = total("requests.received");
    let (Some(now), Some(before)) = (value(input, &id), previous.cells.value(&id)) else { return Vec::new() };
    if before.is_zero() {
        return Vec::new();
    }
    let mut drafts = Vec::new();
    for passage in input.prose.passages() {
        for found in GROWTH.captures_iter(passage.text()) {
            let is_same_count = found[1].parse() == Ok(now);
            let Ok(printed) = found[3].parse::<Decimal>() else { continue };
            let falls = matches!(&found[2], "下降" | "减少" | "降低");
            let stated = if falls { -printed } else { printed };
            let Some(actual) =
                (now - before).checked_div(before).and_then(|part| part.checked_mul(100.into()))
            else {
                continue;
            };
            // A number printed with fewer decimals may differ by half a unit of its last digit.
            let half = Decimal::new(5, printed.scale() + 1);
            if !is_same_count || (stated - actual).abs() <= half + params.decimal("tolerance") {
                continue;
            }
            let source = passage.quote_bytes(found.get(0).map_or(0..0, |found| found.range()));
            let draft = Draft::of_cells("differs", vec![id.clone()])
                .quoting(passage.chapter(), source)
                .expected(decimal(actual.round_dp(2)))
                .actual(decimal(stated))
                .with("now", decimal(now))
                .with("before", decimal(before))
                .with("last_year", previous.year.to_string());
            drafts.push(draft);
        }
    }
    drafts
}
