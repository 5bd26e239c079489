//! Test cases for the state of streams and the progress of consumers.

#![expect(missing_docs, reason = "a case's name says what it proves")]

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
    assert_eq!(lag().await, None);
    let mut pull = bind(transport, &spec("lagging")).await;
    assert_eq!(lag().await, Some(ConsumerLag { outstanding: 3, floor: 0 }));
    ack(fetch_one(&mut pull).await).await;
    assert_eq!(lag().await, Some(ConsumerLag { outstanding: 2, floor: 1 }));
    let second = fetch_one(&mut pull).await;
    ack(fetch_one(&mut pull).await).await;
    assert_eq!(lag().await, Some(ConsumerLag { outstanding: 1, floor: 1 }));
    ack(second).await;
    assert_eq!(lag().await, Some(ConsumerLag { outstanding: 0, floor: 3 }));
}
