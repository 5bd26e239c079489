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

#[tokio::test]
async fn attachments_are_fetched_under_the_same_rules() {
    let page = Page::default();
    let host = page.serve().await;
    let config = Config { fetch_allowed_hosts: vec![host.clone()], ..Config::default() };
    let harness = Harness::new(&config).await;
    page.change(Some("年报正文"));
    let with = |id: &str, attachments: Value| {
        let mut event = published(id, "详见附件");
        event["data"]["attachments"] = attachments;
        event
    };
    let url = format!("http://{host}/a");
    let inline = json!({"name": "说明.txt", "base64": "YQ=="});
    let answer =
        harness.event(&with("1", json!([inline, {"name": "年报.docx", "url": url}, {"url": url}]))).await;
    assert_eq!(answer.text("state"), "received");
    let attachments = harness.received().remove(0).attachments;
    let names: Vec<&str> = attachments.iter().map(|file| file.filename.as_str()).collect();
    assert_eq!(names, ["说明.txt", "年报.docx", "a"]);
    assert_eq!((attachments[1].size_bytes, page.asked()), (12, 2));
    let code = async |id: &str, attachment: Value| {
        harness.event(&with(id, json!([attachment]))).await.text("code").to_owned()
    };
    assert_eq!(code("2", json!({"url": "http://169.254.1.1/a"})).await, "FETCH_NOT_ALLOWED");
    assert_eq!(code("3", json!({"url": "a.docx"})).await, "INVALID_FIELD");
    assert_eq!(code("4", json!({"url": url, "base64": "YQ=="})).await, "AMBIGUOUS_CONTENT");
    assert_eq!(code("5", json!({"name": "a"})).await, "MISSING_CONTENT");
    let many: Vec<Value> = (0..100).map(|_| json!({"url": url})).collect();
    assert_eq!(harness.event(&with("6", many.into())).await.text("code"), "TOO_LARGE");
    assert_eq!((harness.received().len(), page.asked()), (1, 2), "nothing was fetched in vain");
}
