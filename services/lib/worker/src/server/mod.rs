//! A tower layer around the HTTP and gRPC servers. For each request it opens a SERVER span, writes one line to the log
//! and records the duration.
//!
//! It works with `axum::Router::layer`, where the matched path is known, and with `tonic`'s server builder. Spans are
//! named by convention: `POST /v1/things` or `package.Service/Method`. The span ends with the head of the response; the
//! line and the duration include the body, so that a stream has one line, at its end. Neither has a path or a query as
//! it was sent, because those may contain secrets and personal data. Calls of the health service are logged at debug.

mod access;
mod body;

use std::collections::HashSet;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use axum::extract::MatchedPath;
use http::{HeaderMap, Request, Response};
use http_body::Body;
use opentelemetry::trace::{FutureExt as _, TraceContextExt as _};
use opentelemetry::{Context, KeyValue};
use tower::{Layer, Service};

use self::access::{Access, Durations, OTHER, Target};
use crate::metrics::Meters;
use crate::trace::{self, SpanKind, TraceSpan, Tracer};

pub use access::CallerName;
pub use body::Observed;

/// The methods that load balancers and orchestrators call all the time.
const PROBES: [&str; 3] =
    ["grpc.health.v1.Health/Check", "grpc.health.v1.Health/List", "grpc.health.v1.Health/Watch"];

/// A layer that observes each request, in the trace that its headers name or in a new one.
#[derive(Clone)]
pub struct ServerLayer {
    tracer: Tracer,
    base: Context,
    durations: Arc<Durations>,
    methods: Arc<HashSet<String>>,
}

/// The service that [`ServerLayer`] creates.
#[derive(Clone)]
pub struct ObservedServer<S> {
    inner: S,
    layer: ServerLayer,
}

impl<S> Layer<S> for ServerLayer {
    type Service = ObservedServer<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ObservedServer { inner, layer: self.clone() }
    }
}

impl<S, B, R> Service<Request<B>> for ObservedServer<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
    R: Body + Unpin + 'static,
{
    type Response = Response<Observed<R>>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut TaskContext<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let mut access = self.layer.begin(&request);
        request.extensions_mut().insert(access.caller.clone());
        let span = access.span.clone();
        let call = span.within(|| self.inner.call(request));
        Box::pin(async move {
            let response = call.with_context(span.context.clone()).await?;
            record_status(&span, &response);
            span.context.span().end();
            access.answered(response.status().as_u16(), response.headers());
            Ok(response.map(|body| Observed::new(body, access)))
        })
    }
}

impl ServerLayer {
    pub(crate) fn new(tracer: &Tracer, meters: &Meters) -> Self {
        Self {
            tracer: tracer.clone(),
            base: tracer.base(),
            durations: Arc::new(Durations::new(meters)),
            methods: Arc::default(),
        }
    }

    /// Names the gRPC methods of the server, such as `package.Service/Method`. A call of another is `_OTHER`.
    #[must_use]
    pub fn of_methods(self, methods: impl IntoIterator<Item = String>) -> Self {
        Self { methods: Arc::new(methods.into_iter().collect()), ..self }
    }

    fn begin<B>(&self, request: &Request<B>) -> Access {
        let target = self.target(request);
        let span = self.open(request, &target);
        Access::begin(target, span, self.durations.clone(), request.headers())
    }

    fn target<B>(&self, request: &Request<B>) -> Target {
        if is_grpc(request.headers()) {
            let called = request.uri().path().trim_start_matches('/');
            let is_probe = PROBES.contains(&called);
            let is_known = is_probe || self.methods.contains(called);
            let method = if is_known { called } else { OTHER };
            return Target::Grpc { method: method.to_owned(), is_probe };
        }
        let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
        Target::http(request.method(), route)
    }

    fn open<B>(&self, request: &Request<B>, target: &Target) -> TraceSpan {
        let parent = trace::extract_from_http(&self.base, request.headers());
        if !self.tracer.is_exporting() {
            return self.tracer.start("", SpanKind::Server, &parent, Vec::new);
        }
        let (name, attributes) = match target {
            Target::Grpc { .. } => {
                let method = request.uri().path().trim_start_matches('/').to_owned();
                let attributes = vec![
                    KeyValue::new("rpc.system.name", "grpc"),
                    KeyValue::new("rpc.method", method.clone()),
                ];
                (method, attributes)
            }
            Target::Http { route, .. } => {
                let mut attributes = vec![
                    KeyValue::new("http.request.method", request.method().to_string()),
                    KeyValue::new("url.path", request.uri().path().to_owned()),
                ];
                attributes.extend(route.iter().map(|route| KeyValue::new("http.route", route.clone())));
                let name = format!("{} {}", request.method(), route.as_deref().unwrap_or_default());
                (name.trim_end().to_owned(), attributes)
            }
        };
        self.tracer.start(name, SpanKind::Server, &parent, || attributes)
    }
}

fn is_grpc(headers: &HeaderMap) -> bool {
    headers
        .get(http::header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("application/grpc"))
}

fn record_status<R>(span: &TraceSpan, response: &Response<R>) {
    if is_grpc(response.headers()) {
        let status = access::grpc_status(response.headers()).unwrap_or("OK");
        span.set("rpc.response.status_code", status);
        if access::is_fault(status) {
            span.fail(format_args!("grpc status {status}"));
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
