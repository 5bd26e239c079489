//! The admin server of a service.
//!
//! - `/livez`: 200, or 503 with the names of stalled loops. An operator or Kubernetes then restarts the process.
//! - `/readyz`: 200 while every latch is released, the broker answers and no stream or bucket is lost, with the
//!   remarks of components in the body. Otherwise, and from the first stop signal on, 503 with one sentence.
//! - `/metrics`: Prometheus text. Requires the bearer token if one is set.
//! - `/log`: the filter of the process's log lines. GET shows it, PUT applies the filter in the body for `for_s`
//!   seconds, DELETE applies the configured one again. Requires the bearer token if one is set; without one, the port
//!   is bound to loopback, so only this machine reaches it.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::Context as _;
use axum::extract::{Query, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::config::Secret;
use crate::holdings::Holdings;
use crate::liveness::Liveness;
use crate::metrics::Meters;
use crate::readiness::Readiness;
use crate::telemetry::Verbosity;
use crate::transport::Transport;

/// Limit of the broker's ping, below the usual timeout of a probe.
const PING_TIMEOUT: Duration = Duration::from_millis(900);

/// State of the admin server.
#[derive(Clone)]
pub(crate) struct Admin {
    pub(crate) liveness: Liveness,
    pub(crate) readiness: Readiness,
    pub(crate) holdings: Holdings,
    pub(crate) meters: Meters,
    /// Set once the process is connected to the broker.
    pub(crate) transport: Arc<OnceLock<Arc<dyn Transport>>>,
    pub(crate) soft: CancellationToken,
    pub(crate) token: Option<Secret>,
    pub(crate) verbosity: Verbosity,
}

impl Admin {
    /// Binds `address` and serves until `stop`, which is cancelled only after the services have drained. Returns the
    /// bound address.
    pub(crate) async fn serve(
        self,
        address: SocketAddr,
        stop: CancellationToken,
    ) -> anyhow::Result<SocketAddr> {
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("couldn't listen on {address}; change admin.port"))?;
        let bound = listener.local_addr()?;
        let router = Router::new()
            .route("/livez", get(livez))
            .route("/readyz", get(readyz))
            .route("/metrics", get(metrics))
            .route("/log", get(log).put(change_log).delete(reset_log))
            .layer(middleware::from_fn(log_request))
            .with_state(Arc::new(self));
        tokio::spawn(async move {
            let server = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned());
            if let Err(error) = server.await {
                tracing::error!(error = &error as &dyn std::error::Error, "admin server failed");
            }
        });
        Ok(bound)
    }
}

/// Logs each request at debug: probes and scrapes come all the time.
async fn log_request(request: Request, next: Next) -> Response {
    let (method, route) = (request.method().clone(), request.uri().path().to_owned());
    let response = next.run(request).await;
    tracing::debug!(protocol = "http", %method, route, status = response.status().as_u16(), "probe");
    response
}

async fn livez(State(admin): State<Arc<Admin>>) -> Response {
    let stalled = admin.liveness.stalled();
    if stalled.is_empty() {
        return "ok\n".into_response();
    }
    (StatusCode::SERVICE_UNAVAILABLE, format!("stalled: {}\n", stalled.join(", "))).into_response()
}

async fn readyz(State(admin): State<Arc<Admin>>) -> Response {
    match admin.obstacle().await {
        None => format!("ready\n{}", admin.readiness.remarks()).into_response(),
        Some(obstacle) => {
            (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {obstacle}\n")).into_response()
        }
    }
}

async fn metrics(State(admin): State<Arc<Admin>>, headers: HeaderMap) -> Response {
    if let Some(refusal) = admin.refusal(&headers) {
        return refusal;
    }
    match admin.meters.text() {
        Ok(text) => ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}\n")).into_response(),
    }
}

/// The query of `PUT /log`.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct LogChange {
    for_s: u64,
}

impl Default for LogChange {
    fn default() -> Self {
        Self { for_s: 600 }
    }
}

async fn log(State(admin): State<Arc<Admin>>, headers: HeaderMap) -> Response {
    match admin.refusal(&headers) {
        None => Json(admin.verbosity.current()).into_response(),
        Some(refusal) => refusal,
    }
}

async fn change_log(
    State(admin): State<Arc<Admin>>,
    headers: HeaderMap,
    Query(LogChange { for_s }): Query<LogChange>,
    filter: String,
) -> Response {
    if let Some(refusal) = admin.refusal(&headers) {
        return refusal;
    }
    match admin.verbosity.change(filter.trim(), for_s) {
        Ok(()) => Json(admin.verbosity.current()).into_response(),
        Err(error) => (StatusCode::BAD_REQUEST, format!("{error:#}\n")).into_response(),
    }
}

async fn reset_log(State(admin): State<Arc<Admin>>, headers: HeaderMap) -> Response {
    if let Some(refusal) = admin.refusal(&headers) {
        return refusal;
    }
    admin.verbosity.reset();
    Json(admin.verbosity.current()).into_response()
}

impl Admin {
    /// Returns the reason why the process is not ready, if any.
    async fn obstacle(&self) -> Option<String> {
        if self.soft.is_cancelled() {
            return Some("stopping".to_owned());
        }
        if let Some(obstacle) = self.holdings.obstacle() {
            return Some(obstacle);
        }
        if !self.readiness.is_ready() {
            return Some(format!("waiting for {}", self.readiness.waiting().join(", ")));
        }
        let Some(transport) = self.transport.get() else { return Some("broker not connected".to_owned()) };
        match tokio::time::timeout(PING_TIMEOUT, transport.ping()).await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(format!("broker: {error}")),
            Err(_elapsed) => Some("broker did not answer".to_owned()),
        }
    }

    /// Refuses a call without the token, if one is set.
    fn refusal(&self, headers: &HeaderMap) -> Option<Response> {
        let token = self.token.as_ref()?;
        let given = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let is_known = given
            .and_then(|value| value.strip_prefix("Bearer "))
            .is_some_and(|given| is_same(given, token.expose()));
        (!is_known).then(|| (StatusCode::UNAUTHORIZED, "a bearer token is needed\n").into_response())
    }
}

/// Compares digests, so that the time taken reveals nothing about the token.
fn is_same(given: &str, expected: &str) -> bool {
    use sha2::{Digest as _, Sha256};
    Sha256::digest(given) == Sha256::digest(expected)
}
