//! The instruments of one consumer.

use std::time::Duration;

use opentelemetry::KeyValue;

use crate::metrics::{Histogram, Meters, Tally};

/// How the handling of a message ended. The values of the label `outcome`.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Outcome {
    Done,
    Retry,
    Buried,
    Panicked,
}

/// The instruments of one consumer. All of them start at zero.
pub(crate) struct Instruments {
    /// Redeliveries of messages in flight.
    pub(crate) absorbed: Tally,
    /// Crashes of the process, each charged to the message that was alone in work.
    pub(crate) crashes: Tally,
    /// Failed fetches.
    pub(crate) fetch_failures: Tally,
    consumed: Tally,
    outcomes: [Tally; 4],
    in_flight: Tally,
    processing: Histogram,
    operation: Histogram,
    process: [KeyValue; 3],
    ack: [KeyValue; 3],
}

/// Counts one message in flight until it is dropped.
pub(crate) struct InFlightGauge<'a>(&'a Tally);

impl Instruments {
    pub(crate) fn new(meters: &Meters, durable: &str) -> Self {
        let group = KeyValue::new("messaging.consumer.group.name", durable.to_owned());
        let system = KeyValue::new("messaging.system", "nats");
        let operation =
            |name| [system.clone(), KeyValue::new("messaging.operation.name", name), group.clone()];
        let outcome = |name| {
            let labels = vec![KeyValue::new("outcome", name), group.clone()];
            meters.tally("worker.messages", "{message}", "messages by what became of them", labels)
        };
        let own = |name, unit, text| meters.tally(name, unit, text, vec![group.clone()]);
        let process = operation("process");
        Self {
            absorbed: own(
                "worker.redeliveries.absorbed",
                "{message}",
                "redeliveries of messages still in flight",
            ),
            crashes: own("worker.crashes", "{crash}", "crashes of the process while one message was alone"),
            fetch_failures: own("worker.fetch.failures", "{fetch}", "fetches the broker did not answer"),
            consumed: meters.tally(
                "messaging.client.consumed.messages",
                "{message}",
                "messages handed to the handler",
                process.to_vec(),
            ),
            outcomes: ["done", "retry", "buried", "panicked"].map(outcome),
            in_flight: meters.level("worker.in_work", "{message}", "messages in flight", vec![group.clone()]),
            processing: meters.histogram("messaging.process.duration", "s", "time from arrival to settling"),
            operation: meters.histogram(
                "messaging.client.operation.duration",
                "s",
                "time until the broker answered",
            ),
            ack: operation("ack"),
            process,
        }
    }

    pub(crate) fn in_flight(&self) -> InFlightGauge<'_> {
        self.in_flight.add(1);
        InFlightGauge(&self.in_flight)
    }

    pub(crate) fn processed(&self, outcome: Outcome, elapsed: Duration) {
        self.consumed.add(1);
        self.processing.record_with(elapsed, &self.process);
        self.outcomes[outcome as usize].add(1);
    }

    pub(crate) fn acknowledged(&self, elapsed: Duration) {
        self.operation.record_with(elapsed, &self.ack);
    }
}

impl Drop for InFlightGauge<'_> {
    fn drop(&mut self) {
        self.0.add(-1);
    }
}
