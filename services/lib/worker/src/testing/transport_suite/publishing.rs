//! Test cases for publishing and declaring.

#![expect(missing_docs, reason = "a case's name says what it proves")]

use bytes::Bytes;

use super::steps::{LOG, SHORT, bind, declare, fetch, ids, message, publish, spec, topology};
use crate::transport::{ErrorKind, MAX_MESSAGE_BYTES, Transport};

pub async fn a_repeated_id_keeps_the_first_sequence(transport: &impl Transport) {
    declare(transport).await;
    let published = publish(transport, "suite.log.a", &["one", "two", "one"]).await;
    assert_eq!(published[2].sequence, published[0].sequence);
    assert_eq!(published.iter().map(|each| each.duplicate).collect::<Vec<_>>(), [false, false, true]);
    let mut pull = bind(transport, &spec("reader")).await;
    assert_eq!(ids(&fetch(&mut pull, 10, SHORT).await), ["one", "two"]);
}

pub async fn different_ids_are_different_messages(transport: &impl Transport) {
    declare(transport).await;
    let first = transport.publish(message("suite.log.a", "one")).await.expect("taken");
    let second = transport.publish(message("suite.log.a", "two")).await.expect("taken");
    assert!(second.sequence > first.sequence && !second.duplicate);
}

pub async fn headers_and_payload_arrive_as_sent(transport: &impl Transport) {
    declare(transport).await;
    let mut sent = message("suite.log.a", "one");
    for (name, value) in [
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ("ce-subject", "%E6%A8%9F"),
    ] {
        sent.headers.insert(name, value).expect("one line under a plain name");
    }
    sent.payload = Bytes::from_static(&[0, 159, 146, 150, 10, 13]);
    let published = transport.publish(sent.clone()).await.expect("taken");
    let mut pull = bind(transport, &spec("reader")).await;
    let delivery = super::steps::fetch_one(&mut pull).await;
    assert_eq!(delivery.message, sent);
    assert_eq!((delivery.sequence, delivery.attempt), (published.sequence, 1));
}

pub async fn sequences_count_up_and_order_is_kept(transport: &impl Transport) {
    declare(transport).await;
    let published = publish(transport, "suite.log.a", &["one", "two", "three"]).await;
    let mut pull = bind(transport, &spec("reader")).await;
    let deliveries = fetch(&mut pull, 3, SHORT).await;
    assert_eq!(ids(&deliveries), ["one", "two", "three"]);
    assert!(
        deliveries
            .iter()
            .zip(&published)
            .all(|(delivery, published)| delivery.sequence == published.sequence)
    );
    assert!(deliveries.is_sorted_by_key(|delivery| (delivery.sequence, delivery.logged_at)));
}

pub async fn a_message_is_read_again_by_its_sequence(transport: &impl Transport) {
    declare(transport).await;
    let mut sent = message("suite.log.a", "one");
    sent.payload = Bytes::from_static(b"first");
    let published = transport.publish(sent.clone()).await.expect("taken");
    publish(transport, "suite.log.a", &["two"]).await;
    let read = transport.message(LOG, published.sequence).await.expect("the stream is there");
    assert_eq!(read.map(|read| read.message), Some(sent));
    let none = transport.message(LOG, published.sequence + 100).await.expect("the stream is there");
    assert_eq!(none, None);
}

pub async fn a_message_over_the_limit_is_too_large(transport: &impl Transport) {
    declare(transport).await;
    let mut large = message("suite.log.a", "large");
    large.payload = vec![7; MAX_MESSAGE_BYTES + 1].into();
    let error = transport.publish(large).await.expect_err("over the limit");
    assert_eq!(error.kind, ErrorKind::TooLarge);
}

pub async fn a_subject_without_stream_is_unavailable(transport: &impl Transport) {
    declare(transport).await;
    let error = transport.publish(message("elsewhere.a", "one")).await.expect_err("nobody takes it");
    // Not `NotFound`: a stream without a leader looks the same, and a retry succeeds once it has one.
    assert_eq!(error.kind, ErrorKind::Unavailable);
}

pub async fn declaring_twice_changes_nothing(transport: &impl Transport) {
    declare(transport).await;
    publish(transport, "suite.log.a", &["one"]).await;
    transport.declare(&topology()).await.expect("it is there already");
    let mut pull = bind(transport, &spec("reader")).await;
    assert_eq!(ids(&fetch(&mut pull, 10, SHORT).await), ["one"]);
}

pub async fn a_ping_is_answered(transport: &impl Transport) {
    transport.ping().await.expect("the broker is there");
}
