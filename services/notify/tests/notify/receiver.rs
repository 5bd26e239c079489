//! A webhook receiver on a loopback port. It gives planned responses and checks every signature.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::any,
};
use standardwebhooks::Webhook;
use tokio::time::Instant;

pub(crate) const SECRET: &str = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz";

/// A received request.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: serde_json::Value,
    pub(crate) signed: bool,
    pub(crate) status: u16,
    pub(crate) at: Instant,
}

impl Request {
    pub(crate) fn alert_id(&self) -> String {
        self.body["data"]["alert_id"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn sequence(&self) -> u64 {
        self.body["data"]["sequence"].as_u64().unwrap()
    }
}

/// A response: status and headers.
pub(crate) type Answer = (u16, Vec<(&'static str, String)>);

/// A webhook receiver for tests.
#[derive(Clone, Default)]
pub(crate) struct Receiver {
    seen: Arc<Mutex<Vec<Request>>>,
    answers: Arc<Mutex<Vec<Answer>>>,
    /// Status while the receiver is away.
    away: Arc<Mutex<Option<u16>>>,
    /// Number of requests in a storm, while there is one.
    storm: Arc<Mutex<Option<u64>>>,
    /// Statuses of requests about certain alerts.
    about: Arc<Mutex<HashMap<String, u16>>>,
    url: Arc<OnceLock<String>>,
}

impl Receiver {
    /// Starts a receiver. The first requests get these responses, later ones 204. Returns the receiver and its URL.
    pub(crate) async fn start(answers: impl IntoIterator<Item = Answer>) -> (Self, String) {
        let this = Self::default();
        this.answers.lock().unwrap().extend(answers);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/hook", listener.local_addr().unwrap());
        this.url.set(address.clone()).unwrap();
        let router = Router::new().fallback(any(take)).with_state(this.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        (this, address)
    }

    pub(crate) fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn url(&self) -> String {
        self.url.get().unwrap().clone()
    }

    /// Answers every request with this status, until [`Self::comes_back`].
    pub(crate) fn goes_away(&self, status: u16) {
        *self.away.lock().unwrap() = Some(status);
    }

    pub(crate) fn comes_back(&self) {
        *self.away.lock().unwrap() = None;
    }

    /// Answers as it comes, until [`Self::calms_down`]: accepts, throttles, fails, refuses, redirects, is gone, or stalls.
    pub(crate) fn storms(&self) {
        *self.storm.lock().unwrap() = Some(0);
    }

    pub(crate) fn calms_down(&self) {
        *self.storm.lock().unwrap() = None;
    }

    /// Returns the next answer of a storm, and how long it takes.
    fn stormy(&self) -> Option<(Answer, Duration)> {
        let mut storm = self.storm.lock().unwrap();
        let n = storm.as_mut()?;
        *n += 1;
        // The numbers look random, and are the same in every run.
        let number = (*n).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let at_once = |status: u16| ((status, Vec::new()), Duration::ZERO);
        Some(match number % 16 {
            0..=6 => at_once(204),
            7 | 8 => ((429, vec![("retry-after", "1".to_owned())]), Duration::ZERO),
            9 => at_once(503),
            10 | 11 => at_once(500),
            12 => at_once(400),
            13 => at_once(307),
            14 => at_once(410),
            _ => ((503, Vec::new()), Duration::from_secs(1)),
        })
    }

    /// Answers requests about one alert with this status.
    pub(crate) fn dislikes(&self, alert_id: &str, status: u16) {
        self.about.lock().unwrap().insert(alert_id.to_owned(), status);
    }

    /// Returns the requests that were answered with success.
    pub(crate) fn taken(&self) -> Vec<Request> {
        self.seen().into_iter().filter(|request| request.status == 204).collect()
    }

    /// Waits until `reached` returns true.
    pub(crate) async fn until(&self, what: &str, reached: impl Fn(&Self) -> bool) {
        let waiting = async {
            while !reached(self) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(25), waiting).await;
        assert!(waited.is_ok(), "{what}: {} requests, {} taken", self.seen().len(), self.taken().len());
    }
}

impl Receiver {
    fn answer(&self, alert_id: &str) -> Answer {
        let fixed = self.away.lock().unwrap().or_else(|| self.about.lock().unwrap().get(alert_id).copied());
        if let Some(status) = fixed {
            return (status, Vec::new());
        }
        let mut answers = self.answers.lock().unwrap();
        if answers.is_empty() { (204, Vec::new()) } else { answers.remove(0) }
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
    let at = Instant::now();
    let mut request = Request { path: uri.path().to_owned(), headers, body, signed, status: 0, at };
    let stormy = this.stormy();
    let (answer, stall) = stormy.unwrap_or_else(|| (this.answer(&request.alert_id()), Duration::ZERO));
    if !stall.is_zero() {
        tokio::time::sleep(stall).await;
    }
    let (status, headers) = answer;
    request.status = status;
    this.seen.lock().unwrap().push(request);
    let mut response = StatusCode::from_u16(status).unwrap().into_response();
    for (name, value) in headers {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}
