//! Writes events to the store in batches, because each commit waits for the disk.

use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use gongkai_store::{Applied, Error, Mark, Store, Write};
use gongkai_worker::{Decision, transport};
use tokio::sync::{mpsc, oneshot};
use tokio_util::task::AbortOnDropHandle;

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

/// Sends events to the only task that writes. The task ends when this is dropped.
pub(super) struct Batches {
    jobs: mpsc::Sender<Job>,
    _task: AbortOnDropHandle<()>,
}

/// An event to record, and the write that it requires.
struct Job {
    write: Option<Write>,
    mark: Mark,
    done: oneshot::Sender<Result<(), Decision>>,
}

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
        let (jobs, queue) = mpsc::channel(BATCH);
        let writer = BatchWriter { store, changes, watch };
        Self { jobs, _task: AbortOnDropHandle::new(tokio::spawn(writer.run(queue))) }
    }

    /// Records an event and stores its effect. Returns once both are on the disk.
    ///
    /// # Errors
    /// The decision about the event for the runtime.
    ///
    /// # Cancel safety
    /// If the future is dropped, the event may or may not be stored. Storing it again is harmless.
    pub(super) async fn store(&self, write: Option<Write>, mark: Mark) -> Result<(), Decision> {
        let (done, answer) = oneshot::channel();
        let gone = |_| Decision::retry_after(RETRY_AFTER, anyhow!("the writer has ended"));
        self.jobs.send(Job { write, mark, done }).await.map_err(|_| gone(()))?;
        answer.await.map_err(|_| gone(()))?
    }
}

impl BatchWriter {
    async fn run(self, mut queue: mpsc::Receiver<Job>) {
        let mut jobs = Vec::new();
        while queue.recv_many(&mut jobs, BATCH).await > 0 {
            let batch = std::mem::take(&mut jobs);
            match self.obstacle().await {
                None => self.write(batch).await,
                Some(obstacle) => batch.into_iter().for_each(|job| job.answer(Err(obstacle()))),
            }
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

    async fn write(&self, batch: Vec<Job>) {
        let store = self.store.clone();
        let (events, done): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|job| ((job.write, job.mark), job.done)).unzip();
        let marks: Vec<Mark> = events.iter().map(|(_, mark)| *mark).collect();
        let written = tokio::task::spawn_blocking(move || store_each(&*store, events)).await;
        let results = written.unwrap_or_else(|panic| {
            let panic = panic.to_string();
            marks.iter().map(|_| Err(Error::Backend(panic.clone().into()))).collect()
        });
        if results.iter().any(|result| matches!(result, Ok(Applied::Changed))) {
            self.changes.notify();
        }
        for (result, done) in results.into_iter().zip(done) {
            // Fails only if the handler was dropped; the event is delivered again.
            done.send(result.map(drop).map_err(|error| self.decide(error))).ok();
        }
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

impl Job {
    fn answer(self, result: Result<(), Decision>) {
        // Fails only if the handler was dropped; the event is delivered again.
        self.done.send(result).ok();
    }
}

/// Stores events in one transaction. If that fails, stores each in its own, so that one event does not delay the
/// others.
fn store_each(store: &dyn Store, events: Vec<(Option<Write>, Mark)>) -> Vec<Result<Applied, Error>> {
    let (writes, marks): (Vec<_>, Vec<_>) = events.into_iter().unzip();
    let all: Vec<Write> = writes.iter().flatten().cloned().collect();
    match store.write(&all, &marks) {
        Ok(applied) => marks.iter().map(|_| Ok(applied)).collect(),
        Err(error) if marks.len() == 1 => vec![Err(error)],
        Err(_) => {
            let each = writes.iter().zip(&marks);
            each.map(|(write, mark)| store.write(write.as_slice(), &[*mark])).collect()
        }
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
