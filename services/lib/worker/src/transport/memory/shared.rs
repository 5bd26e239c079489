//! The state of the memory transport, shared by its clones, pulls and buckets.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use time::{OffsetDateTime, macros::datetime};
use tokio::{sync::watch, time::Instant};

use super::{
    faults::{Fault, Operation},
    state::State,
};
/// The start of `logged_at`.
const EPOCH: OffsetDateTime = datetime!(2024-01-01 00:00 UTC);

/// The state behind every clone of a memory transport.
pub(super) struct Shared {
    state: Mutex<State>,
    pub(super) faults: Mutex<Vec<Fault>>,
    pub(super) calls: Mutex<HashMap<Operation, u64>>,
    /// Notifies waiting calls after each change of the state.
    pub(super) changed: watch::Sender<()>,
    started: Instant,
}

// === impl Shared ===

impl Shared {
    /// Creates an empty broker.
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::default(),
            faults: Mutex::default(),
            calls: Mutex::default(),
            changed: watch::Sender::new(()),
            started: Instant::now(),
        }
    }

    /// Reads the state.
    pub(super) fn read<T>(&self, look: impl FnOnce(&State, Instant) -> T) -> T {
        look(&lock(&self.state), Instant::now())
    }

    /// Changes the state and wakes its watchers.
    pub(super) fn change<T>(&self, act: impl FnOnce(&mut State, Instant) -> T) -> T {
        self.change_if(|state, now| (true, act(state, now)))
    }

    /// Like [`Self::change`], but wakes nobody if `act` returns false.
    pub(super) fn change_if<T>(&self, act: impl FnOnce(&mut State, Instant) -> (bool, T)) -> T {
        let (is_changed, result) = act(&mut lock(&self.state), Instant::now());
        if is_changed {
            self.changed.send_replace(());
        }
        result
    }

    /// Converts an instant to a date for `logged_at`.
    pub(super) fn time_of(&self, instant: Instant) -> OffsetDateTime {
        EPOCH + instant.saturating_duration_since(self.started)
    }
}

/// Locks `mutex`, poisoned or not: a panic in a test's closure must not make every later call panic.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
