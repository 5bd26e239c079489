//! Overrides: a local pack's changes to the rules of earlier packs.

use super::{build, raw};
use crate::{
    rule::Rule,
    text::{PackError, PackLines},
};

/// Applies one change to the rule with that id, in each scope in which it exists.
pub(super) fn apply(
    change: raw::Override,
    rules: &mut [Rule],
    lines: &PackLines<'_>,
) -> Result<(), PackError> {
    let id = change.id.get_ref();
    let mut changed: Vec<&mut Rule> = rules.iter_mut().filter(|rule| rule.id == *id).collect();
    if changed.is_empty() {
        return Err(lines.error(change.id.span(), format!("no pack before this one defines rule {id}")));
    }
    if let Some(name) = &change.severity {
        let severity = lines.severity(name)?;
        for rule in &mut changed {
            rule.severity = severity;
            let inheriting = rule.cases.values_mut().filter(|case| !case.has_own_severity);
            inheriting.for_each(|case| case.severity = severity);
        }
    }
    for (name, weight) in &change.cases {
        let severity = lines.severity(weight)?;
        let mut cases: Vec<_> = changed.iter_mut().filter_map(|rule| rule.cases.get_mut(name)).collect();
        if cases.is_empty() {
            let known: Vec<&str> =
                changed.iter().flat_map(|rule| rule.cases.keys().map(String::as_str)).collect();
            let message = format!("rule {id} has no case {name:?}; it has {}", known.join(", "));
            return Err(lines.error(weight.span(), message));
        }
        for case in &mut cases {
            case.severity = severity;
            case.has_own_severity = true;
        }
    }
    for (name, param) in change.params {
        let fit = |rule: &Rule| build::is_fit(rule, &name, param.get_ref());
        let fits: Vec<_> = changed.iter().map(|rule| fit(rule)).collect();
        if fits.iter().all(Result::is_err) {
            let why = fits.into_iter().find_map(Result::err).unwrap_or_default();
            return Err(lines.error(param.span(), why));
        }
        for rule in changed.iter_mut().filter(|rule| fit(rule).is_ok()) {
            rule.params.set(name.clone(), param.get_ref().clone());
        }
    }
    if let Some(is_on) = change.enabled {
        changed.into_iter().for_each(|rule| rule.is_on = is_on);
    }
    Ok(())
}
