//! Two sites with two secrets: neither can change what belongs to the other, through any interface and in any
//! spelling; the owner still can.

use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::{Value, json};
use tonic::transport::Channel;
use tonic_types::StatusExt as _;

use gongkai_ingest::{
    config::{Config, Site},
    grpc::Submissions,
    signature::{Covered, SigningKey},
};
use gongkai_proto::v1::{
    AgencyHint, DocumentKind, Site as DeclaredSite, SubmitRequest,
    submission_service_client::SubmissionServiceClient,
};
use gongkai_worker::Secret;

use crate::harness::{Answer, Harness, NOW, post, structured};

const A: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const B: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const TOKEN_A: &str = "a-token-of-site-a";
const TOKEN_B: &str = "a-token-of-site-b";
const SOURCE_A: &str = "https://www.a.example";
const SOURCE_B: &str = "https://www.b.example";
const CODE_A: &str = "3609990001";
const CODE_B: &str = "3610000001";
const URL_A: &str = "https://www.a.example/zwgk/2023.html";
const URL_B: &str = "https://www.b.example/zwgk/2023.html";
const AGENCY_A: &str = "360999001";

fn config() -> Config {
    let site = |source: &str, code: &str, secret: &str, token: &str| Site {
        source: source.into(),
        site_code: code.into(),
        secrets: vec![Secret::new(secret)],
        tokens: vec![Secret::new(token)],
        ..Site::default()
    };
    let sites = [
        ("a".to_owned(), site(SOURCE_A, CODE_A, A, TOKEN_A)),
        ("b".to_owned(), site(SOURCE_B, CODE_B, B, TOKEN_B)),
    ];
    Config { sites: sites.into(), ..Config::default() }
}

/// Returns an event of a site.
fn event(source: &str, id: &str, kind: &str, data: Value) -> Value {
    let kind = format!("gongkai.report.{kind}.v1");
    let mut event = json!({"specversion": "1.0", "id": id, "source": source, "type": kind});
    event["data"] = data;
    event
}

fn of_a(id: &str, kind: &str, text: &str) -> Value {
    let data = json!({"agency": {"code": AGENCY_A}, "year": 2023, "url": URL_A, "site": {"code": CODE_A},
        "content": {"text": text}});
    event(SOURCE_A, id, kind, data)
}

fn of_b(id: &str, kind: &str, data: Value) -> Value {
    let mut event = event(SOURCE_B, id, kind, data);
    if kind != "withdrawn" {
        event["data"]["content"] = json!({"text": "他人的正文"});
    }
    event
}

