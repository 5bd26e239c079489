//! Test cases for timers.

#![expect(missing_docs, reason = "a case's name says what it proves")]

use std::time::Duration;

use tokio::time::Instant;

use super::steps::{ACK_WAIT, PATIENCE, SHORT, TIMERS, ack, bind, declare, fetch, fetch_one, message, spec};
use crate::transport::{
    ConsumerSpec, ErrorKind, Headers, Message, Published, TIMER_HEADER, Timer, Transport,
};

/// Longer than the server's shortest delay, and short enough to wait for.
const DELAY: Duration = Duration::from_millis(700);

/// Returns a timer of this name without a message id, with the payload `what`.
#[must_use]
pub fn timer(name: &str, what: &str, after: Duration) -> Timer {
    let message = Message { headers: Headers::new(), ..message(&format!("suite.timer.{name}"), what) };
    Timer { message, target: "suite.due.a".to_owned(), after, replaces: true }
}

/// Returns a consumer of the timers that fired.
#[must_use]
pub fn due_spec() -> ConsumerSpec {
    ConsumerSpec {
        stream: TIMERS.to_owned(),
        filters: vec!["suite.due.>".to_owned()],
        ack_wait: PATIENCE,
        ..spec("due")
    }
}

async fn set(transport: &impl Transport, timer: Timer) -> Published {
    transport.schedule(timer).await.expect("the stream takes timers")
}

/// Returns the payloads of `count` fired timers, and those of any more that come within [`ACK_WAIT`].
async fn fired(transport: &impl Transport, count: usize) -> Vec<String> {
    let mut pull = bind(transport, &due_spec()).await;
    let mut all = Vec::new();
    for _ in 0..count {
        all.push(fetch_one(&mut pull).await);
    }
    all.extend(fetch(&mut pull, 10, ACK_WAIT).await);
    let mut payloads = Vec::new();
    for delivery in all {
        payloads.push(String::from_utf8(delivery.message.payload.to_vec()).expect("the suite sends text"));
        ack(delivery).await;
    }
    payloads
}

pub async fn a_timer_fires_on_its_target_with_what_it_holds(transport: &impl Transport) {
    declare(transport).await;
    let mut sent = timer("a", "one", DELAY);
    for (name, value) in [("ce-type", "suite.due.v1"), ("Nats-Msg-Id", "one")] {
        sent.message.headers.insert(name, value).expect("one line under a plain name");
    }
    let started = Instant::now();
    set(transport, sent).await;
    let mut pull = bind(transport, &due_spec()).await;
    assert!(fetch(&mut pull, 1, SHORT).await.is_empty(), "fired {:?} after it was set", started.elapsed());
    let delivery = fetch_one(&mut pull).await;
    assert!(started.elapsed() >= DELAY, "fired {:?} after it was set", started.elapsed());
    assert_eq!(delivery.message.subject, "suite.due.a");
    assert_eq!(&delivery.message.payload[..], b"one");
    assert_eq!(
        delivery.message.headers.sorted(),
        [("Nats-Schedule-Next", "purge"), (TIMER_HEADER, "suite.timer.a"), ("ce-type", "suite.due.v1")]
    );
}

pub async fn a_subject_holds_one_timer(transport: &impl Transport) {
    declare(transport).await;
    set(transport, timer("a", "soon", DELAY)).await;
    set(transport, timer("a", "later", 2 * DELAY)).await;
    set(transport, timer("b", "later", 2 * DELAY)).await;
    set(transport, timer("b", "soon", DELAY)).await;
    assert_eq!(fired(transport, 2).await, ["soon", "later"], "the last one set of each");
}

pub async fn a_timer_that_replaces_none_leaves_the_one_that_is_set(transport: &impl Transport) {
    declare(transport).await;
    let careful = |what| Timer { replaces: false, ..timer("a", what, DELAY) };
    set(transport, careful("first")).await;
    let error = transport.schedule(careful("second")).await.expect_err("one is set");
    assert_eq!(error.kind, ErrorKind::Conflict);
    assert_eq!(fired(transport, 1).await, ["first"]);
    set(transport, careful("third")).await;
    assert_eq!(fired(transport, 1).await, ["third"]);
}

pub async fn timers_of_different_subjects_all_fire(transport: &impl Transport) {
    declare(transport).await;
    for (name, steps) in [("a", 3), ("b", 1), ("c", 2)] {
        set(transport, timer(name, name, DELAY * steps)).await;
    }
    assert_eq!(fired(transport, 3).await, ["b", "c", "a"]);
}

pub async fn a_timer_may_be_set_again_after_it_fired(transport: &impl Transport) {
    declare(transport).await;
    for _ in 0..2 {
        set(transport, timer("a", "again", DELAY)).await;
        assert_eq!(fired(transport, 1).await, ["again"]);
    }
}

pub async fn a_repeated_id_sets_no_timer_even_after_the_first_fired(transport: &impl Transport) {
    declare(transport).await;
    let with_id = || {
        let mut timer = timer("a", "one", DELAY);
        timer.message.headers.insert("Nats-Msg-Id", "one").expect("one line under a plain name");
        timer
    };
    assert!(!set(transport, with_id()).await.duplicate);
    assert_eq!(fired(transport, 1).await, ["one"]);
    assert!(set(transport, with_id()).await.duplicate);
    assert!(fired(transport, 0).await.is_empty());
}

pub async fn a_timer_that_fired_leaves_its_subject_empty(transport: &impl Transport) {
    declare(transport).await;
    let replaced = set(transport, timer("a", "one", PATIENCE)).await.sequence;
    let standing = set(transport, timer("a", "two", DELAY)).await.sequence;
    let read =
        |sequence| async move { transport.message(TIMERS, sequence).await.expect("the stream is there") };
    assert_eq!(read(replaced).await, None);
    assert!(read(standing).await.is_some());
    assert_eq!(fired(transport, 1).await, ["two"]);
    assert_eq!(read(standing).await, None);
}

pub async fn only_a_stream_of_timers_takes_them(transport: &impl Transport) {
    declare(transport).await;
    let message = Message { headers: Headers::new(), ..message("suite.log.timer", "one") };
    let timer = Timer { message, target: "suite.log.due".to_owned(), after: DELAY, replaces: true };
    let error = transport.schedule(timer).await.expect_err("the log takes no timers");
    assert_eq!(error.kind, ErrorKind::Other);
}
