//! Stages over a real server: what one message's trouble costs the others.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use futures::{StreamExt as _, stream};
use gongkai_worker::{
    Clock, Consume, Context, Decision, Handler, Output, Raw, Runtime, Topology, Transport as _,
    WaitingMessage,
    config::WorkerSettings,
    testing::{NatsServer, free_port, transport_suite::message},
    transport::jetstream::{
        JetStream, JetStreamSettings,
        status::{ConsumerStatus, StreamStatus},
    },
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::{AbortHandle, JoinHandle, JoinSet},
    time::{sleep, timeout},
};

/// More than the server allows to wait by default, which is 1,000.
const FAILING: usize = 1_100;
/// Longer than any step takes, and shorter than the first retry delay of [`settings`].
const PATIENCE: Duration = Duration::from_secs(25);

struct Stage {
    broker: Arc<JetStream>,
    runtime: Runtime,
    running: JoinHandle<anyhow::Result<()>>,
    _server: NatsServer,
}

fn settings() -> WorkerSettings {
    WorkerSettings { retry_base_ms: 120_000, ..WorkerSettings::default() }
}

impl Stage {
    async fn start<H: Handler>(consume: Consume, handler: H) -> Self {
        let server = NatsServer::start().await;
        let wanted = JetStreamSettings { servers: vec![server.url()], ..JetStreamSettings::default() };
        let broker = Arc::new(JetStream::connect(&wanted).await.unwrap());
        let topology = Topology {
            streams: vec![("IN", &["in.>"], None), ("DEAD", &["dead.>"], None)],
            entries: vec!["attempts"],
            ..Topology::default()
        };
        broker.declare(&topology).await.unwrap();
        let runtime = Runtime::builder("stage", broker.clone()).settings(settings()).build();
        let consumer = runtime.clone();
        let running = tokio::spawn(async move { consumer.consume(consume, handler).await });
        Self { broker, runtime, running, _server: server }
    }

    async fn publish(&self, ids: impl Iterator<Item = String>) {
        let publish = |id: String| async move { self.broker.publish(message("in.a", &id)).await.map(drop) };
        let published: Vec<_> = stream::iter(ids.map(publish)).buffer_unordered(64).collect().await;
        published.into_iter().for_each(Result::unwrap);
    }

    async fn stream(&self, name: &str) -> StreamStatus {
        let streams = self.broker.status().await.unwrap();
        streams.into_iter().find(|stream| stream.name == name).unwrap()
    }

    async fn consumer(&self) -> ConsumerStatus {
        self.stream("IN").await.consumers.remove(0)
    }

    async fn stop(self) {
        self.runtime.shutdown().cancel();
        self.running.await.unwrap().unwrap();
    }
}

/// Waits until a condition holds.
async fn until(mut holds: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !holds().await {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, waiting).await.expect("the condition holds in time");
}

/// Fails on every message except `good`.
#[derive(Clone, Default)]
struct Picky {
    failed: Arc<AtomicUsize>,
    good: Arc<AtomicUsize>,
}

#[async_trait]
impl Handler for Picky {
    type Input = Raw;

    async fn handle(&self, Raw(input): Raw, _: &Context) -> Result<Vec<Output>, Decision> {
        if input == "good" {
            self.good.fetch_add(1, Ordering::SeqCst);
            return Ok(vec![]);
        }
        self.failed.fetch_add(1, Ordering::SeqCst);
        Err(Decision::retry(anyhow::anyhow!("always")))
    }
}

