//! For tests of what a hostile document costs: time on the CPU, which neighbours on a busy machine do not change.

use std::time::Duration;

use rustix::time::{ClockId, Timespec, clock_gettime};

/// A point in the running of this thread.
pub(crate) struct Cpu(Timespec);

impl Cpu {
    /// Now.
    pub(crate) fn now() -> Self {
        Self(clock_gettime(ClockId::ThreadCPUTime))
    }

    /// How long the thread has been running since.
    pub(crate) fn elapsed(&self) -> Duration {
        (clock_gettime(ClockId::ThreadCPUTime) - self.0).try_into().unwrap()
    }
}
