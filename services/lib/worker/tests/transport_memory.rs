//! Features that only the in-memory transport has: visible state and a fault plan.

use std::time::Duration;

use futures::StreamExt as _;
use gongkai_worker::{
    Transport,
    testing::transport_suite::{ACK_WAIT, ENTRIES, LOG, OBJECTS, PATIENCE, message, spec, topology},
    transport::{
        Delivery, ErrorKind, Pull,
        memory::{ConsumerState, Cut, Fault, Memory, Operation, SettlementOutcome},
    },
};
use tokio::time::Instant;

async fn declared() -> Memory {
    let memory = Memory::new();
    memory.declare(&topology()).await.expect("no fault is planned");
    memory
}

async fn publish(memory: &Memory, ids: &[&str]) {
    for id in ids {
        memory.publish(message("suite.log.a", id)).await.expect("no fault is planned");
    }
}

async fn fetch_one(pull: &mut Box<dyn Pull>) -> Delivery {
    let mut batch = pull.fetch(1, PATIENCE).await.expect("no fault is planned");
    batch.next().await.expect("a message comes").expect("no fault is planned")
}

fn state(memory: &Memory) -> ConsumerState {
    memory.consumer_state(LOG, "reader").expect("the test has bound it")
}

#[tokio::test(start_paused = true)]
async fn a_consumers_state_tells_queued_from_out_from_over() {
    let memory = declared().await;
    publish(&memory, &["one", "two", "three", "four"]).await;
    let mut pull = memory.consumer(&spec("reader")).await.unwrap();
    let check = |queued, in_flight, settled| {
        let expected = ConsumerState { queued, in_flight, settled, progressed: 0 };
        assert_eq!(state(&memory), expected);
    };
    check(4, 0, 0);
    let first = fetch_one(&mut pull).await;
    let second = fetch_one(&mut pull).await;
    let third = fetch_one(&mut pull).await;
    check(1, 3, 0);
    first.settle.ack().await.unwrap();
    second.settle.nak(PATIENCE).await.unwrap();
    check(2, 1, 1);
    third.settle.term("NEVER").await.unwrap();
    check(2, 0, 2);
    fetch_one(&mut pull).await;
    check(1, 1, 2);
    tokio::time::advance(ACK_WAIT).await;
    check(2, 0, 2);
}

#[tokio::test(start_paused = true)]
async fn settlements_are_kept_in_order() {
    let memory = declared().await;
    publish(&memory, &["one"]).await;
    let mut pull = memory.consumer(&spec("reader")).await.unwrap();
    fetch_one(&mut pull).await.settle.nak(Duration::from_secs(1)).await.unwrap();
    fetch_one(&mut pull).await.settle.nak(Duration::from_secs(2)).await.unwrap();
    fetch_one(&mut pull).await.settle.ack().await.unwrap();
    let outcomes: Vec<_> =
        memory.settlements(LOG, "reader").into_iter().map(|each| (each.attempt, each.outcome)).collect();
    let naked = |seconds| SettlementOutcome::Naked(Duration::from_secs(seconds));
    assert_eq!(outcomes, [(1, naked(1)), (2, naked(2)), (3, SettlementOutcome::Acked)]);
}

#[tokio::test(start_paused = true)]
async fn a_cut_connection_takes_no_part_any_more() {
    for (cut, published) in [(Cut::Before { call: 1 }, 1), (Cut::After { call: 1 }, 2)] {
        let memory = declared().await;
        let connection = memory.connection();
        connection.cut_at(cut);
        publish(&connection, &["one"]).await;
        let publishing = tokio::time::timeout(PATIENCE, connection.publish(message("suite.log.a", "two")));
        publishing.await.unwrap_err();
        connection.until_cut().await;
        assert_eq!(memory.messages("suite.log.>").len(), published, "{cut:?}");
        publish(&memory, &["three"]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_planned_failure_hits_the_next_calls_only() {
    let memory = declared().await;
    memory.plan(Fault::fail(Operation::Publish).times(2).kind(ErrorKind::Full).on("suite.log.*"));
    memory.publish(message("suite.short.a", "other")).await.unwrap();
    for _ in 0..2 {
        let error = memory.publish(message("suite.log.a", "one")).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Full);
    }
    assert!(
        !memory.publish(message("suite.log.a", "one")).await.unwrap().duplicate,
        "it had no effect before"
    );
    assert_eq!(memory.calls(Operation::Publish), 4);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_comes_after_the_effect() {
    let memory = declared().await;
    memory.plan(Fault::lose_answer(Operation::Publish));
    memory.publish(message("suite.log.a", "one")).await.unwrap_err();
    assert!(memory.publish(message("suite.log.a", "one")).await.unwrap().duplicate);

    memory.plan(Fault::lose_answer(Operation::Ack));
    let mut pull = memory.consumer(&spec("reader")).await.unwrap();
    fetch_one(&mut pull).await.settle.ack().await.unwrap_err();
    assert_eq!(state(&memory).settled, 1);
}

#[tokio::test(start_paused = true)]
async fn a_delivery_that_is_lost_comes_again() {
    let memory = declared().await;
    publish(&memory, &["one"]).await;
    memory.plan(Fault::fail(Operation::Deliver));
    let mut pull = memory.consumer(&spec("reader")).await.unwrap();
    let mut batch = pull.fetch(2, PATIENCE).await.unwrap();
    assert_eq!(batch.next().await.unwrap().err().unwrap().kind, ErrorKind::Unavailable);
    assert!(batch.next().await.is_none(), "a batch ends with its error");
    assert_eq!(fetch_one(&mut pull).await.attempt, 2);
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_is_away_stays_so_until_healed() {
    let memory = declared().await;
    for operation in [Operation::Ping, Operation::Fetch, Operation::Put, Operation::Write] {
        memory.plan(Fault::fail(operation).always());
    }
    let mut pull = memory.consumer(&spec("reader")).await.unwrap();
    for _ in 0..3 {
        assert!(memory.ping().await.is_err());
        assert!(pull.fetch(1, PATIENCE).await.is_err());
        assert!(memory.objects(OBJECTS).put("key", "content".into()).await.is_err());
        assert!(memory.entries(ENTRIES).create("key", "value".into()).await.is_err());
    }
    memory.heal();
    memory.ping().await.unwrap();
    memory.entries(ENTRIES).create("key", "value".into()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_delay_comes_before_the_failure_planned_after_it() {
    let memory = declared().await;
    memory.plan(Fault::delay(Operation::Ping, PATIENCE));
    memory.plan(Fault::fail(Operation::Ping));
    let started = Instant::now();
    assert!(memory.ping().await.is_err());
    assert_eq!(started.elapsed(), PATIENCE);
    memory.ping().await.unwrap();
    assert_eq!(started.elapsed(), PATIENCE);
}

#[tokio::test(start_paused = true)]
async fn a_test_can_wait_for_a_state() {
    let memory = declared().await;
    let writer = memory.clone();
    tokio::spawn(async move {
        tokio::time::sleep(PATIENCE).await;
        publish(&writer, &["one"]).await;
    });
    memory.until(|memory| !memory.messages("suite.log.>").is_empty()).await;
    assert_eq!(memory.messages(">").len(), 1);
}
