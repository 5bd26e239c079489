//! What the broker knows of the consumers, dead letters and streams of a service, as metrics.
//!
//! Each service asks for its own consumers and its own dead letters, and all have the figures of the streams from the
//! inspection that a process makes anyway. Replicas export the same figure, which is the broker's. A figure that the
//! broker did not give is absent: it is not known, and the last one would mislead.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::KeyValue;
use tokio::time::sleep;

use crate::clock::Clock;
use crate::metrics::{Figure, Meters};
use crate::transport::{ConsumerLag, ConsumerSpec, Error, Storage, TopologyPart, Transport};

/// Time between two questions.
const INTERVAL: Duration = Duration::from_secs(10);
/// Time between two questions while the broker does not answer, or has no such consumer yet.
const SOON: Duration = Duration::from_secs(1);

/// The figures of one consumer.
pub(crate) struct ConsumerFigures {
    spec: ConsumerSpec,
    transport: Arc<dyn Transport>,
    pending: Figure,
    in_flight: Figure,
    redelivered: Figure,
    oldest: Figure,
}

/// The figures of all streams and buckets.
#[derive(Debug, Clone)]
pub(crate) struct StorageFigures(Vec<(TopologyPart, Figure, Figure)>);

// === impl ConsumerFigures ===

impl ConsumerFigures {
    pub(crate) fn new(meters: &Meters, spec: &ConsumerSpec, transport: Arc<dyn Transport>) -> Self {
        let figure = |name, unit, text| {
            let group = KeyValue::new("messaging.consumer.group.name", spec.durable.clone());
            meters.figure(name, unit, text, vec![group])
        };
        Self {
            pending: figure("worker.consumer.pending", "{message}", "messages not delivered yet"),
            in_flight: figure("worker.consumer.in_flight", "{message}", "messages delivered and not settled"),
            redelivered: figure(
                "worker.consumer.redelivered",
                "{message}",
                "messages in flight that were delivered before",
            ),
            oldest: figure(
                "worker.consumer.oldest.age",
                "s",
                "age of the oldest message that is not settled",
            ),
            spec: spec.clone(),
            transport,
        }
    }

    /// Asks regularly, until it is dropped.
    pub(crate) async fn follow(self, clock: Clock) {
        loop {
            // The runtime logs outages.
            let known = self.ask(&clock).await.ok().flatten();
            self.show(known);
            sleep(if known.is_some() { INTERVAL } else { SOON }).await;
        }
    }

    /// Returns the progress and the age of the oldest message that is not settled, or `None` if there is no consumer.
    async fn ask(&self, clock: &Clock) -> Result<Option<(ConsumerLag, f64)>, Error> {
        let ConsumerSpec { stream, durable, filters, .. } = &self.spec;
        let Some(lag) = self.transport.consumer_lag(stream, durable).await? else { return Ok(None) };
        let oldest = match lag.outstanding {
            0 => None,
            _ => self.transport.first_after(stream, filters, lag.floor).await?,
        };
        let age =
            oldest.map_or(0.0, |(_, logged)| (clock.now() - logged.logged_at).as_seconds_f64().max(0.0));
        Ok(Some((lag, age)))
    }

    fn show(&self, known: Option<(ConsumerLag, f64)>) {
        let lag = known.map(|(lag, _)| lag);
        self.pending.set(lag.map(|lag| number(lag.outstanding.saturating_sub(lag.in_flight))));
        self.in_flight.set(lag.map(|lag| number(lag.in_flight)));
        self.redelivered.set(lag.map(|lag| number(lag.redelivered)));
        self.oldest.set(known.map(|(_, age)| age));
    }
}

impl Drop for ConsumerFigures {
    fn drop(&mut self) {
        self.show(None);
    }
}

/// Counts the dead letters of a service regularly. Never returns.
pub(crate) async fn count_dead_letters(
    meters: Meters,
    transport: Arc<dyn Transport>,
    stream: &str,
    subject: String,
) {
    let figure = meters.figure("worker.dead.letters", "{message}", "dead letters of the service", Vec::new());
    loop {
        figure.set(transport.count(stream, &subject).await.ok().map(number));
        sleep(INTERVAL).await;
    }
}

// === impl StorageFigures ===

impl StorageFigures {
    pub(crate) fn new(meters: &Meters, parts: impl Iterator<Item = TopologyPart>) -> Self {
        let figures = parts.map(|part| {
            let figure = |name, text| {
                let stream = KeyValue::new("messaging.nats.stream", part.stream_name());
                meters.figure(name, "By", text, vec![stream])
            };
            let bytes = figure("worker.stream.size", "bytes that the stream stores");
            (part, bytes, figure("worker.stream.limit", "most bytes that the stream may store"))
        });
        Self(figures.collect())
    }

    /// Shows the storage of the parts for which it is known.
    pub(crate) fn show(&self, known: &[(TopologyPart, Storage)]) {
        for (part, bytes, limit) in &self.0 {
            let storage = known.iter().find(|(known, _)| known == part).map(|(_, storage)| storage);
            bytes.set(storage.map(|storage| number(storage.bytes)));
            limit.set(storage.and_then(|storage| storage.limit).map(number));
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "metrics are floating point, and exact up to 2^53")]
fn number(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::transport::memory::{Fault, Memory, Operation};
    use crate::transport::{Headers, Message, Topology};

    async fn publish(memory: &Memory) {
        let message = Message { subject: "in.a".to_owned(), headers: Headers::new(), payload: Bytes::new() };
        memory.publish(message).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_consumer_has_figures_only_while_the_broker_gives_them() {
        let memory = Memory::new();
        let topology = Topology { streams: vec![("IN", &["in.>"], None)], ..Topology::default() };
        memory.declare(&topology).await.unwrap();
        let spec = ConsumerSpec {
            stream: "IN".to_owned(),
            durable: "stage".to_owned(),
            filters: Vec::new(),
            ack_wait: Duration::from_secs(30),
            max_ack_pending: Some(10),
            forget_after: None,
        };
        let meters = Meters::local();
        let figures = ConsumerFigures::new(&meters, &spec, Arc::new(memory.clone()));
        let following = tokio::spawn(figures.follow(Clock::system()));
        let shown = || async {
            sleep(INTERVAL * 2).await;
            let text = meters.text().unwrap();
            text.lines().filter(|line| line.starts_with("worker_consumer_")).count()
        };
        publish(&memory).await;
        assert_eq!(shown().await, 0, "there is no consumer");
        drop(memory.consumer(&spec).await.unwrap());
        assert_eq!(shown().await, 4);
        let text = meters.text().unwrap();
        assert!(
            text.contains("worker_consumer_pending{messaging_consumer_group_name=\"stage\"} 1"),
            "{text}"
        );
        memory.plan(Fault::fail(Operation::Inspect).always());
        assert_eq!(shown().await, 0, "the broker does not answer");
        memory.heal();
        assert_eq!(shown().await, 4);
        following.abort();
        following.await.unwrap_err();
        assert_eq!(shown().await, 0, "nobody consumes any more");
    }
}
