//! A process with services: health, order of shutdown, exit code.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use gongkai_worker::holdings::inspector::repair;
use gongkai_worker::replica::EXPIRY_S;
use gongkai_worker::testing::{NatsServer, S3Server};
use gongkai_worker::transport::jetstream::{JetStream, JetStreamSettings};
use gongkai_worker::transport::memory::{Fault, Memory, Operation};
use gongkai_worker::transport::{StreamDef, TopologyPart};
use gongkai_worker::{
    About, Clock, Common, Consume, Context, Decision, Handler, Output, Process, Raw, Record, Replica,
    Runtime, Service, Topology, Transport,
};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Behaviour of the service under test.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
enum Act {
    #[default]
    Consume,
    End,
    Fail,
    Panic,
    Hang,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Config {
    act: Act,
}

struct Quiet;

#[async_trait]
impl Handler for Quiet {
    type Input = Raw;

    async fn handle(&self, _: Raw, _: &Context) -> Result<Vec<Output>, Decision> {
        Ok(vec![])
    }
}

struct Stage;

#[async_trait]
impl Service for Stage {
    const NAME: &'static str = "stage";
    const ADMIN_PORT: u16 = 0;
    type Config = Config;

    fn validate(_: &Config) -> anyhow::Result<()> {
        Ok(())
    }

