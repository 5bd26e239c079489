//! Events that give their content by URL: it is fetched each time, because it may have changed.

use std::sync::{Arc, Mutex};

use axum::{Router, extract::State, routing::get};
use gongkai_ingest::config::Config;
use http::StatusCode;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::harness::{Harness, published};

/// The content that a site serves at `/a`, and the number of requests.
#[derive(Clone, Default)]
struct Page(Arc<Mutex<(Option<&'static str>, usize)>>);

impl Page {
    /// Serves a page. Returns its host.
    async fn serve(&self) -> String {
        let answer = |State(page): State<Self>| async move {
            let mut page = page.0.lock().unwrap();
            page.1 += 1;
            page.0.ok_or(StatusCode::SERVICE_UNAVAILABLE)
        };
        let router = Router::new().route("/a", get(answer)).with_state(self.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move { axum::serve(listener, router).await });
        host
    }

    fn change(&self, text: Option<&'static str>) {
        self.0.lock().unwrap().0 = text;
    }

    fn asked(&self) -> usize {
        self.0.lock().unwrap().1
    }
}

fn event(host: &str) -> Value {
    let mut event = published("article-1", "");
    event["data"]["content"] = json!({"url": format!("http://{host}/a")});
    event
}

#[tokio::test]
async fn an_event_that_comes_again_is_judged_by_what_its_address_has_now() {
    let page = Page::default();
    let host = page.serve().await;
    let config = Config { fetch_allowed_hosts: vec![host.clone()], ..Config::default() };
    let harness = Harness::new(&config).await;
    page.change(Some("第一版"));
    let first = harness.event(&event(&host)).await;
    assert_eq!(first.text("state"), "received");
    assert_eq!(harness.event(&event(&host)).await.json, first.json);
    assert_eq!((page.asked(), harness.received().len()), (2, 1));

    page.change(Some("第二版"));
    let second = harness.event(&event(&host)).await;
    assert_eq!((second.text("state"), second.text("supersedes")), ("received", first.text("submission_id")));
    assert_ne!(second.text("revision"), first.text("revision"));
    assert_eq!(harness.event(&event(&host)).await.json, second.json);
    assert_eq!((page.asked(), harness.received().len()), (4, 2));

    // Content that cannot be fetched may have changed: it is not answered with an old receipt.
    page.change(None);
    assert_eq!(harness.event(&event(&host)).await.text("code"), "FETCH_FAILED");
    page.change(Some("第二版"));
    assert_eq!(harness.event(&event(&host)).await.json, second.json);
    assert_eq!((page.asked(), harness.received().len()), (6, 2));
}
