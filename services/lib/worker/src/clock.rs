//! The only source of time.
//!
//! Whoever needs the date takes it from the [`Clock`] that the runtime hands out, so that tests decide what time it
//! is. Waiting is not its business: `tokio::time` does that, and tests pause it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use time::OffsetDateTime;

/// Tells the time. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    System,
    Fixed(OffsetDateTime),
    Manual(Arc<Mutex<OffsetDateTime>>),
}

/// Moves the time of the [`Clock`] it came with.
#[derive(Debug, Clone)]
pub struct Hand(Arc<Mutex<OffsetDateTime>>);

// === impl Clock ===

impl Clock {
    /// The machine's clock, in UTC.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still, for tests.
    #[must_use]
    pub fn fixed(at: OffsetDateTime) -> Self {
        Self(Source::Fixed(at))
    }

    /// A clock that moves only by its hand, for tests.
    #[must_use]
    pub fn manual(start: OffsetDateTime) -> (Self, Hand) {
        let at = Arc::new(Mutex::new(start));
        (Self(Source::Manual(at.clone())), Hand(at))
    }

    /// The time now, in UTC.
    #[must_use]
    pub fn now(&self) -> OffsetDateTime {
        match &self.0 {
            Source::System => system_now(),
            Source::Fixed(at) => *at,
            Source::Manual(at) => *at.lock().unwrap_or_else(PoisonError::into_inner),
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

// === impl Hand ===

impl Hand {
    /// Moves the time forward.
    pub fn advance(&self, by: Duration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }

    /// Sets the time.
    pub fn set(&self, at: OffsetDateTime) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_by_its_hand() {
        let (clock, hand) = Clock::manual(OffsetDateTime::UNIX_EPOCH);
        assert_eq!(clock.now(), OffsetDateTime::UNIX_EPOCH);
        hand.advance(Duration::from_secs(5));
        assert_eq!(clock.now().unix_timestamp(), 5);
    }
}
