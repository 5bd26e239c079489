//! What the cases work on, and the steps they are made of.

use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt as _;

use crate::transport::{
    ConsumerSpec, Delivery, Error, Headers, MESSAGE_ID, Message, Published, Pull, Topology, Transport,
};

/// Short, so that a redelivery can be waited for; long against a round trip to a busy server.
pub const ACK_WAIT: Duration = Duration::from_millis(800);
/// Longer than any message takes that does come.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// Short wait for what should be there already, or never comes.
pub const SHORT: Duration = Duration::from_millis(400);

/// The log of record: no age limit.
pub const LOG: &str = "SUITE_LOG";
/// Objects.
pub const OBJECTS: &str = "suite-objects";
/// Entries.
pub const ENTRIES: &str = "suite-entries";

/// What the cases work on.
#[must_use]
pub fn topology() -> Topology {
    Topology {
        streams: vec![
            (LOG, &["suite.log.>"], None),
            ("SUITE_SHORT", &["suite.short.>"], Some(1)),
            (
                "SUITE_ADVISORIES",
                &[
                    "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.>",
                    "$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.>",
                ],
                Some(7),
            ),
        ],
        objects: vec![OBJECTS],
        entries: vec![ENTRIES],
    }
}

/// A message with an id.
#[must_use]
pub fn message(subject: &str, id: &str) -> Message {
    let mut headers = Headers::new();
    headers.insert(MESSAGE_ID, id).expect("an id of the suite is one line of ASCII");
    Message { subject: subject.to_owned(), headers, payload: Bytes::from(id.to_owned()) }
}

/// A consumer of the log that takes everything.
#[must_use]
pub fn spec(durable: &str) -> ConsumerSpec {
    ConsumerSpec {
        stream: LOG.to_owned(),
        durable: durable.to_owned(),
        filters: Vec::new(),
        ack_wait: ACK_WAIT,
        max_ack_pending: 100,
        max_deliver: 10,
    }
}

pub(super) async fn declare(transport: &impl Transport) {
    transport.declare(&topology()).await.expect("the suite's topology can be declared");
}

pub(super) async fn publish(transport: &impl Transport, subject: &str, ids: &[&str]) -> Vec<Published> {
    let mut published = Vec::new();
    for id in ids {
        published.push(transport.publish(message(subject, id)).await.expect("the stream takes it"));
    }
    published
}

pub(super) async fn bind(transport: &impl Transport, spec: &ConsumerSpec) -> Box<dyn Pull> {
    transport.consumer(spec).await.expect("the stream exists")
}

/// Everything one fetch yields.
pub(super) async fn fetch(pull: &mut Box<dyn Pull>, max: usize, expires: Duration) -> Vec<Delivery> {
    let batch = pull.fetch(max, expires).await.expect("the broker is there");
    let deliveries: Vec<Result<Delivery, Error>> = batch.collect().await;
    deliveries.into_iter().map(|delivery| delivery.expect("the batch ends well")).collect()
}

/// The next message, which must come.
pub(super) async fn fetch_one(pull: &mut Box<dyn Pull>) -> Delivery {
    fetch(pull, 1, PATIENCE).await.pop().expect("a message comes")
}

pub(super) fn ids(deliveries: &[Delivery]) -> Vec<&str> {
    deliveries.iter().map(|delivery| &delivery.message.headers[MESSAGE_ID]).collect()
}

pub(super) async fn ack(delivery: Delivery) {
    delivery.settle.ack().await.expect("the broker confirms");
}
