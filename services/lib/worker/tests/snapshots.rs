//! Copies of streams, and streams that are restored from them, on real servers.

#![expect(clippy::unwrap_used, reason = "helpers of tests: what is missing fails the test")]

use std::{collections::BTreeSet, time::Duration};

use bytes::Bytes;
use futures::StreamExt as _;
use gongkai_worker::{
    Message, Transport,
    testing::{
        NatsServer,
        transport_suite::{ENTRIES, LOG, PATIENCE, TIMERS, due_spec, message, spec, timer, topology},
    },
    transport::{
        Delivery, ErrorKind, Pull, TopologyPart,
        jetstream::{
            JetStream, JetStreamSettings,
            snapshots::{Durable, StreamCopy},
        },
    },
};
use sha2::{Digest as _, Sha256};

async fn connect(server: &NatsServer) -> JetStream {
    let settings = JetStreamSettings { servers: vec![server.url()], ..JetStreamSettings::default() };
    JetStream::connect(&settings).await.unwrap()
}

async fn declared(server: &NatsServer) -> JetStream {
    let transport = connect(server).await;
    transport.declare(&topology()).await.unwrap();
    transport
}

/// A stream with its consumers, its snapshot, and the messages that came meanwhile.
struct Copied {
    stream: &'static str,
    copy: StreamCopy,
    durables: Vec<Durable>,
    chunks: Vec<Bytes>,
    later: Vec<Message>,
}

/// Copies a stream. `between` runs after each chunk.
async fn copy(from: &JetStream, stream: &'static str, mut between: impl AsyncFnMut()) -> Copied {
    let durables = from.durables(stream).await.unwrap();
    let mut snapshot = from.snapshot(stream).await.unwrap();
    let (mut chunks, mut later) = (Vec::new(), Vec::new());
    while let Some(chunk) = snapshot.next().await.unwrap() {
        chunks.push(chunk);
        between().await;
    }
    let mut last = snapshot.copy.last_sequence();
    while let Some((sequence, message)) = from.next_message(stream, last).await.unwrap() {
        (last, later) = (sequence, [later, vec![message]].concat());
    }
    Copied { stream, copy: snapshot.copy, durables, chunks, later }
}

impl Copied {
    async fn restore(self, to: &JetStream) {
        let restoration = to.restore(self.stream, &self.copy, 1).await.unwrap();
        for chunk in self.chunks {
            restoration.send(chunk).await.unwrap();
        }
        restoration.finish().await.unwrap();
        for durable in self.durables {
            to.restore_durable(self.stream, &durable).await.unwrap();
        }
    }
}

async fn fetch(pull: &mut Box<dyn Pull>, max: usize) -> Vec<Delivery> {
    let batch = pull.fetch(max, PATIENCE).await.unwrap();
    batch.map(Result::unwrap).collect().await
}

#[tokio::test]
async fn a_restored_stream_is_the_copied_one_and_its_consumer_continues() {
    let (first, second) = (NatsServer::start().await, NatsServer::start().await);
    let (from, to) = (declared(&first).await, connect(&second).await);
    let mut reader = from.consumer(&spec("reader")).await.unwrap();
    for number in 1..=5 {
        from.publish(message("suite.log.a", &format!("id-{number}"))).await.unwrap();
    }
    for delivery in fetch(&mut reader, 3).await {
        delivery.settle.ack().await.unwrap();
    }
    copy(&from, LOG, async || {}).await.restore(&to).await;
    let part = TopologyPart::Stream(LOG);
    assert_eq!(to.held(part).await.unwrap(), from.held(part).await.unwrap());
    for sequence in 1..=5 {
        assert_eq!(to.message(LOG, sequence).await.unwrap(), from.message(LOG, sequence).await.unwrap());
    }
    assert_eq!(to.publish(message("suite.log.a", "id-6")).await.unwrap().sequence, 6);
    // A service binds it as it does after a restart.
    let mut reader = to.consumer(&spec("reader")).await.unwrap();
    let sequences: Vec<_> = fetch(&mut reader, 3).await.iter().map(|delivery| delivery.sequence).collect();
    assert_eq!(sequences, [4, 5, 6]);
    let error = to.restore(LOG, &copy(&from, LOG, async || {}).await.copy, 1).await.map(drop).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Conflict, "{error}: {:?}", error.source);
}

/// The server deletes the old value of an entry while it copies the bucket.
#[tokio::test]
async fn a_bucket_that_changes_meanwhile_loses_no_entry() {
    const KEYS: usize = 1500;
    let (first, second) = (NatsServer::start().await, NatsServer::start().await);
    let (from, to) = (declared(&first).await, connect(&second).await);
    let entries = from.entries(ENTRIES);
    // It does not get smaller, so that the copy takes longer than what is in flight at once.
    let value = |number: usize| {
        let digests = (0..625).flat_map(|part: usize| Sha256::digest(format!("{number}.{part}")));
        Bytes::from(digests.collect::<Vec<u8>>())
    };
    let mut revisions = Vec::new();
    for number in 0..KEYS {
        revisions.push(entries.create(&format!("k{number}"), value(number)).await.unwrap());
    }
    let mut next = KEYS;
    let copied = copy(&from, "KV_suite-entries", async || {
        // From the last entry on, which the server has not read yet.
        for _ in 0..8 {
            next = next.checked_sub(1).unwrap_or(KEYS - 1);
            revisions[next] =
                entries.update(&format!("k{next}"), value(next + 1), revisions[next]).await.unwrap();
        }
    })
    .await;
    let later: Vec<_> = copied.later.iter().map(|message| message.subject.clone()).collect();
    copied.restore(&to).await;
    let snapshot = to.entries_of(ENTRIES, 2 * KEYS).await.unwrap();
    let snapshot = snapshot.into_iter().map(|(key, _)| key);
    let later = later.into_iter().map(|subject| subject.rsplit('.').next().unwrap_or_default().to_owned());
    let held: BTreeSet<_> = snapshot.chain(later).collect();
    let lost: Vec<_> =
        (0..KEYS).map(|number| format!("k{number}")).filter(|key| !held.contains(key)).collect();
    assert!(lost.is_empty(), "{} lost: {lost:?}", lost.len());
}

#[tokio::test]
async fn a_timer_fires_where_it_was_restored() {
    let (first, second) = (NatsServer::start().await, NatsServer::start().await);
    let (from, to) = (declared(&first).await, connect(&second).await);
    from.schedule(timer("a", "1", Duration::from_secs(3))).await.unwrap();
    copy(&from, TIMERS, async || {}).await.restore(&to).await;
    drop(first);
    let mut due = to.consumer(&due_spec()).await.unwrap();
    assert_eq!(fetch(&mut due, 1).await.len(), 1);
}
