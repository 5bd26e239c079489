//! CPU time: the cost of a document, independent of other load and of pauses of this process.

use std::time::Duration;

use rustix::time::{ClockId, Timespec, clock_gettime};

/// A point on the CPU clock of this thread.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cpu(Timespec);

impl Cpu {
    /// Returns the present point.
    pub(crate) fn now() -> Self {
        Self(clock_gettime(ClockId::ThreadCPUTime))
    }

    /// Returns the CPU time of the thread since this point.
    pub(crate) fn elapsed(&self) -> Duration {
        // The clock never runs backwards.
        (clock_gettime(ClockId::ThreadCPUTime) - self.0).try_into().unwrap_or_default()
    }
}
