//! How far documents are checked ahead of the one whose turn it is to be written: one that takes long keeps nobody waiting.

use std::{sync::Arc, thread};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Most bytes of documents that are checked and not yet written.
const MOST_BYTES: u64 = 64 << 20;

/// What the line of a document takes, at least.
const LEAST_BYTES: u64 = 64 << 10;

/// Most documents that are checked and not yet written.
pub(super) const MOST: usize = 1024;

/// What bounds the documents in work, and those that wait to be written.
#[derive(Debug)]
pub(super) struct Ahead {
    cores: Arc<Semaphore>,
    kibibytes: Arc<Semaphore>,
}

/// Held while a document is in work or waits to be written.
pub(super) type Weight = Option<OwnedSemaphorePermit>;

impl Ahead {
    pub(super) fn new() -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let kibibytes = usize::try_from(MOST_BYTES >> 10).unwrap_or(usize::MAX);
        Self { cores: Arc::new(Semaphore::new(cores)), kibibytes: Arc::new(Semaphore::new(kibibytes)) }
    }

    /// Waits until a document of this many bytes may be checked ahead of others. Who came first goes first, so that the one
    /// whose turn it is never waits for those behind it.
    pub(super) async fn weigh(&self, bytes: Option<u64>) -> Weight {
        let bytes = bytes.unwrap_or(MOST_BYTES).clamp(LEAST_BYTES, MOST_BYTES);
        let kibibytes = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX);
        self.kibibytes.clone().acquire_many_owned(kibibytes).await.ok()
    }

    /// Waits for a core.
    pub(super) async fn core(&self) -> Option<OwnedSemaphorePermit> {
        self.cores.clone().acquire_owned().await.ok()
    }
}
