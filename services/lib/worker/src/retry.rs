//! When a message comes again: a delay computed from the attempt, spread so that messages do not march in step.
//!
//! A plain negative acknowledgement is redelivered at once, so the delay is always given. The spread is taken from the
//! message's id: the same message and attempt always give the same delay.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

/// Each delay is this many times the one before.
const GROWTH: u32 = 4;

/// Delays and the limit of attempts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RetryPolicy {
    pub(crate) base: Duration,
    pub(crate) max: Duration,
    /// Deliveries until a message is buried.
    pub(crate) attempts: u32,
}

impl RetryPolicy {
    /// True if a message that fails at this attempt is buried.
    pub(crate) fn is_last(&self, attempt: u32) -> bool {
        attempt >= self.attempts
    }

    /// Delay after a failed attempt (from 1): grows fourfold up to the maximum, spread by a fifth either way.
    pub(crate) fn delay(&self, message_id: &str, attempt: u32) -> Duration {
        let growth = GROWTH.saturating_pow(attempt.saturating_sub(1));
        self.base.saturating_mul(growth).min(self.max).mul_f64(0.8 + 0.4 * spread(message_id, attempt))
    }

    /// A delay the handler asked for, and up to a tenth more.
    pub(crate) fn at_least(delay: Duration, message_id: &str, attempt: u32) -> Duration {
        delay.mul_f64(1.0 + 0.1 * spread(message_id, attempt))
    }
}

/// Between 0 and 1.
fn spread(message_id: &str, attempt: u32) -> f64 {
    let mut hasher = DefaultHasher::new();
    (message_id, attempt).hash(&mut hasher);
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
