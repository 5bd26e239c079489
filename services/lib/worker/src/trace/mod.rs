//! Traces: one document, one trace, from the hook to the alert.
//!
//! A trace context lives in OpenTelemetry's own `Context` and travels as W3C `traceparent`/`tracestate` headers, in
//! messages as in HTTP. It is always real, because receipts carry the trace id; *spans* are made only while an
//! exporter is on. With no exporter a span costs nothing: what came in is passed on as it is, and a call without a
//! parent gets fresh ids.
//!
//! Each service has a [`Tracer`] of its own, which stands in the context, so that in a process with several services
//! every span, however deep, is exported under the right `service.name`. (One provider a service is the simplest
//! way to that: no attribute to copy from parent to child, no batches to regroup.)
//!
//! Services use [`span`], [`current_trace_id`], [`inject`] and [`ServerLayer`]; OpenTelemetry's names stay in here.

mod carrier;
mod server;
mod span;
mod tracer;

use std::borrow::Cow;

use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt as _;

pub(crate) use carrier::{extract_from_message, inject_into_message};
pub use server::{ServerLayer, ServerTrace};
pub use span::{Kind, Span};
pub use tracer::Tracer;

/// Opens a span under the current one, exported for the service whose work this is.
#[must_use]
pub fn span(name: impl Into<Cow<'static, str>>, kind: Kind) -> Span {
    let parent = Context::current();
    match parent.get::<Tracer>().cloned() {
        Some(tracer) => tracer.start(name, kind, &parent, Vec::new),
        None => Span::entered(parent),
    }
}

/// Trace id of the current work, 32 hex digits; all zeros outside of any.
#[must_use]
pub fn current_trace_id() -> String {
    Context::map_current(|context| context.span().span_context().trace_id()).to_string()
}

/// Writes the current trace context into the headers of an outgoing HTTP or gRPC request.
///
/// Outside of any trace, as in a command-line client, it starts one.
pub fn inject(headers: &mut http::HeaderMap) {
    let current = Context::current();
    let context =
        if current.span().span_context().is_valid() { current } else { tracer::fresh_root(&current, true) };
    carrier::inject_into_http(&context, headers);
}
