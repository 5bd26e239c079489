//! Streams and buckets are lost while services run. Within 30 s the services have recovered, or do nothing and
//! `/readyz` says why in one sentence. No answer is wrong and no call hangs.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what is missing fails the test")]

use std::{
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use gongkai_proto::{
    subjects,
    v1::{ListReportsRequest, report_service_client::ReportServiceClient},
};
use gongkai_tests::{
    deployment::{Deployment, Plan},
    http, samples,
};
use serde_json::Value;

/// Within this time services have recovered, or each says what is wrong.
const NOTICED: Duration = Duration::from_secs(30);
/// Longest time of a call, lost store or not.
const ANSWERED: Duration = Duration::from_secs(20);

/// Posts a report that no other call has posted.
async fn post(deployment: &Deployment, number: u32) -> http::Answer {
    let sample = samples::all().into_iter().find(|sample| sample.file.starts_with("01_")).unwrap();
    let body = [sample.bytes(), format!("\n附注{number}\n").into_bytes()].concat();
    let url = format!("{}/v1/reports?filename={number}.txt", deployment.ingest());
    let started = Instant::now();
    let answer = http::post(&url, sample.media_type(), body).await.unwrap();
    assert!(started.elapsed() < ANSWERED, "{:?}", started.elapsed());
    answer
}

/// Posts a report and follows it to its end.
async fn accepted(deployment: &Deployment, number: u32) -> Value {
    let started = Instant::now();
    loop {
        let answer = post(deployment, number).await;
        if answer.status == 202 {
            let receipt =
                http::settled(&deployment.ingest(), answer.json["submission_id"].as_str().unwrap()).await;
            assert_eq!(receipt["state"], "validated", "{receipt}");
            return receipt;
        }
        assert!(started.elapsed() < NOTICED, "not accepted: {}", answer.json);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Waits until every service says a sentence with `words` at `/readyz`.
async fn all_say(deployment: &Deployment, words: &str) {
    let started = Instant::now();
    loop {
        let said = deployment.readiness().await;
        if said.iter().all(|(_, status, text)| *status == 503 && text.contains(words)) {
            return;
        }
        assert!(started.elapsed() < NOTICED, "not all say {words:?}: {said:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn all_ready(deployment: &Deployment) {
    let started = Instant::now();
    loop {
        let said = deployment.readiness().await;
        if said.iter().all(|(_, status, _)| *status == 200) {
            return;
        }
        assert!(started.elapsed() < NOTICED, "not all are ready: {said:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn refused(deployment: &Deployment, number: u32) {
    let answer = post(deployment, number).await;
    assert_eq!((answer.status, answer.json["code"].as_str()), (503, Some("STORE_LOST")), "{}", answer.json);
}

/// `gongkai doctor` finds fault, repairs, and finds none.
async fn repaired(deployment: &Deployment, subject: &str, code: &str) {
    let found = deployment.doctor(&["--format", "json"]);
    assert_eq!(found.status.code(), Some(1), "{found:?}");
    let found: Value = serde_json::from_slice(&found.stdout).unwrap();
    let checks = found["checks"].as_array().unwrap();
    assert!(checks.iter().any(|check| check["subject"] == subject && check["code"] == code), "{found}");
    let repaired = deployment.doctor(&["--repair"]);
    let text = String::from_utf8_lossy(&repaired.stdout).into_owned();
    assert!(repaired.status.success() && text.contains("已修复 / repaired"), "{repaired:?}");
    all_ready(deployment).await;
    // The services make their consumers again.
    let started = Instant::now();
    loop {
        let found = deployment.doctor(&[]);
        if found.status.success() {
            return;
        }
        assert!(started.elapsed() < NOTICED, "{}", String::from_utf8_lossy(&found.stdout));
    }
}

async fn context(deployment: &mut Deployment) -> async_nats::jetstream::Context {
    async_nats::jetstream::new(async_nats::connect(deployment.broker().url()).await.unwrap())
}

/// Waits until query serves this content of the only report.
async fn serves(deployment: &Deployment, revision: &str) {
    let started = Instant::now();
    let mut client = ReportServiceClient::connect(format!("http://{}", deployment.query())).await.unwrap();
    loop {
        let request = ListReportsRequest { parent: "agencies/-".to_owned(), ..Default::default() };
        let listed = client.list_reports(request).await.map(|answer| answer.into_inner().reports);
        let served: Vec<_> = listed.into_iter().flatten().map(|report| report.content_hash).collect();
        if served == [revision] {
            return;
        }
        assert!(started.elapsed() < NOTICED, "{served:?} instead of {revision}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_stream_or_bucket_stops_everything_until_it_is_accepted() {
    let mut deployment = Deployment::start(&Plan::default()).await;
    accepted(&deployment, 1).await;
    let context = context(&mut deployment).await;
    context.delete_stream(subjects::STREAM_REPORTS).await.unwrap();
    all_say(&deployment, "stream GONGKAI_REPORTS is missing").await;
    refused(&deployment, 2).await;
    repaired(&deployment, "stream GONGKAI_REPORTS", "MISSING").await;
    accepted(&deployment, 2).await;
    // A lost document that is submitted again is not a repetition, because the present log does not have it.
    let again = accepted(&deployment, 1).await;
    serves(&deployment, again["revision"].as_str().unwrap()).await;

    context.delete_key_value(subjects::BUCKET_SUBMISSIONS).await.unwrap();
    all_say(&deployment, "entry bucket gongkai-submissions is missing").await;
    refused(&deployment, 3).await;
    repaired(&deployment, "entry bucket gongkai-submissions", "MISSING").await;
    accepted(&deployment, 3).await;
    deployment.assert_nothing_restarted();
}

#[tokio::test(flavor = "multi_thread")]
async fn consumers_that_are_lost_while_the_broker_is_down_are_made_again() {
    let mut deployment = Deployment::start(&Plan::default()).await;
    accepted(&deployment, 1).await;
    let streams = deployment.broker().store().join("jetstream/$G/streams");
    deployment.broker().kill();
    for stream in [subjects::STREAM_REPORTS, subjects::STREAM_DEAD, subjects::STREAM_ALERTS] {
        std::fs::remove_dir_all(streams.join(stream).join("obs")).unwrap();
    }
    deployment.broker().restart().await;
    accepted(&deployment, 2).await;
    all_ready(&deployment).await;
    deployment.assert_nothing_restarted();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_gone_is_neither_answered_for_nor_made_again() {
    let mut deployment = Deployment::start(&Plan::default()).await;
    let before = accepted(&deployment, 1).await;
    // Deletes the store of the running broker, which continues with its open files until it restarts.
    let store = deployment.broker().store();
    std::fs::remove_dir_all(&store).unwrap();
    deployment.broker().restart().await;
    all_say(&deployment, " is missing").await;
    refused(&deployment, 2).await;
    let url = format!("{}/v1/submissions/{}", deployment.ingest(), before["submission_id"].as_str().unwrap());
    assert_eq!(
        http::get(&url).await.unwrap().status,
        503,
        "a receipt that is lost is not one that never was"
    );

    // A restarted service takes the empty broker for a new one; the others know better.
    deployment.kill_and_restart("parse");
    all_but(&deployment, "parse", "is another one").await;
    refused(&deployment, 2).await;
    let repaired = deployment.doctor(&["--repair"]);
    assert!(repaired.status.success(), "{repaired:?}");
    all_ready(&deployment).await;
    accepted(&deployment, 2).await;
}

/// Waits until every service but one says a sentence with `words`.
async fn all_but(deployment: &Deployment, but: &str, words: &str) {
    let started = Instant::now();
    loop {
        let said = deployment.readiness().await;
        if said.iter().all(|(service, _, text)| *service == but || text.contains(words)) {
            return;
        }
        assert!(started.elapsed() < NOTICED, "not all say {words:?}: {said:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_copy_of_the_store_is_not_taken_for_the_latest() {
    let mut deployment = Deployment::start(&Plan::default()).await;
    accepted(&deployment, 1).await;
    let store = deployment.broker().store();
    let copied = tempfile::tempdir().unwrap();
    deployment.broker().kill();
    copy(&store, copied.path());
    deployment.broker().restart().await;
    accepted(&deployment, 2).await;
    deployment.broker().kill();
    std::fs::remove_dir_all(&store).unwrap();
    copy(&copied.path().join("store"), &store);
    deployment.broker().restart().await;
    all_say(&deployment, "stream GONGKAI_REPORTS ends at").await;
    refused(&deployment, 3).await;
    assert!(deployment.doctor(&["--repair"]).status.success());
    all_ready(&deployment).await;
    accepted(&deployment, 3).await;
    deployment.assert_nothing_restarted();
}
