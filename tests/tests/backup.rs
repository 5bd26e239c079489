//! A deployment is copied while reports arrive, and restored over another broker: real programs and real brokers.

#![expect(clippy::unwrap_used, reason = "helpers of tests: what is missing fails the test")]

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::{Command, Output},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Router, extract::Path as Route, http::HeaderMap, http::StatusCode, routing::post};
use futures::TryStreamExt as _;
use gongkai_proto::{
    subjects::{Event, SERVICES, STREAM_DEAD, STREAM_REPORTS},
    v1::DocumentReceived,
};
use gongkai_tests::{
    deployment::{Deployment, Plan, binary},
    http,
    neighbourhood::{Turn, document},
    samples,
};
use gongkai_worker::{
    Clock, Output as Published, Runtime,
    testing::NatsServer,
    transport::jetstream::{JetStream, JetStreamSettings},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
/// Submissions that are accepted while the backup is made, at least.
const UNDER_LOAD: usize = 10;

/// The receivers of two subscriptions. One of them is away until it is told otherwise.
#[derive(Clone, Default)]
struct Receivers {
    is_back: Arc<AtomicBool>,
    /// Name of the subscription and `webhook-id` of each accepted request.
    taken: Arc<Mutex<Vec<(String, String)>>>,
}

impl Receivers {
    /// Starts both. Returns the settings of their subscriptions too.
    async fn start() -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let this = Self::default();
        let receiver = this.clone();
        let take = move |Route(name): Route<String>, headers: HeaderMap| async move {
            receiver.take(name, &headers)
        };
        let router = Router::new().route("/{name}", post(take));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let subscription = |name: &str| {
            format!(
                "[[notify.subscriptions]]\nname = \"{name}\"\nchannel = \"webhook\"\nurl = \"http://{address}/{name}\"\n\
                 secret = \"{SECRET}\"\nmin_severity = \"INFO\"\nallow_private = true\n"
            )
        };
        let delays = "[notify]\nretry_delays_s = [1, 1, 2, 2, 4, 4, 4, 8, 8, 8, 8, 8, 8]\n";
        (this, [delays.to_owned(), subscription("office"), subscription("away")].concat())
    }

    fn take(&self, name: String, headers: &HeaderMap) -> StatusCode {
        if name == "away" && !self.is_back.load(Ordering::SeqCst) {
            return StatusCode::SERVICE_UNAVAILABLE;
        }
        let id = headers["webhook-id"].to_str().unwrap().to_owned();
        self.taken.lock().unwrap().push((name, id));
        StatusCode::NO_CONTENT
    }

    /// Returns the ids that a subscription was sent, once for each request.
    fn sent(&self, name: &str) -> Vec<String> {
        let taken = self.taken.lock().unwrap();
        taken.iter().filter(|(subscription, _)| subscription == name).map(|(_, id)| id.clone()).collect()
    }
}

/// Submits reports until it is told to stop. Returns the accepted submissions.
fn load(
    ingest: String,
    accepted: Arc<Mutex<Vec<String>>>,
    stop: Arc<AtomicBool>,
) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        for number in 0.. {
            if stop.load(Ordering::SeqCst) {
                return;
            }
            let document = document(&Turn::of(&format!("云溪县第{number}办事处"), 2023));
            let url = format!("{ingest}/v1/reports?filename=report.md");
            let answer = http::post(&url, "text/markdown", document).await.unwrap();
            assert_eq!(answer.status, 202, "{}", answer.json);
            accepted.lock().unwrap().push(answer.json["submission_id"].as_str().unwrap().to_owned());
        }
    })
}

async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    for _ in 0..2400 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what}: not within 2 minutes");
}

async fn at_rest(deployment: &Deployment) {
    let mut before = None;
    until("every consumer has settled the log", async || {
        let now = deployment.settled().await;
        let is_over = now.is_some() && now == before;
        before = now;
        is_over
    })
    .await;
}

fn gongkai(arguments: &[&str]) -> Output {
    Command::new(binary("gongkai")).args(arguments).env("LC_ALL", "en_US.UTF-8").output().unwrap()
}

