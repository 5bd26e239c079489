//! [`Recurring`]: a failure that is logged once a minute at most, however often it happens.
//!
//! The runtime logs outages of the broker and of the object store itself (`outage.rs`). This is for any other failure
//! that a loop or many callers may meet again and again.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Shortest time between two log lines about the same failure.
pub(crate) const REPEAT: Duration = Duration::from_secs(60);

/// One place that logs a failure. Can be a static.
#[derive(Debug, Default)]
pub struct Recurring(Mutex<Option<Said>>);

#[derive(Debug)]
struct Said {
    at: Instant,
    /// Failures since then.
    silent: u64,
}

impl Recurring {
    /// Creates a place whose first failure is logged.
    #[must_use]
    pub const fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// Records a failure. If its line is due, returns the number of failures since the last line, this one included.
    pub fn due(&self) -> Option<u64> {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let failures = match said.as_mut() {
            None => 1,
            Some(said) => {
                said.silent += 1;
                if now - said.at < REPEAT {
                    return None;
                }
                said.silent
            }
        };
        *said = Some(Said { at: now, silent: 0 });
        Some(failures)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_due_once_a_minute_and_says_how_often_it_happened() {
        let failure = Recurring::new();
        assert_eq!(failure.due(), Some(1));
        assert_eq!((0..30).filter_map(|_| failure.due()).count(), 0);
        tokio::time::advance(REPEAT).await;
        assert_eq!(failure.due(), Some(31));
        assert_eq!(failure.due(), None);
    }
}
