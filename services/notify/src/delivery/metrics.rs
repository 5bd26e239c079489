//! Metrics of deliveries. METRICS.md describes them.

use std::time::Duration;

use gongkai_proto::{convert::timestamp::time, v1};
use gongkai_worker::{Clock, Context, Counter, Histogram, Runtime, UpDownCounter};

use super::{backlog::Backlog, channel::Error};

/// Label with the name of the subscription.
const SUBSCRIPTION: &str = "gongkai.subscription";
/// Label with the result of an attempt.
const OUTCOME: &str = "outcome";
const DELIVERED: &str = "delivered";

pub(super) struct Metrics {
    subscription: String,
    processing: Histogram,
    attempts: Counter,
    retries: Counter,
    dead: Counter,
    clock: Clock,
}

/// The levels of the queue of one subscription. Every replica shows them.
pub(crate) struct QueueLevels {
    waiting: UpDownCounter,
    collecting: UpDownCounter,
    suspended: UpDownCounter,
}

// === impl QueueLevels ===

impl QueueLevels {
    pub(crate) fn new(subscription: &str, runtime: &Runtime) -> Self {
        let level = |name, unit, text| runtime.level(name, unit, text, &[(SUBSCRIPTION, subscription)]);
        let waiting = "deliveries that wait for the receiver";
        let collecting = "deliveries that wait for the end of their window";
        let suspended = "subscriptions at fault, to which nothing is delivered";
        Self {
            waiting: level("gongkai.notify.waiting", "{delivery}", waiting),
            collecting: level("gongkai.notify.collecting", "{delivery}", collecting),
            suspended: level("gongkai.notify.suspended", "{subscription}", suspended),
        }
    }

    pub(super) fn set(&self, backlog: &Backlog) {
        let collecting = backlog.collecting();
        self.waiting.set(backlog.len() - collecting);
        self.collecting.set(collecting);
        self.suspended.set(usize::from(backlog.is_suspended()));
    }
}

// === impl Metrics ===

impl Metrics {
    pub(super) fn new(subscription: &str, runtime: &Runtime) -> Self {
        let text = "time from the hook to the findings, and to who is told of an alert";
        let processing = runtime.histogram("gongkai.report.processing.duration", "s", text);
        let counter = |name, text| {
            let counter = runtime.counter(name, "{delivery}", text);
            counter.add(0, &[(SUBSCRIPTION, subscription)]);
            counter
        };
        let attempts = runtime.counter("gongkai.notify.attempts", "{attempt}", "attempts to deliver");
        for outcome in Error::OUTCOMES.into_iter().chain([DELIVERED]) {
            attempts.add(0, &[(SUBSCRIPTION, subscription), (OUTCOME, outcome)]);
        }
        Self {
            subscription: subscription.to_owned(),
            processing,
            attempts,
            retries: counter("gongkai.notify.retries", "deliveries tried again"),
            dead: counter("gongkai.notify.dead", "deliveries given up"),
            clock: runtime.clock(),
        }
    }

    /// Records the time from the hook to the delivery of a raised alert.
    ///
    /// Alerts raised by a neighbour or by the end of a waiver are not measured, because their trace is not that of
    /// the report.
    pub(super) fn delivered(&self, alert: &v1::Alert, context: &Context) {
        let is_own = alert.state() == v1::AlertState::Raised && alert.trace_id == context.trace_id;
        let received = alert.received_at.filter(|_| is_own).and_then(|at| time(at, "received_at").ok());
        if let Some(received) = received {
            let took = Duration::try_from(self.clock.now() - received).unwrap_or_default();
            self.processing.record_duration(took, &[("gongkai.stage", "notified")]);
        }
    }

    /// Counts an attempt by its result.
    pub(super) fn attempted(&self, result: &Result<(), Error>) {
        let outcome = result.as_ref().err().map_or(DELIVERED, Error::outcome);
        self.attempts.add(1, &[(SUBSCRIPTION, &self.subscription), (OUTCOME, outcome)]);
    }

    /// Counts an attempt after the first.
    pub(super) fn retried(&self) {
        self.retries.add(1, &[(SUBSCRIPTION, &self.subscription)]);
    }

    /// Counts a delivery that is given up.
    pub(super) fn dead(&self) {
        self.dead.add(1, &[(SUBSCRIPTION, &self.subscription)]);
    }
}
