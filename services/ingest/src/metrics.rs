//! The metrics of acceptance. See METRICS.md.

use gongkai_worker::{Counter, Runtime};

const REPEAT: &str = "gongkai.repeat";

#[derive(Clone)]
pub(crate) struct Metrics {
    repeats: Counter,
}

/// What became of a call whose id came before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// It said the same and was answered with the receipt.
    Known,
    /// It said something else, or came again later, and is a new submission.
    Superseded,
    /// What it repeats was rejected for want of time or memory; it is a new submission.
    Retried,
    /// It said something else under an idempotency key.
    Refused,
}

// === impl Metrics ===

impl Metrics {
    /// Registers the instruments. The counter starts at zero for every label value.
    pub(crate) fn new(runtime: &Runtime) -> Self {
        let repeats = runtime.counter("gongkai.ingest.repeats", "{call}", "calls whose id came before");
        for repeat in [Repeat::Known, Repeat::Superseded, Repeat::Retried, Repeat::Refused] {
            repeats.add(0, &[(REPEAT, repeat.as_str())]);
        }
        Self { repeats }
    }

    pub(crate) fn repeated(&self, repeat: Repeat) {
        self.repeats.add(1, &[(REPEAT, repeat.as_str())]);
    }
}

// === impl Repeat ===

impl Repeat {
    fn as_str(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::Superseded => "superseded",
            Self::Retried => "retried",
            Self::Refused => "refused",
        }
    }
}
