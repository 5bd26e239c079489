//! Liveness: every loop beats regularly. A loop that stops beating is stalled, and the process should be restarted.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The loops of a process. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Liveness(Arc<Mutex<Vec<Arc<Beat>>>>);

/// The pulse of one loop. Dropping it unregisters the loop, which has ended in order.
#[derive(Debug)]
pub(crate) struct Pulse {
    beat: Arc<Beat>,
    all: Liveness,
}

#[derive(Debug)]
struct Beat {
    name: String,
    /// Longest time between two beats of a healthy loop.
    limit: Duration,
    last: Mutex<Instant>,
}

impl Liveness {
    /// Registers a loop that must beat at least once per `limit`.
    pub(crate) fn pulse(&self, name: String, limit: Duration) -> Pulse {
        let beat = Arc::new(Beat { name, limit, last: Mutex::new(Instant::now()) });
        self.lock().push(beat.clone());
        Pulse { beat, all: self.clone() }
    }

    /// Returns the names of the stalled loops.
    pub(crate) fn stalled(&self) -> Vec<String> {
        self.lock().iter().filter(|beat| beat.is_stalled()).map(|beat| beat.name.clone()).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Beat>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Beat {
    fn is_stalled(&self) -> bool {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).elapsed() > self.limit
    }
}

impl Pulse {
    pub(crate) fn beat(&self) {
        *self.beat.last.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        self.all.lock().retain(|beat| !Arc::ptr_eq(beat, &self.beat));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_loop_that_stops_beating_is_stalled() {
        let liveness = Liveness::default();
        let pulse = liveness.pulse("consumer".to_owned(), Duration::from_secs(10));
        tokio::time::advance(Duration::from_secs(11)).await;
        assert_eq!(liveness.stalled(), ["consumer"]);
        pulse.beat();
        assert!(liveness.stalled().is_empty());
    }
}
