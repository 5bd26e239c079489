//! A query service in this process over a memory transport, and a client of it.

use std::sync::Arc;
use std::time::Duration;

use gongkai_model::{
    Applicant, Concept, Fact, FactId, Finding, FormId, MediaType, Paragraph, Report, ReportKey, Section,
    Severity, State, Variant, Versions,
};
use gongkai_proto::convert::{report as halves, timestamp::timestamp};
use gongkai_proto::subjects::{self, BUCKET_TEXTS, Event, STREAM_REPORTS};
use gongkai_proto::v1::{self, report_service_client::ReportServiceClient};
use gongkai_query::{Config, run_on};
use gongkai_worker::clock::ClockHandle;
use gongkai_worker::transport::memory::Memory;
use gongkai_worker::{Clock, Output, Runtime, Transport};
use prost::Message as _;
use time::{OffsetDateTime, macros::datetime};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

pub(crate) const SOON: Duration = Duration::from_secs(20);
/// The time when the service starts. Tests move the clock.
pub(crate) const START: OffsetDateTime = datetime!(2024-02-01 08:00 UTC);

/// A running service with its broker and its folder.
pub(crate) struct Bench {
    pub(crate) broker: Memory,
    pub(crate) address: String,
    pub(crate) shutdown: CancellationToken,
    pub(crate) hand: ClockHandle,
    clock: Clock,
    config: Config,
    folder: tempfile::TempDir,
    runtime: Runtime,
    running: JoinHandle<anyhow::Result<()>>,
    next_id: u64,
}

impl Bench {
    pub(crate) async fn start() -> Self {
        Self::start_with(Config::default()).await
    }

    /// Starts the service with `config`, except for the address and the database.
    pub(crate) async fn start_with(config: Config) -> Self {
        let broker = Memory::new();
        broker.declare(&gongkai_proto::topology!()).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let config = Config { database: folder.path().join("query.db"), ..config };
        let (clock, hand) = Clock::manual(START);
        let (runtime, shutdown, address, running) = spawn(&broker, &config, &clock).await;
        Self { broker, address, shutdown, hand, clock, config, folder, runtime, running, next_id: 1 }
    }

    /// Stops the service in order and starts it again; `rebuild` deletes its database in between.
    pub(crate) async fn restart(&mut self, rebuild: bool) {
        self.stop().await;
        if rebuild {
            for entry in std::fs::read_dir(self.folder.path()).unwrap() {
                std::fs::remove_file(entry.unwrap().path()).unwrap();
            }
        }
        let (runtime, shutdown, address, running) = spawn(&self.broker, &self.config, &self.clock).await;
        (self.runtime, self.shutdown, self.address, self.running) = (runtime, shutdown, address, running);
    }

    pub(crate) async fn stop(&mut self) {
        self.shutdown.cancel();
        timeout(SOON, &mut self.running).await.expect("it stops in time").unwrap().unwrap();
    }

    pub(crate) async fn channel(&self) -> Channel {
        Channel::from_shared(self.address.clone()).unwrap().connect().await.unwrap()
    }

    pub(crate) async fn client(&self) -> ReportServiceClient<Channel> {
        ReportServiceClient::new(self.channel().await)
    }

    /// Returns a runtime over the broker.
    pub(crate) fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Publishes one message and returns its stream sequence.
    pub(crate) async fn publish(&mut self, event: Event, message: &impl prost::Message) -> u64 {
        let output = Output::new(event.subject("360982".parse().unwrap()), event.ce_type(), message);
        self.next_id += 1;
        self.runtime.publish(&format!("m{}", self.next_id), output).await.unwrap().sequence
    }

    /// Publishes the event of a received original. Returns its sequence.
    pub(crate) async fn receive(&mut self) -> u64 {
        self.publish(Event::ReportReceived, &v1::DocumentReceived::default()).await
    }

    /// Publishes the events and the prose of an original that is received and validated. Returns the sequence of the
    /// first.
    pub(crate) async fn validate(&mut self, key: &str, hash: &str, n: i64) -> u64 {
        let received = self.receive().await;
        let event = self.validated(received, key, hash, n).await;
        self.publish(Event::ReportValidated, &event).await;
        received
    }

    /// Returns the event of a validated report, and stores its prose in the bucket.
    pub(crate) async fn validated(
        &self,
        received: u64,
        key: &str,
        hash: &str,
        n: i64,
    ) -> v1::ReportValidated {
        let key: ReportKey = key.parse().unwrap();
        let report = report(&key, n);
        let text = v1::ContentRef { key: format!("{hash}.{n}"), ..Default::default() };
        let prose = halves::text(&report).encode_to_vec();
        self.runtime.objects(BUCKET_TEXTS).put(&text.key, prose.into()).await.unwrap();
        let findings: Vec<Finding> = (0..=n % 3).map(|i| finding(n, i)).collect();
        v1::ReportValidated {
            differences: Vec::new(),
            origin: Some(origin(received, hash)),
            report: Some(halves::header(&report, &key, MediaType::Html, text)),
            findings: findings.iter().map(Into::into).collect(),
            summary: None,
            versions: Some((&versions()).into()),
            validation: 0,
            superseded: false,
            parsed_sequence: 0,
            moved_from: Vec::new(),
            trace_id: format!("{n:032x}"),
        }
    }

