//! Query's answers in the form of this program: as JSON, whose shape is public, and as table cells.

use anyhow::Context as _;
use gongkai_check::{FactLine, FindingLine, SectionLine};
use gongkai_model::{Fact, Finding};
use gongkai_proto::{convert::timestamp, v1};
use serde::{Deserialize, Serialize};
use time::format_description::well_known::Rfc3339;

use crate::table::{Column, TableRow};

#[derive(Debug, Serialize)]
pub(crate) struct ReportView {
    pub(crate) name: String,
    pub(crate) agency: String,
    pub(crate) agency_name: String,
    pub(crate) year: i32,
    pub(crate) form: String,
    pub(crate) variant: String,
    pub(crate) title: String,
    pub(crate) revision: u32,
    pub(crate) content_hash: String,
    pub(crate) published_at: Option<String>,
    pub(crate) received_at: Option<String>,
    pub(crate) event_time: Option<String>,
    pub(crate) url: Option<String>,
    pub(crate) region: String,
    pub(crate) media_type: String,
    pub(crate) withdrawn: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) preamble: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) sections: Vec<SectionLine>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) facts: Vec<FactLine>,
    pub(crate) findings_summary: Counts,
    pub(crate) trace_id: String,
}

/// Counts of findings by severity.
#[derive(Debug, Default, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Counts {
    pub(crate) error: u32,
    pub(crate) warning: u32,
    pub(crate) review: u32,
    pub(crate) info: u32,
}

#[derive(Debug, Serialize)]
pub(crate) struct FindingView {
    pub(crate) report: String,
    #[serde(flatten)]
    pub(crate) finding: FindingLine,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) waiver: Option<WaiverView>,
    pub(crate) trace_id: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct WaiverView {
    pub(crate) name: String,
    pub(crate) finding: String,
    pub(crate) rule: String,
    pub(crate) state: &'static str,
    pub(crate) reason: String,
    pub(crate) person: String,
    pub(crate) created_at: Option<String>,
    pub(crate) expires_at: Option<String>,
    pub(crate) ended_at: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) ended_by: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) end_reason: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct ChangeView {
    pub(crate) change: &'static str,
    pub(crate) report: ReportView,
    pub(crate) resume_token: String,
    /// Where the report is filed now, if it moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) moved_to: Option<String>,
}

// === impl ReportView ===

impl TryFrom<v1::Report> for ReportView {
    type Error = anyhow::Error;

    fn try_from(report: v1::Report) -> anyhow::Result<Self> {
        let facts = report.facts.into_iter().map(|fact| Ok(FactLine::from(&Fact::try_from(fact)?)));
        let sections = report.sections.into_iter().map(|section| SectionLine {
            number: section.number,
            title: section.title,
            text: section.text,
        });
        Ok(Self {
            name: report.name,
            agency: report.agency,
            agency_name: report.agency_name,
            year: report.year,
            form: report.form,
            variant: report.variant,
            title: report.title,
            revision: report.revision,
            content_hash: report.content_hash,
            published_at: rfc3339(report.published_at)?,
            received_at: rfc3339(report.received_at)?,
            event_time: rfc3339(report.event_time)?,
            url: (!report.url.is_empty()).then_some(report.url),
            region: report.region,
            media_type: report.media_type,
            withdrawn: report.withdrawn,
            preamble: report.preamble,
            sections: sections.collect(),
            facts: facts.collect::<anyhow::Result<_>>()?,
            findings_summary: report.findings_summary.map(Counts::from).unwrap_or_default(),
            trace_id: report.trace_id,
        })
    }
}

impl TableRow for ReportView {
    const LEFT_OUT: &'static [&'static str] = &["withdrawn", "trace_id"];
    const COLUMNS: &'static [Column<Self>] = &[
        ("name", |report| report.name.clone()),
        ("agency_name", |report| report.agency_name.clone()),
        ("year", |report| report.year.to_string()),
        ("form", |report| report.form.clone()),
        ("revision", |report| report.revision.to_string()),
        ("error", |report| report.findings_summary.error.to_string()),
        ("warning", |report| report.findings_summary.warning.to_string()),
        ("review", |report| report.findings_summary.review.to_string()),
        ("withdrawn", |report| report.withdrawn.to_string()),
        ("trace_id", |report| report.trace_id.clone()),
    ];
}

// === impl FindingView ===

impl TryFrom<v1::Finding> for FindingView {
    type Error = anyhow::Error;

