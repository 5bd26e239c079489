//! Every kind of bad input gets an error with a code and publishes nothing.

use axum::body::Body;
use bytes::Bytes;
use futures::stream;
use http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::harness::{Harness, NOW, post, published, structured};
use gongkai_ingest::config::{Config, Site};

const LIMIT: usize = 64 * 1024;
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const TOKEN: &str = "a-token-of-some-length";

fn config() -> Config {
    Config { max_body_bytes: LIMIT, ..Config::default() }
}

fn event(change: impl FnOnce(&mut Value)) -> Request<Body> {
    let mut event = published("1", "年报");
    change(&mut event);
    structured(&event)
}

fn zeros(bytes: usize) -> Body {
    const CHUNK: usize = 64 * 1024;
    let chunk = || Ok::<_, std::io::Error>(Bytes::from_static(&[0; CHUNK]));
    Body::from_stream(stream::iter((0..bytes / CHUNK).map(move |_| chunk())))
}

/// A request, and the status and code that it must get.
type Case = (&'static str, Request<Body>, u16, &'static str);

fn bad_documents() -> Vec<Case> {
    let multipart = |body: &'static str| {
        let kind = "multipart/form-data; boundary=x";
        Request::post("/v1/reports").header("content-type", kind).body(Body::from(body)).unwrap()
    };
    let encoded = |coding: &str| {
        Request::post("/v1/reports").header("content-encoding", coding).body(Body::from("x")).unwrap()
    };
    let no_file = "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n--x--\r\n";
    vec![
        ("empty file", post("/v1/reports", ""), 422, "EMPTY"),
        ("100 MB of zeros", post("/v1/reports", zeros(100 << 20)), 413, "TOO_LARGE"),
        ("over the limit, one byte", post("/v1/reports", vec![0; LIMIT + 1]), 413, "TOO_LARGE"),
        ("no gzip", encoded("gzip"), 400, "INVALID_FIELD"),
        ("another coding", encoded("br"), 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("a name in GBK", post("/v1/reports?agency_name=%C2%B9%BD%AD", "x"), 400, "INVALID_FIELD"),
        ("a parameter twice", post("/v1/reports?year=2023&year=2022", "x"), 400, "INVALID_FIELD"),
        ("year", post("/v1/reports?year=twenty", "x"), 400, "INVALID_FIELD"),
        ("agency code", post("/v1/reports?agency_code=36%2010", "x"), 400, "INVALID_FIELD"),
        ("misspelt parameter", post("/v1/reports?agencyname=x", "x"), 400, "INVALID_FIELD"),
        ("time of publication", post("/v1/reports?published_at=soon", "x"), 400, "INVALID_FIELD"),
        ("time of the event", post("/v1/reports?time=soon", "x"), 400, "INVALID_FIELD"),
        ("form without file", multipart(no_file), 400, "MISSING_CONTENT"),
        ("broken form", multipart("--y"), 400, "INVALID_FIELD"),
        ("check of a strange year", post("/v1/check?year=1", "x"), 400, "INVALID_FIELD"),
    ]
}

