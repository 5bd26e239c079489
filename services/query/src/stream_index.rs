//! An index of a stream in memory, brought up to date at each call. [`StreamIndex`] reads the stream, a [`Digest`] keeps what is needed.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::{StreamExt as _, stream};
use gongkai_worker::Runtime;
use gongkai_worker::transport::{Error, Logged};
use time::OffsetDateTime;
use tokio::sync::Mutex;

/// Number of messages read at once.
const READ_AHEAD: usize = 64;

/// What an index keeps of the messages of its stream.
pub trait Digest: Default + Send {
    /// Adds a message. Messages come in their order, except those that a lagging replica of the broker had not got.
    fn add(&mut self, sequence: u64, logged: Logged);
    /// Drops what the stream no longer keeps: all before the sequence `first`.
    fn forget_before(&mut self, first: u64);
}

/// An index of a stream. Cheap to clone.
pub struct StreamIndex<D> {
    runtime: Runtime,
    stream: &'static str,
    read: Arc<Mutex<ReadStream<D>>>,
}

#[derive(Default)]
struct ReadStream<D> {
    /// When the indexed stream was created.
    created: Option<OffsetDateTime>,
    /// The last sequence that was read.
    last: u64,
    /// Sequences up to the last that were not found. A replica of the broker may lag behind, so they are read again.
    missing: BTreeSet<u64>,
    digest: D,
}

// === impl StreamIndex ===

impl<D> Clone for StreamIndex<D> {
    fn clone(&self) -> Self {
        Self { runtime: self.runtime.clone(), stream: self.stream, read: self.read.clone() }
    }
}

impl<D: Digest> StreamIndex<D> {
    #[must_use]
    pub fn new(runtime: Runtime, stream: &'static str) -> Self {
        Self { runtime, stream, read: Arc::default() }
    }

    /// Reads the messages that came since the last call, and returns what `answer` makes of all.
    ///
    /// # Errors
    /// The broker did not answer.
    pub async fn read<T>(&self, answer: impl FnOnce(&D) -> T) -> Result<T, Error> {
        let mut known = self.read.lock().await;
        let state = self.runtime.stream_state(self.stream).await?;
        if known.created != Some(state.created) {
            *known = ReadStream { created: Some(state.created), ..ReadStream::default() };
        }
        known.missing = known.missing.split_off(&state.first_sequence);
        known.digest.forget_before(state.first_sequence);
        let missing = known.missing.iter().copied();
        let due: Vec<u64> = missing
            .chain(known.last.max(state.first_sequence.saturating_sub(1)) + 1..=state.last_sequence)
            .collect();
        let message = |sequence| async move {
            Ok::<_, Error>((sequence, self.runtime.message(self.stream, sequence).await?))
        };
        let mut messages = stream::iter(due).map(message).buffered(READ_AHEAD);
        while let Some(message) = messages.next().await {
            let (sequence, logged) = message?;
            known.add(sequence, logged);
        }
        Ok(answer(&known.digest))
    }

    /// Reads one message of the stream.
    ///
    /// # Errors
    /// The broker did not answer.
    pub async fn message(&self, sequence: u64) -> Result<Option<Logged>, Error> {
        self.runtime.message(self.stream, sequence).await
    }
}

// === impl ReadStream ===

impl<D: Digest> ReadStream<D> {
    fn add(&mut self, sequence: u64, logged: Option<Logged>) {
        self.last = self.last.max(sequence);
        match logged {
            Some(logged) => {
                self.missing.remove(&sequence);
                self.digest.add(sequence, logged);
            }
            None => drop(self.missing.insert(sequence)),
        }
    }
}
