//! Test cases for fetching and settling.

#![expect(missing_docs, reason = "a case's name says what it proves")]

use std::{collections::BTreeSet, time::Duration};

use futures::StreamExt as _;
use tokio::time::Instant;

use super::steps::{ACK_WAIT, PATIENCE, SHORT, ack, bind, declare, fetch, fetch_one, ids, publish, spec};
use crate::transport::{ConsumerSpec, ErrorKind, Pull, Transport};

/// Longer than any redelivery could take.
const NEVER: Duration = Duration::from_millis(2400);

pub async fn filters_choose_subjects(transport: &impl Transport) {
    declare(transport).await;
    publish(transport, "suite.log.parsed.360982", &["one"]).await;
    publish(transport, "suite.log.rejected.360982", &["two"]).await;
    publish(transport, "suite.log.received.360982", &["three"]).await;
    publish(transport, "suite.log.parsed.000000", &["four"]).await;
    let filters = |filters: &[&str]| filters.iter().map(ToString::to_string).collect();
    let one = ConsumerSpec { filters: filters(&["suite.log.parsed.*"]), ..spec("one") };
    assert_eq!(ids(&fetch(&mut bind(transport, &one).await, 10, SHORT).await), ["one", "four"]);
    let two =
        ConsumerSpec { filters: filters(&["suite.log.parsed.*", "suite.log.rejected.>"]), ..spec("two") };
    assert_eq!(ids(&fetch(&mut bind(transport, &two).await, 10, SHORT).await), ["one", "two", "four"]);
}

pub async fn two_consumers_each_get_everything(transport: &impl Transport) {
    declare(transport).await;
    publish(transport, "suite.log.a", &["one", "two"]).await;
    for durable in ["first", "second"] {
        let mut pull = bind(transport, &spec(durable)).await;
        assert_eq!(ids(&fetch(&mut pull, 2, PATIENCE).await), ["one", "two"], "{durable}");
    }
}

