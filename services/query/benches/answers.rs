//! Measures the cost of an answer: GetReport of a whole report, compared with a bare tonic server that returns the
//! same answer from memory.
//!
//! Both run in turns in this process, called by the same client over a connection of its own, one call at a time and
//! then 16 at once. Prints the ratios of the time per call and of the rates, as medians over the rounds. Targets: at
//! least 40 % one at a time, at least 50 % at once.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench stops at the first surprise and prints"
)]

#[expect(dead_code, reason = "the tests use more of it")]
#[path = "../tests/grpc/harness/mod.rs"]
mod harness;

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use gongkai_proto::subjects::Event;
use gongkai_proto::v1::report_service_client::ReportServiceClient;
use gongkai_proto::v1::{self, GetReportRequest, Report, report_service_server};
use prost::Message as _;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tonic::body::Body;
use tonic::codegen::{BoxFuture, Service, http};
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Server};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

use harness::Bench;

const REPORT: &str = "agencies/361001/reports/2023";
const FACTS: u32 = 200;
const ROUNDS: usize = 7;
const CALLS: u32 = 600;
const AT_ONCE: u32 = 16;

type Client = ReportServiceClient<Channel>;

#[derive(Debug, Clone, Copy)]
struct Figures {
    /// Time per call in ms, one call at a time.
    alone: f64,
    /// Calls per second, with [`AT_ONCE`] in flight.
    rate: f64,
}

fn main() {
    // `cargo test --benches` only checks that the bench starts.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let tokio = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    tokio.block_on(compare());
}

async fn compare() {
    let bench = served().await;
    let query = bench.client().await;
    let answer = query.clone().get_report(request()).await.unwrap().into_inner();
    assert_eq!(answer.facts.len(), usize::try_from(FACTS).unwrap());
    let bytes = answer.encoded_len();
    // `cargo bench -p gongkai-query --bench answers -- query` measures that side alone, for a profiler.
    if std::env::args().any(|argument| argument == "query") {
        for _ in 0..ROUNDS {
            println!("{:?}", measure(&query).await);
        }
        return;
    }
    let bare = bare(answer).await;
    let (mut ours, mut theirs) = (vec![], vec![]);
    for round in 0..ROUNDS {
        // The order alternates, so that a machine that slows down favours neither side.
        if round % 2 == 0 {
            theirs.push(measure(&bare).await);
            ours.push(measure(&query).await);
        } else {
            ours.push(measure(&query).await);
            theirs.push(measure(&bare).await);
        }
        println!("round {round}: GetReport {:?}, bare {:?}", ours[round], theirs[round]);
    }
    let (alone, rate) = (|figures: &Figures| figures.alone, |figures: &Figures| figures.rate);
    let (our_alone, their_alone) = (median(&ours, alone), median(&theirs, alone));
    let (our_rate, their_rate) = (median(&ours, rate), median(&theirs, rate));
    println!("GetReport of {bytes} bytes, {FACTS} facts, {CALLS} calls a round, {ROUNDS} rounds");
    println!(
        "one at a time: {our_alone:.2} ms against {their_alone:.2} ms, {:.0} % of the bare server (target: at least 40 %)",
        100.0 * their_alone / our_alone
    );
    println!(
        "{AT_ONCE} at once: {our_rate:.0}/s against {their_rate:.0}/s, {:.0} % of the bare server (target: at least 50 %)",
        100.0 * our_rate / their_rate
    );
}

/// Calls one at a time, then several at once.
async fn measure(client: &Client) -> Figures {
    let mut took = vec![];
    for _ in 0..CALLS {
        let started = Instant::now();
        client.clone().get_report(request()).await.unwrap();
        took.push(started.elapsed());
    }
    let started = Instant::now();
    let mut callers = JoinSet::new();
    for _ in 0..AT_ONCE {
        let mut client = client.clone();
        callers.spawn(async move {
            for _ in 0..CALLS / 4 {
                client.get_report(request()).await.unwrap();
            }
        });
    }
    callers.join_all().await;
    let calls = f64::from(AT_ONCE * (CALLS / 4));
    let alone = median(&took, |took: &Duration| took.as_secs_f64() * 1e3);
    Figures { alone, rate: calls / started.elapsed().as_secs_f64() }
}

fn request() -> GetReportRequest {
    GetReportRequest { name: REPORT.to_owned(), as_of: None }
}

fn median<T>(all: &[T], of: impl Fn(&T) -> f64) -> f64 {
    let mut all: Vec<f64> = all.iter().map(of).collect();
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

// === the service ===

/// Starts query with one whole report.
async fn served() -> Bench {
    let mut bench = Bench::start().await;
    let received = bench.receive().await;
    let mut event = bench.validated(received, REPORT, "aa", 2).await;
    event.report.as_mut().unwrap().facts = (0..FACTS).map(fact).collect();
    bench.publish(Event::ReportValidated, &event).await;
    bench.projected().await;
    bench
}

fn fact(n: u32) -> v1::Fact {
    let source = v1::Source {
        text: n.to_string(),
        table: Some(1),
        row: Some(n / 7),
        column: Some(n % 7),
        start: Some(4000 + 9 * n),
        end: Some(4003 + 9 * n),
        ..Default::default()
    };
    v1::Fact {
        concept: format!("requests.outcome.refused.row_{}", n / 7),
        applicant: i32::try_from(n % 7 + 1).unwrap(),
        state: v1::CellState::Reported.into(),
        value: Some(n.to_string()),
        source: Some(source),
        ..Default::default()
    }
}

// === the bare server ===

/// Returns one answer to every call.
#[derive(Clone)]
struct Bare(Report);

async fn bare(answer: Report) -> Client {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    tokio::spawn(Server::builder().add_service(Bare(answer)).serve_with_incoming(incoming));
    Client::connect(address).await.unwrap()
}

impl NamedService for Bare {
    const NAME: &'static str = report_service_server::SERVICE_NAME;
}

impl Service<http::Request<Body>> for Bare {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let bare = self.clone();
        Box::pin(async move { Ok(Grpc::new(ProstCodec::default()).unary(bare, request).await) })
    }
}

impl UnaryService<GetReportRequest> for Bare {
    type Response = Report;
    type Future = Ready<Result<Response<Report>, Status>>;

    fn call(&mut self, _: Request<GetReportRequest>) -> Self::Future {
        ready(Ok(Response::new(self.0.clone())))
    }
}
