//! A service stops in time, whatever its callers do.

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use gongkai_tests::{
    deployment::{Deployment, Plan, binary},
    http, samples,
};
use gongkai_worker::testing::suspend;

const DRAIN: Duration = Duration::from_secs(3);
/// How much longer than its drain a service may take to stop.
const GRACE: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread")]
async fn query_stops_although_a_watcher_is_suspended() {
    let config = format!("[worker]\ndrain_timeout_s = {}\n", DRAIN.as_secs());
    let mut deployment = Deployment::start(&Plan { config, ..Plan::default() }).await;
    let folder = tempfile::tempdir().unwrap();
    let seen = folder.path().join("seen");
    let mut watcher = Command::new(binary("gongkai"))
        .args(["watch", "--format", "json", "--query", &format!("http://{}", deployment.query())])
        .stdout(std::fs::File::create(&seen).unwrap())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let sample = samples::all().into_iter().find(|sample| sample.file.starts_with("01_")).unwrap();
    let url = format!("{}/v1/reports?filename=a.txt", deployment.ingest());
    let answer = http::post(&url, sample.media_type(), sample.bytes()).await.unwrap();
    http::settled(&deployment.ingest(), answer.json["submission_id"].as_str().unwrap()).await;
    let started = Instant::now();
    while std::fs::read(&seen).unwrap().is_empty() {
        assert!(started.elapsed() < Duration::from_secs(10), "the watcher sees nothing");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    suspend(watcher.id());
    let told = Instant::now();
    let is_clean = deployment.stop("query").await;
    let took = told.elapsed();
    watcher.kill().unwrap();
    watcher.wait().unwrap();
    assert!(is_clean, "it ends with success");
    assert!(took < DRAIN + GRACE, "{took:?}");
}
