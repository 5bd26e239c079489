//! The ends of submissions, for operators: a line in the log and a counter, by state and code.
//!
//! [`crate::receipt_store`] reports each receipt that reaches a final state, whichever event or call brings it there. A
//! submission that is replayed or reprocessed and ends otherwise has a line for each end.

use crate::{receipt::state_name, state::is_final};
use gongkai_model::RejectionCode;
use gongkai_proto::v1::{Receipt, SubmissionState};
use gongkai_worker::{Counter, Runtime, trace};

const STATE: &str = "gongkai.submission.state";
const CODE: &str = "gongkai.rejection.code";
/// Label with the site that sent the submission, absent without one.
const SITE: &str = "gongkai.site";

/// Logs and counts the ends of submissions. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Outcomes {
    ended: Counter,
}

// === impl Outcomes ===

impl Outcomes {
    /// Creates the counter, at zero for every state and code of submissions without a site.
    pub(crate) fn new(runtime: &Runtime) -> Self {
        let text = "submissions by their end";
        let ended = runtime.counter("gongkai.ingest.submissions", "{submission}", text);
        for state in ["validated", "withdrawn", "unchanged", "dead"] {
            ended.add(0, &[(STATE, state)]);
        }
        for code in RejectionCode::ALL {
            ended.add(0, &[(STATE, "rejected"), (CODE, code.as_str())]);
        }
        Self { ended }
    }

    /// Logs and counts a submission that had another state before, if the present one is final.
    pub(crate) fn changed(&self, before: SubmissionState, receipt: &Receipt) {
        if receipt.state() == before || !is_final(receipt) {
            return;
        }
        let state = state_name(receipt.state());
        let rejection = receipt.rejection.as_ref().filter(|_| receipt.state() == SubmissionState::Rejected);
        let code = rejection.map(|rejection| rejection.code.as_str());
        // A code of a later version adds no value to the label.
        let known = code.and_then(|code| RejectionCode::ALL.iter().find(|known| known.as_str() == code));
        let labels = [
            Some((STATE, state)),
            known.map(|known| (CODE, known.as_str())),
            given(&receipt.site).map(|site| (SITE, site)),
        ];
        self.ended.add(1, &labels.into_iter().flatten().collect::<Vec<_>>());
        // A replay has a trace of its own; the receipt keeps the first.
        let submission_trace_id =
            Some(&receipt.trace_id).filter(|trace_id| **trace_id != trace::current_trace_id());
        tracing::info!(
            submission_id = receipt.submission_id,
            state,
            code,
            report = given(&receipt.report),
            site = given(&receipt.site),
            submission_trace_id,
            "submission ended"
        );
    }
}

fn given(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}
