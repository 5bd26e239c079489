//! Numbers carried from one year to the next: pending requests, documents in force, and items of the 2019 form.

use gongkai_model::{Applicant, FactId, FormId};

use super::cells::{ABOUT, about, cell, mentions, of, previous, total, value};
use crate::{
    check::{Cases, Check},
    draft::{Draft, decimal},
    input::Input,
    params::{ParamKind, Params},
};

/// [`ABOUT`], and the sum that was expected.
const WITH_PARTS: &[&str] = &["cell", "expected", "actual", "year", "last_year", "parts"];

const CARRIED_IN: Cases = &[("total", ABOUT), ("column", ABOUT), ("reorganised", ABOUT)];

pub(crate) const CHECKS: &[Check] = &[
    Check::many("cross.carried_in", CARRIED_IN, carried_in).with(&[("reorganised", ParamKind::List)]),
    Check::many("cross.in_force", &[("differs", WITH_PARTS), ("revised", WITH_PARTS)], in_force)
        .with(&[("redefined", ParamKind::List), ("revised", ParamKind::List)]),
    Check::many("cross.repealed", &[("too_many", WITH_PARTS)], repealed)
        .with(&[("redefined", ParamKind::List)]),
    Check::many("cross.prior_items", &[("differs", WITH_PARTS)], prior_items),
];

/// Checks that the requests carried in equal those that last year's report carried out, in the total and in each
/// column. If bodies were merged or reorganised, or the scope of the report changed, a person must judge.
fn carried_in(params: &Params, input: &Input<'_>) -> Vec<Draft> {
    let Some(previous) = previous(input) else { return Vec::new() };
    let neighbours = input.context.neighbours.map(|neighbours| neighbours.own.rolls_up);
    let is_recut =
        mentions(params, "reorganised", input) || neighbours.is_some_and(|now| now != previous.rolls_up);
    let cause = total("requests.carried_in");
    let mut is_total_broken = false;
    let mut drafts = Vec::new();
    for applicant in Applicant::ALL.iter().copied().rev() {
        let (own, before) = (of("requests.carried_in", applicant), of("requests.carried_out", applicant));
        let (Some(actual), Some(expected)) = (value(input, &own), previous.cells.value(&before)) else {
            continue;
        };
        if actual == expected {
            continue;
        }
        let case = match applicant {
            _ if is_recut => "reorganised",
            Applicant::Total => "total",
            _ => "column",
        };
        is_total_broken |= applicant == Applicant::Total;
        let shared = if is_total_broken { &cause } else { &own };
        drafts.push(Draft { cause: Some(shared.clone()), ..about(input, case, &own, expected, actual) });
    }
    drafts
}

/// The two kinds of documents in chapter 二.
const DOCUMENTS: [&str; 2] = ["proactive.regulations", "proactive.normative_documents"];

fn document(kind: &str, column: &str) -> FactId {
    cell(&format!("{kind}.{column}"))
}

/// Checks that documents in force = in force last year + issued − repealed. Skipped if the form changed between the
/// years, or if the report states that documents expired, moved or were recounted. If it speaks of a clean-up only, a
/// person must judge.
fn in_force(params: &Params, input: &Input<'_>) -> Vec<Draft> {
    let Some(previous) = comparable(input) else { return Vec::new() };
    if tells_of_documents(params, "redefined", input) {
        return Vec::new();
    }
    let is_revised = tells_of_documents(params, "revised", input);
    let drafts = DOCUMENTS.iter().filter_map(|kind| {
        let now = document(kind, "in_force");
        let (issued, repealed) = (document(kind, "issued"), document(kind, "repealed"));
        let before = previous.cells.value(&now)?;
        let (made, ended) = (value(input, &issued)?, value(input, &repealed)?);
        let (expected, actual) = (before.checked_add(made)?.checked_sub(ended)?, value(input, &now)?);
        let parts = format!("{}+{}−{}", decimal(before), decimal(made), decimal(ended));
        // A clean-up ends documents and adds none.
        let case = if is_revised && actual < expected { "revised" } else { "differs" };
        let mut draft = about(input, case, &now, expected, actual).with("parts", parts);
        draft.facts.extend([issued, repealed]);
        (expected != actual).then_some(draft)
    });
    drafts.collect()
}

/// Checks that no more documents were repealed than were in force last year and issued this year together.
fn repealed(params: &Params, input: &Input<'_>) -> Vec<Draft> {
    let Some(previous) = comparable(input) else { return Vec::new() };
    if tells_of_documents(params, "redefined", input) {
        return Vec::new();
    }
    let drafts = DOCUMENTS.iter().filter_map(|kind| {
        let (issued, repealed) = (document(kind, "issued"), document(kind, "repealed"));
        let before = previous.cells.value(&document(kind, "in_force"))?;
        let (made, actual) = (value(input, &issued)?, value(input, &repealed)?);
        let most = before.checked_add(made)?;
        let parts = format!("{}+{}", decimal(before), decimal(made));
        let mut draft = about(input, "too_many", &repealed, most, actual).with("parts", parts);
        draft.facts.push(issued);
        (actual > most).then_some(draft)
    });
    drafts.collect()
}

/// Words of other things that expire: 无失效链接, 答复期限到期.
const NO_DOCUMENTS: [&str; 7] = ["链接", "网页", "页面", "域名", "账号", "证书", "期限"];

/// Returns true if a clause contains a word of one of the rule's lists and is not about other things that expire.
fn tells_of_documents(params: &Params, list: &str, input: &Input<'_>) -> bool {
    let Some(words) = params.words(list) else { return false };
    let mut clauses =
        input.prose.passages().iter().flat_map(|passage| passage.text().split(['。', ';', ',']));
    clauses.any(|clause| words.any(clause) && !NO_DOCUMENTS.iter().any(|other| clause.contains(other)))
}

/// Returns last year's report if it uses the same form.
fn comparable<'a>(input: &Input<'a>) -> Option<&'a crate::neighbours::AgencyYear> {
    previous(input).filter(|previous| previous.form == input.report.form && previous.form == FormId::Form2021)
}

/// The rows of the 2019 form that have a column 上一年项目数量.
const ITEMS: [&str; 5] = [
    "proactive.licensing",
    "proactive.other_external_services",
    "proactive.punishment",
    "proactive.coercion",
    "proactive.fees",
];

/// Checks that each 上一年项目数量 equals the 上一年项目数量 in last year's report plus the 本年增/减 there.
fn prior_items(_: &Params, input: &Input<'_>) -> Vec<Draft> {
    let Some(previous) = previous(input).filter(|previous| previous.form == FormId::Form2019) else {
        return Vec::new();
    };
    let drafts = ITEMS.iter().filter_map(|row| {
        let (prior, change) = (cell(&format!("{row}.prior_year_items")), cell(&format!("{row}.change")));
        let (items, changed) = (previous.cells.value(&prior)?, previous.cells.value(&change)?);
        let (expected, actual) = (items.checked_add(changed)?, value(input, &prior)?);
        let parts = format!("{}+({})", decimal(items), decimal(changed));
        (expected != actual).then(|| about(input, "differs", &prior, expected, actual).with("parts", parts))
    });
    drafts.collect()
}
