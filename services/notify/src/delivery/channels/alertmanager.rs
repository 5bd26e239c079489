//! Alertmanager, version 2 of its interface: the letters of an envelope are one `POST /api/v2/alerts`.
//!
//! An alert that is raised has an explicit end in ten years, so that `resolve_timeout` does not apply to it and it is
//! not sent again. One that is resolved ends when it was resolved. Alertmanager keeps alerts in memory: after it
//! restarts it shows those that are raised or resolved from then on.
//!
//! Alertmanager identifies an alert by its labels. All but `severity` are the same for every message about an alert.
//! The severity may change without a message, so each message also ends the alert under every other severity.

use async_trait::async_trait;
use gongkai_model::{ReportKey, Severity};
use gongkai_proto::{
    convert::{finding::severity, timestamp},
    v1,
};
use gongkai_worker::{Clock, Secret};
use reqwest::{
    Url,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue},
};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    super::{
        channel::{Channel, Error},
        deadline_text::sentence,
        letter::{Envelope, Letter},
        message::Composer,
        notice::Notice,
        summary::{is_resolved, summary},
    },
    http::Endpoint,
    target::Target,
};

/// How long after its beginning an open alert ends: as good as never.
const OPEN_FOR: Duration = Duration::days(3650);
/// Name of the alert about a missing report.
const MISSING: &str = "GongkaiReportMissing";

/// The client of one Alertmanager.
pub(crate) struct Alertmanager {
    endpoint: Endpoint,
    token: Option<Secret>,
    composer: Composer,
}

// === impl Alertmanager ===

impl Alertmanager {
    /// Creates a client for the Alertmanager at `target`, with the bearer token that a proxy before it asks for.
    ///
    /// # Errors
    /// The HTTP client cannot be built, such as on a machine without CA certificates.
    pub(crate) fn new(
        target: Target,
        token: Option<Secret>,
        composer: Composer,
        clock: Clock,
    ) -> anyhow::Result<Self> {
        Ok(Self { endpoint: Endpoint::new(target, clock)?, token, composer })
    }

    fn url(&self) -> Url {
        let mut url = self.endpoint.url().clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["api", "v2", "alerts"]);
        }
        url
    }

    fn headers(&self) -> Result<HeaderMap, Error> {
        let mut headers =
            HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        if let Some(token) = &self.token {
            let value = HeaderValue::from_str(&format!("Bearer {}", token.expose()));
            let mut value =
                value.map_err(|_| Error::Refused("the token is not one of visible ASCII".to_owned()))?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        Ok(headers)
    }

    fn alerts_of(&self, letter: &Letter<'_>) -> Vec<Value> {
        match letter.notice {
            Notice::Alert(alert) => self.of_alert(alert, letter.context.logged_at),
            Notice::Ended(ended) => vec![of_rejection(ended)],
            Notice::Deadline(notice) => of_deadline(notice, letter.context.logged_at),
        }
    }

    fn of_alert(&self, alert: &v1::Alert, logged_at: OffsetDateTime) -> Vec<Value> {
        let changed_at = timestamp::optional(alert.changed_at, "changed_at").ok().flatten();
        let changed_at = changed_at.unwrap_or(logged_at);
        let page = self.composer.page(alert);
        let of = |label: Severity| {
            let is_open = !is_resolved(alert) && severity(alert.severity) == Ok(label);
            let ends_at = if is_open { changed_at + OPEN_FOR } else { changed_at };
            let mut json = json!({
                "labels": labels(alert, label),
                "annotations": annotations(alert),
                "startsAt": rfc3339(changed_at),
                "endsAt": rfc3339(ends_at),
            });
            if let Some(page) = &page {
                json["generatorURL"] = page.as_str().into();
            }
            json
        };
        Severity::ALL.iter().map(|label| of(*label)).collect()
    }
}

#[async_trait]
impl Channel for Alertmanager {
    async fn send(&self, envelope: &Envelope<'_>) -> Result<(), Error> {
        let alerts: Vec<Value> =
            envelope.letters().iter().flat_map(|letter| self.alerts_of(letter)).collect();
        self.endpoint.post(self.url(), self.headers()?, Value::from(alerts).to_string()).await?;
        Ok(())
    }
}

fn labels(alert: &v1::Alert, severity: Severity) -> Value {
    let agency = alert.report.parse::<ReportKey>().map(|key| key.agency.to_string()).unwrap_or_default();
    json!({
        "alertname": "GongkaiFinding",
        "service": "gongkai",
        "severity": severity.as_str().to_ascii_lowercase(),
        "alert_id": alert.alert_id,
        "report": alert.report,
        "agency": agency,
        "year": alert.year.to_string(),
    })
}

fn annotations(alert: &v1::Alert) -> Value {
    let summary = summary(alert);
    json!({
        "summary": summary.message,
        "summary_en": summary.message_en,
        "agency_name": alert.agency_name,
        "region": alert.region,
        "cause": alert.cause,
        "url": alert.url,
        "trace_id": alert.trace_id,
    })
}

/// A rejection has no end, so `resolve_timeout` ends it.
fn of_rejection(ended: &v1::SubmissionEnded) -> Value {
    json!({
        "labels": {
            "alertname": "GongkaiRejection",
            "service": "gongkai",
            "submission_id": ended.submission_id,
            "code": ended.rejection_code,
            "site": ended.sender_site,
        },
        "annotations": { "receipt": ended.receipt },
    })
}

/// Returns the alerts of a notice about a deadline. A missing report stays open until it comes; the others are open for
/// a day.
pub(super) fn of_deadline(notice: &v1::DeadlineNotice, logged_at: OffsetDateTime) -> Vec<Value> {
    let said_at = timestamp::optional(notice.said_at, "said_at").ok().flatten().unwrap_or(logged_at);
    let agency = notice.report.parse::<ReportKey>().map(|key| key.agency.to_string()).unwrap_or_default();
    let summary = sentence(notice);
    let alert = |name: &str, open_for: Duration| {
        json!({
            "labels": {
                "alertname": name,
                "service": "gongkai",
                "severity": if name == MISSING { "warning" } else { "info" },
                "report": notice.report,
                "agency": agency,
                "year": notice.year.to_string(),
            },
            "annotations": {
                "summary": summary.message,
                "summary_en": summary.message_en,
                "agency_name": notice.agency_name,
                "region": notice.region,
                "deadline": notice.deadline,
            },
            "startsAt": rfc3339(said_at),
            "endsAt": rfc3339(said_at + open_for),
        })
    };
    match notice.kind() {
        v1::DeadlineNoticeKind::Missing => vec![alert(MISSING, OPEN_FOR)],
        v1::DeadlineNoticeKind::Late => {
            vec![alert(MISSING, Duration::ZERO), alert("GongkaiReportLate", Duration::DAY)]
        }
        v1::DeadlineNoticeKind::Reminder => vec![alert("GongkaiDeadline", Duration::DAY)],
        v1::DeadlineNoticeKind::Unspecified => Vec::new(),
    }
}

fn rfc3339(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).unwrap_or_default()
}
