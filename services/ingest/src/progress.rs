//! Keeps the receipts up to date from ingest's own events and from the events and dead letters of the stages.
//!
//! Events may come in any order and more than once; [`crate::state::merge`] gives the same result.

mod learned;

use anyhow::anyhow;
use async_trait::async_trait;
use bytes::Bytes;

use crate::{
    endings::{self, Endings},
    erasure::Eraser,
    receipt_store::ReceiptStore,
    submission::{is_id, sender_site},
};
use gongkai_ownership::Owners;
use gongkai_proto::{
    ReportEvent,
    convert::{self, history},
    event::Undecodable,
    subjects::{self, Event},
    v1::{DeadLetter, DocumentKind, Origin, ParsedReport, Part, Receipt, SubmissionState},
};
use gongkai_worker::{Consume, Context, Decision, Handler, Output, Runtime};

/// Handles the events of a submission, ingest's own too.
pub struct Stages {
    receipts: ReceiptStore,
    owners: Owners,
    eraser: Eraser,
    endings: Endings,
}

/// An event of a submission. `None`: a received document that cannot be decoded, which parse buries.
pub struct SubmissionEvent(Option<ReportEvent>);

/// Handles the dead letters of the stages.
pub struct Dead {
    receipts: ReceiptStore,
    endings: Endings,
}

const EVENTS: [Event; 6] = [
    Event::ReportReceived,
    Event::ReportParsed,
    Event::ReportValidated,
    Event::ReportRejected,
    Event::ReportWithdrawn,
    Event::ReportErased,
];
/// Stages whose dead letters end a submission. A message that query or notify buried was validated before.
const DEADLY: [&str; 2] = ["parse", "validate"];
/// Dead letter code: the event has content that no version of gongkai writes.
const UNREADABLE_EVENT: &str = "UNREADABLE_EVENT";

// === impl Stages ===

impl Stages {
    /// Creates the handler over the buckets of a runtime. It publishes no ends for sites.
    #[must_use]
    pub fn new(runtime: &Runtime) -> Self {
        Self {
            receipts: ReceiptStore::new(runtime),
            owners: Owners::new(runtime),
            eraser: Eraser::new(runtime),
            endings: Endings::default(),
        }
    }

    /// Makes the handler publish the ends of submissions for their sites.
    #[must_use]
    pub fn telling(self, endings: Endings) -> Self {
        Self { endings, ..self }
    }

    /// Returns the receipts that the handler updates.
    #[must_use]
    pub fn receipts(&self) -> &ReceiptStore {
        &self.receipts
    }

    /// Returns the consumer to bind.
    #[must_use]
    pub fn consume() -> Consume {
        let filters = EVENTS.map(Event::filter).into_iter().chain([subjects::backfill_filter()]);
        Consume::new(subjects::STREAM_REPORTS, subjects::CONSUMER_INGEST_STATE, filters)
    }
}

impl Stages {
    /// Records the state that ingest keeps besides the receipt, which is updated only after that. Usually acceptance
    /// has recorded its own submissions already, unless it stopped right after publishing. Returns the tombstone of
    /// an erased content that was read as another report.
    async fn record(&self, event: &ReportEvent, context: &Context) -> Result<Vec<Output>, Decision> {
        let unreadable = |error: convert::Error| Decision::bury(UNREADABLE_EVENT, error);
        match event {
            ReportEvent::Received(event) => {
                learned::document(&self.receipts, &self.owners, event, context).await?;
                self.eraser.record_files(event).await?;
            }
            ReportEvent::Withdrawn(event) => {
                let withdrawal = history::withdrawal(event, context.sequence, context.logged_at);
                self.receipts.record_withdrawal(&withdrawal.map_err(unreadable)?).await?;
                learned::withdrawal(&self.receipts, &self.owners, event, context).await?;
            }
            ReportEvent::Parsed(event) => {
                let (Some(origin), Some(report)) = (&event.origin, &event.report) else {
                    return Ok(Vec::new());
                };
                let text = report.text.as_ref().map_or("", |text| text.key.as_str());
                // A draft is checked but not published.
                let is_draft = origin.kind() == DocumentKind::Draft;
                if !is_draft {
                    let arrival = history::arrival(origin, context.sequence).map_err(unreadable)?;
                    self.receipts.record_arrival(&report.name, &arrival).await?;
                    learned::report(&self.owners, &report.name, origin).await?;
                }
                let name = if is_draft { "" } else { report.name.as_str() };
                let mut tombstones = self.eraser.read_again(&origin.content_hash, name, text).await?;
                if !is_draft {
                    tombstones.extend(self.eraser.follow(name).await?);
                }
                return Ok(tombstones);
            }
            ReportEvent::Validated(event) => {
                let arrival = event.origin.as_ref().map_or(0, |origin| origin.received_sequence);
                for report in &event.moved_from {
                    self.receipts.record_departure(report, arrival, event.parsed_sequence).await?;
                }
            }
            _ => {}
        }
        Ok(Vec::new())
    }

