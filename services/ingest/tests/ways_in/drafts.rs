//! Drafts: compared with the stored reports around them, answered with findings, and not stored.

use axum::body::{Body, to_bytes};
use gongkai_ingest::config::{Config, Site};
use gongkai_lifecycle::{Arrival, Rank};
use gongkai_model::{Region, ReportKey};
use gongkai_neighbours::{cells, record};
use gongkai_proto::{
    subjects::{BUCKET_NEIGHBOURS, BUCKET_ORIGINALS},
    v1::AgencyRecord,
};
use gongkai_rules::AgencyYear;
use gongkai_worker::{
    RecordStore,
    transport::memory::{Fault, Operation},
};
use http::{Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::harness::{Harness, NOW, post, published};

const PAGE: &str = include_str!("../../../../tests/samples/07_html_dispute_total_and_period.html");
const SAMPLE: &str = include_str!("../../../../tests/samples/01_word_paste_clean.txt");
/// Rules that apply only if the report of the year before is known.
const COPIED: [&str; 2] = ["X-COPY-NUM", "H-SIM-Y"];

/// Stores the sample as the report on the year before, as validate does.
async fn store_the_year_before(harness: &Harness) -> ReportKey {
    let hints = gongkai_reading::Hints { filename: Some("a.txt"), ..Default::default() };
    let mut report =
        gongkai_reading::read(SAMPLE.as_bytes(), &hints, &gongkai_reading::Limits::default()).unwrap().report;
    let key = harness.key_of(SAMPLE).await;
    report.year -= 1;
    let own = AgencyYear::of(&report, gongkai_agencies::kind_of(&report.agency));
    let arrival = Arrival {
        rank: Rank::new(NOW, 1),
        event: 2,
        content_hash: "ab".to_owned(),
        url: String::new(),
        received_at: NOW,
        published_at: None,
        region: Region::UNKNOWN,
    };
    let records = RecordStore::new(harness.runtime.entries(BUCKET_NEIGHBOURS), 1);
    let change = |stored: &mut AgencyRecord| {
        let year = record::year_mut(stored, report.year);
        (record::record_arrival(year, &arrival, &cells::content(&own, "ab", 2)), ())
    };
    records.change(&record::agency_key(&key.agency), change).await.unwrap();
    key
}

fn rules(line: &Value) -> Vec<&str> {
    line["findings"].as_array().unwrap().iter().map(|finding| finding["rule"].as_str().unwrap()).collect()
}

fn draft(text: &str) -> Value {
    let mut event = published("d1", text);
    event["type"] = "gongkai.report.draft.v1".into();
    event["data"] = json!({"content": {"text": text, "filename": "a.txt"}});
    event
}

impl Harness {
    /// Returns the key under which a report would be published.
    async fn key_of(&self, text: &'static str) -> ReportKey {
        use gongkai_ingest::submission::{DeclaredMetadata, File, Submission, SubmissionIdentity};
        let content = File { bytes: text.into(), filename: "a.txt".to_owned(), ..File::default() };
        let declared = DeclaredMetadata::default();
        let kind = gongkai_proto::v1::DocumentKind::Draft;
        let submission = Submission {
            kind,
            content,
            attachments: Vec::new(),
            declared,
            identity: SubmissionIdentity::Content,
        };
        self.dry_run.check(submission).await.unwrap().outcome.unwrap().0
    }
}

#[tokio::test]
async fn a_draft_is_compared_with_the_year_before() {
    let harness = Harness::new(&Config::default()).await;
    let alone = harness.call(post("/v1/check?filename=a.txt", SAMPLE)).await.json;
    assert!(COPIED.iter().all(|rule| !rules(&alone).contains(rule)), "{alone}");
    assert_eq!(alone.get("not_checked"), None);
    store_the_year_before(&harness).await;
    let line = harness.call(post("/v1/check?filename=a.txt", SAMPLE)).await.json;
    assert!(COPIED.iter().all(|rule| rules(&line).contains(rule)), "{:?}", rules(&line));
    let of_cells = line["findings"].as_array().unwrap().iter().find(|f| f["rule"] == "X-COPY-NUM").unwrap();
    assert!(
        of_cells["operands"].as_array().is_none_or(|all| all.iter().all(|f| f["source"]["start"].is_u64()))
    );
}

#[tokio::test]
async fn where_the_reports_around_cannot_be_read_the_answer_says_so() {
    let harness = Harness::new(&Config::default()).await;
    store_the_year_before(&harness).await;
    harness.memory.plan(Fault::fail(Operation::Read));
    let answer = harness.call(post("/v1/check?filename=a.txt", SAMPLE)).await;
    assert_eq!((answer.status, answer.text("status")), (StatusCode::OK, "ok"));
    let left_out = &answer.json["not_checked"][0];
    assert_eq!(left_out["code"], "BROKER_UNAVAILABLE");
    let names: Vec<&str> =
        left_out["rules"].as_array().unwrap().iter().map(|rule| rule.as_str().unwrap()).collect();
    assert!(COPIED.iter().chain(&["X-CARRY", "R-LB"]).all(|rule| names.contains(rule)), "{names:?}");
    assert!(COPIED.iter().all(|rule| !rules(&answer.json).contains(rule)));
    // The problem occurs only once.
    let again = harness.call(post("/v1/check?filename=a.txt", SAMPLE)).await.json;
    assert_eq!(again.get("not_checked"), None);
}

#[tokio::test]
async fn the_draft_of_an_event_is_answered_and_not_kept() {
    let harness = Harness::new(&Config::default()).await;
    let answer = harness.event(&draft(SAMPLE)).await;
    let line = harness.call(post("/v1/check?filename=a.txt", SAMPLE)).await.json;
    assert_eq!((answer.status, &answer.json), (StatusCode::OK, &line));
    let batch = |events: &[Value]| {
        Request::post("/v1/events")
            .header("content-type", "application/cloudevents-batch+json")
            .body(Body::from(json!(events).to_string()))
            .unwrap()
    };
    let drafts = harness.call(batch(&[draft(SAMPLE), draft("通知")])).await;
    assert_eq!((drafts.status, &drafts.json[0]), (StatusCode::OK, &line));
    assert_eq!(drafts.json[1]["rejection"]["code"], "NOT_A_REPORT");
    assert!(harness.received().is_empty() && harness.memory.calls(Operation::Put) == 0);
    let mixed = harness.call(batch(&[draft(SAMPLE), published("1", SAMPLE)])).await;
    assert_eq!((mixed.status, &mixed.json[0]), (StatusCode::ACCEPTED, &line));
    assert_eq!((mixed.json[1]["state"].as_str(), harness.received().len()), (Some("received"), 1));
    let stored = harness.runtime.objects(BUCKET_ORIGINALS);
    let hash = harness.received()[0].content.clone().unwrap().key;
    assert!(stored.exists(&hash).await.unwrap());
}

#[tokio::test]
async fn drafts_over_the_limit_are_told_to_wait_and_hold_nobody_up() {
    let harness = Harness::new(&Config { max_requests: 3, check_readers: 1, ..Config::default() }).await;
    let check = || harness.call(post("/v1/check?filename=a.txt", SAMPLE));
    // The queue has one place: the first draft occupies it when the second arrives.
    let event = published("1", SAMPLE);
    let (first, second, hook) = tokio::join!(check(), check(), harness.event(&event));
    assert_eq!((first.status, hook.status), (StatusCode::OK, StatusCode::ACCEPTED));
    assert_eq!((second.status, second.text("code")), (StatusCode::SERVICE_UNAVAILABLE, "OVERLOADED"));
    assert!(second.headers.contains_key("retry-after"));
    assert_eq!(check().await.status, StatusCode::OK);
}

#[tokio::test]
async fn pages_of_the_configured_origins_may_call() {
    let preflight = |origin: &str| {
        Request::options("/v1/check")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "content-type")
            .body(Body::empty())
            .unwrap()
    };
    let closed = Harness::new(&Config::default()).await.call(preflight("https://cms.example.gov.cn")).await;
    assert!(!closed.headers.contains_key("access-control-allow-origin"));
    let origins = vec!["https://cms.example.gov.cn".to_owned()];
    let tokens = vec![gongkai_worker::Secret::new("a-token-of-some-length")];
    let harness = Harness::new(&Config { cors_origins: origins, tokens, ..Config::default() }).await;
    let allowed = harness.call(preflight("https://cms.example.gov.cn")).await;
    assert_eq!(allowed.status, StatusCode::OK);
    assert_eq!(allowed.headers["access-control-allow-origin"], "https://cms.example.gov.cn");
    assert!(allowed.headers["access-control-allow-headers"].to_str().unwrap().contains("content-type"));
    let other = harness.call(preflight("https://other.example")).await;
    assert!(!other.headers.contains_key("access-control-allow-origin"));
    // The page must be able to read a refusal, too.
    let mut call = post("/v1/check", "x");
    call.headers_mut().insert("origin", "https://cms.example.gov.cn".parse().unwrap());
    let refused = harness.call(call).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert_eq!(refused.headers["access-control-allow-origin"], "https://cms.example.gov.cn");
}

