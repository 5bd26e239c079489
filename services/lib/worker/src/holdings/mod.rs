//! Compares what the broker holds with what it must hold.
//!
//! A stream or bucket that existed once is never created again silently: an empty log in the place of a lost one
//! would make accepted documents vanish. A process therefore works only while every part is the one that it knows and
//! still has every message that it had. Otherwise every call to the broker fails as `Lost`, consumers stop, and
//! `/readyz` describes in one sentence what is wrong, until the store is back or an operator accepts the present
//! parts.
//!
//! The known state of each part is remembered in three places ([`record`]):
//!
//! - the memory of this process, which is exact;
//! - the *marker*, an entry in a bucket of its own, which outlives the loss of any other stream or bucket;
//! - a file, if `nats.marker_file` names one, which outlives the loss of the whole store.
//!
//! Without memory, marker and file, a broker that lost everything looks like a new one, and an older copy of a whole
//! store looks like the latest.
//!
//! A broker can also answer but store nothing: a nats-server whose disk was full drops, without an answer, every
//! message for the affected streams until it is restarted. Such parts are tracked ([`refusals`]), and `/readyz`
//! describes what to do. The same applies to a limit that is reached ([`room`]).
//!
//! - [`judge`]: compares the present parts with the remembered ones; pure;
//! - [`inspector`]: checks regularly, and after every failure and lost connection;
//! - [`guarded`]: a transport whose calls pass only while all parts are in place;
//! - [`objects`]: checks the S3 store, if objects are in one. It does not close the gate, because only calls for
//!   objects need it.

pub(crate) mod guarded;
pub mod inspector;
pub mod judge;
pub(crate) mod objects;
pub mod record;
mod refusals;
pub mod room;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use self::refusals::Refusals;
use self::room::Shortage;
use crate::broker_figures::StorageFigures;
use crate::transport::{Error, ErrorKind, Storage, StreamDef, Topology, TopologyPart, subject};

/// How long a call waits until the parts are known to be in place, such as after a lost connection.
const PATIENCE: Duration = Duration::from_secs(2);
/// Value of [`Inner::open_at`] while the gate is closed.
const CLOSED: u64 = u64::MAX;

/// The gate that every call to the broker passes, and the last sequences that were seen. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Holdings(Arc<Inner>);

struct Inner {
    /// Number of lost connections at the check that opened the gate: after another loss, another check is due.
    open_at: AtomicU64,
    state: watch::Sender<State>,
    /// Cancelled when the gate closes or a part is replaced.
    closing: Mutex<CancellationToken>,
    /// Makes the inspector check at once.
    suspicion: Notify,
    streams: Vec<(&'static [&'static str], TopologyPart)>,
    parts: Vec<Tracked>,
}

/// A part, and what the results of calls reveal about it.
struct Tracked {
    part: TopologyPart,
    /// The last sequence that is known of the part.
    last: AtomicU64,
    refusals: Refusals,
    full: Refusals,
}

#[derive(Debug, Clone, Default)]
struct State {
    /// Increases when replaced parts are accepted.
    epoch: u64,
    /// When a loss was last accepted, in milliseconds since 1970.
    accepted_ms: u64,
    /// Why the gate is closed, in one sentence.
    obstacle: Option<String>,
    /// The parts that are out of place while it is closed.
    lost: Vec<TopologyPart>,
    /// Why the process is not ready although the gate is open.
    hindrance: Option<String>,
    /// True if a part stores nothing although the broker answers.
    is_stuck: bool,
    /// True if it was already logged that parts store nothing.
    is_logged: bool,
    /// Why the object store beside the broker cannot be used, in one sentence.
    objects: Option<String>,
    /// The storage of each part, as last looked up; empty while that is not known.
    storage: Vec<(TopologyPart, Storage)>,
}

// === impl Holdings ===

impl Holdings {
    pub(crate) fn new(topology: &Topology) -> Self {
        let of_stream = |stream: &StreamDef| (stream.1, TopologyPart::Stream(stream.0));
        Self(Arc::new(Inner {
            open_at: AtomicU64::new(CLOSED),
            state: watch::Sender::default(),
            closing: Mutex::default(),
            suspicion: Notify::new(),
            streams: topology.streams.iter().chain(&topology.timers).map(of_stream).collect(),
            parts: topology.parts().map(Tracked::new).collect(),
        }))
    }

