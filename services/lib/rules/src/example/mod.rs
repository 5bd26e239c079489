//! Examples of packs: reports in which a rule must fire, and reports in which it must be silent.
//!
//! An example changes a baseline report whose cells are all zero. Only findings of its own rule count. They are run by
//! tests and by `gongkai rules test`, never while reports are checked.

mod baseline_report;
pub(crate) mod group;

use std::sync::Arc;

use gongkai_model::{AgencyKey, AgencyProfile, FactId, Finding, Nature, Region, Report, Severity};
use toml::Spanned;

use crate::{
    context::{Publication, ReportContext},
    neighbours::{AgencyYear, Neighbours},
    rule::Rule,
    text::{PackCells, PackError, PackLines, day},
};
use group::Group;

/// One example, ready to run.
#[derive(Debug, Clone)]
pub(crate) struct Example {
    /// Id of the rule.
    rule: String,
    fires: bool,
    severity: Option<Severity>,
    text: String,
    setting: Arc<Group>,
    /// The error if the example fails, with its file and line.
    failed: PackError,
}

/// Checks a group against the rules of the packs.
///
/// # Errors
/// The group names a rule, cell, severity or day that does not exist.
pub(crate) fn read(
    group: Group,
    rules: &[Rule],
    ground: &PackCells,
    lines: &PackLines<'_>,
) -> Result<Vec<Example>, PackError> {
    let id = group.rule.get_ref();
    if !rules.iter().any(|rule| rule.id == *id) {
        return Err(lines.error(group.rule.span(), format!("no pack so far defines rule {id}")));
    }
    let severity = group.severity.as_ref().map(|name| lines.severity(name)).transpose()?;
    let before = group.previous.iter().flat_map(|previous| &previous.cells);
    for (name, state) in group.cells.iter().chain(before) {
        let is_known = match name.strip_suffix('*') {
            Some(start) => ground.cells.iter().any(|id| id.to_string().starts_with(start)),
            None => name.parse::<FactId>().is_ok_and(|id| ground.cells.contains(&id)),
        };
        if !is_known {
            return Err(lines.error(state.span(), format!("no form has a cell {name:?}")));
        }
    }
    let named_days = [&group.published, &group.first_seen].into_iter().flatten();
    for day in named_days.chain(group.period.iter().flatten()) {
        lines.day(day)?;
    }

    let group = Arc::new(group);
    let example = |fires: bool, text: &Spanned<String>| Example {
        rule: group.rule.get_ref().clone(),
        fires,
        severity: severity.filter(|_| fires),
        text: text.get_ref().clone(),
        setting: Arc::clone(&group),
        failed: lines.error(text.span(), String::new()),
    };
    let spoken = group.fires.iter().map(|text| example(true, text));
    Ok(spoken.chain(group.silent.iter().map(|text| example(false, text))).collect())
}

impl Example {
    /// Returns the rule's id.
    pub(crate) fn rule(&self) -> &str {
        &self.rule
    }

    /// Returns true if the rule must fire.
    pub(crate) fn fires(&self) -> bool {
        self.fires
    }

    /// Returns how the rule fails the example, if it does. `nature_of` returns a body's level and kind by its name,
    /// `evaluate` the findings about a report.
    pub(crate) fn failure(
        &self,
        nature_of: fn(&str) -> Nature,
        evaluate: impl FnOnce(&Report, &ReportContext<'_>) -> Vec<Finding>,
    ) -> Option<PackError> {
        let said = self.said(nature_of, evaluate);
        let fits = |finding: &Finding| self.severity.is_none_or(|severity| finding.severity == severity);
        if said.iter().any(fits) == self.fires && (self.fires || said.is_empty()) {
            return None;
        }
        let said: Vec<String> =
            said.iter().map(|finding| format!("{} {}", finding.severity, finding.message)).collect();
        let wanted = match (self.fires, self.severity) {
            (false, _) => "be silent".to_owned(),
            (true, None) => "speak".to_owned(),
            (true, Some(severity)) => format!("speak as {severity}"),
        };
        let said = if said.is_empty() { "nothing".to_owned() } else { said.join("; ") };
        let message = format!("{} should {wanted} of {:?}, it says {said}", self.rule, self.text);
        Some(PackError { message, ..self.failed.clone() })
    }

    /// Describes the findings of the rule.
    fn said(
        &self,
        nature_of: fn(&str) -> Nature,
        evaluate: impl FnOnce(&Report, &ReportContext<'_>) -> Vec<Finding>,
    ) -> Vec<Finding> {
        let setting = &self.setting;
        let report = baseline_report::report(setting, &self.text);
        let by_name = nature_of(&report.agency);
        let seen = |report: &Report| AgencyYear::of(report, by_name.kind);
        let day = |text: &Option<Spanned<String>>| text.as_ref().and_then(|text| day(text.get_ref()));
        let neighbours = setting.previous.as_ref().map(|previous| Neighbours {
            previous: Some(seen(&baseline_report::previous(&report, &previous.cells, &previous.text))),
            ..Neighbours::new(seen(&report))
        });
        let region = setting.region.as_deref().and_then(|region| region.parse().ok());
        let key = setting.code.as_deref().and_then(|code| AgencyKey::from_code(code).ok());
        let region = region.unwrap_or(Region::UNKNOWN);
        let profile = key.map(|key| AgencyProfile::unlisted(key, &report.agency, by_name, region));
        let context = ReportContext {
            published_at: day(&setting.published),
            publication: Publication {
                url: setting.url.as_deref(),
                column: setting.column.as_deref(),
                first_seen: day(&setting.first_seen),
                ..Publication::default()
            },
            profile: profile.as_ref(),
            by_name,
            neighbours: neighbours.as_ref(),
            ..ReportContext::default()
        };
        let mut said = evaluate(&report, &context);
        said.retain(|finding| finding.rule == self.rule);
        said
    }
}
