//! One parsed report as the rules want it: tables joined with prose, and what its event says.

use anyhow::anyhow;
use gongkai_model::{AgencyProfile, Finding, Report, ReportKey, Summary, Versions};
use gongkai_proto::{
    convert::{self, timestamp::day_in_china},
    v1,
};
use gongkai_rules::{Context, Neighbours, Publication, RuleSet};
use gongkai_worker::Decision;
use sha2::{Digest as _, Sha256};

use crate::{UNREADABLE_EVENT, mask};

/// A parsed report and what came with it. Cheap to clone where it matters: the report is shared.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    pub(crate) key: ReportKey,
    pub(crate) origin: v1::Origin,
    pub(crate) header: v1::ParsedReport,
    pub(crate) report: std::sync::Arc<Report>,
    /// The prose was erased: what rests on it is silent.
    pub(crate) is_erased: bool,
    /// Of the document, whatever message made us look at it.
    pub(crate) trace_id: String,
    versions: Versions,
}

impl Subject {
    /// Joins an event with its prose.
    ///
    /// # Errors
    /// Nothing that any version of ours writes: bury.
    pub(crate) fn new(
        parsed: v1::ReportParsed,
        text: Option<v1::ParsedText>,
        trace_id: String,
        rules: &RuleSet,
    ) -> Result<Self, Decision> {
        let (Some(origin), Some(header)) = (parsed.origin, parsed.report) else {
            return Err(Decision::bury(UNREADABLE_EVENT, anyhow!("no origin or no report")));
        };
        let bury = |error| Decision::bury(UNREADABLE_EVENT, error);
        let is_erased = text.is_none();
        let text = text.unwrap_or_else(|| v1::ParsedText { year: header.year, ..Default::default() });
        let key = convert::report::key(&header.name).map_err(bury)?;
        let report = convert::report::report(header.clone(), text).map_err(bury)?.into();
        Ok(Self {
            key,
            origin,
            header,
            report,
            is_erased,
            trace_id,
            versions: versions(rules, parsed.versions),
        })
    }

    /// What the rules say. Personal data in quotations is masked.
    pub(crate) fn findings(
        &self,
        rules: &RuleSet,
        neighbours: Option<&Neighbours>,
        profile: Option<&AgencyProfile>,
    ) -> Vec<Finding> {
        let site = self.origin.site.as_ref();
        let context = Context {
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
            },
            neighbours,
        };
        let mut findings = rules.evaluate(&self.report, &context);
        for finding in &mut findings {
            mask::finding(finding);
            finding.versions.clone_from(&self.versions);
        }
        if self.is_erased {
            findings.retain(|finding| !finding.facts.is_empty());
        }
        findings
    }

    /// The event that says it.
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
        }
    }
}

fn given(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// The rules are ours; parser and forms are those of whoever parsed, perhaps a replica of another version.
fn versions(rules: &RuleSet, parsed_by: Option<v1::Versions>) -> Versions {
    let ours = rules.versions().clone();
    match parsed_by {
        Some(v1::Versions { parser, forms, .. }) => Versions { parser, forms, ..ours },
        None => ours,
    }
}

/// Findings in one digest, 32 hex digits: as long as it is the same, there is nothing new to say.
#[must_use]
pub(crate) fn digest(findings: &[Finding]) -> String {
    let mut hash = Sha256::new();
    for finding in findings {
        let expected = finding.expected.as_deref().unwrap_or_default();
        let actual = finding.actual.as_deref().unwrap_or_default();
        for part in [
            &finding.rule,
            finding.severity.as_str(),
            &finding.fingerprint,
            expected,
            actual,
            &finding.message,
            &finding.operands_digest,
        ] {
            hash.update(part);
            hash.update([0]);
        }
    }
    hex::encode(&hash.finalize()[..16])
}
