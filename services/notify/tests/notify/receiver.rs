//! A webhook receiver on a loopback port. It gives planned responses and checks every signature.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::any,
};
use standardwebhooks::Webhook;

pub(crate) const SECRET: &str = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz";

/// A received request.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: serde_json::Value,
    pub(crate) signed: bool,
}

/// A response: status and headers.
pub(crate) type Answer = (u16, Vec<(&'static str, String)>);

/// The receiver.
#[derive(Clone, Default)]
pub(crate) struct Receiver {
    seen: Arc<Mutex<Vec<Request>>>,
    answers: Arc<Mutex<Vec<Answer>>>,
}

impl Receiver {
    /// Starts a receiver. The first requests get these responses, later ones 204. Returns the receiver and its URL.
    pub(crate) async fn start(answers: impl IntoIterator<Item = Answer>) -> (Self, String) {
        let this = Self::default();
        this.answers.lock().unwrap().extend(answers);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/hook", listener.local_addr().unwrap());
        let router = Router::new().fallback(any(take)).with_state(this.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        (this, address)
    }

    pub(crate) fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }
}

async fn take(
    State(this): State<Receiver>,
    uri: axum::http::Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let signed = Webhook::new(SECRET).unwrap().verify(&body, &headers).is_ok();
    let body = serde_json::from_slice(&body).unwrap_or_default();
    this.seen.lock().unwrap().push(Request { path: uri.path().to_owned(), headers, body, signed });
    let mut answers = this.answers.lock().unwrap();
    let (status, headers) = if answers.is_empty() { (204, Vec::new()) } else { answers.remove(0) };
    let mut response = StatusCode::from_u16(status).unwrap().into_response();
    for (name, value) in headers {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}
