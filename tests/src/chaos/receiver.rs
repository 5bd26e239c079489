//! The receiver of alerts. It can be unavailable, and records the calls that it accepts.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use serde_json::Value;

/// The secret that the calls are signed with.
pub const SECRET: &str = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz";

/// An accepted call.
#[derive(Debug, Clone)]
pub struct Call {
    /// `webhook-id`.
    pub id: String,
    /// The alert in the body.
    pub alert: Value,
}

/// A running receiver.
#[derive(Debug, Clone)]
pub struct Receiver {
    state: Arc<Mutex<Taken>>,
    url: String,
}

#[derive(Debug, Default)]
struct Taken {
    is_away: bool,
    calls: Vec<Call>,
}

impl Receiver {
    /// Starts the receiver on a free loopback port.
    ///
    /// # Panics
    /// If there is no free port.
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free loopback port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let this = Self { state: Arc::default(), url: format!("http://{address}/hook") };
        let router = Router::new().route("/hook", post(take)).with_state(this.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        this
    }

    /// Returns the receiver's URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Makes the receiver answer 503, or accept calls again.
    pub fn set_down(&self, is_away: bool) {
        self.lock().is_away = is_away;
    }

    /// Returns the accepted calls, in order.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.lock().calls.clone()
    }

    /// Returns the number of accepted calls, and of those whose id was accepted before.
    #[must_use]
    pub fn totals(&self) -> (usize, usize) {
        let calls = self.calls();
        let ids: std::collections::BTreeSet<&String> = calls.iter().map(|call| &call.id).collect();
        (calls.len(), calls.len() - ids.len())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Taken> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn take(State(this): State<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let mut taken = this.lock();
    if taken.is_away {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    let id = headers.get("webhook-id").and_then(|id| id.to_str().ok()).unwrap_or_default().to_owned();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    taken.calls.push(Call { id, alert: body["data"].clone() });
    StatusCode::NO_CONTENT
}
