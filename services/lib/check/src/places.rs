//! Where a finding stands, in the words of an editor.

use std::collections::BTreeMap;

use gongkai_rules::RuleSet;

use crate::line::{CheckLine, FindingLine};

/// The positions of the forms' cells.
#[derive(Debug)]
pub struct Places(BTreeMap<String, String>);

impl Places {
    /// Takes the positions from the forms that the rules are for.
    #[must_use]
    pub fn new(rules: &RuleSet) -> Self {
        let cells = rules.cells().into_iter();
        Self(cells.map(|cell| (cell.id.to_string(), cell.position)).collect())
    }

    /// Returns the place of a finding, in Chinese: its suspect cell, else the chapter of its quotation, else its first
    /// cell.
    #[must_use]
    pub fn of(&self, finding: &FindingLine, line: &CheckLine) -> String {
        let cell = |id: &String| self.0.get(id).cloned();
        let suspect = finding.cause.as_ref().and_then(cell);
        let quoted = || finding.source.as_ref().and_then(|source| chapter(line, &source.text));
        let first = || finding.facts.first().and_then(cell);
        suspect.or_else(quoted).or_else(first).unwrap_or_else(|| "全文".to_owned())
    }
}

/// Returns the title of the chapter that contains a quotation.
fn chapter(line: &CheckLine, quotation: &str) -> Option<String> {
    let report = line.report.as_ref()?;
    if quotation.is_empty() {
        return None;
    }
    let contains = |text: &str| text.contains(quotation);
    if contains(&report.title) {
        return Some("标题".to_owned());
    }
    let section = report.sections.iter().find(|section| contains(&section.text) || contains(&section.title));
    Some(section.map_or_else(|| "导语".to_owned(), |section| section.title.clone()))
}
