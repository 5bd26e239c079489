//! Losing and repairing a broker's parts under a running deployment.

use std::time::{Duration, Instant};

use gongkai_proto::v1::{ListReportsRequest, report_service_client::ReportServiceClient};
use gongkai_tests::{deployment::Deployment, http, samples};
use serde_json::Value;

/// Within this time services have recovered, or each reports the fault.
pub(crate) const NOTICED: Duration = Duration::from_secs(30);
/// Maximum time of a call, even over a lost store.
pub(crate) const ANSWERED: Duration = Duration::from_secs(20);

/// Posts a distinct report.
pub(crate) async fn post(deployment: &Deployment, number: u32) -> http::Answer {
    let sample = samples::all().into_iter().find(|sample| sample.file.starts_with("01_")).unwrap();
    let body = [sample.bytes(), format!("\n附注{number}\n").into_bytes()].concat();
    let url = format!("{}/v1/reports?filename={number}.txt", deployment.ingest());
    let started = Instant::now();
    let answer = http::post(&url, sample.media_type(), body).await.unwrap();
    assert!(started.elapsed() < ANSWERED, "{:?}", started.elapsed());
    answer
}

/// Posts a report and follows it to its end.
pub(crate) async fn accepted(deployment: &Deployment, number: u32) -> Value {
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

/// Waits until every service answers `/readyz` with a sentence that contains `words`.
pub(crate) async fn all_say(deployment: &Deployment, words: &str) {
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

pub(crate) async fn all_ready(deployment: &Deployment) {
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

pub(crate) async fn refused(deployment: &Deployment, number: u32) {
    let answer = post(deployment, number).await;
    assert_eq!((answer.status, answer.json["code"].as_str()), (503, Some("STORE_LOST")), "{}", answer.json);
}

/// Runs `gongkai doctor`: it finds the fault, repairs it, and then finds none.
pub(crate) async fn repaired(deployment: &Deployment, subject: &str, code: &str) {
    let found = deployment.doctor(&["--format", "json"]);
    assert_eq!(found.status.code(), Some(1), "{found:?}");
    let found: Value = serde_json::from_slice(&found.stdout).unwrap();
    let checks = found["checks"].as_array().unwrap();
    assert!(checks.iter().any(|check| check["subject"] == subject && check["code"] == code), "{found}");
    let repaired = deployment.doctor(&["--repair"]);
    let text = String::from_utf8_lossy(&repaired.stdout).into_owned();
    assert!(repaired.status.success() && text.contains("已修复"), "{repaired:?}");
    all_ready(deployment).await;
    // The services create their consumers again.
    let started = Instant::now();
    loop {
        let found = deployment.doctor(&[]);
        if found.status.success() {
            return;
        }
        assert!(started.elapsed() < NOTICED, "{}", String::from_utf8_lossy(&found.stdout));
    }
}

pub(crate) async fn context(deployment: &mut Deployment) -> async_nats::jetstream::Context {
    async_nats::jetstream::new(async_nats::connect(deployment.broker().url()).await.unwrap())
}

/// Waits until query serves this content of the only report.
pub(crate) async fn serves(deployment: &Deployment, revision: &str) {
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

/// Waits until every service but one answers with a sentence that contains `words`.
pub(crate) async fn all_but(deployment: &Deployment, but: &str, words: &str) {
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
