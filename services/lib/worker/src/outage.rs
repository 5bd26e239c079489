//! One log line when the broker becomes unavailable or full or loses its store, and one when that is over.
//!
//! Calls can succeed and fail side by side during an outage, such as when one stream is full and another is not. An outage
//! therefore ends only after a while without failures. While it lasts, its line is repeated once a minute at most.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::transport::{Error, ErrorKind};

/// Shortest time between two log lines about the same outage.
const REPEAT: Duration = Duration::from_secs(60);
/// An outage ends at the first success that comes at least this long after the last failure.
const QUIET: Duration = Duration::from_secs(5);

/// The state of a possible outage. Cheap to clone; there is one per transport.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outage(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// True while `trouble` is set. Lets successful calls skip the lock.
    troubled: AtomicBool,
    trouble: Mutex<Option<Trouble>>,
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
    /// Records a failed call. Returns true if it logged a line.
    ///
    /// Failures that are no outage are ignored; the caller reports them.
    pub(crate) fn seen(&self, error: &Error) -> bool {
        if !error.kind.is_outage() {
            return false;
        }
        let now = Instant::now();
        let mut state = self.0.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(trouble) = state.as_mut().filter(|trouble| trouble.kind == error.kind) {
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
        self.0.troubled.store(true, Ordering::Release);
        *state = Some(Trouble { kind: error.kind, since: now, said: now, last: now, failures: 1 });
        true
    }

    /// Records that the broker answered. It may still be full. Returns true if it logged the end of an outage.
    pub(crate) fn answered(&self) -> bool {
        self.over(|kind| kind != ErrorKind::Full)
    }

    /// Records that the broker stored something, so it has room. Returns true if it logged the end of an outage.
    pub(crate) fn accepted(&self) -> bool {
        self.over(|_| true)
    }

    /// Ends the outage if its kind is `disproved` and it has been quiet for long enough.
    fn over(&self, disproved: impl Fn(ErrorKind) -> bool) -> bool {
        if !self.0.troubled.load(Ordering::Acquire) {
            return false;
        }
        let mut state = self.0.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(trouble) =
            state.take_if(|trouble| disproved(trouble.kind) && trouble.last.elapsed() >= QUIET)
        else {
            return false;
        };
        self.0.troubled.store(false, Ordering::Release);
        let seconds = trouble.since.elapsed().as_secs();
        tracing::info!(seconds, failures = trouble.failures, "{} again", good(trouble.kind));
        true
    }
}

fn say(error: &Error, failures: u64, lasting: Duration) {
    let cause = error as &dyn std::error::Error;
    let seconds = lasting.as_secs();
    let what = match error.kind {
        ErrorKind::Full => "broker's disk or stream is full; nothing is accepted until there is room",
        ErrorKind::Lost => "broker lost what it held; nothing is accepted or handled until that is put right",
        _ => "broker does not answer; trying again until it does",
    };
    tracing::error!(error = cause, failures, seconds, "{what}");
}

fn good(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Full => "broker has room",
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
    async fn only_an_accepted_message_shows_that_there_is_room() {
        let outage = Outage::default();
        assert!(outage.seen(&Error::new(ErrorKind::Full, "no space")));
        tokio::time::advance(QUIET).await;
        assert!(!outage.answered());
        assert!(outage.accepted());
        assert!(!outage.seen(&Error::new(ErrorKind::Denied, "not yours")), "not an outage");
    }
}
