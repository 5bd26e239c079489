//! Remembers the ack floor of each consumer, from which a lost consumer continues when it is created again.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use time::OffsetDateTime;

/// By stream and durable name: creation time of the stream, and the sequence up to which every message is settled.
type FloorTable = HashMap<(String, String), (OffsetDateTime, u64)>;

/// The last known ack floor of each consumer.
#[derive(Default)]
pub(super) struct Floors(Mutex<FloorTable>);

impl Floors {
    pub(super) fn set(&self, stream: &str, durable: &str, created: OffsetDateTime, floor: u64) {
        self.lock().insert((stream.to_owned(), durable.to_owned()), (created, floor));
    }

    /// Returns the floor if it belongs to the stream that was created at that time.
    pub(super) fn get(&self, stream: &str, durable: &str, created: OffsetDateTime) -> Option<u64> {
        let known = self.lock().get(&(stream.to_owned(), durable.to_owned())).copied();
        known.filter(|(of, _)| *of == created).map(|(_, floor)| floor)
    }

    fn lock(&self) -> MutexGuard<'_, FloorTable> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