    fn try_from(mut finding: v1::Finding) -> anyhow::Result<Self> {
        let report = std::mem::take(&mut finding.report);
        let trace_id = std::mem::take(&mut finding.trace_id);
        let waiver = finding.waiver.take().map(WaiverView::try_from).transpose()?;
        let finding =
            Finding::try_from(finding).context("server sent a finding that this version does not know")?;
        Ok(Self { report, finding: FindingLine::from(&finding), waiver, trace_id })
    }
}

impl TableRow for FindingView {
    // The message contains the values.
    const LEFT_OUT: &'static [&'static str] = &["message_en", "expected", "actual"];
    const COLUMNS: &'static [Column<Self>] = &[
        ("report", |view| view.report.clone()),
        ("severity", |view| view.finding.severity.clone()),
        ("rule", |view| view.finding.rule.clone()),
        ("message", |view| view.finding.message.clone()),
        ("message_en", |view| view.finding.message_en.clone()),
        ("expected", |view| view.finding.expected.clone().unwrap_or_default()),
        ("actual", |view| view.finding.actual.clone().unwrap_or_default()),
        ("fingerprint", |view| view.finding.fingerprint.clone()),
        ("waiver", |view| view.waiver.as_ref().map(|waiver| waiver.reason.clone()).unwrap_or_default()),
    ];
}

// === impl WaiverView ===

impl TryFrom<v1::Waiver> for WaiverView {
    type Error = anyhow::Error;

    fn try_from(waiver: v1::Waiver) -> anyhow::Result<Self> {
        let state = match waiver.state() {
            v1::WaiverState::Active => "active",
            v1::WaiverState::Expired => "expired",
            v1::WaiverState::Revoked => "revoked",
            v1::WaiverState::Lapsed => "lapsed",
            v1::WaiverState::Unspecified => "unspecified",
        };
        Ok(Self {
            state,
            created_at: rfc3339(waiver.created_at)?,
            expires_at: rfc3339(waiver.expires_at)?,
            ended_at: rfc3339(waiver.ended_at)?,
            name: waiver.name,
            finding: waiver.finding,
            rule: waiver.rule,
            reason: waiver.reason,
            person: waiver.person,
            ended_by: waiver.ended_by,
            end_reason: waiver.end_reason,
        })
    }
}

impl TableRow for WaiverView {
    const COLUMNS: &'static [Column<Self>] = &[
        ("waiver", |waiver| waiver.name.clone()),
        ("finding", |waiver| waiver.finding.rsplit('/').next().unwrap_or_default().to_owned()),
        ("rule", |waiver| waiver.rule.clone()),
        ("state", |waiver| waiver.state.to_owned()),
        ("reason", |waiver| waiver.reason.clone()),
        ("person", |waiver| waiver.person.clone()),
        ("expires_at", |waiver| waiver.expires_at.clone().unwrap_or_default()),
    ];
}

// === impl ChangeView ===

impl TryFrom<v1::WatchReportsResponse> for ChangeView {
    type Error = anyhow::Error;

    fn try_from(response: v1::WatchReportsResponse) -> anyhow::Result<Self> {
        let change = match response.change() {
            v1::ReportChange::Validated => "validated",
            v1::ReportChange::Withdrawn => "withdrawn",
            v1::ReportChange::Erased => "erased",
            v1::ReportChange::Moved => "moved",
            v1::ReportChange::Unspecified => "unspecified",
        };
        let report = response.report.context("server sent a change without a report")?.try_into()?;
        let moved_to = Some(response.moved_to).filter(|name| !name.is_empty());
        Ok(Self { change, report, resume_token: response.resume_token, moved_to })
    }
}

impl TableRow for ChangeView {
    const COLUMNS: &'static [Column<Self>] = &[
        ("change", |change| change.change.to_owned()),
        ("name", |change| change.report.name.clone()),
        ("agency_name", |change| change.report.agency_name.clone()),
        ("year", |change| change.report.year.to_string()),
        ("revision", |change| change.report.revision.to_string()),
        ("error", |change| change.report.findings_summary.error.to_string()),
        ("warning", |change| change.report.findings_summary.warning.to_string()),
        ("review", |change| change.report.findings_summary.review.to_string()),
        ("resume_token", |change| change.resume_token.clone()),
        ("moved_to", |change| change.moved_to.clone().unwrap_or_default()),
    ];
}

impl From<v1::FindingsSummary> for Counts {
    fn from(summary: v1::FindingsSummary) -> Self {
        let v1::FindingsSummary { error, warning, review, info } = summary;
        Self { error, warning, review, info }
    }
}

pub(crate) fn rfc3339(at: Option<prost_types::Timestamp>) -> anyhow::Result<Option<String>> {
    let Some(at) = at else { return Ok(None) };
    Ok(Some(timestamp::time(at, "timestamp")?.format(&Rfc3339)?))
}
