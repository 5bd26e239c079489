//! A parsed report: its tables joined with its prose, and the event that contained it.

use anyhow::anyhow;
use gongkai_model::{
    AgencyProfile, Difference, Finding, Rejection, Report, ReportKey, ReviewStep, Summary, Versions,
};
use gongkai_neighbours::record;
use gongkai_proto::{
    convert::{self, timestamp::day_in_china},
    subjects::Event,
    v1,
};
use gongkai_rules::{Evaluation, Neighbours, Publication, ReportContext, RuleSet};
use gongkai_worker::{Decision, Output};

use crate::UNREADABLE_EVENT;

/// A parsed report with its event. Clones share the report.
#[derive(Debug, Clone)]
pub(crate) struct ParsedDocument {
    pub(crate) key: ReportKey,
    pub(crate) origin: v1::Origin,
    pub(crate) header: v1::ParsedReport,
    pub(crate) report: std::sync::Arc<Report>,
    /// The differences between the sender and the document.
    differences: Vec<Difference>,
    /// True if the prose was erased: findings that depend on it are left out.
    pub(crate) is_erased: bool,
    /// The trace id of the document, even if another report's event caused this validation.
    pub(crate) trace_id: String,
    review: Vec<ReviewStep>,
    versions: Versions,
    /// Stream sequence of the event.
    pub(crate) parsed_sequence: u64,
    /// The report under which it was filed, if it was read again.
    pub(crate) filed_as: Option<ReportKey>,
    /// The reports that it left, and the highest rank of their verdicts, which its own exceeds.
    pub(crate) moved_from: Vec<ReportKey>,
    pub(crate) outranks: u64,
}

impl ParsedDocument {
    /// Joins an event with its prose.
    ///
    /// # Errors
    /// The event lacks a part that every version writes. Bury it.
    pub(crate) fn new(
        (parsed, parsed_sequence): (v1::ReportParsed, u64),
        text: Option<v1::ParsedText>,
        trace_id: String,
        rules: &RuleSet,
    ) -> Result<Self, Decision> {
        let (Some(origin), Some(header)) = (parsed.origin, parsed.report) else {
            return Err(Decision::bury(UNREADABLE_EVENT, anyhow!("no origin or no report")));
        };
        let bury = |error| Decision::bury(UNREADABLE_EVENT, error);
        let filed_as = Some(parsed.filed_as).filter(|name| !name.is_empty());
        let is_erased = text.is_none();
        let text = text.unwrap_or_else(|| v1::ParsedText { year: header.year, ..Default::default() });
        let key = convert::report::key(&header.name).map_err(bury)?;
        let differences = parsed.differences.into_iter().map(TryInto::try_into).collect::<Result<_, _>>();
        let report = convert::report::report(header.clone(), text).map_err(bury)?.into();
        Ok(Self {
            review: convert::review::steps(&origin.review).map_err(bury)?,
            key,
            origin,
            header,
            report,
            differences: differences.map_err(bury)?,
            is_erased,
            trace_id,
            versions: versions(rules, parsed.versions),
            parsed_sequence,
            filed_as: filed_as.map(|name| convert::report::key(&name)).transpose().map_err(bury)?,
            moved_from: Vec::new(),
            outranks: 0,
        })
    }

    /// Evaluates the rules.
    pub(crate) fn findings(
        &self,
        rules: &RuleSet,
        neighbours: Option<&Neighbours>,
        profile: Option<&AgencyProfile>,
    ) -> Vec<Finding> {
        let site = self.origin.site.as_ref();
        let context = ReportContext {
            published_at: day_in_china(self.origin.published_at),
            agency: Some(&self.key.agency),
            profile,
            by_name: gongkai_agencies::nature_of(&self.report.agency),
            publication: Publication {
                url: given(&self.origin.url),
                site_code: site.and_then(|site| given(&site.code)),
                site_domain: profile.and_then(|profile| profile.site_domain.as_deref()),
                column: site.and_then(|site| given(&site.column)),
                first_seen: day_in_china(self.origin.received_at),
                review: &self.review,
                review_levels: &self.origin.review_levels,
            },
            neighbours,
            differences: &self.differences,
        };
        let Evaluation { mut findings, left_out } = rules.evaluate_all(&self.report, &context);
        for error in left_out {
            tracing::error!(
                rule = error.rule,
                report = self.header.name,
                error = &error as &dyn std::error::Error,
                "a rule was left out"
            );
        }
        for finding in &mut findings {
            finding.versions.clone_from(&self.versions);
        }
        if self.is_erased {
            findings.retain(|finding| !finding.facts.is_empty());
        }
        findings
    }

    /// Returns true if this content was erased according to the agency's record.
    pub(crate) fn was_erased(&self, record: &v1::AgencyRecord) -> bool {
        let report = record::year(record, self.key.year);
        report.is_some_and(|report| record::is_erased(report, &self.origin.content_hash))
    }

    /// Returns the event of a rejection.
    pub(crate) fn rejected(&self, rejection: &Rejection) -> Output {
        let event = v1::ReportRejected {
            origin: Some(self.origin.clone()),
            rejection: Some(rejection.into()),
            versions: Some((&self.versions).into()),
            trace_id: self.trace_id.clone(),
            parts: Vec::new(),
            registry: String::new(),
        };
        let (kind, region) = (Event::ReportRejected, self.origin.region.parse().unwrap_or_default());
        Output::new(kind.subject(region), kind.ce_type(), &event)
    }

    /// Returns the event that publishes the findings.
    pub(crate) fn validated(
        &self,
        findings: &[Finding],
        validation: u64,
        superseded: bool,
    ) -> v1::ReportValidated {
        let of_trace = |finding: &Finding| v1::Finding {
            trace_id: self.trace_id.clone(),
            report: self.header.name.clone(),
            ..finding.into()
        };
        v1::ReportValidated {
            findings: findings.iter().map(of_trace).collect(),
            summary: Some(Summary::of(findings).into()),
            versions: Some((&self.versions).into()),
            trace_id: self.trace_id.clone(),
            origin: Some(self.origin.clone()),
            report: Some(self.header.clone()),
            validation,
            superseded,
            differences: self.differences.iter().map(Into::into).collect(),
            parsed_sequence: self.parsed_sequence,
            moved_from: self.moved_from.iter().map(ToString::to_string).collect(),
        }
    }
}

fn given(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// Returns the versions in the event: those of our rules, and those of the replica that parsed the document.
fn versions(rules: &RuleSet, parsed_by: Option<v1::Versions>) -> Versions {
    let ours = rules.versions().clone();
    match parsed_by {
        Some(v1::Versions { parser, forms, .. }) => Versions { parser, forms, ..ours },
        None => ours,
    }
}
