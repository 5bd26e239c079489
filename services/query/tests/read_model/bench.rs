//! A nats-server, the query service in this process, and a client that compares whole answers.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use gongkai_proto::subjects::{self, BUCKET_TEXTS, Event, STREAM_REPORTS};
use gongkai_proto::v1::{self, report_service_client::ReportServiceClient};
use gongkai_query::{Config, run_on};
use gongkai_worker::testing::NatsServer;
use gongkai_worker::transport::jetstream::{JetStream, JetStreamSettings};
use gongkai_worker::{Output, Runtime, Transport as _};
use prost::Message as _;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

/// How long the service may take until its answers are right again.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// The answers to every request that a client can make, one text each.
pub(crate) type Answers = Vec<String>;

/// A server with a log.
pub(crate) struct Bench {
    pub(crate) server: NatsServer,
    pub(crate) config: Config,
    /// Number of facts of each published report.
    pub(crate) facts: u32,
    /// Bytes of prose of each published report, in the object store.
    pub(crate) prose: usize,
    folder: tempfile::TempDir,
    published: u64,
}

/// A running query service.
pub(crate) struct Query {
    pub(crate) runtime: Runtime,
    pub(crate) channel: Channel,
    shutdown: CancellationToken,
    running: JoinHandle<anyhow::Result<()>>,
}

impl Bench {
    pub(crate) async fn start() -> Self {
        let server = NatsServer::start().await;
        let folder = tempfile::tempdir().unwrap();
        let config = Config { database: folder.path().join("query.db"), ..Config::default() };
        let bench = Self { server, config, facts: 1, prose: 0, folder, published: 0 };
        bench.declare().await;
        bench
    }

    pub(crate) async fn connect(&self) -> JetStream {
        let settings = JetStreamSettings { servers: vec![self.server.url()], ..JetStreamSettings::default() };
        JetStream::connect(&settings).await.unwrap()
    }

    pub(crate) async fn declare(&self) {
        self.connect().await.declare(&gongkai_proto::topology!()).await.unwrap();
    }

    /// Starts the service and does not wait for it.
    pub(crate) async fn query(&self) -> Query {
        let shutdown = CancellationToken::new();
        let runtime = Runtime::builder("query", Arc::new(self.connect().await))
            .dead_prefix(subjects::DEAD_PREFIX)
            .shutdown(shutdown.clone())
            .build();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let running = tokio::spawn(run_on(listener, self.config.clone(), runtime.clone()));
        let channel = Channel::from_shared(address).unwrap().connect().await.unwrap();
        Query { runtime, channel, shutdown, running }
    }

    /// Adds reports to the log, each after its original.
    pub(crate) async fn publish(&mut self, reports: std::ops::Range<u32>) {
        let runtime = Runtime::builder("validate", Arc::new(self.connect().await)).build();
        for report in reports {
            let received =
                self.append(&runtime, Event::ReportReceived, &v1::DocumentReceived::default()).await;
            let mut event = validated(received, report, self.facts);
            if self.prose > 0 {
                let text = self.put_prose(&runtime, report).await;
                event.report.as_mut().unwrap().text = Some(text);
            }
            self.append(&runtime, Event::ReportValidated, &event).await;
        }
    }

    async fn put_prose(&self, runtime: &Runtime, report: u32) -> v1::ContentRef {
        let paragraph = v1::TextParagraph { text: "文".repeat(self.prose / 3), ..Default::default() };
        let text = v1::ParsedText { preamble: vec![paragraph], ..Default::default() };
        let key = format!("text-of-{report}");
        runtime.objects(BUCKET_TEXTS).put(&key, text.encode_to_vec().into()).await.unwrap();
        v1::ContentRef { key, ..Default::default() }
    }

    async fn append(&mut self, runtime: &Runtime, event: Event, message: &impl prost::Message) -> u64 {
        self.published += 1;
        let output = Output::new(event.subject("360982".parse().unwrap()), event.ce_type(), message);
        runtime.publish(&format!("m{}", self.published), output).await.unwrap().sequence
    }

    /// Deletes the log, which the transports cannot do.
    pub(crate) async fn delete_log(&self) {
        let address = self.server.url().replace("nats://", "");
        let mut server = BufReader::new(TcpStream::connect(address).await.unwrap());
        let request = format!("$JS.API.STREAM.DELETE.{STREAM_REPORTS}");
        let said = format!("CONNECT {{\"verbose\":false}}\r\nSUB gone 1\r\nPUB {request} gone 0\r\n\r\n");
        server.write_all(said.as_bytes()).await.unwrap();
        let mut answer = String::new();
        while !answer.contains("success") {
            assert!(timeout(SOON, server.read_line(&mut answer)).await.unwrap().unwrap() > 0, "{answer}");
        }
    }

    /// Copies the store of the server, which is stopped meanwhile.
    pub(crate) async fn copy_store(&mut self) -> PathBuf {
        let copy = self.folder.path().join("store");
        self.server.kill();
        copy_folder(&self.server.store(), &copy);
        self.server.restart().await;
        copy
    }

    /// Replaces the server's store by a copy.
    pub(crate) async fn replace_store(&mut self, copy: &Path) {
        self.server.kill();
        fs::remove_dir_all(self.server.store()).unwrap();
        copy_folder(copy, &self.server.store());
        self.server.restart().await;
    }

    /// Returns the read model's files with these suffixes.
    pub(crate) fn files(&self, suffixes: &[&str]) -> Vec<(PathBuf, Vec<u8>)> {
        let named = |suffix: &&str| PathBuf::from(format!("{}{suffix}", self.config.database.display()));
        suffixes.iter().map(named).map(|path| (path.clone(), fs::read(path).unwrap())).collect()
    }

