//! The overhead of the runtime: four hops with a handler that does nothing, compared with a bare async-nats loop that
//! does the same (fetch, publish, await the ack, double ack) with the same messages, headers and number in flight.
//!
//! Both run in turns in this process, against one temporary nats-server, without an exporter but with trace context.
//! The bench prints the ratios of the rates and of the CPU time per message, as medians over the rounds. Targets: at
//! least 80 % of the rate, at most 1.3 times the CPU time.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench stops at the first surprise and prints"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::jetstream::consumer::{AckPolicy, PullConsumer, pull};
use async_nats::jetstream::{self, stream};
use async_nats::{Client, HeaderMap};
use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self as futures_stream, StreamExt as _};
use gongkai_worker::testing::NatsServer;
use gongkai_worker::transport::jetstream::{JetStream, JetStreamSettings};
use gongkai_worker::{Consume, Context, Decision, Handler, Output, Raw, Runtime};
use tokio::task::JoinSet;

#[global_allocator]
static ALLOCATOR: gongkai_worker::Allocator = gongkai_worker::Allocator;

const HOPS: usize = 4;
const IN_FLIGHT: usize = 64;
const BODY_BYTES: usize = 4096;
const MESSAGES: usize = 6000;
const ROUNDS: usize = 5;

#[derive(Debug, Clone, Copy)]
struct Figures {
    /// Messages per second through all hops.
    rate: f64,
    /// CPU time of this process per message through all hops, in µs.
    cpu: f64,
}

fn main() {
    // `cargo test --benches` only checks that the bench starts.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    // `cargo bench -p gongkai-worker -- runtime` (or `bare`) runs one side alone, for a profiler.
    let only =
        [Kind::Runtime, Kind::Bare].into_iter().find(|kind| std::env::args().any(|name| name == kind.name()));
    let tokio = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    match only {
        Some(kind) => tokio.block_on(repeat(kind)),
        None => tokio.block_on(compare()),
    }
}

async fn compare() {
    let server = NatsServer::start().await;
    let (mut ours, mut bare) = (vec![], vec![]);
    for round in 0..ROUNDS {
        // The order alternates, so that a machine that slows down favours neither side.
        if round % 2 == 0 {
            bare.push(run(&server, Kind::Bare).await);
            ours.push(run(&server, Kind::Runtime).await);
        } else {
            ours.push(run(&server, Kind::Runtime).await);
            bare.push(run(&server, Kind::Bare).await);
        }
        let (ours, bare) = (ours[round], bare[round]);
        println!(
            "round {round}: runtime {:.0}/s {:.0} µs, bare {:.0}/s {:.0} µs",
            ours.rate, ours.cpu, bare.rate, bare.cpu
        );
    }
    let ratio = |of: fn(&Figures) -> f64| median(&ours, of) / median(&bare, of);
    println!(
        "{HOPS} hops, {BODY_BYTES} bytes, {IN_FLIGHT} in flight a hop, {MESSAGES} messages a round, {ROUNDS} rounds"
    );
    println!("rate: {:.0} % of the bare loop (target: at least 80 %)", 100.0 * ratio(|figures| figures.rate));
    println!(
        "cpu:  {:.2} times the bare loop's a message (target: at most 1.30)",
        ratio(|figures| figures.cpu)
    );
}

async fn repeat(kind: Kind) {
    let server = NatsServer::start().await;
    for _ in 0..ROUNDS {
        let Figures { rate, cpu } = run(&server, kind).await;
        println!("{}: {rate:.0}/s {cpu:.0} µs", kind.name());
    }
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Bare,
    Runtime,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Runtime => "runtime",
        }
    }
}

async fn run(server: &NatsServer, kind: Kind) -> Figures {
    let client = async_nats::connect(server.url()).await.unwrap();
    let context = jetstream::new(client.clone());
    prepare(&context).await;
    let (cpu, started) = (cpu_time(), Instant::now());
    match kind {
        Kind::Bare => bare(&client, &context).await,
        Kind::Runtime => runtime(server, &context).await,
    }
    let count = u32::try_from(MESSAGES).unwrap();
    Figures {
        rate: f64::from(count) / started.elapsed().as_secs_f64(),
        cpu: (cpu_time() - cpu).as_secs_f64() * 1e6 / f64::from(count),
    }
}

