//! Alerts in the form of this program: as JSON, whose shape is public, and as table cells.

use anyhow::Context as _;
use gongkai_check::FindingLine;
use gongkai_model::{Finding, Severity};
use gongkai_proto::{
    convert::{finding::severity, timestamp},
    v1,
};
use serde::Serialize;

use crate::{
    commands::check::lang::Lang,
    printer::in_china,
    table::{Column, TableRow},
};

/// An alert for scripts.
#[derive(Debug, Serialize)]
pub(super) struct AlertView {
    pub(super) alert: String,
    pub(super) state: &'static str,
    pub(super) severity: &'static str,
    pub(super) report: String,
    pub(super) agency_name: String,
    pub(super) year: i32,
    pub(super) region: String,
    pub(super) url: String,
    pub(super) cause: String,
    pub(super) raised_at: Option<String>,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) resolution: &'static str,
    pub(super) acknowledgements: Vec<AcknowledgementView>,
    pub(super) findings: Vec<FindingLine>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) history: Vec<StepView>,
    pub(super) trace_id: String,
    #[serde(skip)]
    weight: Option<Severity>,
}

/// An acknowledgement for scripts.
#[derive(Debug, Serialize)]
pub(super) struct AcknowledgementView {
    pub(super) alert: String,
    pub(super) person: String,
    pub(super) comment: String,
    pub(super) acknowledged_at: String,
    pub(super) way: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) subscription: String,
}

/// A step of an alert's history.
#[derive(Debug, Serialize)]
pub(super) struct StepView {
    step: &'static str,
    at: String,
    rules: Vec<String>,
    #[serde(skip_serializing_if = "str::is_empty")]
    resolution: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    acknowledgement: Option<AcknowledgementView>,
    trace_id: String,
}

/// An alert for people.
#[derive(Debug, Serialize)]
pub(super) struct AlertRow {
    alert: String,
    severity: &'static str,
    agency: String,
    year: String,
    raised: String,
    acknowledged: String,
    message: String,
}

// === impl AlertView ===

impl AlertView {
    pub(super) fn state_in(&self, lang: Lang) -> &'static str {
        match self.state {
            "open" => lang.choose("未解除", "open"),
            _ => lang.choose("已解除", "resolved"),
        }
    }

    pub(super) fn severity_in(&self, lang: Lang) -> &'static str {
        let weight = self.weight.unwrap_or(Severity::Info);
        lang.choose(weight.chinese(), weight.as_str())
    }
}

impl TryFrom<v1::AlertRecord> for AlertView {
    type Error = anyhow::Error;

    fn try_from(record: v1::AlertRecord) -> anyhow::Result<Self> {
        let alert = record.alert.context("server sent an alert without its content")?;
        let weight = severity(alert.severity).ok();
        let resolution = resolution(alert.resolution());
        let findings = alert.findings.into_iter().map(|mut finding| {
            // The findings of erased content have names only.
            finding.versions.get_or_insert_default();
            Ok(FindingLine::from(&Finding::try_from(finding)?))
        });
        Ok(Self {
            state: if alert.state == i32::from(v1::AlertState::Raised) { "open" } else { "resolved" },
            severity: weight.map_or("", Severity::as_str),
            weight,
            resolution,
            findings: findings.collect::<anyhow::Result<_>>()?,
            raised_at: record.raised_at.map(|at| china(Some(at))).transpose()?,
            acknowledgements: record
                .acknowledgements
                .into_iter()
                .map(AcknowledgementView::try_from)
                .collect::<anyhow::Result<_>>()?,
            history: record.history.into_iter().map(StepView::try_from).collect::<anyhow::Result<_>>()?,
            alert: alert.alert_id,
            report: alert.report,
            agency_name: alert.agency_name,
            year: alert.year,
            region: alert.region,
            url: alert.url,
            cause: alert.cause,
            trace_id: alert.trace_id,
        })
    }
}

impl TableRow for AlertView {
    const COLUMNS: &'static [Column<Self>] = &[
        ("alert", |view| view.alert.clone()),
        ("state", |view| view.state.to_owned()),
        ("severity", |view| view.severity.to_owned()),
        ("report", |view| view.report.clone()),
        ("agency_name", |view| view.agency_name.clone()),
        ("year", |view| view.year.to_string()),
        ("region", |view| view.region.clone()),
        ("raised_at", |view| view.raised_at.clone().unwrap_or_default()),
        ("acknowledged_by", |view| first(view).map(|one| one.person.clone()).unwrap_or_default()),
        ("acknowledged_at", |view| first(view).map(|one| one.acknowledged_at.clone()).unwrap_or_default()),
        ("rules", |view| rules(view).join(" ")),
        ("trace_id", |view| view.trace_id.clone()),
    ];
}

