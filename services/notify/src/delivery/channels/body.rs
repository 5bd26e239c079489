//! The JSON bodies of webhooks: an alert, and the event that a submission ended. Findings have the members of
//! `gongkai check --format json`.

use gongkai_proto::{convert::timestamp, subjects::Event, v1};
use serde::Serialize;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::super::summary::{SummaryText, is_resolved, severity_name, summary};

/// Media type of a [`WebhookBody`].
pub(super) const JSON: &str = "application/json";
/// Media type of an [`EndedEvent`].
pub(super) const CLOUD_EVENT: &str = "application/cloudevents+json";
/// CloudEvents source of the ends of submissions.
const SOURCE: &str = "gongkai-ingest";

/// A CloudEvent in structured mode about the end of a submission. Its data is the receipt.
#[derive(Debug, Serialize)]
pub(super) struct EndedEvent<'a> {
    specversion: &'static str,
    /// The `webhook-id`, which is the same for every delivery of this end.
    id: &'a str,
    source: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    /// The id of the submission.
    subject: &'a str,
    /// When the end of the submission entered the log.
    time: String,
    datacontenttype: &'static str,
    data: serde_json::Value,
}

/// The body of a webhook, in the shape that Standard Webhooks recommends.
#[derive(Debug, Serialize)]
pub(super) struct WebhookBody<D> {
    /// The CloudEvents type of the message.
    #[serde(rename = "type")]
    kind: &'static str,
    /// When what the message says came about, RFC 3339.
    timestamp: String,
    data: D,
}

/// What a webhook says about an alert. The time of its body is when the event behind the alert entered the log.
#[derive(Debug, Serialize)]
pub(super) struct AlertData<'a> {
    message: String,
    message_en: String,
    alert_id: &'a str,
    state: &'static str,
    /// `gone` or `waived`, if the alert is resolved.
    #[serde(skip_serializing_if = "Option::is_none")]
    resolution: Option<&'static str>,
    /// Grows with every message. Of two messages about one alert, the one with the higher number is current.
    sequence: u64,
    severity: &'static str,
    report: &'a str,
    agency_name: &'a str,
    year: i32,
    region: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    url: &'a str,
    content_hash: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    cause: &'a str,
    findings: Vec<FindingJson<'a>>,
    trace_id: &'a str,
}

#[derive(Debug, Serialize)]
struct FindingJson<'a> {
    rule: &'a str,
    severity: &'static str,
    message: &'a str,
    message_en: &'a str,
    fingerprint: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    cause: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    concept: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    formula: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actual: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    facts: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<SourceJson<'a>>,
}

#[derive(Debug, Serialize)]
struct SourceJson<'a> {
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<u32>,
}

// === impl EndedEvent ===

impl<'a> EndedEvent<'a> {
    /// Creates the event with this id. `logged_at` is when the log stored that the submission ended.
    #[must_use]
    pub(super) fn new(ended: &'a v1::SubmissionEnded, id: &'a str, logged_at: OffsetDateTime) -> Self {
        Self {
            specversion: "1.0",
            id,
            source: SOURCE,
            kind: Event::SubmissionEnded.ce_type(),
            subject: &ended.submission_id,
            time: logged_at.format(&Rfc3339).unwrap_or_default(),
            datacontenttype: JSON,
            data: serde_json::from_str(&ended.receipt).unwrap_or_default(),
        }
    }
}

// === impl WebhookBody ===

impl<D> WebhookBody<D> {
    /// Creates the body of a message about this event.
    pub(super) fn of(event: Event, at: OffsetDateTime, data: D) -> Self {
        Self { kind: event.ce_type(), timestamp: at.format(&Rfc3339).unwrap_or_default(), data }
    }
}

