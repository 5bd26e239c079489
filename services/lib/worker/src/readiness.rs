//! Readiness: components hold latches, and the process is ready once all of them are released.
//!
//! Shutdown turns readiness off before it stops any work, so that traffic is routed elsewhere in time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The set of latches that are still held. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Readiness(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    waiting: Mutex<Vec<&'static str>>,
    off: AtomicBool,
}

/// Keeps the process unready until it is [released](Latch::release) or dropped.
#[derive(Debug)]
#[must_use = "a latch that is dropped at once holds nothing back"]
pub struct Latch {
    name: &'static str,
    inner: Arc<Inner>,
}

// === impl Readiness ===

impl Readiness {
    /// Creates a latch. `/readyz` prints `name` while it is held.
    pub fn latch(&self, name: &'static str) -> Latch {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(name);
        Latch { name, inner: self.0.clone() }
    }

    /// Returns true once every latch is released, unless readiness was turned off.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        !self.0.off.load(Ordering::Acquire) && self.waiting().is_empty()
    }

    /// Returns the names of the latches that are still held.
    #[must_use]
    pub fn waiting(&self) -> Vec<&'static str> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Turns readiness off for good, because the process is stopping.
    pub fn turn_off(&self) {
        self.0.off.store(true, Ordering::Release);
    }
}

// === impl Latch ===

impl Latch {
    /// Releases the latch: this component is ready. The same as dropping it.
    pub fn release(self) {
        drop(self);
    }
}

impl Drop for Latch {
    fn drop(&mut self) {
        let mut waiting = self.inner.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = waiting.iter().position(|name| *name == self.name) {
            waiting.swap_remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_once_every_latch_is_released() {
        let readiness = Readiness::default();
        let (first, second) = (readiness.latch("consumer"), readiness.latch("consumer"));
        first.release();
        assert_eq!(readiness.waiting(), ["consumer"]);
        drop(second);
        assert!(readiness.is_ready());
        readiness.turn_off();
        assert!(!readiness.is_ready());
    }
}