/// Runs a command that must succeed. Returns its output.
fn said(arguments: &[&str]) -> String {
    let output = gongkai(arguments);
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a command that must fail, and returns the code of its refusal.
fn refused(arguments: &[&str]) -> String {
    let output = gongkai(arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    let last = said.lines().last().unwrap_or_default().to_owned();
    last.split(": ").nth(1).unwrap_or_default().to_owned()
}

/// What a deployment answers about reports, findings, waivers, dead letters and receipts.
#[derive(Debug, PartialEq)]
struct Answers {
    lines: BTreeMap<&'static str, BTreeSet<String>>,
    reports: Vec<Value>,
    receipts: Vec<Value>,
}

impl Answers {
    /// Asks for the submissions of `ids`, for their reports, and for what belongs to these.
    async fn of(deployment: &Deployment, ids: &[String]) -> Self {
        let query = format!("http://{}", deployment.query());
        let mut receipts = Vec::new();
        for id in ids {
            receipts.push(http::settled(&deployment.ingest(), id).await);
        }
        let named = |value: &Value| value.as_str().map(str::to_owned);
        let names: BTreeSet<_> = receipts.iter().filter_map(|receipt| named(&receipt["report"])).collect();
        let commands: [(&str, &[&str]); 4] = [
            ("list", &["list"]),
            ("findings", &["findings"]),
            ("waivers", &["waivers", "list"]),
            ("dead", &["dead", "list"]),
        ];
        let is_ours = |line: &&str| {
            let about: Value = serde_json::from_str(line).unwrap();
            let name = [&about["name"], &about["report"]].into_iter().find_map(named);
            let name = name.unwrap_or_default();
            !name.contains("/reports/") || names.iter().any(|known| name.starts_with(known.as_str()))
        };
        let lines = commands.map(|(name, command)| {
            let arguments = [command, &["--format", "json", "--query", &query]].concat();
            (name, said(&arguments).lines().filter(is_ours).map(str::to_owned).collect())
        });
        let get = |name: &String| {
            let text = said(&["get", name, "--format", "json", "--query", &query]);
            serde_json::from_str(&text).unwrap()
        };
        Self { lines: lines.into(), reports: names.iter().map(get).collect(), receipts }
    }
}

/// Hands in what a backup must keep: reports with and without findings, a rejected document, a waiver, a withdrawal, and
/// a message that becomes a dead letter. Returns the submissions.
async fn hand_in(deployment: &Deployment) -> Vec<String> {
    let ingest = deployment.ingest();
    let mut ids = Vec::new();
    for (number, sample) in samples::all().iter().take(8).enumerate() {
        let url = format!(
            "{ingest}/v1/reports?filename={}&url=https://www.yunxi.example/{number}.html",
            sample.file
        );
        let answer = http::post(&url, "application/octet-stream", sample.bytes()).await.unwrap();
        ids.push(answer.json["submission_id"].as_str().unwrap().to_owned());
    }
    let answer =
        http::post(&format!("{ingest}/v1/reports?filename=x.txt"), "text/plain", b"no report".to_vec()).await;
    ids.push(answer.unwrap().json["submission_id"].as_str().unwrap().to_owned());
    for id in &ids {
        http::settled(&ingest, id).await;
    }
    let event = json!({
        "specversion": "1.0", "id": "w-1", "source": "https://www.yunxi.example/cms", "type": "gongkai.report.withdrawn.v1",
        "data": {"url": "https://www.yunxi.example/4.html"},
    });
    let body = serde_json::to_vec(&event).unwrap();
    let answer =
        http::post(&format!("{ingest}/v1/events"), "application/cloudevents+json", body).await.unwrap();
    ids.push(answer.json["submission_id"].as_str().unwrap().to_owned());
    http::settled(&ingest, ids.last().unwrap()).await;
    at_rest(deployment).await;
    waive(deployment);
    poison(deployment).await;
    at_rest(deployment).await;
    ids
}

/// Lets a finding stand.
fn waive(deployment: &Deployment) {
    let query = format!("http://{}", deployment.query());
    let findings = said(&["findings", "--format", "json", "--query", &query]);
    let finding: Value = serde_json::from_str(findings.lines().next().unwrap()).unwrap();
    let name = format!(
        "{}/findings/{}",
        finding["report"].as_str().unwrap(),
        finding["fingerprint"].as_str().unwrap()
    );
    let until = (Clock::system().now() + Duration::from_secs(90 * 24 * 60 * 60)).date().to_string();
    said(&[
        "waivers",
        "create",
        &name,
        "--reason",
        "核实无误",
        "--person",
        "张三",
        "--until",
        &until,
        "--query",
        &query,
    ]);
}

/// Publishes an event that cannot be decoded, and waits until it is a dead letter.
async fn poison(deployment: &Deployment) {
    let settings = JetStreamSettings { servers: vec![deployment.nats_url()], ..JetStreamSettings::default() };
    let runtime = Runtime::builder("ingest", Arc::new(JetStream::connect(&settings).await.unwrap())).build();
    let subject = Event::ReportReceived.subject("000000".parse().unwrap());
    let output = Published::new(subject, Event::ReportReceived.ce_type(), &DocumentReceived::default());
    let output = Published { payload: vec![0xff; 9].into(), ..output };
    runtime.publish(&format!("s-{}.ingest.0", "f".repeat(32)), output).await.unwrap();
    until("a dead letter", async || deployment.messages(STREAM_DEAD).await == Some(1)).await;
}

/// A backup that was made under load, with what was known before it began.
struct Backup {
    answers: Answers,
    ids: Vec<String>,
    /// The submissions under load that were accepted before it began.
    accepted: Vec<String>,
    /// What the office was sent before.
    sent: Vec<String>,
}

async fn back_up(plan: &Plan, receivers: &Receivers, folder: &Path) -> Backup {
    let first = Deployment::start(plan).await;
    let ids = hand_in(&first).await;
    until("the office hears of every alert", async || !receivers.sent("office").is_empty()).await;
    let answers = Answers::of(&first, &ids).await;
    let (accepted, stop) = (Arc::default(), Arc::<AtomicBool>::default());
    let loading = load(first.ingest(), Arc::clone(&accepted), stop.clone());
    until("reports arrive", async || accepted.lock().unwrap().len() >= UNDER_LOAD).await;
    let (before, sent) = (accepted.lock().unwrap().clone(), receivers.sent("office"));
    let (url, goal) = (first.nats_url(), folder.display().to_string());
    let made =
        tokio::task::spawn_blocking(move || said(&["backup", "--nats-url", &url, &goal])).await.unwrap();
    assert!(made.contains("is whole"), "{made}");
    // The backup ends while reports still arrive.
    let during = accepted.lock().unwrap().len();
    until("reports arrive after it", async || accepted.lock().unwrap().len() > during).await;
    stop.store(true, Ordering::SeqCst);
    loading.await.unwrap();
    Backup { answers, ids, accepted: before, sent }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_under_load_is_restored_elsewhere_and_everything_answers_alike() {
    let (receivers, config) = Receivers::start().await;
    let plan = Plan { config, ..Plan::default() };
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("backup");
    let backup = back_up(&plan, &receivers, &folder).await;

    let broker = NatsServer::start().await;
    let (url, folder) = (broker.url(), folder.display().to_string());
    assert!(said(&["restore", "--dry-run", "--nats-url", &url, &folder]).contains("nothing was changed"));
    assert!(said(&["restore", "--nats-url", &url, &folder]).contains("restored"));
    let heard = receivers.sent("office").len();
    let mut second = Deployment::start_on(&plan, vec![broker]).await;
    at_rest(&second).await;

    for id in &backup.accepted {
        let receipt = http::settled(&second.ingest(), id).await;
        assert_eq!(receipt["state"], "validated", "{receipt}");
    }
    let answers = Answers::of(&second, &backup.ids).await;
    assert_eq!(answers, backup.answers);
    let again: Vec<_> = receivers.sent("office").split_off(heard);
    let twice: Vec<_> = again.iter().filter(|id| backup.sent.contains(id)).collect();
    assert!(twice.is_empty(), "sent again: {twice:?}");
    receivers.is_back.store(true, Ordering::SeqCst);
    until("the receiver that was away gets what waited", async || {
        let sent: BTreeSet<_> = receivers.sent("away").into_iter().collect();
        backup.sent.iter().all(|id| sent.contains(id))
    })
    .await;
    assert_eq!(second.messages(STREAM_DEAD).await, Some(1));
    // The same document again is the same submission.
    let sample = samples::all().remove(0);
    let submit = format!(
        "{}/v1/reports?filename={}&url=https://www.yunxi.example/0.html",
        second.ingest(),
        sample.file
    );
    let answer = http::post(&submit, "application/octet-stream", sample.bytes()).await.unwrap();
    assert_eq!(answer.json["submission_id"], backup.ids[0].as_str(), "{}", answer.json);
    refuses_a_site_that_is_in_use(&mut second, &url, &folder).await;
}

/// A backup is not restored over running services, nor over documents, nor if it is damaged.
async fn refuses_a_site_that_is_in_use(site: &mut Deployment, url: &str, folder: &str) {
    let log = site.messages(STREAM_REPORTS).await.unwrap();
    assert_eq!(refused(&["restore", "--nats-url", url, folder]), "SITE_RUNNING");
    for service in SERVICES {
        assert!(site.stop(service).await, "{service} stops in order");
    }
    assert_eq!(refused(&["restore", "--nats-url", url, folder]), "SITE_NOT_EMPTY");
    assert_eq!(site.messages(STREAM_REPORTS).await, Some(log));
    let snapshot = Path::new(folder).join(format!("{STREAM_REPORTS}.snapshot"));
    let whole = std::fs::read(&snapshot).unwrap();
    std::fs::write(&snapshot, &whole[..whole.len() - 1]).unwrap();
    let empty = NatsServer::start().await;
    let elsewhere = empty.url();
    for dry in [&["--dry-run"][..], &[]] {
        let arguments = [&["restore", "--nats-url", &elsewhere, folder], dry].concat();
        assert_eq!(refused(&arguments), "BACKUP_DAMAGED");
    }
    let streams = async_nats::connect(&elsewhere).await.unwrap();
    let streams: Vec<_> = async_nats::jetstream::new(streams).stream_names().try_collect().await.unwrap();
    assert!(streams.is_empty(), "{streams:?}");
}
