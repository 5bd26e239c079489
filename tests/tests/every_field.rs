//! Every field of a published event reaches the log, and is returned by `GetReport` where a report has it.
//!
//! Both messages are destructured, so that the compiler demands an expected value for every new field.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what is missing fails the test")]

use gongkai_proto::{
    subjects::STREAM_REPORTS,
    v1::{
        AgencyHint, ContentRef, DocumentKind, DocumentReceived, Finding, GetReportRequest,
        ListFindingsRequest, Report, ReviewStep, Severity, Site, WatchReportsRequest,
        report_service_client::ReportServiceClient,
    },
};
use gongkai_tests::{
    deployment::{Deployment, Plan},
    http,
    samples::{self, Sample},
};
use prost::Message as _;
use prost_types::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

const URL: &str = "https://www.yunxi.example/art/1558865.html";
/// 2024-01-15T10:12:00+08:00.
const PUBLISHED_AT: Timestamp = Timestamp { seconds: 1_705_284_720, nanos: 0 };
/// 2024-01-14T09:00:00+08:00.
const DECIDED_AT: Timestamp = Timestamp { seconds: 1_705_194_000, nanos: 0 };
const SITE: &str = r#"
[ingest.sites.yunxi]
source = "https://www.yunxi.example/cms"
review_levels = ["科室负责人", "分管领导"]
"#;
const LEVEL: &str = "科室负责人";
/// 2024-01-16T00:00:00Z.
const HAPPENED_AT: Timestamp = Timestamp { seconds: 1_705_363_200, nanos: 0 };
const SUBJECT: &str = "gongkai.v1.report.received.360982";

/// Returns a `CloudEvent` with every member that an event can have.
fn event(sample: &Sample) -> Value {
    json!({
        "specversion": "1.0", "type": "gongkai.report.updated.v1", "id": "art-1558865-v3",
        "source": "https://www.yunxi.example/cms", "subject": "https://www.yunxi.example/another.html",
        "time": "2024-01-16T00:00:00Z", "datacontenttype": "application/json",
        "data": {
            "agency": {"code": "YX-017", "name": "县发改局"}, "year": 2023, "title": "县发改局年报",
            "url": URL, "published_at": "2024-01-15T10:12:00+08:00",
            "site": {"code": "3609820001", "column": "政府信息公开年报"},
            "content": {
                "media_type": sample.media_type(), "filename": sample.file,
                "text": String::from_utf8(sample.bytes()).unwrap(),
            },
            "attachments": [{"name": "附表.csv", "media_type": "text/csv", "base64": "MSwy"}],
            "review": [{"level": LEVEL, "decision": "approved", "at": "2024-01-14T09:00:00+08:00"}],
        },
    })
}

