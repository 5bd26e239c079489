//! The rate of a site over every interface: calls beyond it are refused with the time to wait, and no other caller is
//! affected.

use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::{Value, json};
use tonic_types::StatusExt as _;

use gongkai_ingest::config::{Config, Site};
use gongkai_proto::v1::SubmitRequest;
use gongkai_worker::Secret;

use crate::{
    grpc::served,
    harness::{Answer, Harness, post, structured},
};

const TOKENS: [(&str, &str); 2] = [("a", "a-token-of-site-a"), ("b", "a-token-of-site-b")];

/// Returns a config with two sites that may send three events per minute each.
fn config() -> Config {
    let site = |(name, token): (&str, &str)| {
        let site = Site {
            source: format!("https://www.{name}.example"),
            tokens: vec![Secret::new(token)],
            events_per_minute: 3.try_into().ok(),
            ..Site::default()
        };
        (name.to_owned(), site)
    };
    Config { sites: TOKENS.map(site).into(), ..Config::default() }
}

fn of_site((name, token): (&str, &str), mut request: Request<Body>) -> Request<Body> {
    assert!(token.ends_with(name));
    request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    request
}

/// Returns an event of a site with the type `kind`.
fn event((name, _): (&str, &str), id: usize, kind: &str) -> Value {
    json!({"specversion": "1.0", "id": id.to_string(), "source": format!("https://www.{name}.example"), "type": kind,
        "data": {"url": format!("https://www.{name}.example/{id}"), "content": {"text": format!("第 {id} 篇")}}})
}

fn published(site: (&str, &str), id: usize) -> Request<Body> {
    of_site(site, structured(&event(site, id, "gongkai.report.published.v1")))
}

fn batch(site: (&str, &str), events: &[Value]) -> Request<Body> {
    let request = Request::post("/v1/events").header("content-type", "application/cloudevents-batch+json");
    of_site(site, request.body(Body::from(json!(events).to_string())).unwrap())
}

fn assert_limited(answer: &Answer) {
    assert_eq!((answer.status.as_u16(), answer.text("code")), (429, "RATE_LIMITED"), "{answer:?}");
    assert_eq!(answer.json["retryable"], true);
    let seconds: u64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{answer:?}");
}

#[tokio::test]
async fn the_flood_of_one_site_leaves_the_others_their_rate() {
    let harness = Harness::new(&config()).await;
    let [a, b] = TOKENS;
    for id in 0..3 {
        assert_eq!(harness.call(published(b, id)).await.status, StatusCode::ACCEPTED);
    }
    for _ in 0..20 {
        assert_limited(&harness.call(published(b, 9)).await);
    }
    assert_limited(&harness.call(of_site(b, post("/v1/reports", "x"))).await);
    // Drafts are not counted.
    let draft = event(b, 10, "gongkai.report.draft.v1");
    assert_eq!(harness.call(of_site(b, structured(&draft))).await.status, StatusCode::OK);
    // The other site is not affected, and neither are callers without credentials, even if they name the limited
    // site.
    assert_eq!(harness.call(published(a, 1)).await.status, StatusCode::ACCEPTED);
    for n in 0..5 {
        let answer = harness
            .call(post(&format!("/v1/reports?url=https://no.example/{n}"), format!("第 {n} 份")))
            .await;
        assert_eq!(answer.status, StatusCode::ACCEPTED);
        let forged = event(a, n, "gongkai.report.published.v1");
        assert_eq!(harness.call(structured(&forged)).await.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(harness.call(published(a, 2)).await.status, StatusCode::ACCEPTED);
    assert_eq!(harness.received().len(), 10);
}

#[tokio::test]
async fn each_event_of_a_batch_counts_and_a_batch_is_taken_whole() {
    let harness = Harness::new(&config()).await;
    let [a, _] = TOKENS;
    let of = |ids: std::ops::Range<usize>| -> Vec<Value> {
        ids.map(|id| event(a, id, "gongkai.report.published.v1")).collect()
    };
    let answer = harness.call(batch(a, &of(0..4))).await;
    assert_eq!((answer.status.as_u16(), answer.text("code")), (413, "TOO_LARGE"), "it never fits");
    // Events of other types and drafts do not count.
    let mut mixed = of(0..2);
    mixed.extend((5..9).map(|id| event(a, id, "cn.gov.cms.viewed")));
    mixed.push(event(a, 20, "gongkai.report.draft.v1"));
    assert_eq!(harness.call(batch(a, &mixed)).await.status, StatusCode::ACCEPTED);
    assert_limited(&harness.call(batch(a, &of(2..4))).await);
    assert_eq!(harness.call(batch(a, &of(2..3))).await.status, StatusCode::ACCEPTED);
    assert_limited(&harness.call(batch(a, &of(3..4))).await);
    assert_eq!(harness.received().len(), 3);
}

#[tokio::test]
async fn grpc_has_the_same_rate() {
    let (harness, mut client, _) = served(config()).await;
    let [a, _] = TOKENS;
    let mut submit = async |n: usize| {
        let mut request =
            tonic::Request::new(SubmitRequest { content: n.to_string().into(), ..SubmitRequest::default() });
        request.metadata_mut().insert("authorization", format!("Bearer {}", a.1).parse().unwrap());
        client.submit(request).await
    };
    // All interfaces share one rate.
    assert_eq!(harness.call(published(a, 0)).await.status, StatusCode::ACCEPTED);
    submit(1).await.unwrap();
    submit(2).await.unwrap();
    let status = submit(3).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::ResourceExhausted);
    let details = status.get_error_details();
    assert_eq!(details.error_info().unwrap().reason, "RATE_LIMITED");
    assert!(details.retry_info().unwrap().retry_delay.unwrap().as_secs() >= 1);
    assert_limited(&harness.call(published(a, 4)).await);
}
