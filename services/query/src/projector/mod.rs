//! Fills the read model from the log: validated, rejected and withdrawn reports and waivers, in any order.
//!
//! The consumer is named for the read model's epoch. A file that was deleted is a new read model with a new consumer, so it
//! is rebuilt from the first event on; and every replica with a file of its own gets every event. Nothing is ordered: the
//! store comes to the same state whatever the order, and a slow event holds back no other.

pub mod event;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gongkai_proto::convert::history;
use gongkai_proto::subjects::{self, Event};
use gongkai_proto::{ReportEvent, v1};
use gongkai_store::{Applied, ArrivalEvent, Error, Store, StoredProse};
use gongkai_worker::transport::Objects;
use gongkai_worker::{Consume, Context, Decision, Handler, Output};

use crate::notifier::ChangeNotifier;

/// Events handled at once: while one waits for the disk, others load their prose.
const CONCURRENCY: usize = 16;
/// Delay before a failed write is retried, long enough for an operator to free a full disk.
const RETRY_AFTER: Duration = Duration::from_secs(5);
/// Deliveries before an event is dead: a full disk or an unreachable broker must not lose one.
const MAX_ATTEMPTS: u32 = 100_000;

/// The handler that writes events to the store.
pub struct Projector {
    store: Arc<dyn Store>,
    texts: Arc<dyn Objects>,
    changes: ChangeNotifier,
}

/// The consumer of a read model.
#[must_use]
pub fn consume(epoch: &str) -> Consume {
    let kinds = [Event::ReportValidated, Event::ReportRejected, Event::ReportWithdrawn, Event::ReportWaived];
    Consume {
        concurrency: Some(CONCURRENCY),
        max_attempts: Some(MAX_ATTEMPTS),
        ..Consume::new(subjects::STREAM_REPORTS, subjects::consumer_query(epoch), kinds.map(Event::filter))
    }
}

impl Projector {
    /// Writes to `store`, reads prose from `texts`, notifies `changes` after every visible change.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, texts: Arc<dyn Objects>, changes: ChangeNotifier) -> Self {
        Self { store, texts, changes }
    }

    /// The prose of a report; `None` if it was erased or never stored.
    async fn prose(&self, text: Option<&v1::ContentRef>) -> Result<Option<StoredProse>, Decision> {
        let Some(text) = text.filter(|text| !text.key.is_empty()) else { return Ok(None) };
        let Some(content) = self.texts.get(&text.key).await? else { return Ok(None) };
        let text: v1::ParsedText =
            prost::Message::decode(content).map_err(|error| Decision::bury("DAMAGED_TEXT", error))?;
        event::prose(text).map(Some).map_err(|error| Decision::bury("DAMAGED_TEXT", error))
    }

    async fn write<F>(&self, write: F) -> Result<(), Decision>
    where
        F: FnOnce(&dyn Store) -> Result<Applied, Error> + Send + 'static,
    {
        let store = self.store.clone();
        let written = tokio::task::spawn_blocking(move || write(&*store)).await;
        match written {
            Ok(Ok(Applied::Changed)) => self.changes.notify(),
            Ok(Ok(Applied::Unseen)) => {}
            Ok(Err(error @ Error::OutOfRange(_))) => return Err(invalid(error)),
            Ok(Err(error)) => return Err(Decision::retry_after(RETRY_AFTER, error)),
            Err(panic) => return Err(Decision::retry_after(RETRY_AFTER, panic)),
        }
        Ok(())
    }

    async fn put(&self, arrival: ArrivalEvent) -> Result<(), Decision> {
        self.write(move |store| store.put_arrival(&arrival)).await
    }
}

#[async_trait]
impl Handler for Projector {
    type Input = ReportEvent;

    async fn handle(&self, event: ReportEvent, context: &Context) -> Result<Vec<Output>, Decision> {
        match event {
            ReportEvent::Validated(event) => {
                // A draft is answered, not published: it is never a revision.
                if event::is_draft(event.origin.as_ref()) {
                    return Ok(Vec::new());
                }
                let text = event.report.as_ref().and_then(|report| report.text.as_ref());
                let prose = self.prose(text).await?;
                // Validations rank by `validation`, not by position in the log.
                let rank = if event.validation == 0 { context.sequence } else { event.validation };
                self.put(event::validated(*event, prose, rank, context.logged_at).map_err(invalid)?).await?;
            }
            ReportEvent::Rejected(event) => {
                if event::is_draft(event.origin.as_ref()) {
                    return Ok(Vec::new());
                }
                self.put(event::rejected(*event, context.sequence, context.logged_at).map_err(invalid)?)
                    .await?;
            }
            ReportEvent::Withdrawn(event) => {
                let withdrawal =
                    history::withdrawal(&event, context.sequence, context.logged_at).map_err(invalid)?;
                self.write(move |store| store.put_withdrawal(&withdrawal)).await?;
            }
            ReportEvent::Waived(event) => {
                let waiver = event::waived(*event).map_err(invalid)?;
                self.write(move |store| store.put_waiver(&waiver)).await?;
            }
            _ => return Err(Decision::unexpected(context)),
        }
        Ok(Vec::new())
    }
}

fn invalid(error: impl Into<anyhow::Error>) -> Decision {
    Decision::bury("INVALID_EVENT", error)
}
