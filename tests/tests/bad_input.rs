//! Bad input: each gets an error with a code, no service restarts, and no accepted document is lost.
#![expect(clippy::unwrap_used, reason = "helpers of tests: what is missing fails the test")]

use gongkai_proto::v1::{GetReportRequest, report_service_client::ReportServiceClient};
use gongkai_tests::{
    deployment::{Deployment, Plan},
    http,
};
use tonic::Code;

/// The expected answer.
enum Expect {
    /// Refused by ingest with this status and code.
    Problem(u16, &'static str),
    /// Accepted, then rejected by parse with a code.
    Rejected(&'static str),
}

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqr";

fn documents() -> Vec<(&'static str, &'static str, Vec<u8>, Expect)> {
    use Expect::{Problem, Rejected};
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89".to_vec();
    vec![
        ("empty file", "text/html", Vec::new(), Problem(422, "EMPTY")),
        ("body over the limit", "text/plain", vec![b'0'; 100 << 20], Problem(413, "TOO_LARGE")),
        ("20 MB of zero bytes", "text/plain", vec![0; 20 << 20], Rejected("UNSUPPORTED_FORMAT")),
        ("nested 100,000 deep", "text/html", "<div>".repeat(100_000).into_bytes(), Rejected("TOO_DEEP")),
        ("a picture named .html", "text/html", png, Rejected("UNSUPPORTED_FORMAT")),
        (
            "invalid UTF-8",
            "text/plain; charset=utf-8",
            [0xc3, 0x28, 0xff, 0xfe, 0x80, 0x81, 0x0a].repeat(200),
            Rejected("BAD_ENCODING"),
        ),
        ("white space", "text/plain", vec![b' '; 4096], Rejected("EMPTY")),
        ("another kind of document", "text/plain", "关于放假的通知".into(), Rejected("NOT_A_REPORT")),
    ]
}

fn events() -> Vec<(&'static str, &'static str, &'static str, u16, &'static str)> {
    vec![
        ("not JSON", "application/cloudevents+json", "{", 400, "MALFORMED_JSON"),
        (
            "no id",
            "application/cloudevents+json",
            r#"{"specversion":"1.0","type":"gongkai.report.published.v1","source":"https://a.example"}"#,
            400,
            "MISSING_ATTRIBUTE",
        ),
        (
            "unknown type",
            "application/cloudevents+json",
            r#"{"specversion":"1.0","id":"7","type":"x","source":"https://a.example","data":{}}"#,
            422,
            "UNKNOWN_EVENT_TYPE",
        ),
        (
            "bad base64",
            "application/cloudevents+json",
            r#"{"specversion":"1.0","id":"8","type":"gongkai.report.published.v1","source":"https://a.example","data":{"content":{"base64":"***"}}}"#,
            400,
            "BAD_BASE64",
        ),
        (
            "two contents",
            "application/cloudevents+json",
            r#"{"specversion":"1.0","id":"9","type":"gongkai.report.published.v1","source":"https://a.example","data":{"content":{"text":"a","base64":"YQ=="}}}"#,
            400,
            "AMBIGUOUS_CONTENT",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_gets_a_code_and_costs_nobody_else_anything() {
    let mut deployment = Deployment::start(&Plan::default()).await;
    let ingest = deployment.ingest();
    for (what, media_type, body, expect) in documents() {
        let answer = http::post(&format!("{ingest}/v1/reports"), media_type, body).await;
        let answer = answer.unwrap_or_else(|e| panic!("{what}: {e}"));
        match expect {
            Expect::Problem(status, code) => {
                assert_eq!((answer.status, answer.json["code"].as_str()), (status, Some(code)), "{what}");
                assert_eq!(answer.content_type, "application/problem+json", "{what}");
                assert!(answer.json["retryable"].is_boolean(), "{what}: {}", answer.json);
            }
            Expect::Rejected(code) => {
                assert_eq!(answer.status, 202, "{what}: {}", answer.json);
                let id = answer.json["submission_id"].as_str().unwrap();
                let receipt = http::settled(&ingest, id).await;
                assert_eq!(receipt["rejection"]["code"].as_str(), Some(code), "{what}: {receipt}");
            }
        }
    }
    for (what, media_type, body, status, code) in events() {
        let answer = http::post(&format!("{ingest}/v1/events"), media_type, body.into()).await.unwrap();
        assert_eq!(
            (answer.status, answer.json["code"].as_str()),
            (status, Some(code)),
            "{what}: {}",
            answer.json
        );
    }
    let answer = http::get(&format!("{ingest}/v1/nothing")).await.unwrap();
    assert_eq!(answer.status, 404, "{}", answer.json);
    unknown_names_over_grpc(&deployment).await;
    deployment.assert_nothing_restarted();
}

async fn unknown_names_over_grpc(deployment: &Deployment) {
    let mut client = ReportServiceClient::connect(format!("http://{}", deployment.query())).await.unwrap();
    for (name, code) in [
        ("agencies/nobody/reports/1999", Code::NotFound),
        ("agencies/", Code::InvalidArgument),
        ("", Code::InvalidArgument),
    ] {
        let request = GetReportRequest { name: name.to_owned(), as_of: None };
        let status = client.get_report(request).await.unwrap_err();
        assert_eq!(status.code(), code, "{name:?}: {status:?}");
        assert!(!status.details().is_empty(), "{name:?}: no google.rpc details");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_with_a_secret_must_sign() {
    let config =
        format!("[ingest.sites.yunxi]\nsource = \"https://www.yunxi.example/cms\"\nsecrets = [\"{SECRET}\"]");
    let deployment = Deployment::start(&Plan { config, ..Plan::default() }).await;
    let event = r#"{"specversion":"1.0","id":"17","type":"gongkai.report.published.v1","source":"https://www.yunxi.example/cms","data":{"content":{"text":"一份文件"}}}"#;
    let url = format!("{}/v1/events", deployment.ingest());
    let unsigned = http::post(&url, "application/cloudevents+json", event.into()).await.unwrap();
    assert_eq!(unsigned.status, 401, "{}", unsigned.json);
    let forged = http::client()
        .post(&url)
        .header("content-type", "application/cloudevents+json")
        .header("webhook-id", "17")
        .header("webhook-timestamp", "1700000000")
        .header("webhook-signature", "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=")
        .body(event);
    let forged = http::answer(forged).await.unwrap();
    assert_eq!(forged.status, 401, "{}", forged.json);
    assert!(forged.json["code"].as_str().is_some_and(|code| code.contains("SIGNATURE")), "{}", forged.json);
}