/// Creates new streams and consumers, and publishes the messages to the first stream.
async fn prepare(context: &jetstream::Context) {
    for hop in 0..=HOPS {
        context.delete_stream(stream_name(hop)).await.ok();
        let config = stream::Config {
            name: stream_name(hop),
            subjects: vec![subject(hop)],
            duplicate_window: Duration::from_secs(600),
            ..stream::Config::default()
        };
        let stream = context.create_stream(config).await.unwrap();
        let config = pull::Config {
            durable_name: Some("hop".to_owned()),
            ack_policy: AckPolicy::Explicit,
            ack_wait: Duration::from_secs(30),
            max_ack_pending: 512,
            max_deliver: 10,
            ..pull::Config::default()
        };
        stream.create_consumer(config).await.unwrap();
    }
    let publish = |index: usize| async move {
        let mut headers = HeaderMap::new();
        headers.insert("Nats-Msg-Id", format!("m{index}"));
        headers.insert("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        let body = Bytes::from(vec![b'x'; BODY_BYTES]);
        context.publish_with_headers(subject(0), headers, body).await.unwrap().await.unwrap();
    };
    futures_stream::iter(0..MESSAGES).for_each_concurrent(256, publish).await;
}

fn stream_name(hop: usize) -> String {
    format!("HOP{hop}")
}

fn subject(hop: usize) -> String {
    format!("hop.{hop}")
}

/// Waits until the last hop has acknowledged everything.
async fn finished(context: &jetstream::Context) {
    let mut last: PullConsumer =
        context.get_consumer_from_stream("hop", stream_name(HOPS - 1)).await.unwrap();
    let count = u64::try_from(MESSAGES).unwrap();
    while last.info().await.unwrap().ack_floor.stream_sequence < count {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

// === the bare loop ===

async fn bare(client: &Client, context: &jetstream::Context) {
    let mut hops = JoinSet::new();
    for hop in 0..HOPS {
        hops.spawn(bare_hop(jetstream::new(client.clone()), hop));
    }
    finished(context).await;
    hops.shutdown().await;
}

async fn bare_hop(context: jetstream::Context, hop: usize) {
    let consumer: PullConsumer = context.get_consumer_from_stream("hop", stream_name(hop)).await.unwrap();
    let messages = consumer.stream().max_messages_per_batch(IN_FLIGHT).messages().await.unwrap();
    let target = subject(hop + 1);
    messages
        .for_each_concurrent(IN_FLIGHT, |message| {
            let (context, target) = (&context, target.clone());
            async move {
                let message = message.unwrap();
                let old = message.headers.as_ref().unwrap();
                let mut headers = HeaderMap::new();
                let id = format!("{}.bench.0", old.get("Nats-Msg-Id").unwrap());
                headers.insert("ce-id", id.as_str());
                headers.insert("ce-source", "gongkai-bench");
                headers.insert("ce-specversion", "1.0");
                headers.insert("ce-time", "2024-01-15T10:12:00.123456789Z");
                headers.insert("ce-type", "bench.v1");
                headers.insert("content-type", "application/protobuf");
                headers.insert("traceparent", old.get("traceparent").unwrap().as_str());
                headers.insert("Nats-Msg-Id", id);
                let published = context.publish_with_headers(target, headers, message.payload.clone()).await;
                published.unwrap().await.unwrap();
                message.double_ack().await.unwrap();
            }
        })
        .await;
}

// === the runtime ===

struct Forward(String);

#[async_trait]
impl Handler for Forward {
    type Input = Raw;

    async fn handle(&self, Raw(payload): Raw, _: &Context) -> Result<Vec<Output>, Decision> {
        Ok(vec![Output { subject: self.0.clone(), ce_type: "bench.v1", payload, message_id: None }])
    }
}

async fn runtime(server: &NatsServer, context: &jetstream::Context) {
    let settings = JetStreamSettings { servers: vec![server.url()], ..JetStreamSettings::default() };
    let transport = JetStream::connect(&settings).await.unwrap();
    let runtime = Runtime::builder("bench", Arc::new(transport)).build();
    let mut hops = JoinSet::new();
    for hop in 0..HOPS {
        let runtime = runtime.clone();
        let mut consume = Consume::new(stream_name(hop), "hop", [] as [&str; 0]);
        consume.concurrency = Some(IN_FLIGHT);
        hops.spawn(async move { runtime.consume(consume, Forward(subject(hop + 1))).await.unwrap() });
    }
    finished(context).await;
    runtime.shutdown().cancel();
    hops.join_all().await;
}

// === figures ===

/// Returns the user and system time of this process. The server is another process.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let after_name = stat.rsplit(')').next().unwrap();
    let ticks: u64 =
        after_name.split_whitespace().skip(11).take(2).map(|field| field.parse::<u64>().unwrap()).sum();
    // Linux has a hundred ticks per second.
    Duration::from_millis(ticks * 10)
}

fn median(all: &[Figures], of: fn(&Figures) -> f64) -> f64 {
    let mut values: Vec<_> = all.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
