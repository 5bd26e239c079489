//! Keeps the receipts up to date from the events and the dead letters of the stages.
//!
//! Events may come in any order and more than once; [`crate::state::merge`] gives the same result.

use anyhow::anyhow;
use async_trait::async_trait;

use crate::{receipt_store::ReceiptStore, submission::is_id};
use gongkai_proto::{
    ReportEvent,
    convert::{self, history},
    subjects::{self, Event},
    v1::{DeadLetter, DocumentKind, Origin, Receipt, SubmissionState},
};
use gongkai_worker::{Consume, Context, Decision, Handler, Output};

/// Handles the events of the stages.
pub struct Stages {
    pub receipts: ReceiptStore,
}

/// Handles the dead letters of the stages.
pub struct Dead {
    pub receipts: ReceiptStore,
}

const STAGE_EVENTS: [Event; 4] =
    [Event::ReportParsed, Event::ReportValidated, Event::ReportRejected, Event::ReportWithdrawn];
/// Stages whose dead letters end a submission. A message that query or notify buried was validated before.
const DEADLY: [&str; 2] = ["parse", "validate"];
/// Dead letter code: the event has content that no version of gongkai writes.
const UNREADABLE_EVENT: &str = "UNREADABLE_EVENT";

// === impl Stages ===

impl Stages {
    /// The consumer to bind.
    #[must_use]
    pub fn consume() -> Consume {
        let filters = STAGE_EVENTS.map(Event::filter);
        Consume::new(subjects::STREAM_REPORTS, subjects::CONSUMER_INGEST_STATE, filters)
    }
}

impl Stages {
    /// Records the arrival or withdrawal in the history of the report. The receipt is updated only after that.
    async fn record(&self, event: &ReportEvent, context: &Context) -> Result<(), Decision> {
        let unreadable = |error: convert::Error| Decision::bury(UNREADABLE_EVENT, error);
        match event {
            // Usually recorded at acceptance already, unless ingest stopped right after publishing.
            ReportEvent::Withdrawn(event) => {
                let withdrawal = history::withdrawal(event, context.sequence, context.logged_at);
                self.receipts.record_withdrawal(&withdrawal.map_err(unreadable)?).await?;
            }
            ReportEvent::Parsed(event) => {
                let (Some(origin), Some(report)) = (&event.origin, &event.report) else { return Ok(()) };
                // A draft is checked but not published.
                if origin.kind() != DocumentKind::Draft {
                    let arrival = history::arrival(origin, context.sequence).map_err(unreadable)?;
                    self.receipts.record_arrival(&report.name, &arrival).await?;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

#[async_trait]
impl Handler for Stages {
    type Input = ReportEvent;

    async fn handle(&self, event: ReportEvent, context: &Context) -> Result<Vec<Output>, Decision> {
        self.record(&event, context).await?;
        let receipt = receipt(event, context)?;
        if !is_id(&receipt.submission_id) {
            return Err(Decision::bury("NO_SUBMISSION", anyhow!("the event names no submission")));
        }
        let receipt = Receipt { sequence: context.sequence, trace_id: context.trace_id.clone(), ..receipt };
        self.receipts.merge(receipt).await?;
        Ok(Vec::new())
    }
}

fn receipt(event: ReportEvent, context: &Context) -> Result<Receipt, Decision> {
    Ok(match event {
        ReportEvent::Parsed(event) => Receipt {
            report: event.report.map(|report| report.name).unwrap_or_default(),
            ..receipt_of(event.origin, SubmissionState::Parsed)?
        },
        ReportEvent::Validated(event) => Receipt {
            report: event.report.map(|report| report.name).unwrap_or_default(),
            findings: Some(event.summary.unwrap_or_default()),
            ..receipt_of(event.origin, SubmissionState::Validated)?
        },
        ReportEvent::Rejected(event) => {
            Receipt { rejection: event.rejection, ..receipt_of(event.origin, SubmissionState::Rejected)? }
        }
        ReportEvent::Withdrawn(event) => {
            let mut receipt = Receipt { submission_id: event.submission_id, ..Receipt::default() };
            receipt.set_state(SubmissionState::Withdrawn);
            receipt
        }
        _ => return Err(Decision::unexpected(context)),
    })
}

fn receipt_of(origin: Option<Origin>, state: SubmissionState) -> Result<Receipt, Decision> {
    let origin = origin.ok_or_else(|| Decision::bury("NO_SUBMISSION", anyhow!("the event has no origin")))?;
    let mut receipt =
        Receipt { submission_id: origin.submission_id, revision: origin.content_hash, ..Receipt::default() };
    receipt.set_state(state);
    Ok(receipt)
}

// === impl Dead ===

impl Dead {
    /// The consumer to bind.
    #[must_use]
    pub fn consume() -> Consume {
        let filters = DEADLY.map(|service| format!("{}.{service}", subjects::DEAD_PREFIX));
        Consume::new(subjects::STREAM_DEAD, subjects::CONSUMER_INGEST_DEAD, filters)
    }
}

#[async_trait]
impl Handler for Dead {
    type Input = DeadLetter;

    async fn handle(&self, letter: DeadLetter, _context: &Context) -> Result<Vec<Output>, Decision> {
        // Message ids begin with the id of the submission: `s-…`, `s-….parse.0`. The payload may be undecodable.
        let id = letter.message_id.split('.').next().unwrap_or_default();
        if !is_id(id) {
            tracing::warn!(message_id = letter.message_id, "a dead letter belongs to no submission");
            return Ok(Vec::new());
        }
        let mut receipt = Receipt {
            submission_id: id.to_owned(),
            trace_id: letter.trace_id,
            sequence: letter.sequence,
            ..Receipt::default()
        };
        receipt.set_state(SubmissionState::Dead);
        self.receipts.merge(receipt).await?;
        Ok(Vec::new())
    }
}
