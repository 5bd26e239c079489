//! Remembers up to which sequence each consumer is settled, so that one that is lost begins there again.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use time::OffsetDateTime;

/// By stream and durable name: when the stream was created, and the sequence up to which every message is settled.
type FloorTable = HashMap<(String, String), (OffsetDateTime, u64)>;

/// Up to which sequence each consumer is settled, as far as the server was asked.
#[derive(Default)]
pub(super) struct Floors(Mutex<FloorTable>);

impl Floors {
    pub(super) fn set(&self, stream: &str, durable: &str, created: OffsetDateTime, floor: u64) {
        self.lock().insert((stream.to_owned(), durable.to_owned()), (created, floor));
    }

    /// Returns the floor if it belongs to the stream of that time.
    pub(super) fn get(&self, stream: &str, durable: &str, created: OffsetDateTime) -> Option<u64> {
        let known = self.lock().get(&(stream.to_owned(), durable.to_owned())).copied();
        known.filter(|(of, _)| *of == created).map(|(_, floor)| floor)
    }

    fn lock(&self) -> MutexGuard<'_, FloorTable> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
