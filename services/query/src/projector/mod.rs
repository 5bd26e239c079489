//! Fills the read model from the log: validated, rejected, withdrawn and erased reports and waivers, in any order.
//!
//! The consumer is named for the read model's epoch. A file that was deleted is a new read model with a new consumer,
//! so it is rebuilt from the first event on; and every replica with a file of its own gets every event. The consumer is
//! not ordered: the store reaches the same state in every order, and a slow event delays no other.
//!
//! Every event is recorded in the read model before it is acknowledged, even one that has no effect or is buried, so
//! that the read model can be compared with the log ([`crate::log_watch`]).

mod batches;
pub mod event;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gongkai_proto::convert::history;
use gongkai_proto::subjects::{self, Event};
use gongkai_proto::{ReportEvent, v1};
use gongkai_store::{Mark, Store, StoredProse, Write};
use gongkai_worker::dead_letter::UNDECODABLE;
use gongkai_worker::transport::Objects;
use gongkai_worker::{Consume, Context, Decision, Handler, Output};
use prost::bytes::Bytes;

use self::batches::{Batches, STORE};
use crate::commands::LateRejections;
use crate::log_watch::{KINDS, LogWatch};
use crate::notifier::ChangeNotifier;
use crate::read_model::ReadModel;

/// Number of events handled at once. While a batch waits for the disk, the next events load their prose.
const CONCURRENCY: usize = 64;
/// Number of attempts before an event is buried: a read model that fails for an unknown reason must not lose one.
const MAX_ATTEMPTS: u32 = 100_000;
/// Time without a replica of a read model after which its consumer is deleted. A file that is used again later is
/// filled from the first event on, which changes nothing in it.
const FORGET_AFTER: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The handler that writes events to the store.
pub struct Projector {
    texts: Arc<dyn Objects>,
    batches: Batches,
    late: Option<LateRejections>,
}

/// An event of the log, if it could be decoded.
#[derive(Debug)]
pub struct LoggedEvent(Result<ReportEvent, anyhow::Error>);

/// Returns the consumer of a read model.
#[must_use]
pub fn consume(epoch: &str) -> Consume {
    Consume {
        concurrency: Some(CONCURRENCY),
        max_attempts: Some(MAX_ATTEMPTS),
        forget_after: Some(FORGET_AFTER),
        stores: &[STORE],
        ..Consume::new(subjects::STREAM_REPORTS, subjects::consumer_query(epoch), KINDS.map(Event::filter))
    }
}

impl From<ReportEvent> for LoggedEvent {
    fn from(event: ReportEvent) -> Self {
        Self(Ok(event))
    }
}

impl From<(&str, Bytes)> for LoggedEvent {
    fn from(message: (&str, Bytes)) -> Self {
        Self(ReportEvent::try_from(message).map_err(Into::into))
    }
}

impl Projector {
    /// Creates a projector that writes to `store`, reads prose from `texts`, and notifies `changes` after every
    /// visible change.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, texts: Arc<dyn Objects>, changes: ChangeNotifier) -> Self {
        Self { texts, batches: Batches::start(store, changes, None), late: None }
    }

    /// Makes the projector have documents read again that were rejected by an older list of agencies than the newest one.
    #[must_use]
    pub fn rereading(self, late: LateRejections) -> Self {
        Self { late: Some(late), ..self }
    }

    /// Like [`Self::new`], but checks before each write that the log is that of the read model. If it is not, raises
    /// a doubt.
    #[must_use]
    pub fn watching(
        store: Arc<dyn Store>,
        texts: Arc<dyn Objects>,
        changes: ChangeNotifier,
        log: LogWatch,
        model: ReadModel,
    ) -> Self {
        Self { texts, batches: Batches::start(store, changes, Some((log, model))), late: None }
    }

    /// Returns what to store of an event, or `None` if it has no effect.
    async fn write(&self, event: ReportEvent, context: &Context) -> Result<Option<Write>, Decision> {
        let arrival = |arrival| Some(Write::Arrival(Box::new(arrival)));
        match event {
            // A draft is checked but not published: it is never a revision.
            ReportEvent::Validated(event) if event::is_draft(event.origin.as_ref()) => Ok(None),
            ReportEvent::Rejected(event) if event::is_draft(event.origin.as_ref()) => Ok(None),
            ReportEvent::Validated(event) => {
                let text = event.report.as_ref().and_then(|report| report.text.as_ref());
                let prose = self.prose(text).await?;
                // Validations rank by `validation`, not by position in the log.
                let rank = if event.validation == 0 { context.sequence } else { event.validation };
                event::validated(*event, prose, rank, context.logged_at).map(arrival).map_err(invalid)
            }
            ReportEvent::Rejected(event) => {
                event::rejected(*event, context.sequence, context.logged_at).map(arrival).map_err(invalid)
            }
            ReportEvent::Withdrawn(event) => {
                let withdrawal = history::withdrawal(&event, context.sequence, context.logged_at);
                withdrawal.map(|withdrawal| Some(Write::Withdrawal(withdrawal))).map_err(invalid)
            }
            ReportEvent::Waived(event) => {
                event::waived(*event).map(|waiver| Some(Write::Waiver(waiver))).map_err(invalid)
            }
            ReportEvent::Erased(event) => {
                history::erasure(&event).map(|erasure| Some(Write::Erasure(erasure))).map_err(invalid)
            }
            _ => Err(Decision::unexpected(context)),
        }
    }

    /// Returns the prose of a report, or `None` if it was erased or never stored.
    async fn prose(&self, text: Option<&v1::ContentRef>) -> Result<Option<StoredProse>, Decision> {
        let Some(text) = text.filter(|text| !text.key.is_empty()) else { return Ok(None) };
        let Some(content) = self.texts.get(&text.key).await? else { return Ok(None) };
        let text: v1::ParsedText =
            prost::Message::decode(content).map_err(|error| Decision::bury("DAMAGED_TEXT", error))?;
        event::prose(text).map(Some).map_err(|error| Decision::bury("DAMAGED_TEXT", error))
    }
}

#[async_trait]
impl Handler for Projector {
    type Input = LoggedEvent;

    async fn handle(
        &self,
        LoggedEvent(event): LoggedEvent,
        context: &Context,
    ) -> Result<Vec<Output>, Decision> {
        let (sequence, logged_at) = context.place();
        let mark = Mark { sequence, logged_at };
        let rejected = match &event {
            Ok(ReportEvent::Rejected(event)) if !event::is_draft(event.origin.as_ref()) => {
                Some(event.clone())
            }
            _ => None,
        };
        let stored = match event {
            Ok(event) => match self.write(event, context).await {
                Ok(write) => self.batches.store(write, mark).await,
                Err(decision) => Err(decision),
            },
            Err(error) => Err(Decision::bury(UNDECODABLE, error)),
        };
        match stored {
            Ok(()) => match (&self.late, rejected) {
                (Some(late), Some(rejected)) => {
                    let again = late.read_again(&rejected, context.sequence).await?;
                    Ok(again.into_iter().collect())
                }
                _ => Ok(Vec::new()),
            },
            Err(buried @ Decision::Bury { .. }) => {
                self.batches.store(None, mark).await?;
                Err(buried)
            }
            Err(decision) => Err(decision),
        }
    }
}

fn invalid(error: impl Into<anyhow::Error>) -> Decision {
    Decision::bury("INVALID_EVENT", error)
}
