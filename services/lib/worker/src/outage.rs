//! Logs one line when the broker becomes unavailable or full or loses its store, and one when that is over. Does the
//! same for an S3 store that holds the objects.
//!
//! Calls can succeed and fail side by side during an outage, such as when one stream is full and another is not. An
//! outage therefore ends only after a while without failures. While it lasts, its line is repeated once a minute at
//! most. Each kind of outage is tracked separately: a broker that alternates between full and unreachable has both
//! lines repeated.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::recurring::REPEAT;
use crate::transport::{Error, ErrorKind};

/// An outage ends at the first success that comes at least this long after the last failure.
const QUIET: Duration = Duration::from_secs(5);

/// The state of a possible outage. Cheap to clone; there is one per transport.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outage(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    broker: Side,
    objects: Side,
}

/// The broker, or the object store beside it.
#[derive(Debug, Default)]
struct Side {
    /// True while there is trouble. Lets successful calls skip the lock.
    troubled: AtomicBool,
    /// The present troubles, at most one of each kind.
    troubles: Mutex<Vec<Trouble>>,
}

#[derive(Debug)]
struct Trouble {
    kind: ErrorKind,
    since: Instant,
    said: Instant,
    last: Instant,
    failures: u64,
}

impl Outage {
    /// Records a call that failed because the broker is unavailable or full. Returns true if it logged a line.
    ///
    /// Errors of other kinds are ignored; the caller reports them.
    pub(crate) fn seen(&self, error: &Error) -> bool {
        match error.kind {
            ErrorKind::ObjectsUnavailable => self.0.objects.seen(error),
            kind => kind.is_outage() && self.0.broker.seen(error),
        }
    }

    /// Records the result of a call that stores nothing, and returns it.
    pub(crate) fn heard<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        match &result {
            Ok(_) => self.answered(),
            Err(error) => self.seen(error),
        };
        result
    }

    /// Records that the broker answered. It may still be full. Returns true if it logged the end of an outage.
    pub(crate) fn answered(&self) -> bool {
        self.0.broker.over(|kind| kind != ErrorKind::Full)
    }

    /// Records that the broker stored something, so it has room. Returns true if it logged the end of an outage.
    pub(crate) fn accepted(&self) -> bool {
        self.0.broker.over(|_| true)
    }

    /// Records that the object store answered. Returns true if it logged the end of an outage.
    pub(crate) fn objects_answered(&self) -> bool {
        self.0.objects.over(|_| true)
    }
}

impl Side {
    fn seen(&self, error: &Error) -> bool {
        let now = Instant::now();
        let mut troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(trouble) = troubles.iter_mut().find(|trouble| trouble.kind == error.kind) {
            trouble.failures += 1;
            trouble.last = now;
            let is_due = now - trouble.said >= REPEAT;
            if is_due {
                trouble.said = now;
                say(error, trouble.failures, now - trouble.since);
            }
            return is_due;
        }
        say(error, 1, Duration::ZERO);
        self.troubled.store(true, Ordering::Release);
        troubles.push(Trouble { kind: error.kind, since: now, said: now, last: now, failures: 1 });
        true
    }

    /// Ends the outages whose kind is `disproved` and that have been quiet for long enough.
    fn over(&self, disproved: impl Fn(ErrorKind) -> bool) -> bool {
        if !self.troubled.load(Ordering::Acquire) {
            return false;
        }
        let mut troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over = |trouble: &Trouble| disproved(trouble.kind) && trouble.last.elapsed() >= QUIET;
        let before = troubles.len();
        for trouble in troubles.extract_if(.., |trouble| is_over(trouble)) {
            let seconds = trouble.since.elapsed().as_secs();
            tracing::info!(seconds, failures = trouble.failures, "{} again", good(trouble.kind));
        }
        self.troubled.store(!troubles.is_empty(), Ordering::Release);
        troubles.len() < before
    }
}

fn say(error: &Error, failures: u64, lasting: Duration) {
    let cause = error as &dyn std::error::Error;
    let seconds = lasting.as_secs();
    let what = match error.kind {
        ErrorKind::Full => "disk, stream or object store is full; nothing is accepted until there is room",
        ErrorKind::ObjectsUnavailable => "object store does not answer; trying again until it does",
        ErrorKind::Lost => "broker lost what it held; nothing is accepted or handled until that is put right",
        _ => "broker does not answer; trying again until it does",
    };
    tracing::error!(error = cause, failures, seconds, "{what}");
}

fn good(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Full => "there is room",
        ErrorKind::ObjectsUnavailable => "object store answers",
        ErrorKind::Lost => "broker has what it held",
        _ => "broker answers",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_outage_is_said_once_a_minute_and_once_when_over() {
        let outage = Outage::default();
        let away = Error::new(ErrorKind::Unavailable, "no answer");
        let said = (0..120).filter(|_| outage.seen(&away)).count();
        assert_eq!(said, 1);
        assert!(!outage.answered(), "a success beside failures ends nothing");
        tokio::time::advance(REPEAT).await;
        assert!(outage.seen(&away));
        tokio::time::advance(QUIET).await;
        assert!(outage.answered());
        assert!(!outage.answered());
    }

    #[tokio::test(start_paused = true)]
    async fn the_broker_and_the_object_store_are_told_apart() {
        let outage = Outage::default();
        let objects = Error::new(ErrorKind::ObjectsUnavailable, "no answer");
        let broker = Error::new(ErrorKind::Unavailable, "no answer");
        assert!(outage.seen(&objects) && outage.seen(&broker));
        assert!(!outage.seen(&objects) && !outage.seen(&broker), "each was said");
        tokio::time::advance(QUIET).await;
        assert!(outage.answered() && !outage.answered());
        assert!(outage.objects_answered());
    }

    #[tokio::test(start_paused = true)]
    async fn kinds_that_alternate_are_each_said_once_a_minute() {
        let outage = Outage::default();
        let kinds = [ErrorKind::Unavailable, ErrorKind::Full];
        let alternate = || kinds.map(|kind| outage.seen(&Error::new(kind, "no")));
        let said = (0..120).flat_map(|_| alternate()).filter(|said| *said).count();
        assert_eq!(said, kinds.len());
        tokio::time::advance(REPEAT).await;
        assert_eq!(alternate(), [true, true]);
        tokio::time::advance(QUIET).await;
        assert!(outage.answered(), "it answers");
        assert!(!outage.answered(), "it may still be full");
        assert!(outage.accepted());
    }

    #[tokio::test(start_paused = true)]
    async fn only_an_accepted_message_shows_that_there_is_room() {
        let outage = Outage::default();
        assert!(outage.seen(&Error::new(ErrorKind::Full, "no space")));
        tokio::time::advance(QUIET).await;
        assert!(!outage.answered());
        assert!(outage.accepted());
        assert!(!outage.seen(&Error::new(ErrorKind::Denied, "not yours")), "not an outage");
    }
}
