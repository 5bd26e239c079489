//! Limits how many documents are checked before earlier ones are written. A slow document does not delay the checks
//! of later ones.

use std::{sync::Arc, thread};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Maximum total size of documents that are checked and not yet written.
const MOST_BYTES: u64 = 64 << 20;

/// A smaller document counts as one of this size.
const LEAST_BYTES: u64 = 64 << 10;

/// Maximum number of documents that are checked and not yet written.
pub(super) const MOST: usize = 1024;

/// Returns the number of cores.
pub(super) fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Limits the documents in work, and those that wait to be written.
#[derive(Debug)]
pub(super) struct Ahead {
    cores: Arc<Semaphore>,
    kibibytes: Arc<Semaphore>,
}

/// A share of the limit, held while a document is in work or waits to be written.
pub(super) type Weight = Option<OwnedSemaphorePermit>;

impl Ahead {
    pub(super) fn new() -> Self {
        let kibibytes = usize::try_from(MOST_BYTES >> 10).unwrap_or(usize::MAX);
        Self { cores: Arc::new(Semaphore::new(cores())), kibibytes: Arc::new(Semaphore::new(kibibytes)) }
    }

    /// Does the work on a document of this many bytes on a thread of its own, once the limit and a core are free. The
    /// weight is held until the caller has written the result.
    pub(super) async fn work<T: Send + 'static>(
        &self,
        bytes: Option<u64>,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> anyhow::Result<(T, Weight)> {
        let weight = self.weigh(bytes).await;
        let core = self.cores.clone().acquire_owned().await.ok();
        let work = move || {
            let _core = core;
            work()
        };
        Ok((tokio::task::spawn_blocking(work).await?, weight))
    }

    /// Waits until a document of this many bytes may be checked ahead of others. Callers are served in order, so that
    /// the document to write next never waits for later ones.
    async fn weigh(&self, bytes: Option<u64>) -> Weight {
        let bytes = bytes.unwrap_or(MOST_BYTES).clamp(LEAST_BYTES, MOST_BYTES);
        let kibibytes = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX);
        self.kibibytes.clone().acquire_many_owned(kibibytes).await.ok()
    }
}

#[cfg(test)]
mod tests {
    use futures::future::join_all;

    use super::*;

    #[tokio::test]
    async fn what_waits_to_be_written_is_bounded_by_number_and_size() {
        let ahead = Ahead::new();
        let free = || ahead.kibibytes.available_permits();
        let mut held = join_all((0..MOST).map(|_| ahead.weigh(Some(1)))).await;
        assert_eq!(free(), 0);
        held.truncate(MOST / 2);
        let half = ahead.weigh(Some(MOST_BYTES / 2)).await;
        assert_eq!(free(), 0);
        held.clear();
        drop(half);
        // A document that exceeds the limit is admitted alone.
        let _largest = ahead.weigh(Some(u64::MAX)).await;
        assert_eq!(free(), 0);
    }
}
