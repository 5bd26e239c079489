//! The stage: join the tables with the prose, apply the rules, say what they found.
//!
//! A broken rule is a finding inside `ReportValidated`, not an error. Prose that was erased from the object store between
//! two stages is read as absent: the report's tables are checked all the same, and what rests on prose is silent.

use std::sync::Arc;

use async_trait::async_trait;
use gongkai_check::{Event, RuleSet};
use gongkai_model::{Finding, Report, Summary, Versions};
use gongkai_proto::{
    convert,
    subjects::{self, Event as Subject},
    v1,
};
use gongkai_worker::{Context, Decision, Handler, Output, Runtime, transport::Objects};
use prost::Message as _;
use time::{Date, UtcOffset};

use crate::mask;

/// Buried: an event that this version cannot read as a report.
const UNREADABLE_EVENT: &str = "UNREADABLE_EVENT";
/// The sites' own time zone: the day of publication is theirs.
const CHINA: UtcOffset = match UtcOffset::from_hms(8, 0, 0) {
    Ok(offset) => offset,
    Err(_) => UtcOffset::UTC,
};

/// The stage's handler.
pub struct Checker {
    texts: Arc<dyn Objects>,
    runtime: Runtime,
    rules: RuleSet,
}

impl Checker {
    /// A checker over the runtime's buckets and CPU pool.
    #[must_use]
    pub fn new(runtime: &Runtime, rules: RuleSet) -> Self {
        Self { texts: runtime.objects(subjects::BUCKET_TEXTS), runtime: runtime.clone(), rules }
    }

    /// The prose, or none if it was erased.
    async fn text(&self, header: &v1::ParsedReport) -> Result<Option<v1::ParsedText>, Decision> {
        let key = header.text.as_ref().map(|text| text.key.as_str()).unwrap_or_default();
        let Some(bytes) = self.texts.get(key).await.map_err(Decision::retry)? else { return Ok(None) };
        v1::ParsedText::decode(bytes).map(Some).map_err(|error| Decision::bury(UNREADABLE_EVENT, error))
    }

    async fn findings(
        &self,
        report: Report,
        origin: &v1::Origin,
        name: &str,
    ) -> Result<Vec<Finding>, Decision> {
        let key = convert::report::key(name).map_err(|error| Decision::bury(UNREADABLE_EVENT, error))?;
        let published_at = published_on(origin);
        let rules = self.rules.clone();
        let check = move || {
            let event = Event { published_at, agency: Some(&key.agency), ..Event::default() };
            gongkai_check::rules_by(&rules, &report, &event)
        };
        let mut findings = self.runtime.cpu(check).await.map_err(Decision::retry)?;
        findings.iter_mut().for_each(mask::finding);
        Ok(findings)
    }
}

#[async_trait]
impl Handler for Checker {
    type Input = v1::ReportParsed;

    async fn handle(&self, parsed: v1::ReportParsed, context: &Context) -> Result<Vec<Output>, Decision> {
        let (Some(origin), Some(header)) = (parsed.origin, parsed.report) else {
            return Err(Decision::bury(UNREADABLE_EVENT, anyhow::anyhow!("no origin or no report")));
        };
        let text = self.text(&header).await?;
        let erased = text.is_none();
        let text = text.unwrap_or_else(|| v1::ParsedText { year: header.year, ..Default::default() });
        let report = convert::report::report(header.clone(), text)
            .map_err(|error| Decision::bury(UNREADABLE_EVENT, error))?;
        let mut findings = self.findings(report, &origin, &header.name).await?;
        let versions = versions(&self.rules, parsed.versions);
        for finding in &mut findings {
            finding.versions.clone_from(&versions);
        }
        if erased {
            findings.retain(|finding| !finding.facts.is_empty());
        }
        let subject = Subject::ReportValidated.subject(origin.region.parse().unwrap_or_default());
        let event = validated(origin, header, &findings, &versions, context);
        Ok(vec![Output::new(subject, Subject::ReportValidated.ce_type(), &event)])
    }
}

fn validated(
    origin: v1::Origin,
    header: v1::ParsedReport,
    findings: &[Finding],
    versions: &Versions,
    context: &Context,
) -> v1::ReportValidated {
    let of_trace = |finding: &Finding| v1::Finding {
        trace_id: context.trace_id.clone(),
        report: header.name.clone(),
        ..finding.into()
    };
    v1::ReportValidated {
        findings: findings.iter().map(of_trace).collect(),
        summary: Some(Summary::of(findings).into()),
        versions: Some(versions.into()),
        trace_id: context.trace_id.clone(),
        validation: 0,
        origin: Some(origin),
        report: Some(header),
    }
}

/// The rules are ours; parser and forms are those of whoever parsed, perhaps a replica of another version.
fn versions(rules: &RuleSet, parsed_by: Option<v1::Versions>) -> Versions {
    let ours = gongkai_check::versions_by(rules);
    match parsed_by {
        Some(v1::Versions { parser, forms, .. }) => Versions { parser, forms, ..ours },
        None => ours,
    }
}

fn published_on(origin: &v1::Origin) -> Option<Date> {
    let at = convert::timestamp::optional(origin.published_at, "published_at").ok().flatten()?;
    Some(at.to_offset(CHINA).date())
}
