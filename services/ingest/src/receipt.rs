//! The JSON form of a receipt.

use prost_types::Timestamp;
use serde::Serialize;
use time::format_description::well_known::Rfc3339;

use gongkai_check::PartLine;
use gongkai_proto::{
    convert,
    v1::{self, Receipt, SubmissionState, WithdrawalHit},
};

/// A receipt as HTTP clients see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReceiptJson {
    submission_id: String,
    state: &'static str,
    /// Null until parse has named the report.
    report: Option<String>,
    revision: Option<String>,
    trace_id: String,
    status_url: String,
    findings: Findings,
    rejection: Option<RejectionJson>,
    /// The submission that arrived under the same id before.
    supersedes: Option<String>,
    /// What a withdrawal applies to.
    withdrawal: Option<WithdrawalHitJson>,
    /// Where the sender and the document disagree.
    differences: Vec<DifferenceJson>,
    /// The files, if the submission has attachments.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parts: Vec<PartLine>,
    /// The time that the sender gives for the event.
    event_time: Option<String>,
    /// Time of arrival. Null on receipts of earlier versions.
    received_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duplicate_of: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct DifferenceJson {
    field: String,
    declared: String,
    read: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
struct Findings {
    error: u32,
    warning: u32,
    review: u32,
    info: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct RejectionJson {
    code: String,
    message: String,
    message_en: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    /// True if another attempt with the same document may succeed.
    retryable: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct WithdrawalHitJson {
    hit: &'static str,
    code: Option<String>,
}

impl ReceiptJson {
    /// Returns the URL of the receipt's later states.
    #[must_use]
    pub fn status_url(&self) -> &str {
        &self.status_url
    }
}

#[must_use]
pub fn state_name(state: SubmissionState) -> &'static str {
    match state {
        SubmissionState::Unspecified | SubmissionState::Received => "received",
        SubmissionState::Parsed => "parsed",
        SubmissionState::Validated => "validated",
        SubmissionState::Rejected => "rejected",
        SubmissionState::Withdrawn => "withdrawn",
        SubmissionState::Unchanged => "unchanged",
        SubmissionState::Dead => "dead",
    }
}

impl From<v1::Difference> for DifferenceJson {
    fn from(difference: v1::Difference) -> Self {
        let v1::Difference { field, declared, read } = difference;
        Self { field, declared, read }
    }
}

fn part(part: v1::Part) -> Option<PartLine> {
    gongkai_model::Part::try_from(part).ok().map(|part| PartLine::from(&part))
}

/// Formats a time in UTC. Returns `None` also for a time that the format cannot represent.
fn rfc3339(at: Option<Timestamp>) -> Option<String> {
    convert::timestamp::time(at?, "timestamp").ok()?.format(&Rfc3339).ok()
}

fn filled(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

impl From<Receipt> for ReceiptJson {
    fn from(receipt: Receipt) -> Self {
        let findings = receipt.findings.unwrap_or_default();
        Self {
            state: state_name(receipt.state()),
            submission_id: receipt.submission_id,
            report: filled(receipt.report),
            revision: filled(receipt.revision),
            trace_id: receipt.trace_id,
            status_url: receipt.status_url,
            findings: Findings {
                error: findings.error,
                warning: findings.warning,
                review: findings.review,
                info: findings.info,
            },
            rejection: receipt.rejection.map(|rejection| RejectionJson {
                code: rejection.code,
                message: rejection.message,
                message_en: rejection.message_en,
                kind: filled(rejection.look_alike),
                retryable: rejection.retryable,
            }),
            supersedes: filled(receipt.supersedes),
            withdrawal: receipt.withdrawal.map(|withdrawal| WithdrawalHitJson {
                hit: if withdrawal.hit() == WithdrawalHit::Report { "report" } else { "unknown" },
                code: filled(withdrawal.code),
            }),
            differences: receipt.differences.into_iter().map(DifferenceJson::from).collect(),
            // A part in the form of a later version is left out.
            parts: receipt.parts.into_iter().filter_map(part).collect(),
            event_time: rfc3339(receipt.event_time),
            received_at: rfc3339(receipt.received_at),
            duplicate_of: filled(receipt.duplicate_of),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_shape_is_the_contract() {
        let mut receipt = Receipt { submission_id: "s-1".into(), trace_id: "t".into(), ..Receipt::default() };
        receipt.status_url = "/v1/submissions/s-1".into();
        receipt.set_state(SubmissionState::Received);
        let expected = json!({"submission_id": "s-1", "state": "received", "report": null, "revision": null,
            "trace_id": "t", "status_url": "/v1/submissions/s-1",
            "findings": {"error": 0, "warning": 0, "review": 0, "info": 0}, "rejection": null,
            "supersedes": null, "withdrawal": null, "differences": [], "event_time": null, "received_at": null});
        assert_eq!(serde_json::to_value(ReceiptJson::from(receipt)).unwrap(), expected);
    }

    #[test]
    fn both_times_are_in_utc_and_one_that_cannot_be_said_is_not() {
        let at = |seconds| Some(Timestamp { seconds, nanos: 0 });
        let json = |event_time, received_at| {
            let receipt = Receipt { event_time, received_at, ..Receipt::default() };
            serde_json::to_value(ReceiptJson::from(receipt)).unwrap()
        };
        let both = json(at(1_705_363_200), at(1_705_363_201));
        assert_eq!(both["event_time"], "2024-01-16T00:00:00Z");
        assert_eq!(both["received_at"], "2024-01-16T00:00:01Z");
        assert_eq!(json(at(-300_000_000_000), None)["event_time"], json!(null));
    }

    #[test]
    fn a_withdrawal_says_what_it_hit() {
        let json = |hit: WithdrawalHit, code: &str| {
            let withdrawal = Some(v1::Withdrawal { hit: hit.into(), code: code.into() });
            let receipt = Receipt { withdrawal, supersedes: "s-0".into(), ..Receipt::default() };
            serde_json::to_value(ReceiptJson::from(receipt)).unwrap()
        };
        assert_eq!(json(WithdrawalHit::Report, "")["withdrawal"], json!({"hit": "report", "code": null}));
        let unknown = json(WithdrawalHit::Unknown, "UNKNOWN_ADDRESS");
        assert_eq!(unknown["withdrawal"], json!({"hit": "unknown", "code": "UNKNOWN_ADDRESS"}));
        assert_eq!(unknown["supersedes"], "s-0");
    }

    #[test]
    fn files_and_disagreements_are_named() {
        let rejection = v1::Rejection { code: "NOT_A_REPORT".into(), ..Default::default() };
        let page = v1::Part {
            sha256: "aa".into(),
            role: v1::PartRole::Other.into(),
            rejection: Some(rejection),
            ..Default::default()
        };
        let name = "年报.docx".to_owned();
        let attachment = v1::Part { name, role: v1::PartRole::Carrier.into(), ..Default::default() };
        let difference =
            v1::Difference { field: "year".into(), declared: "2022".into(), read: "2023".into() };
        let receipt =
            Receipt { parts: vec![page, attachment], differences: vec![difference], ..Receipt::default() };
        let json = serde_json::to_value(ReceiptJson::from(receipt)).unwrap();
        assert_eq!(json["differences"], json!([{"field": "year", "declared": "2022", "read": "2023"}]));
        assert_eq!(json["parts"][0]["rejection"]["code"], "NOT_A_REPORT");
        assert_eq!(json["parts"][1], json!({"name": "年报.docx", "sha256": "", "role": "carrier"}));
    }

    #[test]
    fn a_look_alike_is_named_and_a_rejection_says_whether_it_may_end_otherwise() {
        let rejection = v1::Rejection {
            code: "NOT_A_REPORT".into(),
            look_alike: "budget".into(),
            retryable: true,
            ..Default::default()
        };
        let receipt =
            Receipt { rejection: Some(rejection), duplicate_of: "s-0".into(), ..Receipt::default() };
        let json = serde_json::to_value(ReceiptJson::from(receipt)).unwrap();
        assert_eq!(json["rejection"]["retryable"], json!(true));
        assert_eq!((&json["rejection"]["kind"], &json["duplicate_of"]), (&json!("budget"), &json!("s-0")));
    }
}