    /// Returns the receipt that follows from an event.
    async fn receipt(&self, event: ReportEvent, context: &Context) -> Result<Receipt, Decision> {
        Ok(match event {
            ReportEvent::Received(event) => Receipt {
                revision: event.content_hash(),
                submission_id: event.submission_id,
                callback_site: self.endings.site(event.sender.as_ref(), &event.renews),
                site: sender_site(event.sender.as_ref()),
                agency_name: event.agency.map(|agency| agency.name).unwrap_or_default(),
                supersedes: event.supersedes,
                duplicate_of: event.renews,
                event_time: event.event_time,
                received_at: event.received_at,
                state: SubmissionState::Received.into(),
                ..Receipt::default()
            },
            ReportEvent::Parsed(event) => Receipt {
                differences: event.differences,
                parts: event.report.as_ref().map(|report| named(&report.parts)).unwrap_or_default(),
                ..named_by(event.report, receipt_of(event.origin, SubmissionState::Parsed)?)
            },
            ReportEvent::Validated(event) => Receipt {
                differences: event.differences,
                parts: event.report.as_ref().map(|report| named(&report.parts)).unwrap_or_default(),
                findings: Some(event.summary.unwrap_or_default()),
                ..named_by(event.report, receipt_of(event.origin, SubmissionState::Validated)?)
            },
            ReportEvent::Rejected(event) => Receipt {
                parts: named(&event.parts),
                rejection: event.rejection,
                ..receipt_of(event.origin, SubmissionState::Rejected)?
            },
            ReportEvent::Withdrawn(event) => {
                let (hit, report) = learned::hit(&self.receipts, &event).await?;
                Receipt {
                    submission_id: event.submission_id,
                    callback_site: self.endings.site(event.sender.as_ref(), &event.renews),
                    site: sender_site(event.sender.as_ref()),
                    agency_name: event.agency.map(|agency| agency.name).unwrap_or_default(),
                    supersedes: event.supersedes,
                    duplicate_of: event.renews,
                    event_time: event.event_time,
                    received_at: event.withdrawn_at,
                    state: SubmissionState::Withdrawn.into(),
                    withdrawal: Some(hit),
                    report,
                    ..Receipt::default()
                }
            }
            _ => return Err(Decision::unexpected(context)),
        })
    }
}

impl TryFrom<(&str, Bytes)> for SubmissionEvent {
    type Error = Undecodable;

    fn try_from((subject, payload): (&str, Bytes)) -> Result<Self, Undecodable> {
        match ReportEvent::decode(subject, payload) {
            Ok(event) => Ok(Self(Some(event))),
            Err(_) if Event::of(subject) == Some(Event::ReportReceived) => Ok(Self(None)),
            Err(error) => Err(error),
        }
    }
}

impl From<ReportEvent> for SubmissionEvent {
    fn from(event: ReportEvent) -> Self {
        Self(Some(event))
    }
}

#[async_trait]
impl Handler for Stages {
    type Input = SubmissionEvent;

    async fn handle(
        &self,
        SubmissionEvent(event): SubmissionEvent,
        context: &Context,
    ) -> Result<Vec<Output>, Decision> {
        let Some(event) = event else { return Ok(Vec::new()) };
        match &event {
            ReportEvent::Erased(tombstone) => {
                return Ok(self.eraser.carry_out(tombstone, context.sequence).await?);
            }
            // Nothing arrived: the submission is known, and so is its end.
            ReportEvent::Received(event) if event.rereading.is_some() => return Ok(Vec::new()),
            _ => {}
        }
        let tombstones = self.record(&event, context).await?;
        let receipt = self.receipt(event, context).await?;
        if !is_id(&receipt.submission_id) {
            return Err(Decision::bury("NO_SUBMISSION", anyhow!("the event names no submission")));
        }
        let receipt = Receipt { sequence: context.sequence, trace_id: context.trace_id.clone(), ..receipt };
        let ended = tell(&self.receipts, &self.endings, receipt, &context.subject).await?;
        Ok(tombstones.into_iter().chain(ended).collect())
    }
}

/// Returns the files in the form of a receipt, without their differing numbers.
fn named(parts: &[Part]) -> Vec<Part> {
    parts.iter().map(|part| Part { different: Vec::new(), ..part.clone() }).collect()
}

/// Returns the receipt with the names of the report and its agency.
fn named_by(report: Option<ParsedReport>, receipt: Receipt) -> Receipt {
    match report {
        Some(report) => Receipt { report: report.name, agency_name: report.agency_name, ..receipt },
        None => receipt,
    }
}

fn receipt_of(origin: Option<Origin>, state: SubmissionState) -> Result<Receipt, Decision> {
    let origin = origin.ok_or_else(|| Decision::bury("NO_SUBMISSION", anyhow!("the event has no origin")))?;
    let mut receipt = Receipt {
        submission_id: origin.submission_id,
        revision: origin.content_hash,
        event_time: origin.event_time,
        received_at: origin.received_at,
        agency_name: origin.declared_agency.map(|agency| agency.name).unwrap_or_default(),
        site: origin.sender_site,
        ..Receipt::default()
    };
    receipt.set_state(state);
    Ok(receipt)
}

/// Merges the update from an event with this subject, and returns the event for the site if the submission has ended.
/// The events of a submission may come in any order, so the one that completes the receipt is not always the last.
async fn tell(
    receipts: &ReceiptStore,
    endings: &Endings,
    update: Receipt,
    subject: &str,
) -> Result<Option<Output>, Decision> {
    let receipt = receipts.outcome(receipts.learn(update).await?).await?;
    Ok(endings.event(receipt, endings::region(subject)).map(|(_, output)| output))
}

// === impl Dead ===

impl Dead {
    /// Creates the handler for these receipts. It publishes no ends for sites.
    #[must_use]
    pub fn new(receipts: ReceiptStore) -> Self {
        Self { receipts, endings: Endings::default() }
    }

    /// Makes the handler publish the ends of submissions for their sites.
    #[must_use]
    pub fn telling(self, endings: Endings) -> Self {
        Self { endings, ..self }
    }

    /// Returns the consumer to bind.
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
        Ok(tell(&self.receipts, &self.endings, receipt, &letter.subject).await?.into_iter().collect())
    }
}
