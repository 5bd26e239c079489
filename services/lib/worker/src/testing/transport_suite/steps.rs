//! The topology of the cases, and the steps that they share.

use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt as _;

use crate::transport::{
    ConsumerSpec, Delivery, Error, Headers, MESSAGE_ID, Message, Published, Pull, Topology, Transport,
};

/// Short enough to wait for a redelivery, and long compared with a round trip to a busy server.
pub const ACK_WAIT: Duration = Duration::from_millis(800);
/// Longer than any expected message takes.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// A short wait, for messages that should be there already or must not come.
pub const SHORT: Duration = Duration::from_millis(400);

/// A stream without an age limit.
pub const LOG: &str = "SUITE_LOG";
/// A stream of timers.
pub const TIMERS: &str = "SUITE_TIMERS";
/// A bucket of objects.
pub const OBJECTS: &str = "suite-objects";
/// A bucket of entries.
pub const ENTRIES: &str = "suite-entries";

/// Returns the topology of the cases.
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
        timers: vec![(TIMERS, &["suite.timer.>", "suite.due.>"], Some(1))],
        objects: vec![OBJECTS],
        entries: vec![ENTRIES],
        expiring: Vec::new(),
    }
}

/// Creates a message with an id.
#[must_use]
pub fn message(subject: &str, id: &str) -> Message {
    let mut headers = Headers::new();
    headers.insert(MESSAGE_ID, id).expect("an id of the suite is one line of ASCII");
    Message { subject: subject.to_owned(), headers, payload: Bytes::from(id.to_owned()) }
}

/// Returns a consumer of all messages of [`LOG`].
#[must_use]
pub fn spec(durable: &str) -> ConsumerSpec {
    ConsumerSpec {
        stream: LOG.to_owned(),
        durable: durable.to_owned(),
        filters: Vec::new(),
        ack_wait: ACK_WAIT,
        max_ack_pending: None,
        forget_after: None,
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

/// Returns everything that one fetch yields.
pub(super) async fn fetch(pull: &mut Box<dyn Pull>, max: usize, expires: Duration) -> Vec<Delivery> {
    let batch = pull.fetch(max, expires).await.expect("the broker is there");
    let deliveries: Vec<Result<Delivery, Error>> = batch.collect().await;
    deliveries.into_iter().map(|delivery| delivery.expect("the batch ends well")).collect()
}

/// Returns the next message. Panics if none comes.
pub(super) async fn fetch_one(pull: &mut Box<dyn Pull>) -> Delivery {
    fetch(pull, 1, PATIENCE).await.pop().expect("a message comes")
}

pub(super) fn ids(deliveries: &[Delivery]) -> Vec<&str> {
    deliveries.iter().map(|delivery| &delivery.message.headers[MESSAGE_ID]).collect()
}

pub(super) async fn ack(delivery: Delivery) {
    delivery.settle.ack().await.expect("the broker confirms");
}
