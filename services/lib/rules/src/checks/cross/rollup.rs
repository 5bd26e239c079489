//! A government's report compared with those of the bodies below it (汇总).
//!
//! Only the direct children in the registry count, because the sum of a county already contains its own departments.
//! Bodies under vertical leadership (垂直管理) are not among them.

use gongkai_model::{AgencyKind, FactId, Level};
use rust_decimal::Decimal;

use super::cells::{about, cell, previous, total, value};
use crate::{
    check::{Cases, Check},
    draft::{Draft, decimal},
    input::Input,
    neighbours::{Child, Children, figures},
    params::Params,
};

const SUM: &[&str] = &["cell", "expected", "actual", "year", "last_year", "children", "registered"];

const SCOPE: Cases = &[
    ("no_statement", &["expected", "actual", "children"]),
    ("equals_office", &["office", "actual", "children"]),
];

pub(crate) const CHECKS: &[Check] = &[
    Check::many("rollup.at_least", &[("less", SUM)], at_least),
    Check::many("rollup.equal", &[("differs", SUM)], equal),
    Check::one("rollup.carried_in", &[("differs", SUM)], carried_in),
    Check::one("rollup.scope", SCOPE, scope),
];

/// Returns the children that have reported, or `None` if there are none.
fn children<'a>(input: &Input<'a>) -> Option<&'a Children> {
    let children = input.context.neighbours?.children.as_ref()?;
    (!children.reported.is_empty()).then_some(children)
}

/// Returns the children that have reported, if the report states that it sums them up.
fn summed<'a>(input: &Input<'a>) -> Option<&'a Children> {
    children(input).filter(|_| input.context.neighbours.is_some_and(|neighbours| neighbours.own.rolls_up))
}

/// Returns the sum of a cell over the children with a number in it.
fn sum(children: &Children, id: &FactId) -> Option<Decimal> {
    let mut numbers = children.reported.iter().filter_map(|child| child.cells.value(id));
    numbers.try_fold(Decimal::ZERO, Decimal::checked_add)
}

fn draft(
    input: &Input<'_>,
    case: &'static str,
    id: &FactId,
    children: &Children,
    numbers: (Decimal, Decimal),
) -> Draft {
    about(input, case, id, numbers.0, numbers.1)
        .with("children", children.reported.len().to_string())
        .with("registered", children.registered.to_string())
}

/// Returns true for cells that are summed. Numbers carried between years are not: they would be wrong whenever a body
/// joins or leaves.
fn is_summed(id: &FactId) -> bool {
    !matches!(id.concept.as_str(), "requests.carried_in" | "requests.carried_out")
}

fn at_least(_: &Params, input: &Input<'_>) -> Vec<Draft> {
    let Some(children) = summed(input) else { return Vec::new() };
    let drafts = figures().into_iter().filter(is_summed).filter_map(|id| {
        let (actual, least) = (value(input, &id)?, sum(children, &id)?);
        (actual < least).then(|| draft(input, "less", &id, children, (least, actual)))
    });
    drafts.collect()
}

/// Checks that the report equals the sum of its children, if every child reported.
fn equal(_: &Params, input: &Input<'_>) -> Vec<Draft> {
    let is_whole = |children: &&Children| usize::try_from(children.registered) == Ok(children.reported.len());
    let Some(children) = summed(input).filter(is_whole) else { return Vec::new() };
    let of_all = |id: &FactId| children.reported.iter().all(|child| child.cells.value(id).is_some());
    let drafts = figures().into_iter().filter(is_summed).filter(of_all).filter_map(|id| {
        let (actual, whole) = (value(input, &id)?, sum(children, &id)?);
        // A smaller number is reported by another rule.
        (actual > whole).then(|| draft(input, "differs", &id, children, (whole, actual)))
    });
    drafts.collect()
}

/// Finds a carry-over that is broken for the parent but right for every child.
fn carried_in(_: &Params, input: &Input<'_>) -> Option<Draft> {
    let (children, previous) = (summed(input)?, previous(input)?);
    let (own, before) = (total("requests.carried_in"), total("requests.carried_out"));
    let (actual, expected) = (value(input, &own)?, previous.cells.value(&before)?);
    let agrees = |child: &Child| {
        child.carried_out_before.is_some() && child.cells.value(&own) == child.carried_out_before
    };
    let is_broken = actual != expected && children.reported.iter().all(agrees);
    is_broken.then(|| draft(input, "differs", &own, children, (expected, actual)))
}

/// Checks that a government above town level reports on all its bodies. Small counties whose bodies had nothing to
/// report are skipped.
fn scope(_: &Params, input: &Input<'_>) -> Option<Draft> {
    let children = children(input).filter(|_| is_government(input))?;
    let received = total("requests.received");
    let (actual, below) = (value(input, &received)?, sum(children, &received)?);
    let is_same = |child: &&Child| child.is_office && same_as(input, child);
    let says = input.context.neighbours.is_some_and(|neighbours| neighbours.own.rolls_up);
    let draft = match children.reported.iter().find(is_same) {
        Some(office) if below > actual => {
            Draft::of_part("equals_office", "scope").with("office", &office.name)
        }
        _ if !says && actual < below => {
            Draft::of_part("no_statement", "scope").with("expected", decimal(below))
        }
        _ => return None,
    };
    Some(draft.with("actual", decimal(actual)).with("children", children.reported.len().to_string()))
}

/// Returns true if table 3 of the report is that of the office.
fn same_as(input: &Input<'_>, office: &Child) -> bool {
    let rows = ["requests.received", "requests.carried_in", "requests.outcome.total", "requests.carried_out"];
    let disputes = cell("disputes.reconsideration.total");
    let cells = rows.map(total).into_iter().chain([disputes]);
    cells.map(|id| (value(input, &id), office.cells.value(&id))).all(|(own, its)| own.is_some() && own == its)
}

/// Returns true for a people's government above town level.
fn is_government(input: &Input<'_>) -> bool {
    input.kind() == Some(AgencyKind::Government) && input.level().is_none_or(|level| level < Level::Town)
}
