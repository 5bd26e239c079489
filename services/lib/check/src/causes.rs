//! Findings by their cause: one wrong cell breaks a row and a column, and people are told of it once.

use gongkai_annotate::Lang;

use crate::line::FindingLine;

/// A finding, and the further findings of its cause.
#[derive(Debug)]
pub struct CauseGroup<'a> {
    /// The first finding of the cause.
    pub first: &'a FindingLine,
    /// The further findings, in their order.
    pub others: Vec<&'a FindingLine>,
}

impl CauseGroup<'_> {
    /// Returns the rules of the further findings, each once, with `between` between them.
    #[must_use]
    pub fn other_rules(&self, between: &str) -> String {
        let mut once: Vec<&str> = Vec::new();
        for finding in &self.others {
            if !once.contains(&finding.rule.as_str()) {
                once.push(&finding.rule);
            }
        }
        once.join(between)
    }

    /// Returns the words about the further findings, to follow the message of the first; empty if there are none.
    #[must_use]
    pub fn others_in_words(&self, lang: Lang) -> String {
        match (lang, self.others.len()) {
            (_, 0) => String::new(),
            (Lang::Chinese, more) => format!("（同一原因另有 {more} 处：{}）", self.other_rules("、")),
            (Lang::English, more) => format!(" ({more} more of the same cause: {})", self.other_rules(", ")),
        }
    }
}

/// Groups findings by their cause. A finding without one is by itself.
#[must_use]
pub fn by_cause(findings: &[FindingLine]) -> Vec<CauseGroup<'_>> {
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