#[tokio::test]
async fn messages_that_wait_for_a_retry_hold_no_other_one_back() {
    let handler = Picky::default();
    let stage = Stage::start(Consume::new("IN", "stage", ["in.>"]), handler.clone()).await;
    stage.publish((0..FAILING).map(|number| format!("bad-{number}"))).await;
    until(async || handler.failed.load(Ordering::SeqCst) == FAILING).await;
    stage.publish(["good".to_owned()].into_iter()).await;
    until(async || handler.good.load(Ordering::SeqCst) == 1).await;
    // None was tried again: each still waits, unsettled, for its first retry.
    assert_eq!(handler.failed.load(Ordering::SeqCst), FAILING);
    until(async || stage.consumer().await.in_flight == FAILING).await;
    let noted = stage.broker.entries_of("attempts", 2 * FAILING).await.unwrap();
    assert_eq!(noted.len(), FAILING);
    let now = Clock::system().now();
    for (key, value) in noted {
        let message = WaitingMessage::read(&key, value).unwrap();
        let expected = ("IN", "stage", "in.a", 1, "always");
        let WaitingMessage { stream, consumer, subject, attempts, cause, .. } = &message;
        assert_eq!(
            (stream.as_str(), consumer.as_str(), subject.as_str(), *attempts, cause.as_str()),
            expected
        );
        assert!(message.message_id.starts_with("bad-") && message.retry_at.unwrap() > now, "{message:?}");
    }
    stage.stop().await;
}

/// A store of the handler's own: it answers every call until it is stopped.
struct StandIn {
    address: SocketAddr,
    task: AbortHandle,
}

impl StandIn {
    async fn start(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let serving = tokio::spawn(async move {
            // Dropping the set closes the connections.
            let mut calls = JoinSet::new();
            while let Ok((mut call, _)) = listener.accept().await {
                calls.spawn(async move {
                    let question = call.read_u8().await?;
                    call.write_u8(question).await
                });
            }
        });
        Self { address, task: serving.abort_handle() }
    }

    async fn call(address: SocketAddr) -> io::Result<()> {
        let mut call = TcpStream::connect(address).await?;
        call.write_u8(7).await?;
        call.read_u8().await.map(drop)
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Asks its store about every message.
#[derive(Clone)]
struct Asking {
    store: SocketAddr,
    refused: Arc<AtomicUsize>,
    /// The numbers of the attempts that succeeded.
    attempts: Arc<Mutex<Vec<u32>>>,
}

#[async_trait]
impl Handler for Asking {
    type Input = Raw;

    async fn handle(&self, _: Raw, context: &Context) -> Result<Vec<Output>, Decision> {
        StandIn::call(self.store).await.map_err(|error| {
            self.refused.fetch_add(1, Ordering::SeqCst);
            Decision::away("postgresql", error)
        })?;
        self.attempts.lock().unwrap().push(context.attempt);
        Ok(vec![])
    }
}

#[tokio::test]
async fn an_outage_of_the_handlers_own_store_uses_up_no_attempts() {
    const MESSAGES: usize = 100;
    let mut store = StandIn::start(free_port()).await;
    let handler = Asking { store: store.address, refused: Arc::default(), attempts: Arc::default() };
    // The outage lasts for several of these periods.
    let consume = Consume {
        ack_wait: Some(Duration::from_millis(600)),
        max_attempts: Some(2),
        stores: &["postgresql"],
        ..Consume::new("IN", "stage", ["in.>"])
    };
    let stage = Stage::start(consume, handler.clone()).await;
    stage.publish(["first".to_owned()].into_iter()).await;
    until(async || handler.attempts.lock().unwrap().len() == 1).await;
    assert!(stage.runtime.is_ready());

    let address = store.address;
    drop(store);
    stage.publish((1..MESSAGES).map(|number| format!("id-{number}"))).await;
    // The pauses of a message add up to 1.5 s after five of them; 64 are in work.
    until(async || handler.refused.load(Ordering::SeqCst) >= 64 * 6).await;
    let waiting = stage.runtime.waiting();
    assert!(waiting.len() == 1 && waiting[0].starts_with("postgresql, which does not answer"), "{waiting:?}");

    store = StandIn::start(address).await;
    until(async || handler.attempts.lock().unwrap().len() >= MESSAGES).await;
    until(async || stage.consumer().await.in_flight == 0).await;
    assert!(handler.attempts.lock().unwrap().iter().all(|attempt| *attempt == 1));
    // Neither a failure nor a crash is noted, and nothing was buried.
    assert_eq!((stage.stream("KV_attempts").await.messages, stage.stream("DEAD").await.messages), (0, 0));
    assert!(stage.runtime.is_ready());
    stage.stop().await;
    drop(store);
}
