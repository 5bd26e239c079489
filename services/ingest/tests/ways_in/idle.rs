//! Callers that keep connections open and send little or nothing, over real sockets: they delay neither other callers
//! nor shutdown.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use futures::{StreamExt as _, stream};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::timeout,
};
use tonic::{Code, Request, Status, client::Grpc, transport::Channel};

use crate::harness::{Harness, NOW};
use gongkai_ingest::{Listeners, config::Config, config::Site, run_on};
use gongkai_proto::v1::{
    Receipt, SubmitRequest, WatchSubmissionRequest, submission_service_client::SubmissionServiceClient,
};
use gongkai_worker::Secret;

const TOKEN: &str = "a-token-of-some-length";
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// An ingest with its own sockets.
pub(crate) struct Served {
    pub(crate) harness: Harness,
    pub(crate) http: SocketAddr,
    grpc: SocketAddr,
    serving: JoinHandle<anyhow::Result<()>>,
}

pub(crate) async fn served(config: Config) -> Served {
    let harness = Harness::new(&config).await;
    let bind = || TcpListener::bind("127.0.0.1:0");
    let listeners = Listeners { http: bind().await.unwrap(), grpc: bind().await.unwrap() };
    let addresses = [&listeners.http, &listeners.grpc].map(|listener| listener.local_addr().unwrap());
    let serving = tokio::spawn(run_on(listeners, config, harness.runtime.clone()));
    Served { harness, http: addresses[0], grpc: addresses[1], serving }
}

fn guarded() -> Config {
    let secrets = vec![Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")];
    let site = Site { source: "https://www.example.gov.cn".into(), secrets, ..Site::default() };
    Config { tokens: vec![Secret::new(TOKEN)], sites: [("example".into(), site)].into(), ..Config::default() }
}

async fn said(address: SocketAddr, bytes: impl AsRef<[u8]>) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes.as_ref()).await.unwrap();
    stream
}

/// Returns a post whose body is announced but not sent, with headers that look like a signature.
fn begun_post() -> String {
    let timestamp = NOW.unix_timestamp();
    format!(
        "POST /v1/reports HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\nwebhook-id: m\r\n\
         webhook-timestamp: {timestamp}\r\nwebhook-signature: v1,AAAA\r\n\r\n<p>"
    )
}

/// Posts with the token, on a new connection, and returns the whole answer.
async fn post(address: SocketAddr, path: &str, body: &str) -> String {
    let length = body.len();
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {TOKEN}\r\n\
         content-type: text/html\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    answer(said(address, request).await).await
}

async fn answer(mut stream: TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}

async fn channel(address: SocketAddr) -> Channel {
    Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap()
}

fn with_token<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {TOKEN}").parse().unwrap());
    request
}

