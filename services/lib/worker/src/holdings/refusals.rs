//! Distinguishes a part that stores nothing from a few failed calls.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::transport::TopologyPart;

/// A part counts as storing nothing if every message failed for this long.
const LASTING: Duration = Duration::from_secs(10);
/// Age from which failures are ignored.
const RECENT: Duration = Duration::from_secs(30);

/// The failures to store something in a part since the last success.
#[derive(Debug, Default)]
pub(super) struct Refusals(Mutex<Option<FailurePeriod>>);

#[derive(Debug, Clone, Copy)]
struct FailurePeriod {
    first: Instant,
    last: Instant,
}

impl Refusals {
    /// Adds a failure. Returns true if failures have lasted for [`LASTING`].
    pub(super) fn add(&self) -> bool {
        let now = Instant::now();
        let mut span = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let first = span.filter(FailurePeriod::is_recent).map_or(now, |span| span.first);
        *span = Some(FailurePeriod { first, last: now });
        now - first >= LASTING
    }

    /// Forgets the failures, because a message was stored or the connection leads to another server.
    pub(super) fn end(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Returns true if nothing has been stored for [`LASTING`] and failures continue.
    pub(super) fn have_lasted(&self) -> bool {
        let span = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        span.is_some_and(|span| span.is_recent() && span.last - span.first >= LASTING)
    }

    /// Returns true if a message failed recently and none was stored since.
    pub(super) fn are_recent(&self) -> bool {
        let span = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        span.is_some_and(|span| span.is_recent())
    }
}

impl FailurePeriod {
    fn is_recent(&self) -> bool {
        self.last.elapsed() <= RECENT
    }
}

/// Describes what is wrong and what to do.
pub(super) fn sentence(stuck: &[TopologyPart]) -> String {
    let named: Vec<_> = stuck.iter().map(ToString::to_string).collect();
    format!(
        "the broker answers but stores nothing in {}: if its disk is or was full, make room and restart nats-server, \
         which stores nothing there before",
        named.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_part_is_stuck_while_nothing_gets_through() {
        let refusals = Refusals::default();
        assert!(!refusals.add());
        tokio::time::advance(LASTING).await;
        assert!(!refusals.have_lasted(), "one failure says nothing");
        assert!(refusals.add() && refusals.have_lasted());
        tokio::time::advance(RECENT + Duration::from_secs(1)).await;
        assert!(!refusals.have_lasted(), "nobody has tried since");
        assert!(!refusals.add());
        tokio::time::advance(LASTING).await;
        refusals.end();
        assert!(!refusals.add());
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_counts_for_a_short_while_and_until_something_is_stored() {
        let refused = Refusals::default();
        refused.add();
        assert!(refused.are_recent());
        tokio::time::advance(RECENT + Duration::from_secs(1)).await;
        assert!(!refused.are_recent(), "nobody has tried since");
        refused.add();
        refused.end();
        assert!(!refused.are_recent());
    }
}