    /// Waits until the projector has handled everything published so far.
    pub(crate) async fn projected(&self) {
        let done = |broker: &Memory| {
            let kinds =
                [Event::ReportValidated, Event::ReportRejected, Event::ReportWithdrawn, Event::ReportWaived];
            let due: usize = kinds.iter().map(|kind| broker.messages(&kind.filter()).len()).sum();
            let durable = subjects::consumer_query(&self.epoch());
            broker.consumer_state(STREAM_REPORTS, &durable).is_some_and(|state| state.settled == due)
        };
        timeout(SOON, self.broker.until(done)).await.expect("the projector is through in time");
    }

    fn epoch(&self) -> String {
        gongkai_store::sqlite::epoch_of(&self.config.database).unwrap()
    }
}

async fn spawn(
    broker: &Memory,
    config: &Config,
    clock: &Clock,
) -> (Runtime, CancellationToken, String, JoinHandle<anyhow::Result<()>>) {
    let shutdown = CancellationToken::new();
    let runtime = Runtime::builder("query", Arc::new(broker.clone()))
        .dead_prefix(subjects::DEAD_PREFIX)
        .clock(clock.clone())
        .shutdown(shutdown.clone())
        .build();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let mut running = Box::pin(run_on(listener, config.clone(), runtime.clone()));
    // Polls the future up to its first wait. By then it reports whether it is ready.
    tokio::select! {
        biased;
        ended = &mut running => panic!("the service ended at once: {ended:?}"),
        () = std::future::ready(()) => {}
    }
    let running = tokio::spawn(running);
    while !runtime.is_ready() {
        assert!(!running.is_finished(), "the service ended at once");
        tokio::task::yield_now().await;
    }
    (runtime, shutdown, address, running)
}

pub(crate) fn origin(received: u64, hash: &str) -> v1::Origin {
    let day = time::Duration::days(i64::try_from(received).unwrap());
    v1::Origin {
        submission_id: format!("s{received}"),
        kind: v1::DocumentKind::Published.into(),
        content_hash: hash.into(),
        received_sequence: received,
        received_at: Some(timestamp(datetime!(2024-01-15 10:12 UTC) + day)),
        // The time is before that of every message of the test's broker.
        effective_at: Some(timestamp(time::OffsetDateTime::UNIX_EPOCH + day)),
        event_time: Some(timestamp(time::OffsetDateTime::UNIX_EPOCH + day)),
        url: format!("https://{hash}.example/"),
        region: "360982".into(),
        ..Default::default()
    }
}

fn versions() -> Versions {
    Versions { program: "1".into(), parser: "2".into(), forms: "3".into(), rules: "4".into() }
}

fn fact(concept: &str, applicant: Option<Applicant>, state: State) -> Fact {
    Fact {
        id: FactId { concept: Concept::new(concept), applicant },
        state,
        source: None,
        unread_reason: None,
        candidates: vec![],
    }
}

fn report(key: &ReportKey, n: i64) -> Report {
    let paragraph = |text: String| Paragraph { text, span: None, page: None };
    Report {
        agency: format!("{}街道办事处", key.agency),
        year: key.year,
        title_year: Some(key.year),
        period: None,
        form: FormId::Form2021,
        variant: Variant::Standard,
        title: format!("{}年政府信息公开工作年度报告", key.year),
        preamble: vec![paragraph(format!("第{n}稿"))],
        sections: vec![Section {
            number: 1,
            title: "一、总体情况".into(),
            title_span: None,
            paragraphs: vec![paragraph("第一段".into()), paragraph(format!("共{n}条"))],
            has_table: false,
        }],
        facts: vec![
            fact("proactive.fees.amount", None, State::Reported(format!("{n}.20").parse().unwrap())),
            fact("requests.received", Some(Applicant::Total), State::Reported(n.into())),
            fact("requests.received", Some(Applicant::Enterprise), State::Blank),
        ],
        metadata: gongkai_model::Metadata::default(),
        notes: vec![],
        parts: vec![],
        identity: gongkai_model::Identity::default(),
    }
}

fn finding(n: i64, i: i64) -> Finding {
    let at = usize::try_from(i).unwrap();
    Finding {
        rule: ["T3-ROW", "P-SUM", "S-SECT"][at].into(),
        severity: [Severity::Error, Severity::Warning, Severity::Info][at],
        message: "合计不符".into(),
        message_en: "total differs".into(),
        fingerprint: format!("f{n}-{i}"),
        cause: None,
        concept: Some(Concept::new("requests.received")),
        formula: "sum of applicants = total".into(),
        expected: Some("7".into()),
        actual: Some("8".into()),
        facts: vec!["requests.received[total]".parse().unwrap()],
        source: None,
        legal: "条例第五十条".into(),
        help: "核对".into(),
        suggestion: None,
        operands_digest: format!("d{n}-{i}"),
        versions: versions(),
    }
}