/// Calls `Submit` and never sends the message.
async fn endless_submit(channel: Channel, token: bool) -> Result<(), Status> {
    let mut client = Grpc::new(channel);
    client.ready().await.unwrap();
    let nothing = stream::pending::<SubmitRequest>();
    let request = if token { with_token(nothing) } else { Request::new(nothing) };
    let path = http::uri::PathAndQuery::from_static("/gongkai.v1.SubmissionService/Submit");
    let codec = tonic_prost::ProstCodec::<SubmitRequest, Receipt>::default();
    client.client_streaming(request, path, codec).await.map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_idle_callers_delay_nobody() {
    // There are more of them than allowed connections: the last ones replace the first.
    let Served { harness: _harness, http, grpc, serving: _serving } =
        served(Config { max_connections: 80, max_requests: 4, ..guarded() }).await;
    let known = channel(grpc).await;
    let endless = tokio::spawn(endless_submit(known.clone(), true));
    let mut idle = Vec::new();
    for n in 0..200 {
        idle.push(match n % 6 {
            0 => said(http, "").await,
            1 => said(http, "POST /v1/reports HTTP/1.1\r\nhost: x\r\n").await,
            2 => said(http, begun_post()).await,
            3 => said(grpc, "").await,
            4 => said(grpc, PREFACE).await,
            _ => said(http, "POST /v1/events HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n").await,
        });
    }
    let started = Instant::now();
    let answered = post(http, "/v1/reports", "<p>2023</p>").await;
    assert!(answered.starts_with("HTTP/1.1 202 "), "{answered}");
    let request = || with_token(SubmitRequest { content: "年报".into(), ..SubmitRequest::default() });
    for channel in [channel(grpc).await, known] {
        SubmissionServiceClient::new(channel).submit(request()).await.unwrap();
    }
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    let refused = endless_submit(channel(grpc).await, false).await.unwrap_err();
    assert_eq!((refused.code(), started.elapsed() < Duration::from_secs(2)), (Code::Unauthenticated, true));
    assert!(!endless.is_finished());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn headers_and_bodies_that_drip_are_given_up() {
    let config = Config { header_timeout_s: 1, body_timeout_s: 1, ..guarded() };
    let Served { harness: _harness, http, grpc, serving: _serving } = served(config).await;
    let bound = Duration::from_secs(10);
    for (address, silent) in [(http, ""), (grpc, ""), (http, "POST /v1/reports HTTP/1.1\r\nho")] {
        let mut silent = said(address, silent).await;
        let ended = timeout(bound, silent.read_to_end(&mut Vec::new())).await;
        ended.expect("the server closes it").ok();
    }
    let late = timeout(bound, answer(said(http, begun_post()).await)).await.unwrap();
    assert!(late.starts_with("HTTP/1.1 408 ") && late.contains("TIMEOUT"), "{late}");
    let late = timeout(bound, endless_submit(channel(grpc).await, true)).await.unwrap().unwrap_err();
    assert_eq!(late.code(), Code::DeadlineExceeded, "{late}");
}

/// Watches a submission on a thread of its own and stops there, like a suspended process: its socket stays open, and
/// nobody reads from it.
fn stopped_watcher(grpc: SocketAddr, submission_id: String) -> std::sync::mpsc::Sender<()> {
    let (watching, seen) = std::sync::mpsc::channel();
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut client = SubmissionServiceClient::new(channel(grpc).await);
            let watch = client.watch_submission(with_token(WatchSubmissionRequest { submission_id }));
            let mut watch = watch.await.unwrap().into_inner();
            watch.next().await.unwrap().unwrap();
            watching.send(()).unwrap();
            // The task blocks the only thread that could read. It ends with the test.
            stopped.recv().ok();
        });
    });
    seen.recv().unwrap();
    stop
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_waits_for_no_silent_caller_and_no_stopped_watcher() {
    let Served { harness, http, grpc, serving } = served(guarded()).await;
    let receipt = post(http, "/v1/reports", "<p>2023</p>").await;
    let id = receipt.split_once("\"submission_id\":\"").unwrap().1.split('"').next().unwrap().to_owned();
    let _watcher = tokio::task::spawn_blocking(move || stopped_watcher(grpc, id)).await.unwrap();
    let mut silent = vec![said(grpc, "").await, said(grpc, PREFACE).await, said(http, "").await];
    silent.push(said(http, "POST /v1/reports HTTP/1.1\r\n").await);
    let mid_body = said(http, begun_post()).await;
    let endless = tokio::spawn(endless_submit(channel(grpc).await, true));
    // This connection is accepted, so the connections before it were accepted too.
    assert!(post(http, "/v1/reports", "<p>2023</p>").await.contains("202"));
    let started = Instant::now();
    harness.runtime.shutdown().cancel();
    timeout(Duration::from_secs(10), serving)
        .await
        .expect("a silent caller held up the stop")
        .unwrap()
        .unwrap();
    assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
    let told = answer(mid_body).await;
    assert!(told.starts_with("HTTP/1.1 503 ") && told.contains("OVERLOADED"), "{told}");
    assert!(endless.await.unwrap().is_err());
}