fn bad_envelopes() -> Vec<Case> {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let avro = Request::post("/v1/events").header("content-type", "application/cloudevents+avro");
    let half_good = json!([published("1", "年报"), {}]).to_string();
    vec![
        ("no JSON", raw_event(b"{"), 400, "MALFORMED_JSON"),
        ("JSON that is no UTF-8", raw_event(b"{\"id\":\"\xff\"}"), 400, "MALFORMED_JSON"),
        ("deep JSON", batch_text(deep), 400, "MALFORMED_JSON"),
        ("no event", raw_event(b"{}"), 400, "MISSING_ATTRIBUTE"),
        ("plain JSON", post("/v1/events", "{}"), 400, "MISSING_ATTRIBUTE"),
        ("no id", event(|e| e["id"] = Value::Null), 400, "MISSING_ATTRIBUTE"),
        ("no source", event(|e| e["source"] = Value::Null), 400, "MISSING_ATTRIBUTE"),
        ("no type", event(|e| e["type"] = Value::Null), 400, "MISSING_ATTRIBUTE"),
        ("no specversion", event(|e| e["specversion"] = Value::Null), 400, "MISSING_ATTRIBUTE"),
        ("old specversion", event(|e| e["specversion"] = "0.3".into()), 400, "UNSUPPORTED_SPECVERSION"),
        ("unknown type", event(|e| e["type"] = "gongkai.report.burned.v1".into()), 422, "UNKNOWN_EVENT_TYPE"),
        ("avro", avro.body(Body::from("x")).unwrap(), 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("a batch with a bad one", batch_text(half_good), 400, "MISSING_ATTRIBUTE"),
    ]
}

fn bad_data() -> Vec<Case> {
    let content = |content: Value| event(|e| e["data"]["content"] = content);
    let withdrawal = event(|e| {
        e["type"] = "gongkai.report.withdrawn.v1".into();
        e["data"] = json!({});
    });
    let agency = json!({"agency": {"code": "36 10"}, "year": 2023, "url": "https://www.example.gov.cn/a"});
    let malformed_code = event(|e| {
        e["type"] = "gongkai.report.withdrawn.v1".into();
        e["data"] = agency;
    });
    vec![
        ("withdrawal by a code that is none", malformed_code, 400, "INVALID_FIELD"),
        ("no data", event(|e| e["data"] = Value::Null), 400, "MISSING_CONTENT"),
        ("bad base64", content(json!({"base64": "***"})), 400, "BAD_BASE64"),
        ("empty text", content(json!({"text": ""})), 422, "EMPTY"),
        ("two contents", content(json!({"text": "x", "base64": "eA=="})), 400, "AMBIGUOUS_CONTENT"),
        ("url not on the list", content(json!({"url": "http://127.0.0.1/a"})), 422, "FETCH_NOT_ALLOWED"),
        ("withdrawal of nothing", withdrawal, 400, "MISSING_URL"),
    ]
}

fn bad_routes() -> Vec<Case> {
    let get = |path: &str| Request::get(path).body(Body::empty()).unwrap();
    let nobodys = "/v1/submissions/s-00000000000000000000000000000000";
    vec![
        ("no route", get("/v2/reports"), 404, "NOT_FOUND"),
        ("wrong method", get("/v1/reports"), 405, "METHOD_NOT_ALLOWED"),
        ("no submission", get(nobodys), 404, "SUBMISSION_NOT_FOUND"),
        ("no id", get("/v1/submissions/%ff"), 404, "SUBMISSION_NOT_FOUND"),
        ("an entry that is no submission", get("/v1/submissions/c-0"), 404, "SUBMISSION_NOT_FOUND"),
    ]
}

#[tokio::test]
async fn every_bad_request_has_its_code() {
    let harness = Harness::new(&config()).await;
    let cases = [bad_documents(), bad_envelopes(), bad_data(), bad_routes()];
    for (case, request, status, code) in cases.into_iter().flatten() {
        let answer = harness.call(request).await;
        assert_eq!((answer.status.as_u16(), answer.text("code")), (status, code), "{case}: {answer:?}");
        assert_eq!(answer.headers["content-type"], "application/problem+json", "{case}");
        assert_eq!(
            (answer.json["status"].clone(), answer.text("trace_id").len()),
            (status.into(), 32),
            "{case}"
        );
        assert!(!answer.text("title").is_ascii() && answer.json["retryable"].is_boolean(), "{case}");
    }
    assert!(harness.memory.messages(">").is_empty(), "nothing was accepted");
}

fn raw_event(body: &'static [u8]) -> Request<Body> {
    let request = Request::post("/v1/events").header("content-type", "application/cloudevents+json");
    request.body(Body::from(body)).unwrap()
}

fn batch_text(body: String) -> Request<Body> {
    let request = Request::post("/v1/events").header("content-type", "application/cloudevents-batch+json");
    request.body(Body::from(body)).unwrap()
}

/// Documents that only parse can reject are accepted.
#[tokio::test]
async fn strange_documents_are_accepted_and_left_to_parse() {
    let harness = Harness::new(&Config::default()).await;
    let bomb = "<div>".repeat(100_000);
    let png = [b"\x89PNG\r\n\x1a\n".as_slice(), &[0; 64]].concat();
    let documents: [(&str, Vec<u8>); 3] = [
        ("bomb.html", bomb.into_bytes()),
        ("picture.html", png),
        ("broken.txt", b"\xff\xfe\xfd\x81 2023".to_vec()),
    ];
    for (n, (name, bytes)) in documents.into_iter().enumerate() {
        let answer = harness.call(post(&format!("/v1/reports?filename={name}"), bytes.clone())).await;
        assert_eq!((answer.status, answer.text("state")), (StatusCode::ACCEPTED, "received"), "{name}");
        let content = harness.received()[n].content.clone().unwrap();
        assert_eq!((content.filename.as_str(), content.media_type.as_str()), (name, "text/html"));
        let dry = harness.call(post(&format!("/v1/check?filename={name}"), bytes)).await;
        assert_eq!((dry.status, dry.text("status"), dry.text("file")), (StatusCode::OK, "rejected", name));
    }
    assert_eq!(harness.received().len(), 3, "a dry run publishes nothing");
}

#[tokio::test]
async fn reports_come_as_forms_and_with_keys() {
    let harness = Harness::new(&Config::default()).await;
    let form = "--x\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nb\r\n\
        --x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.html\"\r\nContent-Type: text/html; charset=gbk\r\n\r\n<p>2023</p>\r\n--x--\r\n";
    let request = Request::post("/v1/reports?agency_name=%E9%B9%BF%E6%B1%9F&year=2023&agency_code=360982004000&published_at=2024-01-15")
        .header("content-type", "multipart/form-data; boundary=x")
        .body(Body::from(form))
        .unwrap();
    assert_eq!(harness.call(request).await.status, StatusCode::ACCEPTED);
    let received = harness.received().remove(0);
    let content = received.content.unwrap();
    assert_eq!(
        (content.filename.as_str(), content.charset.as_str(), content.size_bytes),
        ("a.html", "gbk", 11)
    );
    assert_eq!((received.agency.unwrap().name.as_str(), received.region.as_str()), ("鹿江", "360982"));

    let keyed = |body: &'static str| {
        Request::post("/v1/reports").header("idempotency-key", "k1").body(Body::from(body)).unwrap()
    };
    let first = harness.call(keyed("one")).await;
    assert_eq!(harness.call(keyed("one")).await.json, first.json);
    let mut in_charset = keyed("one");
    in_charset.headers_mut().insert("content-type", "text/html; charset=gbk".parse().unwrap());
    assert_eq!(harness.call(in_charset).await.json, first.json, "the files are the same");
    let other = harness.call(keyed("two")).await;
    assert_eq!((other.status.as_u16(), other.text("code")), (422, "ID_REUSED"));
    // Without a key, the id derives from the content.
    let bare = harness.call(post("/v1/reports", "three")).await;
    assert_eq!(harness.call(post("/v1/reports", "three")).await.json, bare.json);
    assert_eq!(harness.received().len(), 3);
}