#[tokio::test]
async fn the_levels_that_a_site_demands_ride_on_its_events_and_count_for_reviewed_drafts() {
    let levels = vec!["科室负责人".to_owned(), "分管领导".to_owned()];
    let site = Site { site_code: "3609820001".to_owned(), review_levels: levels.clone(), ..Site::default() };
    let config = Config { sites: [("a".to_owned(), site)].into(), ..Config::default() };
    let harness = Harness::new(&config).await;
    harness.event(&published("1", SAMPLE)).await;
    let mut elsewhere = published("2", "其他");
    elsewhere["data"]["site"]["code"] = "1100000001".into();
    harness.event(&elsewhere).await;
    let received = harness.received();
    assert_eq!((&received[0].review_levels, received[1].review_levels.len()), (&levels, 0));
    let mut event = draft(SAMPLE);
    event["data"]["site"] = json!({"code": "3609820001"});
    assert!(!rules(&harness.event(&event).await.json).contains(&"S-REVIEW"), "the review has not begun");
    event["data"]["review"] = json!([{"level": "科室负责人", "decision": "approved"}]);
    let line = harness.event(&event).await.json;
    assert!(rules(&line).contains(&"S-REVIEW"), "{line}");
}

/// Returns the headers and the page of a call that asks for the marked page.
async fn marked(harness: &Harness, request: Request<Body>) -> (http::HeaderMap, String) {
    let response = harness.router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let (head, body) = response.into_parts();
    let body = to_bytes(body, 1 << 24).await.unwrap();
    (head.headers, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn a_draft_is_answered_as_a_marked_page_on_request() {
    let harness = Harness::new(&Config::default()).await;
    let script = "<script>alert(1)</script>";
    let page = encoding_rs::GB18030.encode(&format!("{script}{PAGE}")).0.into_owned();
    let (headers, copy) = marked(&harness, post("/v1/check?annotate=html", page)).await;
    assert_eq!(headers["content-type"], "text/html; charset=utf-8");
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(
        policy.starts_with("sandbox; default-src 'none'") && !policy.contains("allow-scripts"),
        "{policy}"
    );
    assert_eq!(
        (&headers["x-content-type-options"], &headers["content-language"]),
        (&"nosniff".parse().unwrap(), &"zh-CN".parse().unwrap())
    );
    assert!(copy.contains("必须整改</b> T4-SUM") && copy.contains(">54</mark>"), "{copy}");
    assert!(copy.find("script-src 'none'").unwrap() < copy.find(script).unwrap(), "{copy}");

    let mut english = post("/v1/check?annotate=html&filename=a.txt", SAMPLE);
    english.headers_mut().insert("accept-language", "en".parse().unwrap());
    let (headers, copy) = marked(&harness, english).await;
    assert!(headers["content-language"] == "en" && copy.contains("Marked copy: "), "{copy}");
    assert!(harness.received().is_empty());
}

#[tokio::test]
async fn a_draft_that_has_no_marked_page_is_answered_with_the_reason() {
    let harness = Harness::new(&Config::default()).await;
    let docx = include_bytes!("../../../../tests/samples/13_word_docx.docx").to_vec();
    let (_, copy) = marked(&harness, post("/v1/check?annotate=html", docx)).await;
    assert!(copy.contains("建议整改</b> S-FIVE") && !copy.contains("</mark>"), "{copy}");
    let (_, copy) = marked(&harness, post("/v1/check?annotate=html", "<p>部门预算</p>")).await;
    assert!(copy.contains("退回</b> NOT_A_REPORT") && copy.contains("<p>部门预算</p>"), "{copy}");
    let answer = harness.call(post("/v1/check?annotate=pdf", SAMPLE)).await;
    assert_eq!((answer.status, answer.text("code")), (StatusCode::BAD_REQUEST, "INVALID_FIELD"));
    let answer = harness.call(post("/v1/reports?annotate=html", SAMPLE)).await;
    assert_eq!((answer.status, answer.text("code")), (StatusCode::BAD_REQUEST, "INVALID_FIELD"));
}
