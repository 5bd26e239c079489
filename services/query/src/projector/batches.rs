//! Writes events to the store in batches, because each commit waits for the disk.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use gongkai_store::{Applied, Error, Mark, Store, Write};
use gongkai_worker::{Batcher, Decision, by_halves, transport};

use crate::log_watch::{LogComparison, LogWatch};
use crate::notifier::ChangeNotifier;
use crate::read_model::ReadModel;

/// The store that the projector waits for while its disk is full or another process blocks it.
pub(super) const STORE: &str = "read model";
/// Maximum number of events per transaction.
const BATCH: usize = 64;
/// Delay before a write that failed for an unknown reason is retried.
const RETRY_AFTER: Duration = Duration::from_secs(5);
/// Delay before the log is searched again for an event that was not found.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// An event to record, and the write that it requires.
type Event = (Option<Write>, Mark);

/// Sends events to the only task that writes. The task ends when this is dropped.
pub(super) struct Batches(Batcher<Event, Result<(), Decision>>);

struct BatchWriter {
    store: Arc<dyn Store>,
    changes: ChangeNotifier,
    watch: Option<(LogWatch, ReadModel)>,
}

impl Batches {
    /// Starts the task. With a watch, nothing is written unless the log is that of the read model.
    pub(super) fn start(
        store: Arc<dyn Store>,
        changes: ChangeNotifier,
        watch: Option<(LogWatch, ReadModel)>,
    ) -> Self {
        let writer = Arc::new(BatchWriter { store, changes, watch });
        Self(Batcher::start(BATCH, move |events| {
            let writer = writer.clone();
            async move { writer.handle(events).await }
        }))
    }

    /// Records an event and stores its effect. Returns once both are on the disk.
    ///
    /// # Errors
    /// The decision about the event for the runtime.
    ///
    /// # Cancel safety
    /// If the future is dropped, the event may or may not be stored. Storing it again is harmless.
    pub(super) async fn store(&self, write: Option<Write>, mark: Mark) -> Result<(), Decision> {
        let stored = self.0.call((write, mark)).await;
        stored.unwrap_or_else(|| Err(Decision::retry_after(RETRY_AFTER, anyhow!("the writer has ended"))))
    }
}

impl BatchWriter {
    async fn handle(&self, events: Vec<Event>) -> Vec<Result<(), Decision>> {
        match self.obstacle().await {
            None => self.write(events).await,
            Some(obstacle) => events.iter().map(|_| Err(obstacle())).collect(),
        }
    }

    /// Returns why nothing may be written now, if anything. The events were delivered before this check, so if the
    /// log is the right one now, they are from it.
    async fn obstacle(&self) -> Option<Box<dyn Fn() -> Decision + Send>> {
        let (log, model) = self.watch.as_ref()?;
        let retry = |delay, reason: String| -> Option<Box<dyn Fn() -> Decision + Send>> {
            Some(Box::new(move || Decision::retry_after(delay, anyhow!(reason.clone()))))
        };
        match log.history().await {
            Ok(LogComparison::Same) => None,
            Ok(LogComparison::Unsure(reason)) => retry(ASK_AGAIN, reason),
            Ok(LogComparison::Other(reason)) => {
                model.doubt(self.store.epoch(), reason.clone());
                retry(RETRY_AFTER, reason)
            }
            Err(error) if error.kind.is_outage() => Some(Box::new(move || {
                let error =
                    transport::Error::new(error.kind, format!("the log could not be compared: {error}"));
                Decision::Unavailable(error)
            })),
            Err(error) => retry(ASK_AGAIN, format!("the log could not be compared: {error}")),
        }
    }

    async fn write(&self, events: Vec<Event>) -> Vec<Result<(), Decision>> {
        let (store, count) = (self.store.clone(), events.len());
        let written = tokio::task::spawn_blocking(move || store_each(&*store, events)).await;
        let results = written.unwrap_or_else(|panic| {
            let panic = panic.to_string();
            (0..count).map(|_| Err(Error::Backend(panic.clone().into()))).collect()
        });
        if results.iter().any(|result| matches!(result, Ok(Applied::Changed))) {
            self.changes.notify();
        }
        results.into_iter().map(|result| result.map(drop).map_err(|error| self.decide(error))).collect()
    }

    fn decide(&self, error: Error) -> Decision {
        if let (Error::Damaged(_) | Error::OtherLog { .. }, Some((_, model))) = (&error, &self.watch) {
            model.doubt(self.store.epoch(), error.to_string());
        }
        match error {
            Error::OutOfRange(_) => Decision::bury("INVALID_EVENT", error),
            Error::Full | Error::Busy => Decision::away(STORE, error),
            error => Decision::retry_after(RETRY_AFTER, error),
        }
    }
}

/// Stores events in one transaction, or in several if one event fails, so that it does not delay the others.
fn store_each(store: &dyn Store, events: Vec<Event>) -> Vec<Result<Applied, Error>> {
    let mut writes = Vec::with_capacity(events.len());
    let mut recorded = Vec::with_capacity(events.len());
    for (write, mark) in events {
        let start = writes.len();
        writes.extend(write);
        recorded.push((start..writes.len(), mark));
    }
    let mut all = |events: &[(Range<usize>, Mark)]| {
        let range = events[0].0.start..events[events.len() - 1].0.end;
        let marks: Vec<Mark> = events.iter().map(|(_, mark)| *mark).collect();
        store.write(&writes[range], &marks)
    };
    by_halves(&recorded, &mut all, of_all)
}

/// Copies an error that is not about one event.
fn of_all(error: &Error) -> Option<Error> {
    match error {
        Error::Full => Some(Error::Full),
        Error::Busy => Some(Error::Busy),
        Error::Closed => Some(Error::Closed),
        Error::Damaged(what) => Some(Error::Damaged(what.clone())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use gongkai_store::sqlite::{Options, SqliteStore};

    use super::*;

    #[test]
    fn a_full_disk_is_waited_for_and_uses_up_no_attempts() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("model.db"), Options::default()).unwrap();
        let changes = ChangeNotifier::new();
        let writer = BatchWriter { store: Arc::new(store), changes, watch: None };
        for error in [Error::Full, Error::Busy] {
            assert!(matches!(writer.decide(error), Decision::Away { store: "read model", .. }));
        }
        assert!(matches!(writer.decide(Error::Closed), Decision::Retry { .. }));
    }
}
