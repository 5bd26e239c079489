//! The JSON form of a receipt.

use serde::Serialize;

use gongkai_proto::v1::{Receipt, SubmissionState, WithdrawalHit};

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
    rejection: Option<Rejection>,
    /// The submission that came under the same id before.
    supersedes: Option<String>,
    /// What a withdrawal hit.
    withdrawal: Option<Hit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duplicate_of: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
struct Findings {
    error: u32,
    warning: u32,
    review: u32,
    info: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Rejection {
    code: String,
    message: String,
    message_en: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    /// True if another attempt with the same document may succeed.
    retryable: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Hit {
    hit: &'static str,
    code: Option<String>,
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
            rejection: receipt.rejection.map(|rejection| Rejection {
                code: rejection.code,
                message: rejection.message,
                message_en: rejection.message_en,
                kind: filled(rejection.look_alike),
                retryable: rejection.retryable,
            }),
            supersedes: filled(receipt.supersedes),
            withdrawal: receipt.withdrawal.map(|withdrawal| Hit {
                hit: if withdrawal.hit() == WithdrawalHit::Report { "report" } else { "unknown" },
                code: filled(withdrawal.code),
            }),
            duplicate_of: filled(receipt.duplicate_of),
        }
    }
}

#[cfg(test)]
mod tests {
    use gongkai_proto::v1;
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
            "supersedes": null, "withdrawal": null});
        assert_eq!(serde_json::to_value(ReceiptJson::from(receipt)).unwrap(), expected);
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
