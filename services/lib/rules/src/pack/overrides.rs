//! What a local pack changes in the rules of the packs before it.

use crate::{
    pack::{Lines, PackError, build, raw},
    rule::Rule,
};

/// Applies one change.
pub(super) fn apply(
    change: raw::Override,
    rules: &mut Vec<Rule>,
    lines: &Lines<'_>,
) -> Result<(), PackError> {
    let id = change.id.get_ref();
    let Some(at) = rules.iter().position(|rule| rule.id == *id) else {
        return Err(lines.error(change.id.span(), format!("no pack before this one defines rule {id}")));
    };
    if change.enabled == Some(false) {
        rules.remove(at);
        return Ok(());
    }
    let rule = &mut rules[at];
    if let Some(name) = &change.severity {
        rule.severity = build::severity(name, lines)?;
        let inheriting = rule.cases.values_mut().filter(|case| !case.has_own_severity);
        inheriting.for_each(|case| case.severity = rule.severity);
    }
    for (name, weight) in &change.cases {
        let Some(case) = rule.cases.get_mut(name) else {
            let known: Vec<&str> = rule.cases.keys().map(String::as_str).collect();
            let message = format!("rule {id} has no case {name:?}; it has {}", known.join(", "));
            return Err(lines.error(weight.span(), message));
        };
        case.severity = build::severity(weight, lines)?;
        case.has_own_severity = true;
    }
    for (name, param) in change.params {
        build::is_fit(rule, &name, param.get_ref()).map_err(|why| lines.error(param.span(), why))?;
        rule.params.set(name, param.into_inner());
    }
    Ok(())
}
