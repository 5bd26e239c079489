//! Dead letters are found, read and replayed by the command line: over real programs and a real broker.

#![expect(clippy::unwrap_used, reason = "helpers of tests: what is missing fails the test")]

use std::{sync::Arc, time::Duration};

use gongkai_proto::{
    convert::timestamp::timestamp,
    subjects::{BUCKET_ORIGINALS, Event},
    v1::{ContentRef, DocumentKind, DocumentReceived},
};
use gongkai_tests::{
    deployment::{Deployment, Plan},
    http,
    neighbourhood::{Turn, document},
};
use gongkai_worker::{
    Clock, Output, Runtime,
    transport::jetstream::{JetStream, JetStreamSettings},
};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

const REGION: &str = "000000";
/// Documents whose originals come back.
const MENDED: usize = 3;

/// A deployment, and a runtime over its broker.
struct Bench {
    deployment: Deployment,
    runtime: Runtime,
}

impl Bench {
    async fn start() -> Self {
        let deployment = Deployment::start(&Plan::default()).await;
        let settings =
            JetStreamSettings { servers: vec![deployment.nats_url()], ..JetStreamSettings::default() };
        let transport = JetStream::connect(&settings).await.unwrap();
        let runtime = Runtime::builder("ingest", Arc::new(transport)).build();
        Self { deployment, runtime }
    }

    /// Publishes the event of a document whose original is not stored. Returns the id of its submission.
    async fn receive(&self, bytes: &[u8]) -> String {
        let sha256 = hex::encode(Sha256::digest(bytes));
        let submission_id = format!("s-{}", &sha256[..32]);
        let event = DocumentReceived {
            submission_id: submission_id.clone(),
            kind: DocumentKind::Published.into(),
            content: Some(ContentRef {
                bucket: BUCKET_ORIGINALS.to_owned(),
                key: sha256.clone(),
                sha256,
                size_bytes: bytes.len() as u64,
                media_type: "text/markdown".to_owned(),
                filename: "report.md".to_owned(),
                ..ContentRef::default()
            }),
            title: "联系人13812341234".to_owned(),
            received_at: Some(timestamp(Clock::system().now())),
            region: REGION.to_owned(),
            ..DocumentReceived::default()
        };
        let subject = Event::ReportReceived.subject(REGION.parse().unwrap());
        let output = Output::new(subject, Event::ReportReceived.ce_type(), &event);
        self.runtime.publish(&format!("{submission_id}.ingest.0"), output).await.unwrap();
        submission_id
    }

    /// Publishes an event that cannot be decoded.
    async fn poison(&self) -> String {
        let submission_id = format!("s-{}", "f".repeat(32));
        let subject = Event::ReportReceived.subject(REGION.parse().unwrap());
        let output = Output {
            payload: vec![0xff; 9].into(),
            ..Output::new(subject, Event::ReportReceived.ce_type(), &DocumentReceived::default())
        };
        self.runtime.publish(&format!("{submission_id}.ingest.0"), output).await.unwrap();
        submission_id
    }

    async fn store(&self, bytes: &[u8]) {
        let key = hex::encode(Sha256::digest(bytes));
        self.runtime.objects(BUCKET_ORIGINALS).put(&key, bytes.to_vec().into()).await.unwrap();
    }

