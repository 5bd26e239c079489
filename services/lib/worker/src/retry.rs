//! Retry delays, computed from the attempt and spread so that messages that failed together are not retried together.
//!
//! After a negative acknowledgement without a delay, the broker redelivers at once, so the runtime always sets one.
//! The spread derives from the message's id: the same message and attempt always have the same delay.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

/// Factor from one delay to the next.
const GROWTH: u32 = 4;

/// Retry delays and the limit of attempts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RetryPolicy {
    pub(crate) base: Duration,
    pub(crate) max: Duration,
    /// Number of failed attempts after which a message is buried.
    pub(crate) attempts: u32,
}

impl RetryPolicy {
    /// Returns true if a message that fails at this attempt is buried.
    pub(crate) fn is_last(&self, attempt: u32) -> bool {
        attempt >= self.attempts
    }

    /// Returns the delay after a failed attempt, counted from 1. It grows fourfold up to the maximum and is spread by a
    /// fifth either way.
    pub(crate) fn delay(&self, message_id: &str, attempt: u32) -> Duration {
        let growth = GROWTH.saturating_pow(attempt.saturating_sub(1));
        self.base.saturating_mul(growth).min(self.max).mul_f64(0.8 + 0.4 * spread(message_id, attempt.into()))
    }

    /// Returns the delay that the handler asked for, plus up to a tenth.
    pub(crate) fn at_least(delay: Duration, message_id: &str, attempt: u32) -> Duration {
        spread_out(delay, message_id, attempt.into())
    }
}

/// Returns the delay plus up to a tenth, so that operations that failed together are not tried again together. The
/// same key and number always have the same delay.
#[must_use]
pub fn spread_out(delay: Duration, key: &str, number: u64) -> Duration {
    delay.mul_f64(1.0 + 0.1 * spread(key, number))
}

/// Returns a number from 0 to 1 that depends only on the arguments.
fn spread(key: &str, number: u64) -> f64 {
    let mut hasher = DefaultHasher::new();
    (key, number).hash(&mut hasher);
    let [low, high, ..] = hasher.finish().to_le_bytes();
    f64::from(u16::from_le_bytes([low, high])) / f64::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_up_to_the_maximum() {
        let policy =
            RetryPolicy { base: Duration::from_millis(500), max: Duration::from_secs(20), attempts: 6 };
        let delays: Vec<_> = (1..=6).map(|attempt| policy.delay("a", attempt)).collect();
        assert!(delays[..4].is_sorted(), "{delays:?}");
        assert!(
            delays[0] >= Duration::from_millis(400) && delays[5] <= Duration::from_secs(24),
            "{delays:?}"
        );
        assert_eq!(policy.delay("a", 3), delays[2]);
        assert_ne!(policy.delay("b", 3), delays[2]);
        assert!(policy.delay("a", u32::MAX) <= Duration::from_secs(24));
        assert!(policy.is_last(6) && !policy.is_last(5));
    }

    #[test]
    fn a_delay_asked_for_is_never_cut() {
        let asked = Duration::from_secs(30);
        let delay = RetryPolicy::at_least(asked, "a", 1);
        assert!(delay >= asked && delay <= asked * 11 / 10);
    }
}
