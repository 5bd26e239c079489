//! Findings by their cause: one wrong cell breaks a row and a column, and people are told of it once.

use gongkai_check::FindingLine;

/// A finding, and the further findings of its cause.
#[derive(Debug)]
pub(super) struct CauseGroup<'a> {
    pub(super) first: &'a FindingLine,
    pub(super) others: Vec<&'a FindingLine>,
}

/// Groups findings by their cause. A finding without one is by itself.
pub(super) fn by_cause(findings: &[FindingLine]) -> Vec<CauseGroup<'_>> {
    let mut groups: Vec<CauseGroup<'_>> = Vec::new();
    for finding in findings {
        let is_same =
            |group: &&mut CauseGroup<'_>| finding.cause.is_some() && group.first.cause == finding.cause;
        match groups.iter_mut().find(is_same) {
            Some(group) => group.others.push(finding),
            None => groups.push(CauseGroup { first: finding, others: Vec::new() }),
        }
    }
    groups
}

/// Returns the rules of a list, each once.
pub(super) fn named(rules: &[&str], between: &str) -> String {
    let mut once: Vec<&str> = Vec::new();
    for rule in rules {
        if !once.contains(rule) {
            once.push(rule);
        }
    }
    once.join(between)
}