    /// Returns the number of files that were moved aside.
    pub(crate) fn aside(&self) -> usize {
        let entries = fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        entries.filter(|name| name.to_string_lossy().contains(".aside.")).count()
    }
}

impl Query {
    pub(crate) fn client(&self) -> ReportServiceClient<Channel> {
        ReportServiceClient::new(self.channel.clone())
    }

    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        timeout(SOON, self.running).await.expect("it stops in time").unwrap().unwrap();
    }

    /// Returns the names of all reports.
    pub(crate) async fn names(&self) -> Result<Vec<String>, Status> {
        let request =
            v1::ListReportsRequest { parent: "agencies/-".into(), page_size: 1000, ..Default::default() };
        let listed = self.client().list_reports(request).await?.into_inner();
        Ok(listed.reports.into_iter().map(|report| report.name).collect())
    }

    /// Waits until the service has this many reports, and returns all its answers.
    pub(crate) async fn answers(&self, reports: usize) -> Answers {
        self.until(|names| names.as_ref().is_ok_and(|names| names.len() == reports)).await;
        self.ask().await.unwrap()
    }

    /// Waits until the service is ready.
    pub(crate) async fn ready(&self) {
        self.until(Result::is_ok).await;
        assert_eq!(self.runtime.waiting(), [""; 0]);
    }

    /// Waits for an answer, or for a refusal.
    pub(crate) async fn until(&self, mut reached: impl FnMut(&Result<Vec<String>, Status>) -> bool) {
        let started = Instant::now();
        loop {
            let names = self.names().await;
            if reached(&names) {
                return;
            }
            assert!(!self.running.is_finished(), "the service ended");
            let count = names.map(|names| names.len());
            assert!(started.elapsed() < SOON, "{count:?}, {:?}", self.runtime.waiting());
            sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) async fn ask(&self) -> Result<Answers, Status> {
        let mut client = self.client();
        let mut answers = Vec::new();
        for name in self.names().await? {
            let request = v1::GetReportRequest { name: name.clone(), as_of: None };
            answers.push(format!("{:?}", client.get_report(request).await?.into_inner()));
            let request = v1::ListRevisionsRequest { parent: name, ..Default::default() };
            answers.push(format!("{:?}", client.list_revisions(request).await?.into_inner().revisions));
        }
        let parent = "agencies/-/reports/-".to_owned();
        let request =
            v1::ListFindingsRequest { parent: parent.clone(), page_size: 1000, ..Default::default() };
        answers.push(format!("{:?}", client.list_findings(request).await?.into_inner().findings));
        let request = v1::QueryFactsRequest { parent, page_size: 1000, ..Default::default() };
        answers.push(format!("{:?}", client.query_facts(request).await?.into_inner().facts));
        Ok(answers)
    }
}

/// Returns the reason of a refusal, such as `REBUILDING`; the refusal itself is `UNAVAILABLE`.
pub(crate) fn reason(refusal: &Status) -> String {
    assert_eq!(refusal.code(), Code::Unavailable, "{refusal:?}");
    refusal.get_details_error_info().expect("every refusal has a reason").reason
}

/// Returns the name of a report.
pub(crate) fn name(report: u32) -> String {
    format!("agencies/36{report:04}/reports/2023")
}

fn validated(received: u64, report: u32, facts: u32) -> v1::ReportValidated {
    let version = || "1".to_owned();
    v1::ReportValidated {
        origin: Some(v1::Origin {
            submission_id: format!("s{received}"),
            kind: v1::DocumentKind::Published.into(),
            content_hash: format!("hash-of-{report}"),
            received_sequence: received,
            received_at: Some(prost_types::Timestamp {
                seconds: 1_700_000_000 + i64::from(report),
                nanos: 0,
            }),
            url: format!("https://a.example/{report}"),
            region: "360982".into(),
            ..Default::default()
        }),
        report: Some(v1::ParsedReport {
            name: name(report),
            agency_name: format!("第{report}街道办事处"),
            year: 2023,
            form: "2021".into(),
            variant: "standard".into(),
            title: format!("第{report}街道办事处2023年政府信息公开工作年度报告"),
            media_type: "text/html".into(),
            facts: (0..facts).map(|fact| cell(fact, report)).collect(),
            ..Default::default()
        }),
        versions: Some(v1::Versions {
            program: version(),
            parser: version(),
            forms: version(),
            rules: version(),
        }),
        trace_id: format!("{report:032x}"),
        ..Default::default()
    }
}

/// Returns the total of requests for the first number, and other cells of the form for the rest.
fn cell(fact: u32, report: u32) -> v1::Fact {
    v1::Fact {
        concept: if fact == 0 { "requests.received".into() } else { format!("requests.outcome.cell_{fact}") },
        applicant: v1::Applicant::Total.into(),
        state: v1::CellState::Reported.into(),
        value: Some((report + fact).to_string()),
        source: Some(v1::Source { text: (report + fact).to_string(), ..Default::default() }),
        ..Default::default()
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (from, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if from.is_dir() {
            copy_folder(&from, &to);
        } else {
            fs::copy(&from, &to).unwrap();
        }
    }
}

/// Restores the content of files.
pub(crate) fn put_back(files: &[(PathBuf, Vec<u8>)]) {
    for (path, bytes) in files {
        fs::write(path, bytes).unwrap();
    }
}

/// Flips a bit in the middle of each of the file's pages but the first.
pub(crate) fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    for at in (4096 + 2222..bytes.len()).step_by(4096) {
        bytes[at] ^= 0x10;
    }
    fs::write(path, bytes).unwrap();
}
