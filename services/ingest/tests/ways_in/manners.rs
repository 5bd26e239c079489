//! The parts of answers that HTTP clients and people read: headers, languages, the list of invalid events.

use axum::body::Body;
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use crate::harness::{Harness, post, published};
use gongkai_ingest::config::Config;

async fn harness() -> Harness {
    Harness::new(&Config::default()).await
}

fn batch(events: &Value) -> Request<Body> {
    Request::post("/v1/events")
        .header("content-type", "application/cloudevents-batch+json")
        .body(Body::from(events.to_string()))
        .unwrap()
}

#[tokio::test]
async fn a_refused_batch_lists_its_bad_events() {
    let harness = harness().await;
    let mut unknown = published("3", "年报");
    unknown["type"] = "gongkai.report.publishd.v1".into();
    let mut year = published("4", "年报");
    year["data"]["year"] = "2023".into();
    let answer = harness.call(batch(&json!([published("1", "年报"), {}, unknown, year]))).await;
    assert_eq!((answer.status, answer.text("code")), (StatusCode::BAD_REQUEST, "MISSING_ATTRIBUTE"));
    let listed: Vec<(u64, &str)> = answer.json["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| (error["index"].as_u64().unwrap(), error["code"].as_str().unwrap()))
        .collect();
    assert_eq!(listed, [(1, "MISSING_ATTRIBUTE"), (2, "UNKNOWN_EVENT_TYPE"), (3, "INVALID_FIELD")]);
    assert!(answer.text("detail").starts_with("第 1 个事件："), "{answer:?}");
    assert!(harness.received().is_empty(), "a batch is taken or refused whole");
}

#[tokio::test]
async fn foreign_events_of_a_batch_are_skipped_and_named() {
    let harness = harness().await;
    let mut foreign = published("9", "x");
    foreign["type"] = "cn.gov.cms.article.viewed".into();
    let answer = harness.call(batch(&json!([foreign, published("1", "年报")]))).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    let skipped = json!({"id": "9", "type": "cn.gov.cms.article.viewed", "code": "UNKNOWN_EVENT_TYPE"});
    assert_eq!(answer.json[0]["skipped"], skipped);
    assert_eq!((answer.json[1]["state"].as_str(), harness.received().len()), (Some("received"), 1));
    let alone = harness.event(&foreign).await;
    assert_eq!(alone.text("code"), "UNKNOWN_EVENT_TYPE");
}

#[tokio::test]
async fn details_are_chinese_and_english_on_request() {
    let harness = harness().await;
    let in_language = |language: &str| {
        let mut request = post("/v1/reports?year=x", "x");
        request.headers_mut().insert("accept-language", language.parse().unwrap());
        request
    };
    let chinese = harness.call(in_language("fr, zh;q=0.5")).await;
    assert!(chinese.text("detail").starts_with("year 须是"), "{chinese:?}");
    assert_eq!(chinese.headers["content-language"], "zh-CN");
    let english = harness.call(in_language("en-GB, zh;q=0.5")).await;
    assert!(english.text("detail").starts_with("year must be"), "{english:?}");
    assert_eq!(english.headers["content-language"], "en");
    let length: usize = english.headers["content-length"].to_str().unwrap().parse().unwrap();
    assert_eq!(length, english.json.to_string().len(), "the length is that of what is sent");
}

#[tokio::test]
async fn methods_and_codings_are_named() {
    let harness = harness().await;
    let call = async |method: Method, path: &str| {
        harness.call(Request::builder().method(method).uri(path).body(Body::empty()).unwrap()).await
    };
    for path in ["/v1/events", "/v1/reports", "/v1/check"] {
        let options = call(Method::OPTIONS, path).await;
        assert_eq!(
            (options.status, &options.headers["allow"]),
            (StatusCode::NO_CONTENT, &"POST,OPTIONS".parse().unwrap())
        );
        assert_eq!(options.headers["accept-encoding"], "gzip, identity");
        for method in [Method::GET, Method::HEAD, Method::PUT, Method::DELETE] {
            let answer = call(method, path).await;
            assert_eq!(
                (answer.status.as_u16(), &answer.headers["allow"]),
                (405, &"POST,OPTIONS".parse().unwrap())
            );
        }
    }
    let receipt = harness.event(&published("1", "年报")).await;
    let path = receipt.text("status_url");
    let get = call(Method::GET, path).await;
    let head = call(Method::HEAD, path).await;
    assert_eq!((get.status, head.status, &head.json), (StatusCode::OK, StatusCode::OK, &Value::Null));
    assert_eq!(head.headers["content-length"], get.headers["content-length"]);
    assert_eq!(call(Method::POST, path).await.headers["allow"], "GET,HEAD,OPTIONS");
    let mut brotli = post("/v1/reports", "x");
    brotli.headers_mut().insert("content-encoding", "br".parse().unwrap());
    let answer = harness.call(brotli).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.headers["accept-encoding"]),
        (415, &"gzip, identity".parse().unwrap())
    );
}

#[tokio::test]
async fn a_form_names_its_file_in_any_charset() {
    let harness = harness().await;
    let form = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"_.html\"; \
        filename*=UTF-8''%E5%B9%B4%E6%8A%A5.html\r\nContent-Type: text/html\r\n\r\n<p>2023</p>\r\n--x--\r\n";
    let request = Request::post("/v1/reports?published_at=2024-01-15+10%3A12")
        .header("content-type", "multipart/form-data; boundary=x")
        .body(Body::from(form))
        .unwrap();
    assert_eq!(harness.call(request).await.status, StatusCode::ACCEPTED);
    let received = harness.received().remove(0);
    assert_eq!(received.content.unwrap().filename, "年报.html");
    assert_eq!(received.published_at.unwrap().seconds, 1_705_284_720, "in the time of China");
}

#[tokio::test]
async fn a_name_in_another_charset_is_refused_by_name() {
    let harness = harness().await;
    let form = b"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\xc4\xea.html\"\r\n\r\nx\r\n--x--\r\n";
    let request = Request::post("/v1/reports")
        .header("content-type", "multipart/form-data; boundary=x")
        .body(Body::from(form.as_slice()))
        .unwrap();
    let answer = harness.call(request).await;
    assert_eq!((answer.status.as_u16(), answer.text("code")), (400, "INVALID_FIELD"));
    assert!(answer.text("detail").starts_with("filename 不是 UTF-8"), "{answer:?}");
}
