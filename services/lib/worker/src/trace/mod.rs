//! Tracing: each document has one trace, from the hook to the alert.
//!
//! The trace context is stored in OpenTelemetry's `Context` and travels as W3C `traceparent` and `tracestate`
//! headers, in messages and in HTTP. There always is one, because receipts carry the trace id. *Spans* are created
//! only if an exporter is configured. Without an exporter a span costs nothing: an incoming context is passed on
//! unchanged, and work without a parent gets new ids.
//!
//! Each service has its own [`Tracer`], which is part of the context. In a process with several services, every span
//! is therefore exported under the right `service.name`. One provider per service is the simplest way to achieve
//! that: no attribute must be copied from parent to child, and no batches must be regrouped.
//!
//! Services use [`span`], [`current_trace_id`], [`inject`] and [`ServerLayer`](crate::server::ServerLayer). They do not depend on OpenTelemetry.

mod carrier;
mod span;
mod tracer;

use std::borrow::Cow;

use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt as _;

use crate::transport::Headers;

pub(crate) use carrier::{extract_from_http, extract_from_message, inject_into_message};
pub use span::{SpanKind, TraceSpan};
pub use tracer::Tracer;

/// Opens a span under the current one. It is exported for the service that the current context belongs to.
#[must_use]
pub fn span(name: impl Into<Cow<'static, str>>, kind: SpanKind) -> TraceSpan {
    let parent = Context::current();
    match parent.get::<Tracer>().cloned() {
        Some(tracer) => tracer.start(name, kind, &parent, Vec::new),
        None => TraceSpan::entered(parent),
    }
}

/// Returns the current trace id, 32 hex digits. Outside any trace they are all zeros.
#[must_use]
pub fn current_trace_id() -> String {
    Context::map_current(|context| context.span().span_context().trace_id()).to_string()
}

/// Returns the trace id in a message's headers, or `None` if they have no valid one.
#[must_use]
pub fn id_of(headers: &Headers) -> Option<String> {
    let context = carrier::extract_from_message(&Context::new(), headers);
    let span = context.span().span_context().clone();
    span.is_valid().then(|| span.trace_id().to_string())
}

/// Writes the current trace context into the headers of an outgoing HTTP or gRPC request.
///
/// Outside any trace, as in a command-line client, this starts a new one.
pub fn inject(headers: &mut http::HeaderMap) {
    let current = Context::current();
    let context =
        if current.span().span_context().is_valid() { current } else { tracer::fresh_root(&current, true) };
    carrier::inject_into_http(&context, headers);
}