    /// Returns why the process must not work, in one sentence.
    pub(crate) fn obstacle(&self) -> Option<String> {
        let state = self.0.state.borrow();
        [&state.obstacle, &state.hindrance, &state.objects].into_iter().find_map(Clone::clone)
    }

    /// Returns true if parts are known to be out of place.
    pub(crate) fn is_closed(&self) -> bool {
        self.0.state.borrow().obstacle.is_some()
    }

    /// Returns true if the gate is closed because of this part.
    pub(crate) fn has_lost(&self, part: TopologyPart) -> bool {
        self.0.state.borrow().lost.contains(&part)
    }

    /// Waits until a loss is accepted at another time than `accepted_ms`.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub(crate) async fn until_accepted_after(&self, accepted_ms: u64) {
        let mut state = self.0.state.subscribe();
        // An error is impossible: `self` holds the sender.
        state.wait_for(|state| state.accepted_ms != accepted_ms).await.ok();
    }

    /// Returns when a loss was last accepted, in milliseconds since 1970; 0 if that never happened.
    pub(crate) fn accepted_ms(&self) -> u64 {
        self.0.state.borrow().accepted_ms
    }

    /// Waits until the parts are known to be in place, and returns the epoch. `losses` returns how many connections
    /// the transport has lost.
    ///
    /// # Errors
    /// `Lost`: a part is not in place. `Unavailable`: it is not yet known whether the parts are in place.
    async fn pass(&self, losses: impl Fn() -> u64 + Send + Sync) -> Result<u64, Error> {
        let is_open = || self.0.open_at.load(Ordering::Acquire) == losses();
        if is_open() {
            return Ok(self.0.state.borrow().epoch);
        }
        self.suspect();
        let mut state = self.0.state.subscribe();
        let decided = state.wait_for(|state| is_open() || state.obstacle.is_some());
        match timeout(PATIENCE, decided).await.map(|state| state.map(|state| state.clone())) {
            Ok(Ok(State { obstacle: Some(obstacle), .. })) => Err(Error::new(ErrorKind::Lost, obstacle)),
            Ok(Ok(State { epoch, .. })) => Ok(epoch),
            Ok(Err(_)) | Err(_) => Err(Error::new(
                ErrorKind::Unavailable,
                "no connection, or the broker's streams are not looked up yet",
            )),
        }
    }

    /// Returns a token that is cancelled when the gate closes or a part is replaced.
    fn closing(&self) -> CancellationToken {
        self.closing_lock().clone()
    }

    /// Makes the inspector check soon, because a call failed as if a part were missing.
    fn suspect(&self) {
        self.0.suspicion.notify_one();
    }

    async fn suspected(&self) {
        self.0.suspicion.notified().await;
    }

    /// Records that a part stored a message, under this sequence if it has one.
    fn stored(&self, part: TopologyPart, sequence: u64) {
        self.seen(part, sequence);
        if let Some(tracked) = self.tracked(part) {
            tracked.end_refusals();
        }
    }

    /// Records that a part has no room for a message.
    fn overflowed(&self, part: TopologyPart) {
        if let Some(tracked) = self.tracked(part) {
            tracked.full.add();
        }
        self.suspect();
    }

    /// Records that a part has a message under this sequence.
    fn seen(&self, part: TopologyPart, sequence: u64) {
        if let Some(tracked) = self.tracked(part) {
            tracked.last.fetch_max(sequence, Ordering::AcqRel);
        }
    }

    /// Records that a part did not store a message on a live connection. Returns true if that has lasted.
    fn refused(&self, part: TopologyPart) -> bool {
        self.tracked(part).is_some_and(|tracked| tracked.refusals.add())
    }

    /// Returns the last known sequence of a part.
    fn last(&self, part: TopologyPart) -> u64 {
        self.tracked(part).map_or(0, |tracked| tracked.last.load(Ordering::Acquire))
    }

    fn tracked(&self, part: TopologyPart) -> Option<&Tracked> {
        self.0.parts.iter().find(|tracked| tracked.part == part)
    }

    /// Returns the parts that store nothing although the broker answers.
    fn stuck(&self) -> Vec<TopologyPart> {
        self.parts_that(|tracked| tracked.refusals.have_lasted())
    }

    fn parts_that(&self, is: impl Fn(&Tracked) -> bool) -> Vec<TopologyPart> {
        self.0.parts.iter().filter(|tracked| is(tracked)).map(|tracked| tracked.part).collect()
    }

    /// Waits until a part stores nothing although the broker answers.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub(crate) async fn until_stuck(&self) {
        let mut state = self.0.state.subscribe();
        // An error is impossible: `self` holds the sender.
        state.wait_for(|state| state.is_stuck).await.ok();
    }

    /// Returns the stream that stores messages on `subject`.
    pub(crate) fn stream_of(&self, subject: &str) -> Option<TopologyPart> {
        let takes = |filters: &[&str]| filters.iter().any(|filter| subject::matches(filter, subject));
        self.0.streams.iter().find(|(filters, _)| takes(filters)).map(|(_, part)| *part)
    }

    /// Returns the stream of this name.
    fn stream_named(&self, name: &str) -> Option<TopologyPart> {
        let is_named = |part: &TopologyPart| matches!(part, TopologyPart::Stream(known) if *known == name);
        self.0.parts.iter().map(|tracked| tracked.part).find(is_named)
    }

    /// Opens the gate. `is_changed` is true if replaced parts were accepted, `accepted_ms` is when a loss was last
    /// accepted, and `shortages` are the limits that are reached.
    fn open(&self, losses: u64, is_changed: bool, accepted_ms: u64, shortages: &[Shortage]) {
        if is_changed {
            for tracked in &self.0.parts {
                tracked.last.store(0, Ordering::Release);
            }
            self.end_what_passed();
        }
        if self.0.open_at.swap(losses, Ordering::AcqRel) != losses {
            // A new connection may lead to a restarted server.
            self.0.parts.iter().for_each(Tracked::end_refusals);
        }
        let stuck = self.stuck();
        let full = room::sentence(shortages, &self.parts_that(|tracked| tracked.full.are_recent()));
        let hindrance = if stuck.is_empty() { full } else { Some(refusals::sentence(&stuck)) };
        self.0.state.send_modify(|state| {
            if let Some(hindrance) = hindrance.as_ref().filter(|_| !state.is_logged) {
                tracing::error!("{hindrance}");
            }
            state.epoch += u64::from(is_changed);
            state.accepted_ms = accepted_ms;
            state.obstacle = None;
            state.lost.clear();
            state.is_stuck = !stuck.is_empty();
            state.is_logged = hindrance.is_some();
            state.hindrance = hindrance;
        });
    }

    /// Closes the gate. Returns false if it was already closed for the same reason.
    fn close(&self, obstacle: String, lost: Vec<TopologyPart>) -> bool {
        self.0.open_at.store(CLOSED, Ordering::Release);
        let is_new = self.0.state.send_if_modified(|state| {
            let is_new = state.obstacle.as_ref() != Some(&obstacle);
            state.obstacle = Some(obstacle);
            state.lost = lost;
            is_new
        });
        self.end_what_passed();
        is_new
    }

    /// Sets or clears the reason why the object store beside the broker cannot be used. Returns true if that is a
    /// change.
    pub(crate) fn set_objects(&self, trouble: Option<String>) -> bool {
        self.0.state.send_if_modified(|state| {
            let is_new = state.objects != trouble;
            state.objects = trouble;
            is_new
        })
    }

    /// Sets the storage of each part; none if they cannot be looked up.
    fn set_storage(&self, storage: Vec<(TopologyPart, Storage)>) {
        self.0.state.send_modify(|state| state.storage = storage);
    }

    /// Shows the storage of each part from now on. Never returns.
    pub(crate) async fn show_storage(self, figures: StorageFigures) {
        let mut state = self.0.state.subscribe();
        loop {
            let storage = state.borrow_and_update().storage.clone();
            figures.show(&storage);
            // An error is impossible: `self` holds the sender.
            state.changed().await.ok();
        }
    }

    /// Sets the reason why the parts cannot be looked up. The gate keeps its state.
    fn hinder(&self, hindrance: String) {
        self.0.state.send_modify(|state| state.hindrance = Some(hindrance));
    }

    fn end_what_passed(&self) {
        std::mem::take(&mut *self.closing_lock()).cancel();
    }

    fn closing_lock(&self) -> std::sync::MutexGuard<'_, CancellationToken> {
        self.0.closing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Tracked ===

impl Tracked {
    fn new(part: TopologyPart) -> Self {
        Self { part, last: AtomicU64::new(0), refusals: Refusals::default(), full: Refusals::default() }
    }

    fn end_refusals(&self) {
        self.refusals.end();
        self.full.end();
    }
}

#[cfg(test)]
mod tests;
