//! A broker that is away, or a disk that is full, is said in one clear line, and once more when it is over.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::transport::{Error, ErrorKind};

/// While it lasts, the line is repeated no oftener than this.
const REPEAT: Duration = Duration::from_secs(60);

/// What is known about the broker's health. Cheap to clone; one a transport.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outage(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// Lets the good case, every message, pass without the lock.
    troubled: AtomicBool,
    trouble: Mutex<Option<Trouble>>,
}

#[derive(Debug)]
struct Trouble {
    kind: ErrorKind,
    since: Instant,
    said: Instant,
    failures: u64,
}

impl Outage {
    /// A call failed. Other failures than an absent or full broker are their caller's to report.
    pub(crate) fn seen(&self, error: &Error) {
        if !matches!(error.kind, ErrorKind::Unavailable | ErrorKind::Full) {
            return;
        }
        let now = Instant::now();
        let mut state = self.0.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let known = state.as_mut().filter(|trouble| trouble.kind == error.kind);
        if let Some(trouble) = known {
            trouble.failures += 1;
            if now - trouble.said >= REPEAT {
                trouble.said = now;
                say(error, trouble.failures, now - trouble.since);
            }
            return;
        }
        say(error, 1, Duration::ZERO);
        self.0.troubled.store(true, Ordering::Release);
        *state = Some(Trouble { kind: error.kind, since: now, said: now, failures: 1 });
    }

    /// A call succeeded.
    pub(crate) fn over(&self) {
        if !self.0.troubled.load(Ordering::Acquire) {
            return;
        }
        let mut state = self.0.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.troubled.store(false, Ordering::Release);
        if let Some(trouble) = state.take() {
            let seconds = trouble.since.elapsed().as_secs();
            tracing::info!(seconds, failures = trouble.failures, "{} again", good(trouble.kind));
        }
    }
}

fn say(error: &Error, failures: u64, lasting: Duration) {
    let cause = error as &dyn std::error::Error;
    let seconds = lasting.as_secs();
    match error.kind {
        ErrorKind::Full => {
            tracing::error!(
                error = cause,
                failures,
                seconds,
                "broker's disk or stream is full; nothing is accepted until there is room"
            );
        }
        _ => {
            tracing::error!(
                error = cause,
                failures,
                seconds,
                "broker is away; trying again until it is back"
            );
        }
    }
}

fn good(kind: ErrorKind) -> &'static str {
    if kind == ErrorKind::Full { "broker has room" } else { "broker is there" }
}