pub async fn two_pulls_of_one_durable_share_without_doubles(transport: &impl Transport) {
    declare(transport).await;
    let all: Vec<String> = (0..40).map(|number| format!("id-{number}")).collect();
    publish(transport, "suite.log.a", &all.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let spec = ConsumerSpec { ack_wait: PATIENCE, ..spec("shared") };
    let (mut left, mut right) = (bind(transport, &spec).await, bind(transport, &spec).await);
    let (left, right) = tokio::join!(fetch(&mut left, 20, PATIENCE), fetch(&mut right, 20, PATIENCE));
    let both: BTreeSet<_> = ids(&left).into_iter().chain(ids(&right)).collect();
    assert_eq!(both, all.iter().map(String::as_str).collect());
}

pub async fn a_nak_comes_back_after_its_delay(transport: &impl Transport) {
    declare(transport).await;
    publish(transport, "suite.log.a", &["one"]).await;
    let mut pull = bind(transport, &spec("reader")).await;
    let delivery = fetch_one(&mut pull).await;
    let delay = 2 * ACK_WAIT;
    let naked_at = Instant::now();
    delivery.settle.nak(delay).await.expect("the broker confirms");
    let again = fetch_one(&mut pull).await;
    assert_eq!(again.attempt, 2);
    assert!(naked_at.elapsed() >= delay, "came back after {:?}", naked_at.elapsed());
}

pub async fn an_unsettled_message_comes_back_after_ack_wait(transport: &impl Transport) {
    declare(transport).await;
    publish(transport, "suite.log.a", &["one"]).await;
    let mut pull = bind(transport, &spec("reader")).await;
    let first = fetch_one(&mut pull).await;
    let out_since = Instant::now();
    let second = fetch_one(&mut pull).await;
    assert_eq!((second.sequence, second.attempt), (first.sequence, 2));
    // The time counts from when the server sent the message, slightly before it arrived here.
    assert!(out_since.elapsed() >= ACK_WAIT / 2, "came back after {:?}", out_since.elapsed());
}

pub async fn progress_puts_redelivery_off(transport: &impl Transport) {
    declare(transport).await;
    publish(transport, "suite.log.a", &["one"]).await;
    let mut pull = bind(transport, &spec("reader")).await;
    let delivery = fetch_one(&mut pull).await;
    for _ in 0..6 {
        assert!(fetch(&mut pull, 1, ACK_WAIT / 3).await.is_empty(), "came back in spite of progress");
        delivery.settle.progress().await.expect("the broker confirms");
    }
    ack(delivery).await;
    assert!(fetch(&mut pull, 1, NEVER).await.is_empty());
}

pub async fn an_acknowledged_message_never_comes_back(transport: &impl Transport) {
    declare(transport).await;
    publish(transport, "suite.log.a", &["one"]).await;
    let mut pull = bind(transport, &spec("reader")).await;
    ack(fetch_one(&mut pull).await).await;
    assert!(fetch(&mut pull, 1, NEVER).await.is_empty());
}

pub async fn a_terminated_message_never_comes_back(transport: &impl Transport) {
    declare(transport).await;
    publish(transport, "suite.log.a", &["one"]).await;
    let mut pull = bind(transport, &spec("reader")).await;
    let delivery = fetch_one(&mut pull).await;
    delivery.settle.term("UNDECODABLE").await.expect("the broker confirms");
    assert!(fetch(&mut pull, 1, NEVER).await.is_empty());
    assert_eq!(advisories(transport, "MSG_TERMINATED").await, 1);
}

pub async fn deliveries_have_no_limit(transport: &impl Transport) {
    declare(transport).await;
    publish(transport, "suite.log.a", &["one"]).await;
    let mut pull = bind(transport, &spec("reader")).await;
    for attempt in 1..=30 {
        let delivery = fetch_one(&mut pull).await;
        assert_eq!(delivery.attempt, attempt);
        delivery.settle.nak(Duration::ZERO).await.expect("the broker confirms");
    }
}

pub async fn max_ack_pending_bounds_what_is_out(transport: &impl Transport) {
    declare(transport).await;
    publish(transport, "suite.log.a", &["one", "two", "three"]).await;
    let spec = ConsumerSpec { max_ack_pending: Some(2), ack_wait: PATIENCE, ..spec("reader") };
    let mut pull = bind(transport, &spec).await;
    let mut out = fetch(&mut pull, 3, SHORT).await;
    assert_eq!(ids(&out), ["one", "two"]);
    ack(out.remove(0)).await;
    assert_eq!(ids(&fetch(&mut pull, 3, SHORT).await), ["three"]);
}

pub async fn a_fetch_yields_no_more_than_asked(transport: &impl Transport) {
    declare(transport).await;
    publish(transport, "suite.log.a", &["one", "two", "three"]).await;
    let mut pull = bind(transport, &spec("reader")).await;
    // A fetch that has yielded `max` messages does not wait until it expires.
    let started = Instant::now();
    assert_eq!(ids(&fetch(&mut pull, 2, PATIENCE).await), ["one", "two"]);
    assert!(started.elapsed() < PATIENCE);
    assert_eq!(ids(&fetch(&mut pull, 2, SHORT).await), ["three"]);
}

pub async fn an_empty_fetch_ends_when_it_expires(transport: &impl Transport) {
    declare(transport).await;
    let mut pull = bind(transport, &spec("reader")).await;
    let started = Instant::now();
    assert!(fetch(&mut pull, 5, ACK_WAIT).await.is_empty());
    assert!(started.elapsed() >= ACK_WAIT / 2 && started.elapsed() < PATIENCE, "{:?}", started.elapsed());
}

pub async fn a_waiting_fetch_sees_a_later_message(transport: &impl Transport) {
    declare(transport).await;
    let mut pull = bind(transport, &spec("reader")).await;
    let mut batch = pull.fetch(2, PATIENCE).await.expect("the broker is there");
    publish(transport, "suite.log.a", &["one"]).await;
    let delivery = batch.next().await.expect("the batch goes on").expect("the batch is well");
    assert_eq!(delivery.sequence, 1);
    ack(delivery).await;
    publish(transport, "suite.log.a", &["two"]).await;
    let delivery = batch.next().await.expect("the batch goes on").expect("the batch is well");
    assert_eq!((delivery.sequence, delivery.attempt), (2, 1));
    assert!(batch.next().await.is_none(), "two were asked for");
}

pub async fn a_dropped_fetch_loses_nothing(transport: &impl Transport) {
    declare(transport).await;
    publish(transport, "suite.log.a", &["one", "two", "three"]).await;
    let mut pull = bind(transport, &spec("reader")).await;
    let mut batch = pull.fetch(3, PATIENCE).await.expect("the broker is there");
    let first = batch.next().await.expect("the batch goes on").expect("the batch is well");
    ack(first).await;
    drop(batch);
    let mut later = vec![fetch_one(&mut pull).await, fetch_one(&mut pull).await];
    later.sort_by_key(|delivery| delivery.sequence);
    assert_eq!(ids(&later), ["two", "three"]);
}

pub async fn a_consumer_bound_again_takes_new_settings(transport: &impl Transport) {
    declare(transport).await;
    publish(transport, "suite.log.a", &["one"]).await;
    ack(fetch_one(&mut bind(transport, &spec("reader")).await).await).await;
    publish(transport, "suite.log.b", &["two"]).await;
    publish(transport, "suite.log.c", &["three"]).await;
    let changed = ConsumerSpec { filters: vec!["suite.log.c".to_owned()], ..spec("reader") };
    let mut pull: Box<dyn Pull> = bind(transport, &changed).await;
    assert_eq!(ids(&fetch(&mut pull, 5, SHORT).await), ["three"]);
}

pub async fn a_consumer_of_no_stream_is_not_found(transport: &impl Transport) {
    declare(transport).await;
    let nowhere = ConsumerSpec { stream: "SUITE_NOWHERE".to_owned(), ..spec("reader") };
    let Err(error) = transport.consumer(&nowhere).await else { panic!("there is no such stream") };
    assert_eq!(error.kind, ErrorKind::NotFound);
}

/// Returns the number of advisories of a kind.
async fn advisories(transport: &impl Transport, kind: &str) -> usize {
    let filters = vec![format!("$JS.EVENT.ADVISORY.CONSUMER.{kind}.>")];
    let spec = ConsumerSpec { stream: "SUITE_ADVISORIES".to_owned(), filters, ..spec("alarm") };
    fetch(&mut bind(transport, &spec).await, 5, SHORT).await.len()
}
