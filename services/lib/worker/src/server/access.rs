//! The record of one request: a log line and a duration, written when its answer has been sent or given up.

use std::sync::{Arc, OnceLock};

use http::{Extensions, HeaderMap, Method};
use opentelemetry::KeyValue;
use tokio::time::Instant;

use crate::metrics::{Histogram, Meters};
use crate::trace::TraceSpan;

/// Value of labels for a method that is not known, so that callers cannot add values.
pub(super) const OTHER: &str = "_OTHER";

/// The methods of HTTP that are values of labels.
const METHODS: [Method; 9] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::DELETE,
    Method::CONNECT,
    Method::OPTIONS,
    Method::TRACE,
    Method::PATCH,
];

/// The names of gRPC's status codes, by number.
const CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// Value of `error.type` and of `status` for a request whose sender went away.
const CANCELLED: &str = "CANCELLED";

/// The name of a request's caller, for its log line. The server layer puts an empty one among the extensions of the
/// request.
#[derive(Debug, Clone, Default)]
pub struct CallerName(Arc<OnceLock<String>>);

/// What a request asks for, in terms that the configuration and not the sender chooses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    Http { method: &'static str, route: Option<String> },
    Grpc { method: String, is_probe: bool },
}

/// The durations of requests.
#[derive(Debug)]
pub(super) struct Durations {
    http: Histogram,
    rpc: Histogram,
}

/// A request in work. Dropping it writes the line.
pub(super) struct Access {
    pub(super) span: TraceSpan,
    pub(super) caller: CallerName,
    target: Target,
    durations: Arc<Durations>,
    started: Instant,
    request_bytes: Option<u64>,
    response_bytes: u64,
    http_status: Option<u16>,
    grpc_status: Option<&'static str>,
    is_sent: bool,
}

// === impl CallerName ===

impl CallerName {
    /// Names the caller of a request once it is authenticated. A site's name of the configuration, or a role; no secret
    /// and nothing that the sender chose.
    pub fn set(extensions: &Extensions, name: &str) {
        if let Some(caller) = extensions.get::<Self>().filter(|_| !name.is_empty()) {
            // The first name counts.
            caller.0.set(name.to_owned()).ok();
        }
    }
}

// === impl Target ===

impl Target {
    pub(super) fn http(method: &Method, route: Option<&str>) -> Self {
        let known = METHODS.iter().position(|known| known == method);
        let names = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];
        Self::Http { method: known.map_or(OTHER, |at| names[at]), route: route.map(str::to_owned) }
    }
}

// === impl Durations ===

impl Durations {
    pub(super) fn new(meters: &Meters) -> Self {
        Self {
            http: meters.histogram("http.server.request.duration", "s", "duration of HTTP requests"),
            rpc: meters.histogram("rpc.server.call.duration", "s", "duration of RPCs"),
        }
    }
}

// === impl Access ===

impl Access {
    pub(super) fn begin(
        target: Target,
        span: TraceSpan,
        durations: Arc<Durations>,
        headers: &HeaderMap,
    ) -> Self {
        let length = headers.get(http::header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
        Self {
            span,
            caller: CallerName::default(),
            target,
            durations,
            started: Instant::now(),
            request_bytes: length.and_then(|length| length.parse().ok()),
            response_bytes: 0,
            http_status: None,
            grpc_status: None,
            is_sent: false,
        }
    }

    /// Records the head of the answer.
    pub(super) fn answered(&mut self, status: u16, headers: &HeaderMap) {
        self.http_status = Some(status);
        self.learn_grpc_status(headers);
    }

    /// Records a part of the body.
    pub(super) fn sent(&mut self, bytes: usize) {
        self.response_bytes += bytes as u64;
    }

    /// Records the status in the head or in the trailers of an RPC.
    pub(super) fn learn_grpc_status(&mut self, headers: &HeaderMap) {
        self.grpc_status = grpc_status(headers).or(self.grpc_status);
    }

    /// Records that the answer is complete.
    pub(super) fn finished(&mut self) {
        self.is_sent = true;
    }

    /// Returns the outcome of an RPC. In gRPC-Web, the status of a call that succeeded is in its body.
    fn rpc_status(&self) -> &'static str {
        let at_end = if self.is_sent { CODES[0] } else { CANCELLED };
        self.grpc_status.unwrap_or(at_end)
    }

    fn record(&self) {
        let elapsed = self.started.elapsed();
        match &self.target {
            Target::Http { method, route } => {
                let mut labels =
                    vec![KeyValue::new("http.request.method", *method), KeyValue::new("url.scheme", "http")];
                labels.extend(route.iter().map(|route| KeyValue::new("http.route", route.clone())));
                let status = self.http_status.map(i64::from);
                labels.extend(status.map(|status| KeyValue::new("http.response.status_code", status)));
                match status {
                    None => labels.push(KeyValue::new("error.type", CANCELLED)),
                    Some(500..) => labels.extend(status.map(|s| KeyValue::new("error.type", s.to_string()))),
                    Some(_) => {}
                }
                self.durations.http.record_with(elapsed, &labels);
            }
            Target::Grpc { method, .. } => {
                let status = self.rpc_status();
                let mut labels = vec![
                    KeyValue::new("rpc.system.name", "grpc"),
                    KeyValue::new("rpc.method", method.clone()),
                    KeyValue::new("rpc.response.status_code", status),
                ];
                if is_fault(status) {
                    labels.push(KeyValue::new("error.type", status));
                }
                self.durations.rpc.record_with(elapsed, &labels);
            }
        }
    }

    fn log(&self) {
        let duration_ms = self.duration_ms();
        let caller = self.caller.0.get().map(String::as_str);
        let (request_bytes, response_bytes) = (self.request_bytes, self.response_bytes);
        match &self.target {
            Target::Http { method, route } => {
                let status = self.http_status;
                let cancelled = (!self.is_sent).then_some(true);
                tracing::info!(
                    protocol = "http",
                    method,
                    route,
                    status,
                    duration_ms,
                    caller,
                    request_bytes,
                    response_bytes,
                    cancelled,
                    "request"
                );
            }
            Target::Grpc { method, is_probe: true } => {
                tracing::debug!(protocol = "grpc", method, status = self.rpc_status(), duration_ms, "probe");
            }
            Target::Grpc { method, is_probe: false } => {
                let status = self.rpc_status();
                tracing::info!(
                    protocol = "grpc",
                    method,
                    status,
                    duration_ms,
                    caller,
                    request_bytes,
                    response_bytes,
                    "request"
                );
            }
        }
    }

    /// Returns the time since the request arrived, to a hundredth of a millisecond.
    fn duration_ms(&self) -> f64 {
        (self.started.elapsed().as_secs_f64() * 100_000.0).round() / 100.0
    }
}

impl Drop for Access {
    fn drop(&mut self) {
        self.record();
        self.span.clone().within(|| self.log());
    }
}

/// Returns the name of the status in the head or the trailers of an RPC.
pub(super) fn grpc_status(headers: &HeaderMap) -> Option<&'static str> {
    let number: usize = headers.get("grpc-status")?.to_str().ok()?.parse().ok()?;
    CODES.get(number).copied()
}

/// Returns true if a status means that the server failed.
pub(super) fn is_fault(status: &str) -> bool {
    ["UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"]
        .contains(&status)
}
