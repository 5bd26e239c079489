//! Storing files once.

use std::{
    hash::{BuildHasher as _, Hasher as _, RandomState},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use tokio::time::{interval, timeout};

use crate::{submission::File, turns::Turns};
use gongkai_proto::{
    subjects::{BUCKET_ORIGINALS, BUCKET_SUBMISSIONS},
    v1::ContentRef,
};
use gongkai_worker::{
    Runtime,
    transport::{Entries, Error, ErrorKind, Objects},
};

/// Maximum time that another process may need to store a file.
const PATIENCE: Duration = Duration::from_secs(15);
/// Time between two checks whether another process has stored it.
const LOOK: Duration = Duration::from_millis(50);

/// The originals. Cheap to clone.
///
/// If two writers store the same new object, the chunks of one of them stay behind. Therefore one writes and the
/// others wait: within a process by turns, and among replicas by an entry `o-<hash>` with the name of the writing
/// process.
#[derive(Clone)]
pub(super) struct Originals {
    objects: Arc<dyn Objects>,
    entries: Arc<dyn Entries>,
    turns: Turns,
    process: Bytes,
}

// === impl Originals ===

impl Originals {
    pub(super) fn new(runtime: &Runtime) -> Self {
        let process = format!("{:016x}", RandomState::new().build_hasher().finish());
        Self {
            objects: runtime.objects(BUCKET_ORIGINALS),
            entries: runtime.entries(BUCKET_SUBMISSIONS),
            turns: Turns::default(),
            process: process.into(),
        }
    }

    /// Stores a file under its hash, unless it exists. Returns true if it existed.
    ///
    /// # Errors
    /// The file may or may not be stored. Store it again.
    ///
    /// # Cancel safety
    /// If the future is dropped, another process may wait for 15 s before it stores the same file.
    pub(super) async fn store(&self, file: &File, reference: &ContentRef) -> Result<bool, Error> {
        let _turn = self.turns.take(&reference.key).await;
        if self.objects.exists(&reference.key).await? {
            return Ok(true);
        }
        let claim = format!("o-{}", reference.key);
        let is_stored = match self.claim(&claim).await? {
            true => false,
            // A process that has not finished by then has died.
            false => timeout(PATIENCE, self.stored_by_another(&claim, &reference.key))
                .await
                .unwrap_or(Ok(false))?,
        };
        let stored =
            if is_stored { Ok(()) } else { self.objects.put(&reference.key, file.bytes.clone()).await };
        if !is_stored && let Err(error) = self.entries.delete(&claim).await {
            tracing::debug!(error = &error as &dyn std::error::Error, "a claim on an original stays");
        }
        stored.map(|()| is_stored)
    }

    /// Returns false if another process has claimed the object.
    async fn claim(&self, claim: &str) -> Result<bool, Error> {
        match self.entries.create(claim, self.process.clone()).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind == ErrorKind::Conflict => {
                Ok(self.entries.get(claim).await?.is_none_or(|entry| entry.value == self.process))
            }
            Err(error) => Err(error),
        }
    }

    /// Waits until the object exists or no process claims it any more. Returns true if it exists.
    async fn stored_by_another(&self, claim: &str, key: &str) -> Result<bool, Error> {
        let mut looks = interval(LOOK);
        loop {
            looks.tick().await;
            if self.objects.exists(key).await? {
                return Ok(true);
            }
            if self.claim(claim).await? {
                return Ok(false);
            }
        }
    }
}
