//! `WatchReports`: streams the change feed from a token on, then live changes.
//!
//! Each watcher reads the store itself, a batch at a time and no faster than its client, so that a slow client costs a few
//! buffered answers only. It listens before it reads, so no change is missed in between.

use std::sync::Arc;

use gongkai_model::AgencyKey;
use gongkai_proto::v1::WatchReportsResponse;
use gongkai_store::ResumeError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::answer;
use crate::error::QueryError;
use crate::notifier::{ChangeListener, ChangeNotifier};
use crate::reads::Reads;

/// Changes per read.
const BATCH: usize = 64;
/// Answers buffered for a slow client.
const BUFFER: usize = 16;

/// Starts watchers and limits their number. Cheap to clone.
#[derive(Clone)]
pub struct Watchers {
    reads: Reads,
    changes: ChangeNotifier,
    slots: Arc<Semaphore>,
    shutdown: CancellationToken,
}

/// The answers to one client.
pub type Stream = ReceiverStream<Result<WatchReportsResponse, Status>>;

struct Watcher {
    reads: Reads,
    changes: ChangeListener,
    agency: Option<AgencyKey>,
    after: u64,
    out: mpsc::Sender<Result<WatchReportsResponse, Status>>,
    shutdown: CancellationToken,
    _slot: OwnedSemaphorePermit,
}

impl Watchers {
    /// At most `slots` watchers at once; all end when `shutdown` is cancelled.
    #[must_use]
    pub fn new(reads: Reads, changes: ChangeNotifier, slots: usize, shutdown: CancellationToken) -> Self {
        Self { reads, changes, slots: Arc::new(Semaphore::new(slots)), shutdown }
    }

    /// Starts a watcher of one agency or all.
    ///
    /// # Errors
    /// The token is malformed or of another read model, or there are too many watchers.
    pub async fn start(&self, agency: Option<AgencyKey>, resume_token: &str) -> Result<Stream, QueryError> {
        let slot = self.slots.clone().try_acquire_owned().map_err(|_| QueryError::TooManyWatchers)?;
        let after = self.position(resume_token).await?;
        let (out, stream) = mpsc::channel(BUFFER);
        let watcher = Watcher {
            reads: self.reads.clone(),
            changes: self.changes.listen(),
            agency,
            after,
            out,
            shutdown: self.shutdown.clone(),
            _slot: slot,
        };
        // Ends with its client or at shutdown, so the task is not awaited.
        drop(tokio::spawn(watcher.run()));
        Ok(ReceiverStream::new(stream))
    }

    async fn position(&self, token: &str) -> Result<u64, QueryError> {
        if token.is_empty() {
            return Ok(0);
        }
        let token = token.parse().map_err(|_| QueryError::InvalidResumeToken)?;
        let position = self.reads.run(move |store| store.resume(&token)).await?;
        position.map_err(|error| match error {
            ResumeError::Malformed => QueryError::InvalidResumeToken,
            ResumeError::OtherEpoch => QueryError::StaleResumeToken,
        })
    }
}

impl Watcher {
    async fn run(mut self) {
        let (shutdown, out) = (self.shutdown.clone(), self.out.clone());
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = out.closed() => {}
            error = self.follow() => {
                // Fails only if the client is gone.
                out.send(Err(error.into())).await.ok();
            }
        }
    }

    /// Sends changes until the read model fails.
    async fn follow(&mut self) -> QueryError {
        let epoch = self.reads.epoch();
        loop {
            let (agency, after) = (self.agency.clone(), self.after);
            let read = self.reads.run(move |store| store.changes(agency.as_ref(), after, BATCH)).await;
            let changes = match read {
                Ok(changes) => changes,
                Err(error) => return error,
            };
            if changes.is_empty() {
                self.changes.changed().await;
            }
            for change in changes {
                self.after = change.ordinal;
                if self.out.send(Ok(answer::change(change, &epoch))).await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        }
    }
}
