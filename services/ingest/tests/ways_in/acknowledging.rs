//! The links in notices: a page that changes nothing, and one acknowledgement for each link.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use gongkai_acknowledgements::link::{Claims, LinkKey};
use gongkai_ingest::config::Config;
use gongkai_proto::{
    convert::timestamp::timestamp,
    subjects::{STREAM_ALERTS, acknowledged_filter},
    v1,
};
use gongkai_worker::{
    Secret, Transport,
    testing::NatsServer,
    transport::jetstream::{JetStream, JetStreamSettings},
};
use http::{Method, Request, StatusCode};
use prost::Message as _;
use serde_json::json;
use tower::ServiceExt as _;

use crate::harness::{Harness, NOW};

const ALERT: &str = "0f3c5a0e8a5f4c1d9be2a7c6d5e4f301";
const KEY: &str = "a key of 32 characters at random";

fn config() -> Config {
    serde_json::from_value(json!({"acknowledgements": {"key": KEY}})).unwrap()
}

fn token(key: &str, valid: i64) -> String {
    let claims = Claims {
        alert_id: ALERT.into(),
        raised_at: Some(timestamp(NOW - time::Duration::HOUR)),
        region: "360982".into(),
        agency_name: "鹿江<b>街道</b>办事处".into(),
        year: 2023,
        subscription: "county-office".into(),
        expires_at_s: NOW.unix_timestamp() + valid,
    };
    LinkKey::new(Secret::new(key)).unwrap().token(&claims)
}

/// Calls a link. Returns the status and the page.
async fn call(harness: &Harness, method: Method, token: &str, form: &str) -> (StatusCode, String) {
    let request = Request::builder().method(method).uri(format!("/v1/acknowledgements/{token}"));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let response = harness.router.clone().oneshot(request.body(Body::from(form.to_owned())).unwrap()).await;
    let response = response.unwrap();
    assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
    assert_eq!(response.headers()["cache-control"], "no-store");
    let status = response.status();
    let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn only_a_post_acknowledges_and_only_once() {
    let harness = Harness::new(&config()).await;
    let (token, recorded) = (token(KEY, 60), || harness.memory.messages(&acknowledged_filter(ALERT)));
    for method in [Method::GET, Method::HEAD, Method::GET] {
        let (status, page) = call(&harness, method.clone(), &token, "").await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(page.contains("<form method=\"post\">"), method == Method::GET, "{page}");
        assert!(!page.contains("<b>"), "{page}");
    }
    assert_eq!(recorded().len(), 0, "a page that is only shown changes nothing");

    let form = "person=%E7%8E%8B%E4%BA%94&comment=%E5%B7%B2%E8%81%94%E7%B3%BB";
    let (status, page) = call(&harness, Method::POST, &token, form).await;
    assert_eq!(
        (status, page.contains("王五 已于 2024-01-15 18:12 确认收到")),
        (StatusCode::OK, true),
        "{page}"
    );
    let event =
        v1::AlertAcknowledged::decode(recorded()[0].payload.clone()).unwrap().acknowledgement.unwrap();
    assert_eq!((event.person.as_str(), event.comment.as_str()), ("王五", "已联系"));
    assert_eq!((event.way(), event.subscription.as_str()), (v1::AcknowledgementWay::Link, "county-office"));

    let (status, page) = call(&harness, Method::POST, &token, "person=x").await;
    assert_eq!((status, page.contains("王五 此前已于")), (StatusCode::OK, true), "{page}");
    let (_, page) = call(&harness, Method::GET, &token, "").await;
    assert!(!page.contains("<form") && !page.contains("王五"), "{page}");
    assert_eq!(recorded().len(), 1);
}

#[tokio::test]
async fn a_link_without_a_name_stands_for_its_subscription() {
    let harness = Harness::new(&config()).await;
    let (status, page) = call(&harness, Method::POST, &token(KEY, 60), "").await;
    assert_eq!((status, page.contains("county-office 已于")), (StatusCode::OK, true), "{page}");
}

#[tokio::test]
async fn other_links_and_forms_are_refused_with_a_code() {
    let harness = Harness::new(&config()).await;
    let good = token(KEY, 60);
    let cases = [
        (token(KEY, 0), "", StatusCode::GONE, "LINK_EXPIRED"),
        (token("another key that nobody here has", 60), "", StatusCode::FORBIDDEN, "LINK_INVALID"),
        (good[1..].to_owned(), "", StatusCode::FORBIDDEN, "LINK_INVALID"),
        ("%ff".to_owned(), "", StatusCode::FORBIDDEN, "LINK_INVALID"),
        (good.clone(), "person=a%0Ab", StatusCode::BAD_REQUEST, "INVALID_FIELD"),
        (good, "who=a", StatusCode::BAD_REQUEST, "INVALID_FIELD"),
    ];
    for (token, form, status, code) in cases {
        let found = call(&harness, Method::POST, &token, form).await;
        assert_eq!((found.0, found.1.contains(code)), (status, true), "{token} {form}: {}", found.1);
    }
    assert_eq!(harness.memory.messages(&acknowledged_filter(ALERT)).len(), 0);
    let unset = Harness::new(&Config::default()).await;
    assert_eq!(call(&unset, Method::GET, &token(KEY, 60), "").await.0, StatusCode::FORBIDDEN);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_make_one_acknowledgement_of_one_link() {
    let server = NatsServer::start().await;
    let settings = JetStreamSettings { servers: vec![server.url()], ..JetStreamSettings::default() };
    let broker = Arc::new(JetStream::connect(&settings).await.unwrap());
    broker.declare(&gongkai_proto::topology!()).await.unwrap();
    let replicas = [
        Arc::new(Harness::over(&config(), |_| broker.clone()).await),
        Arc::new(Harness::over(&config(), |_| broker.clone()).await),
    ];
    let token = token(KEY, 60);
    let calls = (0..20).map(|n| {
        let (harness, token) = (replicas[n % 2].clone(), token.clone());
        tokio::spawn(async move { call(&harness, Method::POST, &token, &format!("person=p{n}")).await })
    });
    let mut names = std::collections::BTreeSet::new();
    let mut new = 0;
    for call in calls.collect::<Vec<_>>() {
        let (status, page) = call.await.unwrap();
        assert_eq!(status, StatusCode::OK, "{page}");
        new += usize::from(page.contains(" 已于 ") && !page.contains("此前"));
        let name = page.split("<p>").find(|line| line.contains("已于")).unwrap().split(' ').next().unwrap();
        names.insert(name.to_owned());
    }
    assert_eq!((new, names.len()), (1, 1), "{names:?}");
    assert_eq!(broker.count(STREAM_ALERTS, &acknowledged_filter(ALERT)).await.unwrap(), 1);
}
