//! One search for a trace id in the logs of all services shows the life of a document, without a store of traces.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what is missing fails the test")]

use std::time::Duration;

use gongkai_proto::v1::{GetReportRequest, report_service_client::ReportServiceClient};
use gongkai_tests::{
    deployment::{Deployment, Plan},
    http,
    samples::{self, Sample},
};
use serde_json::{Value, json};

/// A file name that no log may have.
const FILE_NAME: &str = "张三的申请.html";

/// Submits a sample, and returns its final receipt.
async fn submit(deployment: &Deployment, sample: &Sample) -> Value {
    let url = format!("{}/v1/reports?filename={FILE_NAME}", deployment.ingest());
    let answer = http::post(&url, sample.media_type(), sample.bytes()).await.unwrap();
    assert_eq!(answer.status, 202, "{}", answer.json);
    http::settled(&deployment.ingest(), answer.json["submission_id"].as_str().unwrap()).await
}

/// Returns the lines that have this text, once one of them has `last` as its message.
async fn found(deployment: &Deployment, text: &str, last: &str) -> Vec<Value> {
    for _ in 0..600 {
        let lines: Vec<Value> =
            deployment.log_lines().into_iter().filter(|line| line.to_string().contains(text)).collect();
        if lines.iter().any(|line| line["message"] == last) {
            return lines;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("no line {last:?} with {text}");
}

/// Returns the fields of the only line of a service with this message.
fn only<'a>(lines: &'a [Value], service: &str, message: &str) -> &'a Value {
    let own: Vec<&Value> =
        lines.iter().filter(|line| line["service"] == service && line["message"] == message).collect();
    assert_eq!(own.len(), 1, "{service}, {message}: {lines:#?}");
    &own[0]["fields"]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_id_finds_the_whole_life_of_a_document() {
    let deployment = Deployment::start(&Plan::default()).await;
    let sample = |wanted: fn(&Sample) -> bool| samples::all().into_iter().find(wanted).unwrap();

    let broken = sample(|sample| sample.rules.contains(&"T3-ROW".to_owned()));
    let receipt = submit(&deployment, &broken).await;
    let (id, report) = (&receipt["submission_id"], &receipt["report"]);
    let lines = found(&deployment, receipt["trace_id"].as_str().unwrap(), "delivered").await;
    let request = only(&lines, "ingest", "request");
    assert_eq!(
        [&request["protocol"], &request["method"], &request["route"], &request["status"]],
        [&json!("http"), &json!("POST"), &json!("/v1/reports"), &json!(202)]
    );
    assert_eq!(request["request_bytes"], broken.bytes().len());
    assert!(
        request["duration_ms"].as_f64().unwrap() > 0.0 && request["response_bytes"].as_u64().unwrap() > 0
    );
    let steps = [
        ("parse", "document parsed"),
        ("validate", "report validated"),
        ("ingest", "submission ended"),
        ("notify", "alerts compared"),
    ];
    for (service, message) in steps {
        let fields = only(&lines, service, message);
        assert_eq!((&fields["submission_id"], &fields["report"]), (id, report), "{message}");
    }
    assert_eq!(only(&lines, "validate", "report validated")["error"], receipt["findings"]["error"]);
    assert_eq!(only(&lines, "ingest", "submission ended")["state"], "validated");
    assert!(lines.iter().any(|line| line["message"] == "delivered" && line["fields"]["report"] == *report));

    let unread = sample(|sample| sample.status == "rejected");
    let receipt = submit(&deployment, &unread).await;
    let lines = found(&deployment, receipt["trace_id"].as_str().unwrap(), "submission ended").await;
    for (service, message) in [("parse", "document rejected"), ("ingest", "submission ended")] {
        let fields = only(&lines, service, message);
        assert_eq!(fields["submission_id"], receipt["submission_id"]);
        assert_eq!(fields["code"].as_str(), unread.code.as_deref());
    }

    // Query has a line for each call.
    let mut reports = ReportServiceClient::connect(format!("http://{}", deployment.query())).await.unwrap();
    let request = GetReportRequest { name: "agencies/nobody/reports/2023".to_owned(), as_of: None };
    reports.get_report(request).await.unwrap_err();
    let lines = found(&deployment, "gongkai.v1.ReportService/GetReport", "request").await;
    assert_eq!(only(&lines, "query", "request")["status"], "NOT_FOUND");

    let leaks: Vec<Value> =
        deployment.log_lines().into_iter().filter(|line| line.to_string().contains("张三")).collect();
    assert!(leaks.is_empty(), "{leaks:#?}");
}
