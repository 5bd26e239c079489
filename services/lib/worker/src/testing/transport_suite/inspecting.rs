//! Test cases for the state of streams and the progress of consumers.

#![expect(missing_docs, reason = "a case's name says what it proves")]

use std::time::Duration;

use super::steps::{LOG, ack, bind, declare, fetch_one, publish, spec};
use crate::transport::{ConsumerLag, ErrorKind, Transport};

pub async fn a_stream_says_since_when_it_is_and_how_far_it_reaches(transport: &impl Transport) {
    declare(transport).await;
    let missing = transport.stream_state("SUITE_NONE").await.expect_err("there is no such stream");
    assert_eq!(missing.kind, ErrorKind::NotFound, "{missing}");
    let empty = transport.stream_state(LOG).await.expect("the stream is there");
    assert_eq!(empty.last_sequence, 0);
    publish(transport, "suite.log.a", &["one", "two"]).await;
    publish(transport, "suite.log.b", &["three"]).await;
    let filled = transport.stream_state(LOG).await.expect("the stream is there");
    assert_eq!((filled.created, filled.first_sequence, filled.last_sequence), (empty.created, 1, 3));
    for (filter, expected) in [("suite.log.a", 2), ("suite.log.*", 3), ("suite.log.none", 0)] {
        assert_eq!(transport.count(LOG, filter).await.expect("the stream is there"), expected, "{filter}");
    }
}

pub async fn a_consumer_says_how_far_it_is(transport: &impl Transport) {
    declare(transport).await;
    publish(transport, "suite.log.a", &["one", "two", "three"]).await;
    let lag = async || transport.consumer_lag(LOG, "lagging").await.expect("the stream is there");
    let expected =
        |outstanding, in_flight, floor| Some(ConsumerLag { outstanding, in_flight, redelivered: 0, floor });
    assert_eq!(lag().await, None);
    let mut pull = bind(transport, &spec("lagging")).await;
    assert_eq!(lag().await, expected(3, 0, 0));
    ack(fetch_one(&mut pull).await).await;
    assert_eq!(lag().await, expected(2, 0, 1));
    let second = fetch_one(&mut pull).await;
    ack(fetch_one(&mut pull).await).await;
    assert_eq!(lag().await, expected(1, 1, 1));
    ack(second).await;
    assert_eq!(lag().await, expected(0, 0, 3));
}

pub async fn a_consumer_counts_what_is_delivered_again(transport: &impl Transport) {
    declare(transport).await;
    publish(transport, "suite.log.a", &["one"]).await;
    let mut pull = bind(transport, &spec("again")).await;
    fetch_one(&mut pull).await.settle.nak(Duration::ZERO).await.expect("reached");
    let again = fetch_one(&mut pull).await;
    let lag = transport.consumer_lag(LOG, "again").await.expect("the stream is there");
    assert_eq!(lag, Some(ConsumerLag { outstanding: 1, in_flight: 1, redelivered: 1, floor: 0 }));
    ack(again).await;
}

pub async fn the_first_message_after_a_sequence_is_found_by_its_subject(transport: &impl Transport) {
    declare(transport).await;
    publish(transport, "suite.log.a", &["one"]).await;
    publish(transport, "suite.log.b", &["two", "three"]).await;
    let mut logged = Vec::new();
    for sequence in 1..=3 {
        let message = transport.message(LOG, sequence).await.expect("the stream is there");
        logged.push(Some((sequence, message.expect("the message is there"))));
    }
    let first = async |filters: &[&str], sequence| {
        let filters: Vec<String> = filters.iter().map(|filter| (*filter).to_owned()).collect();
        transport.first_after(LOG, &filters, sequence).await.expect("the stream is there")
    };
    assert_eq!(first(&[], 0).await, logged[0]);
    assert_eq!(first(&["suite.log.b"], 0).await, logged[1]);
    assert_eq!(first(&["suite.log.b", "suite.log.a"], 0).await, logged[0]);
    assert_eq!(first(&["suite.log.*"], 2).await, logged[2]);
    assert_eq!(first(&["suite.log.a"], 1).await, None);
}
