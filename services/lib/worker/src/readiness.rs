//! Readiness: components hold latches, and the process is ready once all of them are released.
//!
//! Shutdown turns readiness off before it stops any work, so that traffic is routed elsewhere in time.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The set of latches that are still held. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Readiness(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// The sentence of each held latch, by its number.
    waiting: Mutex<BTreeMap<u64, String>>,
    next: AtomicU64,
    /// Remarks that `/readyz` prints, by the name of the component.
    remarks: Mutex<BTreeMap<&'static str, String>>,
    off: AtomicBool,
}

/// Keeps the process unready until it is [released](Latch::release) or dropped.
#[derive(Debug)]
#[must_use = "a latch that is dropped at once holds nothing back"]
pub struct Latch {
    number: u64,
    inner: Arc<Inner>,
}

// === impl Readiness ===

impl Readiness {
    /// Creates a latch. `/readyz` prints `name` while it is held.
    pub fn latch(&self, name: &'static str) -> Latch {
        let latch = Latch { number: self.0.next.fetch_add(1, Ordering::Relaxed), inner: self.0.clone() };
        latch.say(name);
        latch
    }

    /// Returns true once every latch is released, unless readiness was turned off.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        !self.0.off.load(Ordering::Acquire) && self.waiting().is_empty()
    }

    /// Returns the sentences of the latches that are still held: their names, or the text last set with
    /// [`Latch::say`].
    #[must_use]
    pub fn waiting(&self) -> Vec<String> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Adds a remark to the answer of `/readyz`. A later remark of the same name replaces it.
    pub fn remark(&self, name: &'static str, text: String) {
        self.0.remarks.lock().unwrap_or_else(PoisonError::into_inner).insert(name, text);
    }

    /// Returns the remarks, a line each.
    #[must_use]
    pub fn remarks(&self) -> String {
        let remarks = self.0.remarks.lock().unwrap_or_else(PoisonError::into_inner);
        remarks.iter().map(|(name, text)| format!("{name}: {text}\n")).collect()
    }

    /// Turns readiness off permanently, because the process is stopping.
    pub fn turn_off(&self) {
        self.0.off.store(true, Ordering::Release);
    }
}

// === impl Latch ===

impl Latch {
    /// Sets the text that `/readyz` prints for the latch, instead of its name or an earlier text.
    pub fn say(&self, what: impl Into<String>) {
        let mut waiting = self.inner.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.insert(self.number, what.into());
    }

    /// Releases the latch: this component is ready. The same as dropping it.
    pub fn release(self) {
        drop(self);
    }
}

impl Drop for Latch {
    fn drop(&mut self) {
        self.inner.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.number);
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
        second.say("consumer: 61 of 5,000");
        assert_eq!(readiness.waiting(), ["consumer: 61 of 5,000"]);
        drop(second);
        assert!(readiness.is_ready());
        readiness.remark("readers", "confined".to_owned());
        assert_eq!(readiness.remarks(), "readers: confined\n");
        readiness.turn_off();
        assert!(!readiness.is_ready());
    }
}