#[tokio::test]
async fn a_batch_gets_a_list_of_receipts() {
    let harness = Harness::new(&Config::default()).await;
    let events = json!([published("1", "第一版"), published("2", "第二版"), published("3", "第二版")]);
    let answer = harness.call(batch_text(events.to_string())).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    let states: Vec<&str> =
        answer.json.as_array().unwrap().iter().map(|r| r["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["received", "received", "unchanged"]);
}

fn guarded() -> Config {
    let site = Site {
        source: "https://www.example.gov.cn".into(),
        secrets: vec![gongkai_worker::Secret::new(SECRET)],
        ..Site::default()
    };
    Config {
        tokens: vec![gongkai_worker::Secret::new(TOKEN)],
        sites: [("example".into(), site)].into(),
        ..config()
    }
}

fn signed(secret: &str, timestamp: i64, mut request: Request<Body>, body: &str) -> Request<Body> {
    let sign = |signed: &str| {
        standardwebhooks::Webhook::new(secret).unwrap().sign("msg_1", timestamp, signed.as_bytes()).unwrap()
    };
    let signature = match request.uri().path() {
        "/v1/reports" | "/v1/check" => sign(&format!("{} {}\n{body}", request.method(), request.uri())),
        _ => sign(body),
    };
    for (name, value) in [
        ("webhook-id", "msg_1"),
        ("webhook-timestamp", &timestamp.to_string()),
        ("webhook-signature", &signature),
    ] {
        request.headers_mut().insert(http::HeaderName::try_from(name).unwrap(), value.parse().unwrap());
    }
    request
}

#[tokio::test]
async fn with_secrets_only_known_callers_get_in() {
    let harness = Harness::new(&guarded()).await;
    let now = NOW.unix_timestamp();
    let body = published("1", "年报").to_string();
    let event = || structured(&published("1", "年报"));
    let forged = || {
        let mut forged = published("1", "年报");
        forged["source"] = "https://forged.gov.cn".into();
        (structured(&forged), forged.to_string())
    };
    let bearer = |mut request: Request<Body>, token: &str| {
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        request
    };
    let wrong = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    let status =
        || Request::get("/v1/submissions/s-00000000000000000000000000000000").body(Body::empty()).unwrap();
    let cases: Vec<(&str, Request<Body>, u16, &str)> = vec![
        ("unsigned", event(), 401, "UNAUTHENTICATED"),
        ("wrong secret", signed(wrong, now, event(), &body), 401, "BAD_SIGNATURE"),
        ("another body", signed(SECRET, now, event(), "{}"), 401, "BAD_SIGNATURE"),
        ("stale", signed(SECRET, now - 301, event(), &body), 401, "STALE_SIGNATURE"),
        ("early", signed(SECRET, now + 301, event(), &body), 401, "STALE_SIGNATURE"),
        ("forged source", signed(SECRET, now, forged().0, &forged().1), 401, "UNAUTHENTICATED"),
        ("a token is no signature", bearer(event(), TOKEN), 401, "UNAUTHENTICATED"),
        ("wrong token", bearer(post("/v1/reports", "x"), "another-token-of-length"), 401, "UNAUTHENTICATED"),
        ("no token", post("/v1/reports", "x"), 401, "UNAUTHENTICATED"),
        ("no token for a check", post("/v1/check", "x"), 401, "UNAUTHENTICATED"),
        ("no token for a receipt", status(), 401, "UNAUTHENTICATED"),
        ("malformed and unsigned", structured(&json!({})), 401, "UNAUTHENTICATED"),
    ];
    for (case, request, status, code) in cases {
        let answer = harness.call(request).await;
        assert_eq!((answer.status.as_u16(), answer.text("code")), (status, code), "{case}");
    }
    assert!(harness.memory.messages(">").is_empty());
    assert_eq!(harness.call(signed(SECRET, now, event(), &body)).await.status, StatusCode::ACCEPTED);
    for path in ["/v1/reports", "/v1/reports?year=2023&agency_name=%e9%b9%bf+%E6%B1%9F", "/v1/reports?"] {
        let answer = harness.call(signed(SECRET, now, post(path, "y"), "y")).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{path}");
    }
    assert_eq!(
        harness.call(signed(SECRET, now, post("/v1/check?year=2023", "y"), "y")).await.status,
        StatusCode::OK
    );
    assert_eq!(harness.call(bearer(post("/v1/reports", "x"), TOKEN)).await.status, StatusCode::ACCEPTED);
    assert_eq!(harness.call(bearer(status(), TOKEN)).await.status, StatusCode::NOT_FOUND);
    assert_eq!(harness.call(signed(SECRET, now, status(), "")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_signed_document_stays_with_its_query() {
    let harness = Harness::new(&guarded()).await;
    let now = NOW.unix_timestamp();
    let moved = |to: &str| {
        let mut request = signed(SECRET, now, post("/v1/reports?year=2023&site_code=1", "y"), "y");
        *request.uri_mut() = to.parse().unwrap();
        request
    };
    let plain = standardwebhooks::Webhook::new(SECRET).unwrap().sign("msg_1", now, b"y").unwrap();
    let mut of_the_body = signed(SECRET, now, post("/v1/reports", "y"), "y");
    of_the_body.headers_mut().insert("webhook-signature", plain.parse().unwrap());
    let cases = [
        ("another year", moved("/v1/reports?year=2022&site_code=1")),
        ("another order", moved("/v1/reports?site_code=1&year=2023")),
        ("another spelling", moved("/v1/reports?year=%32023&site_code=1")),
        ("another route", moved("/v1/check?year=2023&site_code=1")),
        ("no query", moved("/v1/reports")),
        ("the body only", of_the_body),
    ];
    for (case, request) in cases {
        let answer = harness.call(request).await;
        assert_eq!((answer.status.as_u16(), answer.text("code")), (401, "BAD_SIGNATURE"), "{case}");
    }
    assert!(harness.memory.messages(">").is_empty());
}

/// Standard Webhooks sign the body. An attacker who captures a signed document could send it again under other `ce-`
/// headers.
#[tokio::test]
async fn a_signed_document_does_not_take_its_attributes_from_headers() {
    let harness = Harness::new(&guarded()).await;
    let now = NOW.unix_timestamp();
    let binary = |id: &str, kind: &str, agency: &str| {
        Request::post("/v1/events")
            .header("content-type", "text/html")
            .header("ce-specversion", "1.0")
            .header("ce-id", id)
            .header("ce-source", "https://www.example.gov.cn")
            .header("ce-type", format!("gongkai.report.{kind}.v1"))
            .header("ce-agencycode", agency)
            .header("ce-subject", "https://www.example.gov.cn/a")
            .body(Body::from("y"))
            .unwrap()
    };
    for (id, kind, agency) in [
        ("msg_1", "published", "361001"),
        ("2", "published", "361001"),
        ("msg_1", "published", "361002"),
        ("msg_1", "withdrawn", "361001"),
        ("msg_1", "draft", ""),
    ] {
        let answer = harness.call(signed(SECRET, now, binary(id, kind, agency), "y")).await;
        let case = format!("{id} {kind} {agency}");
        assert_eq!((answer.status.as_u16(), answer.text("code")), (401, "UNSIGNED_ATTRIBUTES"), "{case}");
        assert!(answer.text("detail").contains("结构化或批量模式"), "{answer:?}");
        let unsigned = harness.call(binary(id, kind, agency)).await;
        assert_eq!(unsigned.text("code"), "UNAUTHENTICATED", "{case}");
    }
    assert!(harness.memory.messages(">").is_empty());
    // Where no secret is configured, the document cannot be mistaken for that of a site.
    let open = Harness::new(&config()).await;
    assert_eq!(open.call(binary("1", "published", "361001")).await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn too_many_calls_at_once_are_sent_away() {
    let harness = Harness::new(&Config { max_requests: 1, ..config() }).await;
    let _work = harness.admission.enter().unwrap();
    let answer = harness.call(post("/v1/reports", "x")).await;
    assert_eq!((answer.status.as_u16(), answer.text("code")), (503, "OVERLOADED"));
    assert_eq!(answer.headers["retry-after"], "5");
    // A status query does not wait for submissions.
    let answer = harness.get("s-00000000000000000000000000000000").await;
    assert_eq!(answer.text("code"), "SUBMISSION_NOT_FOUND");
}
