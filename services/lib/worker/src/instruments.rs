//! What is measured at each message of one consumer.

use std::time::Duration;

use opentelemetry::KeyValue;

use crate::metrics::{Histogram, Meters, Tally};

/// What became of a message; the closed set of the label `outcome`.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Outcome {
    Done,
    Retry,
    Buried,
    Panicked,
}

/// The instruments of one consumer; all exist at zero from the start.
pub(crate) struct Instruments {
    /// Redeliveries of messages still in work.
    pub(crate) absorbed: Tally,
    /// Failed fetches.
    pub(crate) fetch_failures: Tally,
    consumed: Tally,
    outcomes: [Tally; 4],
    in_work: Tally,
    processing: Histogram,
    operation: Histogram,
    process: [KeyValue; 3],
    ack: [KeyValue; 3],
}

/// Counts one message in work while it lives.
pub(crate) struct InWorkGauge<'a>(&'a Tally);

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
                "redeliveries of messages still in work",
            ),
            fetch_failures: own("worker.fetch.failures", "{fetch}", "fetches the broker did not answer"),
            consumed: meters.tally(
                "messaging.client.consumed.messages",
                "{message}",
                "messages handed to the handler",
                process.to_vec(),
            ),
            outcomes: ["done", "retry", "buried", "panicked"].map(outcome),
            in_work: meters.level("worker.in_work", "{message}", "messages in work", vec![group.clone()]),
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

    pub(crate) fn in_work(&self) -> InWorkGauge<'_> {
        self.in_work.add(1);
        InWorkGauge(&self.in_work)
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

impl Drop for InWorkGauge<'_> {
    fn drop(&mut self) {
        self.0.add(-1);
    }
}
