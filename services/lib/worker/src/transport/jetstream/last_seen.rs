//! Remembers the ack floor and the pause of each consumer, with which a lost consumer is created again.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_nats::jetstream::consumer;
use time::OffsetDateTime;

/// State of a consumer when the server was last asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct ConsumerState {
    /// The sequence up to which every message is settled.
    pub(super) floor: u64,
    /// End of the pause, which may have passed.
    pub(super) paused_until: Option<OffsetDateTime>,
}

/// By stream and durable name: creation time of the stream, and the state of the consumer.
type StateTable = HashMap<(String, String), (OffsetDateTime, ConsumerState)>;

/// The last known state of each consumer.
#[derive(Default)]
pub(super) struct LastSeen(Mutex<StateTable>);

impl LastSeen {
    pub(super) fn set(&self, stream: &str, durable: &str, created: OffsetDateTime, info: &consumer::Info) {
        let state =
            ConsumerState { floor: info.ack_floor.stream_sequence, paused_until: info.config.pause_until };
        self.lock().insert((stream.to_owned(), durable.to_owned()), (created, state));
    }

    /// Returns the state if it belongs to the stream that was created at that time.
    pub(super) fn get(&self, stream: &str, durable: &str, created: OffsetDateTime) -> Option<ConsumerState> {
        let known = self.lock().get(&(stream.to_owned(), durable.to_owned())).copied();
        known.filter(|(of, _)| *of == created).map(|(_, state)| state)
    }

    fn lock(&self) -> MutexGuard<'_, StateTable> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
