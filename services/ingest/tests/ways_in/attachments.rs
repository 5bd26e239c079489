//! Documents with attachments through every interface, dry runs included.

use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::harness::{Harness, published, structured};
use gongkai_ingest::config::Config;
use gongkai_isolation::testing::REPORT;
use gongkai_proto::subjects::BUCKET_ORIGINALS;

const PAGE: &str = "<h1>云溪县档案局2023年政府信息公开工作年度报告</h1><p>详见附件。</p>";

async fn harness(config: &Config) -> Harness {
    Harness::new(config).await
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// Returns a form with fields of a name, a file name and a content each.
fn form(path: &str, fields: &[(&str, &str, &str)]) -> Request<Body> {
    let mut body = String::new();
    for (name, filename, content) in fields {
        body.push_str(&format!(
            "--b\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{filename}\"\r\n\
             Content-Type: text/plain\r\n\r\n{content}\r\n"
        ));
    }
    body.push_str("--b--\r\n");
    let request = Request::post(path).header("content-type", "multipart/form-data; boundary=b");
    request.body(Body::from(body)).unwrap()
}

#[tokio::test]
async fn attachments_are_stored_and_part_of_the_identity() {
    let harness = harness(&Config::default()).await;
    let mut event = published("1", PAGE);
    let plain = harness.event(&event).await;
    event["id"] = "2".into();
    event["data"]["attachments"] = json!([{"name": "年报.txt", "base64": base64("附件一")}]);
    let with = harness.event(&event).await;
    event["id"] = "3".into();
    event["data"]["attachments"][0]["base64"] = base64("附件二").into();
    let other = harness.event(&event).await;
    let revisions = [plain.text("revision"), with.text("revision"), other.text("revision")];
    assert!(revisions[0] != revisions[1] && revisions[1] != revisions[2], "{revisions:?}");
    assert_eq!(other.text("state"), "received", "the same page with another attachment is news");
    event["id"] = "4".into();
    assert_eq!(harness.event(&event).await.text("state"), "unchanged");
    let received = harness.received();
    assert_eq!(received[0].content.as_ref().map(|c| c.sha256.as_str()), Some(revisions[0]));
    let attachment = &received[1].attachments[0];
    assert_eq!(attachment.filename, "年报.txt");
    let stored = harness.runtime.objects(BUCKET_ORIGINALS).get(&attachment.key).await.unwrap();
    assert_eq!(stored.unwrap(), "附件一".as_bytes());
}

#[tokio::test]
async fn a_form_may_have_several_files() {
    let harness = harness(&Config::default()).await;
    let fields = [
        ("attachment", "0.txt", "零"),
        ("file", "a.html", PAGE),
        ("note", "x", "x"),
        ("file", "b.txt", "二"),
    ];
    let answer = harness.call(form("/v1/reports?filename=c.html", &fields)).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
    let received = harness.received();
    assert_eq!(received[0].content.as_ref().unwrap().filename, "c.html");
    let names: Vec<&str> = received[0].attachments.iter().map(|file| file.filename.as_str()).collect();
    assert_eq!(names, ["0.txt", "b.txt"]);
    let alone = harness.call(form("/v1/reports", &[("attachment", "年报.txt", "三")])).await;
    assert_eq!(alone.status, StatusCode::ACCEPTED, "{alone:?}");
    assert_eq!(harness.received()[1].content, None);
    let none = harness.call(form("/v1/reports", &[("note", "x", "x")])).await;
    assert_eq!((none.status, none.text("code")), (StatusCode::BAD_REQUEST, "MISSING_CONTENT"));
}

#[tokio::test]
async fn their_number_and_size_are_bounded_by_the_config() {
    let config = Config {
        max_attachments: 2,
        max_attachment_bytes: 1000,
        max_submission_bytes: 1500,
        ..Config::default()
    };
    let harness = harness(&config).await;
    let sent = async |content: &str, sizes: &[usize]| {
        let mut event = published("1", content);
        let attachments: Vec<Value> =
            sizes.iter().map(|size| json!({"name": "a", "base64": base64(&"x".repeat(*size))})).collect();
        event["data"]["attachments"] = attachments.into();
        let answer = harness.event(&event).await;
        (answer.status.as_u16(), answer.json["code"].as_str().unwrap_or_default().to_owned())
    };
    let is = |status: u16, code: &str| (status, code.to_owned());
    assert_eq!(sent("a", &[1, 1, 1]).await, is(413, "TOO_LARGE"));
    assert_eq!(sent("a", &[1001]).await, is(413, "TOO_LARGE"));
    assert_eq!(sent("a", &[800, 800]).await, is(413, "TOO_LARGE"));
    assert_eq!(sent("a", &[0]).await.1, "EMPTY");
    assert_eq!(sent("a", &[700, 700]).await, is(202, ""));
    let check = form("/v1/check", &[("file", "a", "x"), ("file", "b", &"x".repeat(1001))]);
    assert_eq!(harness.call(check).await.status.as_u16(), 413);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_reads_them_too() {
    let harness = harness(&Config::default()).await;
    let line =
        harness.call(form("/v1/check", &[("file", "a.html", PAGE), ("file", "年报.txt", REPORT)])).await;
    assert_eq!(line.json["status"], "ok", "{line:?}");
    let fact = &line.json["report"]["facts"][2];
    assert_eq!((&fact["value"], &fact["source"]["part"]), (&json!("14"), &json!("年报.txt")));
    let roles = |line: &Value| {
        let parts = line["parts"].as_array().cloned().unwrap_or_default();
        parts.iter().map(|part| part["role"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(roles(&line.json), ["other", "carrier"]);
    let other = REPORT.replace("17", "18");
    let line = harness.call(form("/v1/check", &[("file", "a", REPORT), ("file", "异.txt", &other)])).await;
    assert_eq!(roles(&line.json), ["carrier", "report"]);
    let findings = line.json["findings"].as_array().unwrap();
    let multi = findings.iter().find(|finding| finding["rule"] == "V-MULTI").unwrap();
    assert_eq!(multi["facts"], json!(["proactive.normative_documents.in_force"]));
    assert!(multi["message"].as_str().unwrap().contains("异.txt"), "{multi}");
    let alone = harness.call(form("/v1/check", &[("file", "a", REPORT)])).await;
    assert!(alone.json.get("parts").is_none() && alone.json["status"] == "ok", "{alone:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_holds_the_document_against_what_is_declared() {
    let harness = harness(&Config::default()).await;
    let line = async |query: &str| {
        let path = format!("/v1/check?{query}");
        let request = Request::post(path).header("content-type", "text/plain");
        let answer = harness.call(request.body(Body::from(REPORT)).unwrap()).await;
        let findings = answer.json["findings"].as_array().unwrap().clone();
        let rules = findings.iter().map(|finding| finding["rule"].as_str().unwrap().to_owned());
        rules.filter(|rule| rule == "S-AGENCY" || rule == "S-YEAR").collect::<Vec<_>>()
    };
    // The agencies are 云溪县档案局 and 云溪县林业局.
    let archive = "agency_name=%E4%BA%91%E6%BA%AA%E5%8E%BF%E6%A1%A3%E6%A1%88%E5%B1%80&year=2023";
    let forestry = "agency_name=%E4%BA%91%E6%BA%AA%E5%8E%BF%E6%9E%97%E4%B8%9A%E5%B1%80&year=2022";
    assert_eq!(line(archive).await, Vec::<String>::new());
    assert_eq!(line(forestry).await, ["S-YEAR", "S-AGENCY"]);
}

#[tokio::test]
async fn an_event_of_attachments_only_is_accepted() {
    let harness = harness(&Config::default()).await;
    let mut event = published("1", "");
    let data = event["data"].as_object_mut().unwrap();
    data.remove("content");
    data.insert("attachments".into(), json!([{"name": "年报.txt", "base64": base64(REPORT)}]));
    let answer = harness.call(structured(&event)).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
    let received = harness.received();
    assert_eq!((received[0].content.clone(), received[0].attachments.len()), (None, 1));
}
