//! A message that is published once more, over a real server.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use gongkai_worker::{
    Consume, Context, Decision, Handler, Message, Output, Raw, Runtime, Topology, Transport,
    dead_letter::DeadLetter,
    repetition::{FirstCopy, ReplayOf, repeat},
    testing::NatsServer,
    transport::{
        Headers, MESSAGE_ID,
        jetstream::{JetStream, JetStreamSettings},
    },
};
use prost::Message as _;
use tokio::{sync::mpsc, time::timeout};

const SOON: Duration = Duration::from_secs(25);

/// Buries every message and tells its context.
struct Bury(mpsc::UnboundedSender<Context>);

#[async_trait]
impl Handler for Bury {
    type Input = Raw;

    async fn handle(&self, _: Raw, context: &Context) -> Result<Vec<Output>, Decision> {
        self.0.send(context.clone()).unwrap();
        Err(Decision::bury("POISON", anyhow::anyhow!("it is always poison")))
    }
}

/// Waits for the dead letter at a sequence.
async fn dead_letter(runtime: &Runtime, sequence: u64) -> DeadLetter {
    let found = async {
        loop {
            if let Some(found) = runtime.message("DEAD", sequence).await.unwrap() {
                return DeadLetter::decode(found.message.payload).unwrap();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(SOON, found).await.expect("it is buried in time")
}

#[tokio::test]
async fn a_repetition_passes_the_duplicate_window_and_fails_as_a_replay() {
    let server = NatsServer::start().await;
    let settings = JetStreamSettings { servers: vec![server.url()], ..JetStreamSettings::default() };
    let transport = JetStream::connect(&settings).await.unwrap();
    let topology = Topology {
        streams: vec![("IN", &["in.>"], None), ("DEAD", &["dead.>"], None)],
        entries: vec!["attempts"],
        ..Topology::default()
    };
    transport.declare(&topology).await.unwrap();
    let runtime = Runtime::builder("stage", Arc::new(transport)).build();
    let mut headers = Headers::new();
    headers.insert(MESSAGE_ID, "m1").unwrap();
    headers.insert("traceparent", "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01").unwrap();
    let sent = Message { subject: "in.a".into(), headers, payload: "x".into() };
    assert!(!runtime.republish(&sent).await.unwrap().duplicate);
    let swallowed = runtime.republish(&sent).await.unwrap();
    assert!(swallowed.duplicate && swallowed.sequence == 1, "the broker swallows an id within its window");

    let (told, mut contexts) = mpsc::unbounded_channel();
    let consume = Consume::new("IN", "stage", ["in.>".to_owned()]);
    let (consuming, handler) = (runtime.clone(), Bury(told));
    let stage = tokio::spawn(async move { consuming.consume(consume, handler).await });
    let first = contexts.recv().await.unwrap();
    let letter = dead_letter(&runtime, 1).await;
    assert_eq!((letter.message_id.as_str(), letter.sequence), ("m1", 1));
    assert_eq!(letter.trace_id, "0af7651916cd43dd8448eb211c80319c");

    let copy = FirstCopy { id: letter.message_id, sequence: letter.sequence, logged_at: first.logged_at };
    let replay = ReplayOf { sequence: 1, replays: 1 };
    let again = repeat(&sent, Some(&copy), Some(replay), "m1.replay.1").unwrap();
    assert!(!runtime.republish(&again).await.unwrap().duplicate);
    assert!(runtime.republish(&again).await.unwrap().duplicate, "a second replay has no effect");
    let second = contexts.recv().await.unwrap();
    assert_eq!((second.sequence, second.logged_at), (first.sequence, first.logged_at));
    assert_eq!((second.first_id(), second.place().0), ("m1", 2));
    let failed_again = dead_letter(&runtime, 2).await;
    assert_eq!((failed_again.message_id.as_str(), failed_again.sequence), ("m1.replay.1", 1));
    assert_ne!(failed_again.trace_id, letter.trace_id, "a replay has a trace of its own");
    let headers = failed_again.headers.iter().map(|header| (header.name.as_str(), header.value.as_str()));
    assert_eq!(ReplayOf::of_pairs(headers), Some(replay));
    runtime.shutdown().cancel();
    timeout(SOON, stage).await.expect("it stops in time").unwrap().unwrap();
}
