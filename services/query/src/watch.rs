//! `WatchReports`: streams the change feed from a token on, then live changes.
//!
//! Each watcher reads the store itself, a batch at a time and no faster than its client, so that a slow client costs
//! only a few buffered answers. It listens before it reads, so no change is missed in between.

use std::sync::Arc;

use gongkai_model::AgencyKey;
use gongkai_proto::v1::WatchReportsResponse;
use gongkai_store::{Change, ResumeError, ResumeToken, Store};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::answer;
use crate::error::QueryError;
use crate::notifier::{ChangeListener, ChangeNotifier};
use crate::reads::Reads;

/// Number of changes per read.
const BATCH: usize = 64;
/// Number of answers buffered for a slow client.
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
pub type WatchStream = ReceiverStream<Result<WatchReportsResponse, Status>>;

struct Watcher {
    reads: Reads,
    changes: ChangeListener,
    agency: Option<AgencyKey>,
    from: ResumeToken,
    out: mpsc::Sender<Result<WatchReportsResponse, Status>>,
    shutdown: CancellationToken,
    _slot: OwnedSemaphorePermit,
}

impl Watchers {
    /// Allows at most `slots` watchers at once. All end when `shutdown` is cancelled.
    #[must_use]
    pub fn new(reads: Reads, changes: ChangeNotifier, slots: usize, shutdown: CancellationToken) -> Self {
        Self { reads, changes, slots: Arc::new(Semaphore::new(slots)), shutdown }
    }

    /// Starts a watcher of one agency or all.
    ///
    /// # Errors
    /// The token is malformed or belongs to another read model, or there are too many watchers.
    pub async fn start(
        &self,
        agency: Option<AgencyKey>,
        resume_token: &str,
    ) -> Result<WatchStream, QueryError> {
        let slot = self.slots.clone().try_acquire_owned().map_err(|_| QueryError::TooManyWatchers)?;
        let from = self.position(resume_token).await?;
        let (out, stream) = mpsc::channel(BUFFER);
        let watcher = Watcher {
            reads: self.reads.clone(),
            changes: self.changes.listen(),
            agency,
            from,
            out,
            shutdown: self.shutdown.clone(),
            _slot: slot,
        };
        // The task ends with its client or at shutdown, so it is not awaited.
        drop(tokio::spawn(watcher.run()));
        Ok(ReceiverStream::new(stream))
    }

    async fn position(&self, token: &str) -> Result<ResumeToken, QueryError> {
        if token.is_empty() {
            let begin = |store: &dyn Store| Ok(ResumeToken { epoch: store.epoch().to_owned(), ordinal: 0 });
            return self.reads.run(begin).await;
        }
        let token: ResumeToken = token.parse().map_err(|_| QueryError::InvalidResumeToken)?;
        let asked = token.clone();
        let position = self.reads.run(move |store| store.resume(&asked)).await?;
        position.map(|_| token).map_err(|error| match error {
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

    /// Sends changes until the read model fails or is replaced.
    async fn follow(&mut self) -> QueryError {
        loop {
            let changes = match self.changes_after().await {
                Ok(changes) => changes,
                Err(error) => return error,
            };
            if changes.is_empty() {
                self.changes.changed().await;
            }
            for change in changes {
                self.from.ordinal = change.ordinal;
                if self.out.send(Ok(answer::change(change, &self.from.epoch))).await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        }
    }

    async fn changes_after(&self) -> Result<Vec<Change>, QueryError> {
        let (agency, from) = (self.agency.clone(), self.from.clone());
        let read = self.reads.run(move |store| match store.resume(&from)? {
            Ok(after) => Ok(Some(store.changes(agency.as_ref(), after, BATCH)?)),
            Err(_) => Ok(None),
        });
        read.await?.ok_or(QueryError::StaleResumeToken)
    }
}