    async fn run(config: Config, runtime: Runtime) -> anyhow::Result<()> {
        match config.act {
            Act::Consume => runtime.consume(Consume::new("IN", "stage", ["in.>"]), Quiet).await,
            Act::End => Ok(()),
            Act::Fail => anyhow::bail!("no luck"),
            Act::Panic => panic!("no luck at all"),
            Act::Hang => std::future::pending().await,
        }
    }
}

fn topology() -> Topology {
    let streams: Vec<StreamDef> = vec![("IN", &["in.>"], None)];
    Topology {
        streams,
        entries: vec!["attempts"],
        expiring: vec![("replicas", EXPIRY_S)],
        ..Topology::default()
    }
}

async fn boot(act: Act, edit: impl FnOnce(&mut Common)) -> (Memory, Process, SocketAddr) {
    let memory = Memory::new();
    let (process, admin) = boot_over(Arc::new(memory.clone()), act, edit).await;
    (memory, process, admin)
}

async fn boot_over(
    transport: Arc<dyn Transport>,
    act: Act,
    edit: impl FnOnce(&mut Common),
) -> (Process, SocketAddr) {
    let about = About {
        program: "gongkai-stage",
        version: "1.2.3",
        versions: Vec::new(),
        sections: &[],
        topology: topology(),
        marker: "marker",
        dead_prefix: "dead",
        attempts: "attempts",
        replicas: "replicas",
    };
    let mut common = Common::default();
    common.admin.port = Some(0);
    edit(&mut common);
    let mut process = Process::boot_over(about, common, transport).await.unwrap();
    let admin = process.spawn::<Stage>(Config { act }).await.unwrap();
    (process, admin)
}

async fn get(admin: SocketAddr, path: &str, headers: &str) -> (u16, String) {
    call(admin, &format!("GET {path}"), headers, "").await
}

/// Sends a request, whose first line begins with `verb`.
async fn call(admin: SocketAddr, verb: &str, headers: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(admin).await.unwrap();
    let length = body.len();
    let request = format!(
        "{verb} HTTP/1.1\r\nhost: admin\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer)
}

async fn until_ready(admin: SocketAddr) {
    while get(admin, "/readyz", "").await.0 != 200 {
        tokio::task::yield_now().await;
    }
}

fn is_success(code: ExitCode) -> bool {
    format!("{code:?}") == format!("{:?}", ExitCode::SUCCESS)
}

#[tokio::test]
async fn health_follows_the_consumer_the_broker_and_the_shutdown() {
    let (memory, process, admin) = boot(Act::Consume, |_| {}).await;
    until_ready(admin).await;
    assert_eq!(get(admin, "/livez", "").await.0, 200);
    memory.plan(Fault::fail(Operation::Ping).always());
    let (status, answer) = get(admin, "/readyz", "").await;
    assert_eq!(status, 503, "{answer}");
    assert!(answer.contains("broker"), "{answer}");
    memory.heal();
    let shutdown = process.shutdown();
    let running = tokio::spawn(process.run_until_stopped());
    shutdown.cancel();
    assert!(is_success(running.await.unwrap()));
}

#[tokio::test]
async fn an_object_store_that_is_away_makes_the_process_unready_until_it_is_back() {
    let mut store = S3Server::start().await;
    let (_, _process, admin) = boot(Act::Consume, |common| common.objects = store.settings()).await;
    until_ready(admin).await;
    store.stop().await;
    while !get(admin, "/readyz", "").await.1.contains("not ready: look up gongkai-probe/ready: object store")
    {
        tokio::task::yield_now().await;
    }
    store.restart().await;
    until_ready(admin).await;
}

#[tokio::test]
async fn a_lost_stream_makes_the_process_unready_and_it_goes_on_when_it_is_accepted() {
    let (memory, process, admin) = boot(Act::Consume, |_| {}).await;
    until_ready(admin).await;
    memory.lose(TopologyPart::Stream("IN"));
    // The first answer may still be that the consumer is being bound again.
    while !get(admin, "/readyz", "").await.1.contains("not ready: stream IN is missing (it ended at 0)") {
        tokio::task::yield_now().await;
    }
    let transport: Arc<dyn Transport> = Arc::new(memory.clone());
    repair(&transport, &topology(), "marker", &Clock::system()).await.unwrap();
    until_ready(admin).await;
    // The process consumes from the new stream.
    memory.until(|memory| memory.consumer_state("IN", "stage").is_some()).await;
    drop(process);
}

#[tokio::test]
async fn a_stopping_process_is_not_ready() {
    let (_memory, process, admin) = boot(Act::Hang, |_| {}).await;
    process.shutdown().cancel();
    let (status, answer) = get(admin, "/readyz", "").await;
    assert_eq!(status, 503);
    assert!(answer.contains("stopping"), "{answer}");
}

#[tokio::test]
async fn a_running_service_is_in_the_register_until_it_stops() {
    let server = NatsServer::start().await;
    let settings = JetStreamSettings { servers: vec![server.url()], ..JetStreamSettings::default() };
    let broker = Arc::new(JetStream::connect(&settings).await.unwrap());
    let (process, _) = boot_over(broker.clone(), Act::Consume, |_| {}).await;
    let registered = async || {
        let (_, value) = broker.entries_of("replicas", 10).await.unwrap().pop()?;
        Some(<Replica as Record>::decode(value).unwrap())
    };
    let replica = loop {
        match registered().await {
            Some(replica) if !replica.consumers.is_empty() => break replica,
            _ => tokio::task::yield_now().await,
        }
    };
    assert_eq!((replica.service.as_str(), replica.version.as_str()), ("stage", "1.2.3"));
    assert_eq!(replica.consumers, ["stage"]);
    process.shutdown().cancel();
    assert!(is_success(process.run_until_stopped().await));
    assert_eq!(registered().await, None);
}

#[tokio::test]
async fn metrics_exist_at_zero() {
    let (_memory, _process, admin) = boot(Act::Consume, |_| {}).await;
    until_ready(admin).await;
    let (status, text) = get(admin, "/metrics", "").await;
    assert_eq!(status, 200);
    for outcome in ["done", "retry", "buried", "panicked"] {
        let line = format!(
            "worker_messages_total{{messaging_consumer_group_name=\"stage\",outcome=\"{outcome}\"}} 0"
        );
        assert!(text.contains(&line), "{line} in {text}");
    }
    for name in ["messaging_client_sent_messages", "worker_in_work", "worker_fetch_failures"] {
        assert!(text.contains(name), "{name} in {text}");
    }
}

#[tokio::test]
async fn metrics_want_the_token_if_there_is_one() {
    let set = |common: &mut Common| {
        common.admin.token = Some(gongkai_worker::Secret::new("s3cret-of-16-characters"));
    };
    let (_memory, _process, admin) = boot(Act::Hang, set).await;
    assert_eq!(get(admin, "/metrics", "").await.0, 401);
    assert_eq!(get(admin, "/metrics", "authorization: Bearer wrong\r\n").await.0, 401);
    assert_eq!(get(admin, "/metrics", "authorization: Bearer s3cret-of-16-characters\r\n").await.0, 200);
    assert_eq!(get(admin, "/livez", "").await.0, 200);
}

#[tokio::test]
async fn the_log_filter_changes_for_a_time_and_only_with_the_token() {
    let set = |common: &mut Common| {
        common.admin.token = Some(gongkai_worker::Secret::new("s3cret-of-16-characters"));
    };
    let (_memory, _process, admin) = boot(Act::Hang, set).await;
    let token = "authorization: Bearer s3cret-of-16-characters\r\n";
    for verb in ["GET /log", "PUT /log", "DELETE /log"] {
        assert_eq!(call(admin, verb, "", "debug").await.0, 401, "{verb}");
    }
    assert!(!tracing::enabled!(tracing::Level::DEBUG));
    let (status, answer) = call(admin, "PUT /log?for_s=3600", token, "debug\n").await;
    assert!(
        status == 200 && answer.contains(r#"{"filter":"debug","configured":"info","until":"2"#),
        "{answer}"
    );
    assert!(tracing::enabled!(tracing::Level::DEBUG));
    for (verb, body) in
        [("PUT /log", "a=b=c"), ("PUT /log?for_s=0", "trace"), ("PUT /log?for=9", "trace"), ("PUT /log", "")]
    {
        assert_eq!(call(admin, verb, token, body).await.0, 400, "{verb}");
    }
    let (status, answer) = call(admin, "DELETE /log", token, "").await;
    assert!(
        status == 200 && answer.contains(r#"{"filter":"info","configured":"info","until":null}"#),
        "{answer}"
    );
    assert!(!tracing::enabled!(tracing::Level::DEBUG));
}

#[tokio::test]
async fn a_service_that_ends_by_itself_is_a_failure() {
    for act in [Act::End, Act::Fail, Act::Panic] {
        let (_memory, process, _) = boot(act, |_| {}).await;
        assert!(!is_success(process.run_until_stopped().await), "{act:?}");
    }
}

#[tokio::test]
async fn a_service_that_does_not_stop_is_dropped() {
    let (_memory, process, admin) = boot(Act::Hang, |common| common.worker.drain_timeout_s = 0).await;
    until_ready(admin).await;
    tokio::time::pause();
    process.shutdown().cancel();
    assert!(!is_success(process.run_until_stopped().await));
}

#[tokio::test]
async fn an_address_beyond_this_machine_wants_a_token() {
    let mut common = Common::default();
    common.admin.address = "0.0.0.0".parse().unwrap();
    let about = About {
        program: "gongkai-stage",
        version: "1.2.3",
        versions: Vec::new(),
        sections: &[],
        topology: Topology::default(),
        marker: "marker",
        dead_prefix: "dead",
        attempts: "attempts",
        replicas: "replicas",
    };
    let refused = Process::boot_over(about, common, Arc::new(Memory::new())).await.map(drop).unwrap_err();
    assert!(refused.to_string().contains("admin.token"), "{refused}");
}

#[tokio::test]
async fn a_collector_that_never_answers_holds_the_end_up_for_two_exports_at_most() {
    // One thread runs everything here, as on a machine with one core.
    let collector = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", collector.local_addr().unwrap());
    let set = |common: &mut Common| common.telemetry.otlp_endpoint = endpoint.as_str().into();
    let (_memory, mut process, admin) = boot(Act::Consume, set).await;
    for _ in 0..3 {
        process.spawn::<Stage>(Config { act: Act::Consume }).await.unwrap();
    }
    until_ready(admin).await;
    process.shutdown().cancel();
    let asked = Instant::now();
    assert!(is_success(process.run_until_stopped().await));
    // Four services that export one after the other would take 24 s.
    assert!(asked.elapsed() < Duration::from_secs(15), "{:?}", asked.elapsed());
}
