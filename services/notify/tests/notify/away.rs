//! Receivers that are away, or refuse some alerts: which alerts wait, in which order they are delivered, when they are
//! given up.
//!
//! Time and receivers are real; the delays are shortened.

use std::collections::BTreeSet;

use gongkai_worker::transport::memory::{Fault, Memory, Operation};

use crate::{
    delivery::{config, raise, resolve},
    receiver::{Receiver, Request},
    running::Running,
};

/// Starts notify with one webhook, whose receiver is away with this status, and short delays.
async fn started(status: u16, delays_s: &[u64]) -> (Running, Receiver) {
    let (receiver, url) = Receiver::start([]).await;
    receiver.goes_away(status);
    let mut config = config(&url, "");
    config.retry_delays_s = delays_s.to_vec();
    (Running::start(Memory::new(), config).await, receiver)
}

/// Returns the alerts that the receiver accepted, in their order.
fn taken(receiver: &Receiver) -> Vec<String> {
    receiver.taken().iter().map(Request::alert_id).collect()
}

#[tokio::test]
async fn what_waits_comes_in_the_order_of_the_stream_and_before_what_is_new() {
    let (running, receiver) = started(503, &[1, 1, 1, 1]).await;
    raise(&running, "m0", "a0").await;
    running.until_waiting("office", 1).await;
    let before = receiver.seen().len();
    for n in 1..100 {
        raise(&running, &format!("m{n}"), &format!("a{n}")).await;
    }
    resolve(&running, "m100", "a5").await;
    running.until_waiting("office", 101).await;
    receiver.until("a second try", |receiver| receiver.seen().len() > before).await;
    let tries: BTreeSet<_> = receiver.seen().iter().map(Request::alert_id).collect();
    assert_eq!(tries, BTreeSet::from(["a0".to_owned()]), "only the first is tried");
    receiver.comes_back();
    raise(&running, "m101", "a101").await;
    running.caught_up("office").await;
    let taken = receiver.taken();
    assert_eq!(taken.len(), 102);
    assert!(taken.is_sorted_by_key(Request::sequence));
    assert!(running.dead().is_empty());
    running.stop().await;
}

#[tokio::test]
async fn the_end_of_an_alert_does_not_overtake_its_beginning() {
    let (running, receiver) = started(503, &[2, 2, 2]).await;
    raise(&running, "m1", "a1").await;
    resolve(&running, "m2", "a1").await;
    running.until_waiting("office", 2).await;
    receiver.comes_back();
    running.caught_up("office").await;
    let taken = receiver.taken();
    let states: Vec<_> = taken.iter().map(|request| request.body["data"]["state"].clone()).collect();
    assert_eq!(states, ["raised", "resolved"]);
    running.stop().await;
}

#[tokio::test]
async fn after_the_last_attempt_there_is_one_dead_letter_and_the_next_alert_is_tried_at_once() {
    let (running, receiver) = started(503, &[1, 1]).await;
    for n in 0..5 {
        raise(&running, &format!("m{n}"), &format!("a{n}")).await;
    }
    running.until_waiting("office", 5).await;
    running.memory.until(|memory| memory.messages("gongkai.v1.dead.*").len() == 5).await;
    running.caught_up("office").await;
    let dead: BTreeSet<_> =
        running.dead().into_iter().map(|letter| (letter.code, letter.message_id)).collect();
    let expected = (0..5).map(|n| ("ATTEMPTS_EXHAUSTED".to_owned(), format!("m{n}")));
    assert_eq!(dead, expected.collect());
    receiver.comes_back();
    raise(&running, "m5", "a5").await;
    running.caught_up("office").await;
    assert_eq!(taken(&receiver), ["a5"]);
    assert_eq!(running.dead().len(), 5);
    running.stop().await;
}

#[tokio::test]
async fn an_alert_that_the_receiver_fails_on_holds_up_only_itself() {
    let (running, receiver) = started(500, &[1, 1, 20]).await;
    receiver.dislikes("bad", 500);
    raise(&running, "m1", "bad").await;
    running.until_waiting("office", 1).await;
    for n in 2..6 {
        raise(&running, &format!("m{n}"), &format!("a{n}")).await;
    }
    resolve(&running, "m6", "bad").await;
    running.until_waiting("office", 6).await;
    receiver.comes_back();
    running.until_waiting("office", 2).await;
    raise(&running, "m7", "a7").await;
    receiver.until("the others", |receiver| receiver.taken().len() == 5).await;
    assert_eq!(taken(&receiver), ["a2", "a3", "a4", "a5", "a7"]);
    receiver.dislikes("bad", 204);
    running.caught_up("office").await;
    assert_eq!(taken(&receiver)[5..], ["bad", "bad"], "the beginning and the end");
    running.stop().await;
}

#[tokio::test]
async fn what_waits_outlives_a_restart_and_a_kill() {
    let (running, receiver) = started(503, &[2, 2, 2, 2]).await;
    let config = || {
        let mut config = config(&receiver.url(), "");
        config.retry_delays_s = vec![2, 2, 2, 2];
        config
    };
    raise(&running, "m1", "a1").await;
    running.until_waiting("office", 1).await;
    let memory = running.stop().await;
    let running = Running::start(memory, config()).await;
    raise(&running, "m2", "a2").await;
    running.until_waiting("office", 2).await;
    let memory = running.kill().await;
    receiver.comes_back();
    let running = Running::start(memory, config()).await;
    running.caught_up("office").await;
    assert_eq!(taken(&receiver), ["a1", "a2"]);
    running.stop().await;
}

#[tokio::test]
async fn a_broker_that_loses_answers_loses_no_alert_and_repeats_none() {
    let (running, receiver) = started(503, &[2, 2, 2]).await;
    let memory = &running.memory;
    memory.plan(Fault::lose_answer(Operation::Schedule).times(2));
    memory.plan(Fault::lose_answer(Operation::Write).on("office").times(3));
    raise(&running, "m1", "a1").await;
    raise(&running, "m2", "a2").await;
    running.until_waiting("office", 2).await;
    receiver.comes_back();
    memory.plan(Fault::fail(Operation::Write).on("office/a1").times(3));
    memory.plan(Fault::fail(Operation::Write).on("office").times(2));
    running.caught_up("office").await;
    assert_eq!(taken(&receiver), ["a1", "a2"]);
    running.stop().await;
}
