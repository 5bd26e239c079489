//! The cases every transport must pass, and [`transport_test_suite!`](crate::transport_test_suite) that makes them tests.
//!
//! The in-memory transport is worth what these cases prove: they run over it and over a real server, from one text. A
//! case is given a transport with nothing declared and waits for what it can see; the few that prove that something does
//! *not* happen wait for a multiple of [`ACK_WAIT`].

mod delivery;
mod publishing;
mod storing;

use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt as _;

pub use self::{delivery::*, publishing::*, storing::*};
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

/// Makes a test of each case. Takes the attributes of the tests and an async function that makes a transport; what the
/// transport needs to live (a server) comes second and is dropped after the case.
///
/// ```ignore
/// transport_test_suite!(#[tokio::test(start_paused = true)] memory);
/// ```
#[macro_export]
macro_rules! transport_test_suite {
    ($(#[$attribute:meta])* $setup:path) => {
        $crate::transport_test_suite!(@cases [$(#[$attribute])*] $setup;
            a_repeated_id_keeps_the_first_sequence
            different_ids_are_different_messages
            headers_and_payload_arrive_as_sent
            sequences_count_up_and_order_is_kept
            a_message_is_read_again_by_its_sequence
            a_message_over_the_limit_is_too_large
            a_subject_without_stream_is_unavailable
            declaring_twice_changes_nothing
            filters_choose_subjects
            two_consumers_each_get_everything
            two_pulls_of_one_durable_share_without_doubles
            a_nak_comes_back_after_its_delay
            an_unsettled_message_comes_back_after_ack_wait
            progress_puts_redelivery_off
            an_acknowledged_message_never_comes_back
            a_terminated_message_never_comes_back
            a_message_out_of_deliveries_never_comes_back
            max_ack_pending_bounds_what_is_out
            a_fetch_yields_no_more_than_asked
            an_empty_fetch_ends_when_it_expires
            a_waiting_fetch_sees_a_later_message
            a_dropped_fetch_loses_nothing
            a_consumer_bound_again_takes_new_settings
            a_consumer_of_no_stream_is_not_found
            an_object_is_read_as_written
            an_object_is_replaced
            a_deleted_object_is_gone
            an_object_of_many_chunks_is_whole
            an_undeclared_bucket_is_not_found
            an_entry_is_created_once
            an_update_needs_the_present_revision
            a_deleted_entry_can_be_created_again
            a_watch_sees_present_and_later_values
            a_watch_of_an_absent_entry_sees_its_creation
            a_ping_is_answered
        );
    };
    (@cases $attributes:tt $setup:path; $($case:ident)*) => {
        $($crate::transport_test_suite!(@case $attributes $setup; $case);)*
    };
    (@case [$(#[$attribute:meta])*] $setup:path; $case:ident) => {
        $(#[$attribute])*
        async fn $case() {
            let (transport, _alive) = $setup().await;
            $crate::testing::transport_suite::$case(&transport).await;
        }
    };
}

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

async fn declare(transport: &impl Transport) {
    transport.declare(&topology()).await.expect("the suite's topology can be declared");
}

async fn publish(transport: &impl Transport, subject: &str, ids: &[&str]) -> Vec<Published> {
    let mut published = Vec::new();
    for id in ids {
        published.push(transport.publish(message(subject, id)).await.expect("the stream takes it"));
    }
    published
}

async fn bind(transport: &impl Transport, spec: &ConsumerSpec) -> Box<dyn Pull> {
    transport.consumer(spec).await.expect("the stream exists")
}

/// Everything one fetch yields.
async fn fetch(pull: &mut Box<dyn Pull>, max: usize, expires: Duration) -> Vec<Delivery> {
    let batch = pull.fetch(max, expires).await.expect("the broker is there");
    let deliveries: Vec<Result<Delivery, Error>> = batch.collect().await;
    deliveries.into_iter().map(|delivery| delivery.expect("the batch ends well")).collect()
}

/// The next message, which must come.
async fn fetch_one(pull: &mut Box<dyn Pull>) -> Delivery {
    fetch(pull, 1, PATIENCE).await.pop().expect("a message comes")
}

fn ids(deliveries: &[Delivery]) -> Vec<&str> {
    deliveries.iter().map(|delivery| &delivery.message.headers[MESSAGE_ID]).collect()
}

async fn ack(delivery: Delivery) {
    delivery.settle.ack().await.expect("the broker confirms");
}
