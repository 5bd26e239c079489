//! A report is erased on demand: nothing of its prose is left in the store or in an answer, even after the read model
//! is rebuilt, and it does not return.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what is missing fails the test")]

use std::time::{Duration, Instant};

use gongkai_proto::{
    subjects::{BUCKET_ORIGINALS, BUCKET_TEXTS},
    v1::{GetReportRequest, ListFindingsRequest, report_service_client::ReportServiceClient},
};
use gongkai_tests::{
    deployment::{Deployment, Plan},
    http, samples,
};
use gongkai_worker::testing::S3Server;
use tonic::{Code, Status};

const PATIENCE: Duration = Duration::from_secs(20);

/// Polls until the answer is as expected.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let started = Instant::now();
    while !is_so().await {
        assert!(started.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn s3(server: &S3Server) -> String {
    let settings = server.settings();
    format!(
        "[objects]\nstore = \"s3\"\nendpoint = \"{}\"\nbucket = \"{}\"\naccess_key = \"{}\"\nsecret_key = \"{}\"\n",
        settings.endpoint.unwrap().expose(),
        settings.bucket.unwrap(),
        settings.access_key.unwrap(),
        settings.secret_key.unwrap().expose(),
    )
}

async fn get(deployment: &Deployment, name: &str) -> Result<(), Status> {
    let address = format!("http://{}", deployment.query());
    let mut client =
        ReportServiceClient::connect(address).await.map_err(|e| Status::unavailable(e.to_string()))?;
    let request = GetReportRequest { name: name.to_owned(), as_of: None };
    client.get_report(request).await.map(drop)
}

async fn is_erased(deployment: &Deployment, name: &str) -> bool {
    match get(deployment, name).await {
        Err(status) => status.code() == Code::NotFound && status.message().contains("was erased"),
        Ok(()) => false,
    }
}

#[tokio::test]
async fn an_erased_report_is_gone_everywhere_and_does_not_come_back() {
    let store = S3Server::start().await;
    let mut deployment = Deployment::start(&Plan { config: s3(&store), ..Plan::default() }).await;
    let sample = samples::all().into_iter().find(|sample| sample.file.starts_with("02_")).unwrap();
    let url = format!("{}/v1/reports?filename=a.txt", deployment.ingest());
    let taken = http::post(&url, sample.media_type(), sample.bytes()).await.unwrap();
    let id = taken.json["submission_id"].as_str().unwrap();
    let receipt = http::settled(&deployment.ingest(), id).await;
    assert_eq!(receipt["state"], "validated", "{receipt}");
    let name = receipt["report"].as_str().unwrap().to_owned();
    until("the report is served", async || get(&deployment, &name).await.is_ok()).await;
    assert_eq!((store.keys(BUCKET_ORIGINALS).len(), store.keys(BUCKET_TEXTS).len()), (1, 1));

    let server = format!("http://{}", deployment.submissions());
    let arguments = [
        "erase",
        name.as_str(),
        "--reason",
        "当事人申请",
        "--person",
        "张三",
        "--ingest-grpc",
        server.as_str(),
    ];
    let erased = deployment.gongkai(&arguments);
    assert!(erased.status.success(), "{}", String::from_utf8_lossy(&erased.stderr));
    assert!(String::from_utf8_lossy(&erased.stdout).contains(&name));
    until("the objects are gone", async || {
        store.keys(BUCKET_ORIGINALS).is_empty() && store.keys(BUCKET_TEXTS).is_empty()
    })
    .await;
    until("the report is erased", async || is_erased(&deployment, &name).await).await;

    let again = http::post(&url, sample.media_type(), sample.bytes()).await.unwrap();
    assert_eq!((again.status, again.json["code"].as_str()), (410, Some("ERASED")), "{}", again.json);
    // A read model that is rebuilt from the log gives the same answers.
    deployment.kill_with_new_read_model().await;
    until("the report is erased after a rebuild", async || is_erased(&deployment, &name).await).await;
    let mut client = ReportServiceClient::connect(format!("http://{}", deployment.query())).await.unwrap();
    let request = ListFindingsRequest { parent: "agencies/-/reports/-".to_owned(), ..Default::default() };
    assert!(client.list_findings(request).await.unwrap().into_inner().findings.is_empty());
    assert!(store.keys(BUCKET_TEXTS).is_empty());
    deployment.assert_nothing_restarted();
}
