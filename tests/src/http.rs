//! A small HTTP client for tests: it sends bodies and returns the status and the JSON body.

use std::{sync::OnceLock, time::Duration};

use serde_json::Value;

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// `Content-Type`.
    pub content_type: String,
    /// The body if it is JSON, else null.
    pub json: Value,
}

/// Sends a GET request.
///
/// # Errors
/// Nobody answered.
pub async fn get(url: &str) -> Result<Answer, reqwest::Error> {
    answer(client().get(url)).await
}

/// Sends a POST request.
///
/// # Errors
/// Nobody answered.
pub async fn post(url: &str, content_type: &str, body: Vec<u8>) -> Result<Answer, reqwest::Error> {
    answer(client().post(url).header("content-type", content_type).body(body)).await
}

/// Sends a request built by the caller.
///
/// # Errors
/// Nobody answered.
pub async fn answer(request: reqwest::RequestBuilder) -> Result<Answer, reqwest::Error> {
    let response = request.send().await?;
    let status = response.status().as_u16();
    let header = response.headers().get("content-type").and_then(|v| v.to_str().ok());
    let content_type = header.unwrap_or_default().to_owned();
    let body = response.bytes().await?;
    Ok(Answer { status, content_type, json: serde_json::from_slice(&body).unwrap_or(Value::Null) })
}

/// Returns the shared client.
///
/// # Panics
/// If TLS cannot be set up.
pub fn client() -> &'static reqwest::Client {
    static CLIENT: OnceLock<reqwest::Client> = OnceLock::new();
    CLIENT.get_or_init(|| {
        // A second installation is refused, and the first one suffices.
        drop(rustls::crypto::ring::default_provider().install_default());
        let builder = reqwest::Client::builder().timeout(Duration::from_secs(60)).no_proxy();
        builder.build().expect("TLS by rustls with ring needs nothing of the machine")
    })
}

/// Follows a submission until its state is final.
///
/// # Panics
/// If it is not final within 60 s.
pub async fn settled(ingest: &str, submission_id: &str) -> Value {
    let url = format!("{ingest}/v1/submissions/{submission_id}");
    let mut last = Value::Null;
    for _ in 0..600 {
        if let Ok(answer) = get(&url).await {
            last = answer.json;
            if !matches!(last["state"].as_str(), Some("received" | "parsed") | None) {
                return last;
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("submission {submission_id} is not settled: {last}");
}