/// Returns the expected reference to content with this SHA-256.
fn reference(sha256: &str, size_bytes: u64, media_type: &str, charset: &str, filename: &str) -> ContentRef {
    ContentRef {
        bucket: "gongkai-originals".to_owned(),
        key: sha256.to_owned(),
        sha256: sha256.to_owned(),
        size_bytes,
        media_type: media_type.to_owned(),
        charset: charset.to_owned(),
        filename: filename.to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_field_of_an_event_comes_out_again() {
    let mut deployment = Deployment::start(&Plan { config: SITE.to_owned(), ..Plan::default() }).await;
    let sample = samples::all().remove(0);
    let body = event(&sample).to_string().into_bytes();
    let url = format!("{}/v1/events", deployment.ingest());
    let answer = http::post(&url, "application/cloudevents+json", body).await.unwrap();
    assert_eq!(answer.status, 202, "{}", answer.json);

    let received = logged(&deployment.broker().url()).await;
    is_what_the_event_says(&received, &answer.json, &sample);
    is_what_was_received(served(&deployment).await, &received, &answer.json, &sample);
    let missing = findings_of_review(&deployment).await;
    assert_eq!((missing.len(), missing[0].severity()), (1, Severity::Review));
    assert!(missing[0].message.contains("分管领导") && !missing[0].message.contains(LEVEL), "{missing:?}");
}

/// Returns the event that ingest wrote to the log.
async fn logged(nats: &str) -> DocumentReceived {
    let client = async_nats::connect(nats).await.unwrap();
    let stream = async_nats::jetstream::new(client).get_stream(STREAM_REPORTS).await.unwrap();
    let message = stream.get_last_raw_message_by_subject(SUBJECT).await.unwrap();
    DocumentReceived::decode(message.payload).unwrap()
}

/// Returns the report, once the read model serves it.
async fn served(deployment: &Deployment) -> Report {
    let mut client = ReportServiceClient::connect(format!("http://{}", deployment.query())).await.unwrap();
    let all = WatchReportsRequest { parent: "agencies/-".to_owned(), resume_token: String::new() };
    let mut changes = client.watch_reports(all).await.unwrap().into_inner();
    let name = changes.message().await.unwrap().unwrap().report.unwrap().name;
    client.get_report(GetReportRequest { name, as_of: None }).await.unwrap().into_inner()
}

async fn findings_of_review(deployment: &Deployment) -> Vec<Finding> {
    let mut client = ReportServiceClient::connect(format!("http://{}", deployment.query())).await.unwrap();
    let filter = "rule = \"S-REVIEW\"".to_owned();
    let asked = ListFindingsRequest { parent: "agencies/-".to_owned(), filter, ..Default::default() };
    client.list_findings(asked).await.unwrap().into_inner().findings
}

fn is_what_the_event_says(received: &DocumentReceived, receipt: &Value, sample: &Sample) {
    let DocumentReceived {
        submission_id,
        kind,
        content,
        attachments,
        agency,
        year,
        title,
        url,
        published_at,
        site,
        region,
        received_at,
        event_source,
        event_id,
        review,
        review_levels,
        event_time,
        supersedes,
        renews,
        sender,
        rereading,
    } = received.clone();
    assert_eq!(sender, None, "without credentials nobody is bound");
    assert_eq!(rereading, None, "it arrived");
    assert_eq!(Some(submission_id.as_str()), receipt["submission_id"].as_str());
    assert_eq!(kind, i32::from(DocumentKind::Updated));
    let hash = hex::encode(Sha256::digest(sample.bytes()));
    let size = u64::try_from(sample.bytes().len()).unwrap();
    assert_eq!(content, Some(reference(&hash, size, "text/plain", "utf-8", &sample.file)));
    let of_attachment = "17f8af97ad4a7f7639a4c9171d5185cbafb85462877a4746c21bdb0a4f940ca0";
    assert_eq!(attachments, [reference(of_attachment, 3, "text/csv", "", "附表.csv")]);
    assert_eq!(agency, Some(AgencyHint { code: "YX-017".to_owned(), name: "县发改局".to_owned() }));
    assert_eq!((year, title.as_str(), url.as_str()), (2023, "县发改局年报", URL));
    assert_eq!(published_at, Some(PUBLISHED_AT));
    assert_eq!(site, Some(Site { code: "3609820001".to_owned(), column: "政府信息公开年报".to_owned() }));
    assert_eq!(region, "360982");
    assert!(received_at.is_some_and(|at| at.seconds > PUBLISHED_AT.seconds), "{received_at:?}");
    assert_eq!(
        (event_source.as_str(), event_id.as_str()),
        ("https://www.yunxi.example/cms", "art-1558865-v3")
    );
    assert_eq!(review, [reviewed()]);
    assert_eq!(review_levels, [LEVEL, "分管领导"]);
    assert_eq!((event_time, supersedes.as_str(), renews.as_str()), (Some(HAPPENED_AT), "", ""));
}

fn reviewed() -> ReviewStep {
    ReviewStep { level: LEVEL.to_owned(), decision: "approved".to_owned(), decided_at: Some(DECIDED_AT) }
}

/// Checks that values of the sender are served unchanged, and values of the document are those of the sample.
fn is_what_was_received(report: Report, received: &DocumentReceived, receipt: &Value, sample: &Sample) {
    let Report {
        name,
        agency,
        agency_name,
        year,
        form,
        variant,
        title,
        revision,
        content_hash,
        published_at,
        received_at,
        sections,
        facts,
        findings_summary,
        trace_id,
        preamble,
        versions,
        url,
        withdrawn,
        media_type,
        region,
        review,
        event_time,
    } = report;
    assert_eq!(name, format!("{agency}/reports/2023"));
    assert_eq!(Some(agency_name), sample.agency);
    assert_eq!(
        (Some(year), Some(form), Some(variant)),
        (sample.year, sample.form.clone(), sample.variant.clone())
    );
    assert_eq!(title, "云溪县发展和改革局2023年政府信息公开工作年度报告");
    assert_eq!(revision, 1);
    let hashes = received.attachments.iter().map(|file| file.sha256.as_str());
    let main = received.content.as_ref().map(|content| content.sha256.as_str());
    assert_eq!(content_hash, gongkai_model::content_hash(main, hashes));
    assert_eq!(Some(content_hash.as_str()), receipt["revision"].as_str());
    assert_eq!(published_at, received.published_at);
    // The read model keeps microseconds.
    let micros = |at: Timestamp| (at.seconds, at.nanos / 1000);
    assert_eq!(received_at.map(micros), received.received_at.map(micros));
    assert_eq!((sections.len(), facts.len()), (6, sample.facts.len()));
    assert_eq!(findings_summary.map(|summary| summary.error), Some(0));
    assert_eq!(Some(trace_id.as_str()), receipt["trace_id"].as_str());
    assert!(preamble.contains("统计期限"), "{preamble}");
    assert!(versions.is_some_and(|versions| !versions.rules.is_empty()));
    assert_eq!((url, region), (received.url.clone(), received.region.clone()));
    assert!(!withdrawn);
    assert_eq!(media_type, "text/plain");
    assert_eq!((review, event_time), (vec![reviewed()], Some(HAPPENED_AT)));
}