fn signed(secret: &str, mut request: Request<Body>, body: &str) -> Request<Body> {
    let key: SigningKey = secret.parse().unwrap();
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let covered = match uri.path() {
        "/v1/reports" => Covered::Request(&method, &uri, body.as_bytes()),
        _ => Covered::Body(body.as_bytes()),
    };
    let signature = key.sign("m", NOW.unix_timestamp(), covered);
    let timestamp = NOW.unix_timestamp().to_string();
    for (name, value) in [
        ("webhook-id", "m"),
        ("webhook-timestamp", timestamp.as_str()),
        ("webhook-signature", signature.as_str()),
    ] {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    request
}

fn bearer(token: &str, mut request: Request<Body>) -> Request<Body> {
    request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    request
}

fn signed_event(secret: &str, event: &Value) -> Request<Body> {
    signed(secret, structured(event), &event.to_string())
}

fn batch(events: &Value) -> Request<Body> {
    let body = events.to_string();
    let request = Request::post("/v1/events").header("content-type", "application/cloudevents-batch+json");
    signed(B, request.body(Body::from(body.clone())).unwrap(), &body)
}

fn binary(request: Request<Body>) -> Request<Body> {
    let mut request = request;
    for (name, value) in [
        ("ce-specversion", "1.0"),
        ("ce-id", "binary"),
        ("ce-source", SOURCE_B),
        ("ce-type", "gongkai.report.updated.v1"),
        ("ce-subject", URL_A),
    ] {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    request
}

async fn client(harness: &Harness, config: &Config) -> SubmissionServiceClient<Channel> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (intake, auth, admission) = (harness.intake.clone(), harness.auth.clone(), harness.admission.clone());
    let service =
        Submissions::new(config, &harness.runtime, intake, harness.dry_run.clone(), &auth, admission);
    let runtime = harness.runtime.clone();
    tokio::spawn(async move { service.serve(listener, &runtime).await });
    SubmissionServiceClient::new(Channel::from_shared(address).unwrap().connect().await.unwrap())
}

/// Returns the requests that site B may try over HTTP.
fn attempts() -> Vec<(&'static str, Request<Body>)> {
    let at = |url: &str| json!({"url": url});
    let named = json!({"url": URL_B, "agency": {"code": AGENCY_A}, "year": 2023});
    let update = |url: &str| signed_event(B, &of_b(url, "updated", at(url)));
    let withdrawal = |url: &str| signed_event(B, &of_b(&format!("w{url}"), "withdrawn", at(url)));
    let report = |query: &str| {
        let request = post(&format!("/v1/reports?{query}"), "他人的正文");
        signed(B, request, "他人的正文")
    };
    let mut by_subject = of_b("subject", "withdrawn", json!({}));
    by_subject["subject"] = URL_A.into();
    let mut attached = of_b("attached", "published", named.clone());
    attached["data"]["attachments"] = json!([{"name": "年报.txt", "base64": "5bm05oql"}]);
    let good = of_b("good", "published", at(URL_B));
    let forged = of_a("forged", "updated", "他人的正文");
    vec![
        ("publishes under the address", signed_event(B, &of_b("p", "published", at(URL_A)))),
        ("updates", update(URL_A)),
        ("withdraws by URL", withdrawal(URL_A)),
        ("withdraws by subject", signed_event(B, &by_subject)),
        ("publishes by agency and year", signed_event(B, &of_b("pn", "published", named.clone()))),
        ("updates by agency and year", signed_event(B, &of_b("un", "updated", named.clone()))),
        ("withdraws by agency and year", signed_event(B, &of_b("wn", "withdrawn", named.clone()))),
        ("host in capitals", update("https://WWW.A.EXAMPLE/zwgk/2023.html")),
        ("default port", withdrawal("https://www.a.example:443/zwgk/2023.html")),
        ("plain http", withdrawal("http://www.a.example/zwgk/2023.html")),
        ("dots", update("https://www.a.example/zwgk/x/../2023.html")),
        ("encoded dots", withdrawal("https://www.a.example/x/%2e%2e/zwgk/2023.html")),
        ("encoded letters", update("https://www.a.example/%7Awgk/2023%2Ehtml")),
        ("doubled slash", withdrawal("https://www.a.example//zwgk/2023.html")),
        ("backslash", update("https:\\\\www.a.example\\zwgk\\2023.html")),
        ("fragment", withdrawal("https://www.a.example/zwgk/2023.html#top")),
        ("login", update("https://b:b@www.a.example/zwgk/2023.html")),
        ("dot after the host", withdrawal("https://www.a.example./zwgk/2023.html")),
        ("empty query", update("https://www.a.example/zwgk/2023.html?")),
        ("in a batch after a good one", batch(&json!([good, of_b("bad", "withdrawn", at(URL_A))]))),
        ("an attachment", signed_event(B, &attached)),
        ("reports by address", report(&format!("url={URL_A}"))),
        ("reports by agency", report(&format!("agency_code={AGENCY_A}&year=2023"))),
        ("reports as the site", report(&format!("site_code={CODE_A}&url={URL_A}"))),
        ("signs for the other source", signed_event(B, &forged)),
        ("a token for the other source", bearer(TOKEN_B, structured(&forged))),
        ("a token withdraws", bearer(TOKEN_B, structured(&of_b("tw", "withdrawn", at(URL_A))))),
        ("a token in binary mode", bearer(TOKEN_B, binary(post("/v1/events", "他人的正文")))),
        ("unsigned on loopback", structured(&event("https://no.example", "x", "withdrawn", at(URL_A)))),
        ("unsigned by agency", post(&format!("/v1/reports?agency_code={AGENCY_A}&year=2023"), "他人的正文")),
        ("unsigned as the other", structured(&forged)),
    ]
}

/// Returns the requests that site B may try over gRPC.
fn messages() -> Vec<(&'static str, SubmitRequest)> {
    let with = |change: fn(&mut SubmitRequest)| {
        let mut message = SubmitRequest { content: "他人的正文".into(), ..SubmitRequest::default() };
        change(&mut message);
        message
    };
    vec![
        ("gRPC by address", with(|m| m.url = URL_A.into())),
        (
            "gRPC update in another spelling",
            with(|m| {
                m.url = "https://www.A.example/./zwgk/2023.html".into();
                m.set_kind(DocumentKind::Updated);
            }),
        ),
        (
            "gRPC by agency and year",
            with(|m| {
                m.agency = Some(AgencyHint { code: AGENCY_A.into(), ..AgencyHint::default() });
                m.year = 2023;
            }),
        ),
        (
            "gRPC as the site",
            with(|m| {
                m.site = Some(DeclaredSite { code: CODE_A.into(), ..DeclaredSite::default() });
                m.url = URL_A.into();
            }),
        ),
    ]
}

fn is_refused(answer: &Answer) -> bool {
    let refusals = [(403, "NOT_YOURS"), (401, "BAD_SIGNATURE"), (401, "UNAUTHENTICATED")];
    refusals.contains(&(answer.status.as_u16(), answer.text("code")))
}

#[tokio::test]
async fn nothing_of_one_site_can_be_changed_by_another() {
    let config = config();
    let harness = Harness::new(&config).await;
    let first = harness.call(signed_event(A, &of_a("1", "published", "第一版"))).await;
    assert_eq!(first.status, StatusCode::ACCEPTED, "{first:?}");
    assert_eq!(harness.received()[0].sender.as_ref().unwrap().site, "a");
    let before = harness.memory.messages(">").len();

    let attempts = attempts();
    assert!(attempts.len() >= 30);
    let mut not_yours = 0;
    for (attempt, request) in attempts {
        let answer = harness.call(request).await;
        assert!(is_refused(&answer), "{attempt}: {answer:?}");
        not_yours += u32::from(answer.text("code") == "NOT_YOURS");
    }
    assert!(not_yours >= 26, "{not_yours}");
    let mut client = client(&harness, &config).await;
    for token in [Some(TOKEN_B), None] {
        for (attempt, message) in messages() {
            let mut request = tonic::Request::new(message);
            if let Some(token) = token {
                request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
            }
            let status = client.submit(request).await.unwrap_err();
            let reason = status.get_details_error_info().unwrap().reason;
            let expected = match (token, attempt) {
                (None, "gRPC as the site") => (tonic::Code::Unauthenticated, "UNAUTHENTICATED"),
                _ => (tonic::Code::PermissionDenied, "NOT_YOURS"),
            };
            assert_eq!((status.code(), reason.as_str()), expected, "{attempt} {token:?}: {status:?}");
        }
    }
    assert_eq!(harness.memory.messages(">").len(), before, "nothing was published");

    // The owner can still submit through every interface, and so can B for its own articles.
    let of_owner = [
        signed_event(A, &of_a("1", "updated", "第二版")),
        bearer(TOKEN_A, structured(&of_a("1", "updated", "第三版"))),
        signed(A, post(&format!("/v1/reports?agency_code={AGENCY_A}&year=2023"), "第四版"), "第四版"),
        signed_event(
            A,
            &event(
                SOURCE_A,
                "w",
                "withdrawn",
                json!({"url": URL_A, "agency": {"code": AGENCY_A}, "year": 2023}),
            ),
        ),
        signed_event(B, &of_b("own", "published", json!({"url": URL_B, "year": 2023}))),
    ];
    for request in of_owner {
        let answer = harness.call(request).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
    }
    let mut request = tonic::Request::new(SubmitRequest {
        content: "第五版".into(),
        url: URL_A.into(),
        ..SubmitRequest::default()
    });
    request.metadata_mut().insert("authorization", format!("Bearer {TOKEN_A}").parse().unwrap());
    client.submit(request).await.unwrap();
}

#[tokio::test]
async fn a_site_acts_only_within_its_limits() {
    let list = |entry: &str| Some(vec![entry.to_owned()]);
    let mut config = config();
    let site = config.sites.get_mut("b").unwrap();
    (site.agencies, site.regions) = (list("361000001"), list("3610"));
    site.url_prefixes = list("https://www.b.example/zwgk/");
    let harness = Harness::new(&config).await;
    let data = |url: &str, agency: &str| json!({"url": url, "agency": {"code": agency}, "year": 2023});
    let good = data(URL_B, "361000001");
    for (what, data) in [
        ("网址", data("https://www.b.example/zwgk/../other.html", "361000001")),
        ("网址", data("https://www.b.example.evil.example/zwgk/1.html", "361000001")),
        ("机关", data(URL_B, "361000002")),
        ("行政区划", json!({"url": URL_B, "site": {"code": "4400000001"}})),
    ] {
        for kind in ["published", "updated", "withdrawn"] {
            let answer = harness.call(signed_event(B, &of_b("1", kind, data.clone()))).await;
            assert_eq!((answer.status.as_u16(), answer.text("code")), (403, "NOT_YOURS"), "{what} {kind}");
            assert!(answer.text("detail").contains(what), "{answer:?}");
        }
    }
    assert!(harness.memory.messages(">").is_empty());
    for kind in ["published", "withdrawn"] {
        let answer = harness.call(signed_event(B, &of_b("1", kind, good.clone()))).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
    }
    let sender = harness.received()[0].sender.clone().unwrap();
    assert_eq!((sender.agencies, sender.regions), (vec!["361000001".to_owned()], vec!["3610".to_owned()]));
}

#[tokio::test]
async fn what_another_site_sent_before_makes_nothing_redundant() {
    let harness = Harness::new(&config()).await;
    let text = json!({"text": "同一正文"});
    let of_b = event(SOURCE_B, "1", "published", json!({"url": URL_B, "content": text}));
    let of_a = event(SOURCE_A, "1", "published", json!({"url": URL_A, "content": text}));
    for (secret, event) in [(B, of_b), (A, of_a)] {
        assert_eq!(harness.call(signed_event(secret, &event)).await.text("state"), "received");
    }
}
