//! A report's findings, given what its publishing event says.

use std::sync::LazyLock;

use gongkai_model::{AgencyKey, AgencyProfile, Finding, Region, Report};
use gongkai_rules::{Context, Neighbours, Publication, RuleSet};

use crate::versions::versions_by;

pub(crate) static RULES: LazyLock<RuleSet> = LazyLock::new(RuleSet::embedded);

/// What the publishing event says beside the document. Everything is optional.
#[derive(Debug, Clone, Copy, Default)]
pub struct Event<'a> {
    /// The day of publication, in the site's own time zone.
    pub published_at: Option<time::Date>,
    /// The agency's key; without one a provisional key is made of the name in the report.
    pub agency: Option<&'a AgencyKey>,
    /// What a registry knows of the agency; without it its name must tell.
    pub profile: Option<&'a AgencyProfile>,
    /// What the event says of the article.
    pub publication: Publication<'a>,
    /// The reports around this one, where somebody keeps them.
    pub neighbours: Option<&'a Neighbours>,
}

/// Applies the compiled-in rules to a report.
#[must_use]
pub fn rules(report: &Report, event: &Event<'_>) -> Vec<Finding> {
    rules_by(&RULES, report, event)
}

/// Applies rules to a report.
#[must_use]
pub fn rules_by(rules: &RuleSet, report: &Report, event: &Event<'_>) -> Vec<Finding> {
    let provisional = || AgencyKey::provisional(&report.agency, Region::UNKNOWN);
    let agency = event.agency.cloned().unwrap_or_else(provisional);
    let versions = versions_by(rules);
    let context = Context {
        published_at: event.published_at,
        agency: event.profile,
        publication: event.publication,
        neighbours: event.neighbours,
        ..Context::new(agency.as_str(), &versions)
    };
    rules.evaluate(report, &context)
}