fn first(view: &AlertView) -> Option<&AcknowledgementView> {
    view.acknowledgements.first()
}

fn rules(view: &AlertView) -> Vec<&str> {
    let mut rules: Vec<&str> = view.findings.iter().map(|finding| finding.rule.as_str()).collect();
    rules.sort_unstable();
    rules.dedup();
    rules
}

// === impl AcknowledgementView ===

impl TryFrom<v1::Acknowledgement> for AcknowledgementView {
    type Error = anyhow::Error;

    fn try_from(one: v1::Acknowledgement) -> anyhow::Result<Self> {
        Ok(Self {
            way: match one.way() {
                v1::AcknowledgementWay::Link => "link",
                v1::AcknowledgementWay::Grpc | v1::AcknowledgementWay::Unspecified => "grpc",
            },
            acknowledged_at: china(one.acknowledged_at)?,
            alert: one.alert_id,
            person: one.person,
            comment: one.comment,
            subscription: one.subscription,
        })
    }
}

// === impl StepView ===

impl StepView {
    /// Returns the step as a line for people: when, what, who and why.
    pub(super) fn in_words(&self, lang: Lang) -> String {
        let (zh, en) = match self.step {
            "raised" => ("提出", "raised"),
            "extended" => ("增加疑点", "further findings"),
            "acknowledged" => ("确认收到", "acknowledged"),
            "resolved" => ("解除", "resolved"),
            _ => ("再次提出", "raised again"),
        };
        let (zh_end, en_end) = match self.resolution {
            "waived" => ("已销号", "waived"),
            "erased" => ("内容已删除", "erased"),
            "gone" => ("问题已消除", "gone"),
            _ => ("", ""),
        };
        let mut words =
            vec![self.at.clone(), lang.choose(zh, en).to_owned(), lang.choose(zh_end, en_end).to_owned()];
        match &self.acknowledgement {
            Some(one) => words.extend([one.person.clone(), one.comment.clone()]),
            None => words.push(self.rules.join(" ")),
        }
        words.retain(|word| !word.is_empty());
        words.join("  ")
    }
}

impl TryFrom<v1::AlertStep> for StepView {
    type Error = anyhow::Error;

    fn try_from(step: v1::AlertStep) -> anyhow::Result<Self> {
        Ok(Self {
            step: match step.kind() {
                v1::AlertStepKind::Raised | v1::AlertStepKind::Unspecified => "raised",
                v1::AlertStepKind::Extended => "extended",
                v1::AlertStepKind::Acknowledged => "acknowledged",
                v1::AlertStepKind::Resolved => "resolved",
                v1::AlertStepKind::Reopened => "reopened",
            },
            at: china(step.at)?,
            resolution: resolution(step.resolution()),
            rules: step.rules,
            acknowledgement: step.acknowledgement.map(AcknowledgementView::try_from).transpose()?,
            trace_id: step.trace_id,
        })
    }
}

// === impl AlertRow ===

impl AlertRow {
    pub(super) fn new(view: &AlertView, lang: Lang) -> Self {
        let message = view.findings.first().map(|finding| lang.choose(&finding.message, &finding.message_en));
        Self {
            alert: view.alert.clone(),
            severity: view.severity_in(lang),
            agency: view.agency_name.clone(),
            year: view.year.to_string(),
            raised: view.raised_at.clone().unwrap_or_default(),
            acknowledged: first(view).map(|one| one.person.clone()).unwrap_or_default(),
            message: message.unwrap_or_default().to_owned(),
        }
    }
}

impl TableRow for AlertRow {
    const COLUMNS: &'static [Column<Self>] = &[
        ("编号 alert", |row| row.alert.clone()),
        ("程度 severity", |row| row.severity.to_owned()),
        ("机关 agency", |row| row.agency.clone()),
        ("年度 year", |row| row.year.clone()),
        ("提出 raised", |row| row.raised.clone()),
        ("确认人 acknowledged by", |row| row.acknowledged.clone()),
        ("问题 problem", |row| row.message.clone()),
    ];
}

fn resolution(resolution: v1::AlertResolution) -> &'static str {
    match resolution {
        v1::AlertResolution::Gone => "gone",
        v1::AlertResolution::Waived => "waived",
        v1::AlertResolution::Erased => "erased",
        v1::AlertResolution::Unspecified => "",
    }
}

fn china(at: Option<prost_types::Timestamp>) -> anyhow::Result<String> {
    Ok(timestamp::optional(at, "timestamp")?.map(in_china).unwrap_or_default())
}
