//! A tower layer that opens a SERVER span for each HTTP or gRPC request.
//!
//! It works with `axum::Router::layer`, where the matched path is known, and with `tonic`'s server builder. Spans are
//! named by convention: `POST /v1/things` or `package.Service/Method`. The span ends with the head of the response, so
//! it does not cover a streamed body.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use axum::extract::MatchedPath;
use http::{HeaderMap, Request, Response};
use opentelemetry::trace::TraceContextExt as _;
use opentelemetry::{Context, KeyValue};
use tower::{Layer, Service};

use super::carrier;
use super::span::{SpanKind, TraceSpan};
use super::tracer::Tracer;

/// A layer that opens a span for each request, in the trace that its headers name or in a new one.
#[derive(Clone)]
pub struct ServerLayer {
    tracer: Tracer,
    base: Context,
}

/// The service that [`ServerLayer`] creates.
#[derive(Clone)]
pub struct ServerTrace<S> {
    inner: S,
    layer: ServerLayer,
}

impl<S> Layer<S> for ServerLayer {
    type Service = ServerTrace<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ServerTrace { inner, layer: self.clone() }
    }
}

impl<S, B, R> Service<Request<B>> for ServerTrace<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
    R: 'static,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut TaskContext<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let span = self.layer.open(&request);
        let call = span.within(|| self.inner.call(request));
        Box::pin(async move {
            let result = span.clone().run_open(call).await;
            if let Ok(response) = &result {
                record_status(&span, response);
            }
            span.context.span().end();
            result
        })
    }
}

impl ServerLayer {
    pub(crate) fn new(tracer: &Tracer) -> Self {
        Self { tracer: tracer.clone(), base: tracer.base() }
    }

    fn open<B>(&self, request: &Request<B>) -> TraceSpan {
        let parent = carrier::extract_from_http(&self.base, request.headers());
        if !self.tracer.is_exporting() {
            return self.tracer.start("", SpanKind::Server, &parent, Vec::new);
        }
        let path = request.uri().path();
        if is_grpc(request.headers()) {
            let method = path.trim_start_matches('/').to_owned();
            let attributes = grpc_attributes(&method);
            return self.tracer.start(method, SpanKind::Server, &parent, || attributes);
        }
        let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
        let name = format!("{} {}", request.method(), route.unwrap_or_default());
        self.tracer.start(name.trim_end().to_owned(), SpanKind::Server, &parent, || {
            let mut attributes = vec![
                KeyValue::new("http.request.method", request.method().to_string()),
                KeyValue::new("url.path", path.to_owned()),
            ];
            attributes.extend(route.map(|route| KeyValue::new("http.route", route.to_owned())));
            attributes
        })
    }
}

impl TraceSpan {
    /// Like [`TraceSpan::run`], but leaves the span open, so that the status can be recorded.
    async fn run_open<F: Future>(self, future: F) -> F::Output {
        use opentelemetry::trace::FutureExt as _;
        future.with_context(self.context).await
    }
}

fn is_grpc(headers: &HeaderMap) -> bool {
    headers
        .get(http::header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("application/grpc"))
}

fn grpc_attributes(method: &str) -> Vec<KeyValue> {
    vec![KeyValue::new("rpc.system.name", "grpc"), KeyValue::new("rpc.method", method.to_owned())]
}

fn record_status<R>(span: &TraceSpan, response: &Response<R>) {
    if is_grpc(response.headers()) {
        let code = response.headers().get("grpc-status").and_then(|value| value.to_str().ok()).unwrap_or("0");
        span.set("rpc.response.status_code", code);
        // Unknown, deadline exceeded, unimplemented, internal, unavailable, data loss: failures of the server.
        if ["2", "4", "12", "13", "14", "15"].contains(&code) {
            span.fail(format_args!("grpc status {code}"));
        }
        return;
    }
    let status = response.status();
    span.set("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        span.fail(status);
    }
}

/// Proves at compile time that the layer works with axum.
#[expect(dead_code, reason = "only its compilation matters")]
fn fits_axum(router: axum::Router, layer: ServerLayer) -> axum::Router {
    fn infallible<S: Service<Request<axum::body::Body>, Error = Infallible>>(_: &S) {}
    let router = router.layer(layer);
    infallible(&router);
    router
}
