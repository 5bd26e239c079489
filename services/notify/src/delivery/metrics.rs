//! Metrics of deliveries. METRICS.md describes them.

use std::time::Duration;

use gongkai_proto::{convert::timestamp::time, v1};
use gongkai_worker::{Clock, Context, Histogram, Runtime};

pub(super) struct Metrics {
    processing: Histogram,
    clock: Clock,
}

// === impl Metrics ===

impl Metrics {
    pub(super) fn new(runtime: &Runtime) -> Self {
        let text = "time from the hook to the findings, and to who is told of an alert";
        let processing = runtime.histogram("gongkai.report.processing.duration", "s", text);
        Self { processing, clock: runtime.clock() }
    }

    /// Records the time from the hook to the delivery of a raised alert.
    ///
    /// Alerts raised by a neighbour or by the end of a waiver are not measured. They have another trace than the report.
    pub(super) fn delivered(&self, alert: &v1::Alert, context: &Context) {
        let is_own = alert.state() == v1::AlertState::Raised && alert.trace_id == context.trace_id;
        let received = alert.received_at.filter(|_| is_own).and_then(|at| time(at, "received_at").ok());
        if let Some(received) = received {
            let took = Duration::try_from(self.clock.now() - received).unwrap_or_default();
            self.processing.record_duration(took, &[("gongkai.stage", "notified")]);
        }
    }
}