    /// Waits until the receipt of a submission has a state.
    async fn state(&self, submission: &str, state: &str) -> Value {
        let url = format!("{}/v1/submissions/{submission}", self.deployment.ingest());
        let mut last = Value::Null;
        for _ in 0..500 {
            last = http::get(&url).await.unwrap().json;
            if last["state"] == state {
                return last;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{submission} does not become {state}: {last}");
    }

    /// Runs a command of the command line on query. Returns its output.
    fn gongkai(&self, arguments: &[&str]) -> String {
        let query = format!("http://{}", self.deployment.query());
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--query", &query]).collect();
        let output = self.deployment.gongkai(&arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Waits until so many dead letters are open, and returns them.
    async fn open(&self, count: usize) -> Vec<Value> {
        let mut letters = Vec::new();
        for _ in 0..500 {
            letters = lines(&self.gongkai(&["dead", "list", "--format", "json"]));
            if letters.len() == count {
                return letters;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("there are not {count} open dead letters: {letters:#?}");
    }
}

/// Parses lines of JSON.
fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_is_found_read_and_replayed_after_the_fix() {
    let bench = Bench::start().await;
    let documents: Vec<Vec<u8>> =
        (0..=MENDED).map(|n| document(&Turn::of("云溪县水务局", 2018 + i32::try_from(n).unwrap()))).collect();
    let mut submissions = Vec::new();
    for document in &documents {
        submissions.push(bench.receive(document).await);
    }
    submissions.push(bench.poison().await);
    for submission in &submissions {
        bench.state(submission, "dead").await;
    }
    let letters = bench.open(MENDED + 2).await;
    assert!(letters.iter().all(|letter| letter["service"] == "parse" && letter["replays"] == 0));

    let groups = lines(&bench.gongkai(&["dead", "list", "--groups", "--format", "json"]));
    let counted: Vec<_> = groups.iter().map(|group| (&group["count"], &group["code"])).collect();
    assert_eq!(
        counted,
        [(&Value::from(MENDED + 1), &"ORIGINAL_MISSING".into()), (&1.into(), &"UNDECODABLE".into())]
    );
    let missing = letters.iter().find(|letter| letter["code"] == "ORIGINAL_MISSING").unwrap();
    let shown = bench.gongkai(&["dead", "show", missing["id"].as_str().unwrap()]);
    assert!(shown.contains("no object") && shown.contains(missing["trace_id"].as_str().unwrap()), "{shown}");
    assert!(shown.contains("联系人138****1234") && !shown.contains("13812341234"), "{shown}");

    for mended in &documents[..MENDED] {
        bench.store(mended).await;
    }
    let tried = bench.gongkai(&["dead", "replay", "--all", "--dry-run"]);
    assert!(tried.contains(&format!("{MENDED} of {} would pass", MENDED + 2)), "{tried}");
    assert!(tried.contains("ORIGINAL_MISSING") && tried.contains("UNDECODABLE"), "{tried}");
    assert_eq!(bench.open(MENDED + 2).await.len(), MENDED + 2, "a dry run changes nothing");

    // All of this is within the duplicate window of the broker.
    let replayed = bench.gongkai(&["dead", "replay", "--all", "--person", "张三", "--reason", "已恢复"]);
    assert!(replayed.contains(&format!("replayed {0} of {0}", MENDED + 2)), "{replayed}");
    for submission in &submissions[..MENDED] {
        bench.state(submission, "validated").await;
    }
    let failed = bench.open(2).await;
    assert!(failed.iter().all(|letter| letter["replays"] == 1), "{failed:#?}");
    let first = failed.iter().find(|letter| letter["code"] == "UNDECODABLE").unwrap();
    let before = bench.gongkai(&["dead", "show", first["replay_of"].as_str().unwrap(), "--format", "json"]);
    let before = &lines(&before)[0];
    assert_eq!((&before["state"], &before["failed_again_as"]), (&"replayed".into(), &first["id"]));
    assert_eq!((&before["settled_by"], &before["settled_reason"]), (&"张三".into(), &"已恢复".into()));
    assert_ne!(before["trace_id"], first["trace_id"]);

    let ids: Vec<&str> = failed.iter().map(|letter| letter["id"].as_str().unwrap()).collect();
    let dropped =
        bench.gongkai(&["dead", "drop", ids[0], ids[1], "--person", "李四", "--reason", "无法恢复"]);
    assert!(dropped.contains("dropped 2"), "{dropped}");
    assert!(bench.open(0).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn stored_reports_are_read_and_checked_again() {
    let bench = Bench::start().await;
    let mut versions = Vec::new();
    for year in [2022, 2023] {
        let turn = Turn::of("云溪县水务局", year);
        let submission = gongkai_tests::neighbourhood::submit(&bench.deployment, &turn).await;
        let receipt = http::settled(&bench.deployment.ingest(), &submission).await;
        assert_eq!(receipt["state"], "validated", "{receipt}");
        versions.push(receipt["report"].as_str().unwrap().to_owned());
    }
    let reports = || bench.gongkai(&["list", "--format", "json"]);
    let mut before = reports();
    for _ in 0..200 {
        if before.lines().count() == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        before = reports();
    }
    assert_eq!(before.lines().count(), 2, "{before}");
    let would = bench.gongkai(&["reprocess", "--year", "2023", "--dry-run"]);
    assert!(would.contains("1 reports would be run again") && would.contains(&versions[1]), "{would}");
    let count = |event: Event| {
        let filter = event.filter();
        let runtime = bench.runtime.clone();
        async move { runtime.count("GONGKAI_REPORTS", &filter).await.unwrap() }
    };
    // A second run is not swallowed by the duplicate window.
    for (stage, event) in
        [("parse", Event::ReportParsed), ("parse", Event::ReportParsed), ("validate", Event::ReportValidated)]
    {
        let known = count(event).await;
        let done = lines(&bench.gongkai(&["reprocess", "--stage", stage, "--format", "json"]));
        assert!(done.len() == 2 && done.iter().all(|row| row.get("skipped").is_none()), "{done:?}");
        for _ in 0..500 {
            if count(event).await >= known + 2 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(count(event).await >= known + 2, "{stage}");
    }
    let names = |listed: &str| -> Vec<_> {
        lines(listed).iter().map(|report| (report["name"].clone(), report["revision"].clone())).collect()
    };
    assert_eq!(names(&reports()), names(&before), "the same documents are the same revisions");
}