impl<'a> WebhookBody<AlertData<'a>> {
    /// Creates the body for an alert with this stream sequence.
    #[must_use]
    pub(super) fn about_alert(alert: &'a v1::Alert, sequence: u64) -> Self {
        let resolved = is_resolved(alert);
        let SummaryText { message, message_en } = summary(alert);
        let event = if resolved { Event::AlertResolved } else { Event::AlertRaised };
        let at = timestamp::optional(alert.changed_at, "changed_at").ok().flatten();
        Self::of(
            event,
            at.unwrap_or(OffsetDateTime::UNIX_EPOCH),
            AlertData {
                message,
                message_en,
                alert_id: &alert.alert_id,
                state: if resolved { "resolved" } else { "raised" },
                resolution: resolved.then(|| match alert.resolution() {
                    v1::AlertResolution::Waived => "waived",
                    v1::AlertResolution::Erased => "erased",
                    v1::AlertResolution::Gone | v1::AlertResolution::Unspecified => "gone",
                }),
                sequence,
                severity: severity_name(alert.severity),
                report: &alert.report,
                agency_name: &alert.agency_name,
                year: alert.year,
                region: &alert.region,
                url: &alert.url,
                content_hash: &alert.content_hash,
                cause: &alert.cause,
                findings: alert.findings.iter().map(FindingJson::new).collect(),
                trace_id: &alert.trace_id,
            },
        )
    }
}

impl<'a> FindingJson<'a> {
    fn new(finding: &'a v1::Finding) -> Self {
        Self {
            rule: &finding.rule,
            severity: severity_name(finding.severity),
            message: &finding.message,
            message_en: &finding.message_en,
            fingerprint: &finding.fingerprint,
            cause: &finding.cause,
            concept: &finding.concept,
            formula: &finding.formula,
            expected: finding.expected.as_deref(),
            actual: finding.actual.as_deref(),
            facts: &finding.facts,
            source: finding.source.as_ref().map(|source| SourceJson {
                text: &source.text,
                page: source.page,
                start: source.start,
                end: source.end,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert() -> v1::Alert {
        let finding = |rule: &str, severity: v1::Severity, message: &str| v1::Finding {
            rule: rule.into(),
            severity: severity.into(),
            message: message.into(),
            message_en: format!("en {message}"),
            fingerprint: format!("f-{rule}"),
            expected: Some("7".into()),
            actual: Some("8".into()),
            facts: vec!["requests.received[total]".into()],
            ..Default::default()
        };
        v1::Alert {
            alert_id: "a1".into(),
            report: "agencies/p-1/reports/2023".into(),
            agency_name: "樟树市鹿江街道办事处".into(),
            year: 2023,
            region: "360982".into(),
            severity: v1::Severity::Error.into(),
            findings: vec![
                finding("T3-INT", v1::Severity::Warning, "次要"),
                finding("T3-ROW", v1::Severity::Error, "合计不符"),
            ],
            trace_id: "0af7651916cd43dd8448eb211c80319c".into(),
            state: v1::AlertState::Raised.into(),
            changed_at: Some(prost_types::Timestamp { seconds: 1_705_284_720, nanos: 0 }),
            ..Default::default()
        }
    }

    #[test]
    fn the_body_tells_people_first_and_machines_everything() {
        let alert = alert();
        let body = serde_json::to_value(WebhookBody::about_alert(&alert, 17)).unwrap();
        assert_eq!(body["type"], "gongkai.alert.raised.v1");
        assert_eq!(body["timestamp"], "2024-01-15T02:12:00Z");
        let data = &body["data"];
        assert_eq!(data["message"], "樟树市鹿江街道办事处2023年度报告：合计不符（共2项检查不符，同一原因）");
        assert_eq!(
            data["message_en"],
            "樟树市鹿江街道办事处, 2023: en 合计不符 (2 failed checks with one cause)"
        );
        assert_eq!((&data["state"], &data["severity"]), (&"raised".into(), &"ERROR".into()));
        assert_eq!((&data["sequence"], &data["trace_id"]), (&17.into(), &alert.trace_id.clone().into()));
        assert_eq!(data["findings"][1]["expected"], "7");
        assert!(data.get("url").is_none() && data["findings"][0].get("source").is_none());
    }

    #[test]
    fn a_resolved_alert_says_so() {
        let alert = v1::Alert { state: v1::AlertState::Resolved.into(), ..alert() };
        let body = serde_json::to_value(WebhookBody::about_alert(&alert, 18)).unwrap();
        assert_eq!(body["type"], "gongkai.alert.resolved.v1");
        assert_eq!(body["data"]["state"], "resolved");
        assert!(body["data"]["message"].as_str().unwrap().starts_with("已解决："));
        let erased = v1::Alert { resolution: v1::AlertResolution::Erased.into(), ..alert };
        let body = serde_json::to_value(WebhookBody::about_alert(&erased, 19)).unwrap();
        assert_eq!(body["data"]["resolution"], "erased");
        assert!(!body["data"]["message"].as_str().unwrap().contains("合计不符"));
    }
}
