//! Review before publication (三审三校, 先审后发): the levels that a site requires, compared with the steps that its
//! event names.

use gongkai_model::ReviewStep;

use crate::{
    check::Check,
    draft::Draft,
    input::Input,
    params::{ParamKind, Params},
};

pub(crate) const CHECKS: &[Check] =
    &[Check::one("reviewed.levels", &[("missing", &["levels"])], levels)
        .with(&[("approved", ParamKind::List)])];

/// Finds the levels without an approval. If a level has several steps, the last one counts. A step without a decision
/// is an approval.
fn levels(params: &Params, input: &Input<'_>) -> Option<Draft> {
    let publication = &input.context.publication;
    let is_approved = |step: &ReviewStep| {
        let decision = step.decision.trim();
        decision.is_empty() || params.list("approved").iter().any(|word| decision.eq_ignore_ascii_case(word))
    };
    let has_passed = |level: &&String| {
        let last = publication.review.iter().rfind(|step| step.level.trim() == level.trim());
        last.is_some_and(is_approved)
    };
    let missing: Vec<&str> =
        publication.review_levels.iter().filter(|level| !has_passed(level)).map(String::as_str).collect();
    (!missing.is_empty()).then(|| Draft::of_part("missing", "review").with("levels", missing.join("、")))
}
