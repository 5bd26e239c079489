//! The only source of time.
//!
//! Services read the time from the [`Clock`] of their runtime, so that tests can set it. A clock does not wait:
//! `tokio::time` does, and tests pause that.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use time::OffsetDateTime;

/// A source of the current time. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Clock(TimeSource);

#[derive(Debug, Clone)]
enum TimeSource {
    System,
    Fixed(OffsetDateTime),
    Manual(Arc<Mutex<OffsetDateTime>>),
}

/// Sets the time of the manual [`Clock`] that it was created with.
#[derive(Debug, Clone)]
pub struct ClockHandle(Arc<Mutex<OffsetDateTime>>);

// === impl Clock ===

impl Clock {
    /// Creates a clock that returns the machine's time.
    #[must_use]
    pub fn system() -> Self {
        Self(TimeSource::System)
    }

    /// Creates a clock that always returns `at`, for tests.
    #[must_use]
    pub fn fixed(at: OffsetDateTime) -> Self {
        Self(TimeSource::Fixed(at))
    }

    /// Creates a clock that only the returned handle moves, for tests.
    #[must_use]
    pub fn manual(start: OffsetDateTime) -> (Self, ClockHandle) {
        let at = Arc::new(Mutex::new(start));
        (Self(TimeSource::Manual(at.clone())), ClockHandle(at))
    }

    /// Returns the current time, in UTC.
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        match &self.0 {
            TimeSource::System => system_now(),
            TimeSource::Fixed(at) => *at,
            TimeSource::Manual(at) => *at.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
fn system_now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

// === impl ClockHandle ===

impl ClockHandle {
    /// Moves the clock forward by `by`.
    pub fn advance(&self, by: Duration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }

    /// Sets the clock to `at`.
    pub fn set(&self, at: OffsetDateTime) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_by_its_handle() {
        let (clock, handle) = Clock::manual(OffsetDateTime::UNIX_EPOCH);
        assert_eq!(clock.now(), OffsetDateTime::UNIX_EPOCH);
        handle.advance(Duration::from_secs(5));
        assert_eq!(clock.now().unix_timestamp(), 5);
    }
}
