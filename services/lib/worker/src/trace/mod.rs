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
//! Services use [`span`], [`current_trace_id`], [`inject`] and [`server_layer`]; OpenTelemetry's names stay in here.

mod carrier;
mod server;
mod tracer;

use std::borrow::Cow;
use std::fmt::Display;
use std::future::Future;

use futures::future::{Either, FutureExt as _};
use opentelemetry::trace::{FutureExt as _, Status, TraceContextExt as _, TraceId};
use opentelemetry::{Context, KeyValue};

pub(crate) use carrier::{extract_from_message, inject_into_message};
pub use server::{ServerLayer, ServerTrace, server_layer};
pub use tracer::Tracer;

/// What a span's neighbours are to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Answers a request.
    Server,
    /// Sends a request and waits for the answer.
    Client,
    /// Sends a message.
    Producer,
    /// Takes a message.
    Consumer,
    /// Neither.
    Internal,
}

/// One piece of work in a trace. It ends when [`Span::run`] is done, or when it is dropped.
#[derive(Clone)]
pub struct Span {
    pub(crate) context: Context,
    /// The context is the current one: there is nothing to enter and nothing to end.
    is_entered: bool,
}

/// Opens a span under the current one, exported for the service whose work this is.
#[must_use]
pub fn span(name: impl Into<Cow<'static, str>>, kind: Kind) -> Span {
    let parent = Context::current();
    match parent.get::<Tracer>().cloned() {
        Some(tracer) => tracer.start(name, kind, &parent, Vec::new),
        None => Span { context: parent, is_entered: true },
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

// === impl Span ===

impl Span {
    pub(crate) fn of(context: Context) -> Self {
        Self { context, is_entered: false }
    }

    /// Runs `future` inside and ends the span.
    ///
    /// # Cancel safety
    /// Dropping it drops `future`; the span ends with its last handle.
    pub fn run<F: Future>(self, future: F) -> impl Future<Output = F::Output> + use<F> {
        // Not an async fn, which would hold `future` twice over.
        if self.is_entered {
            return Either::Left(future);
        }
        let context = self.context.clone();
        Either::Right(future.with_context(context).map(move |output| {
            self.context.span().end();
            output
        }))
    }

    /// Runs `f` inside; the span stays open.
    pub fn within<R>(&self, f: impl FnOnce() -> R) -> R {
        let _guard = self.context.clone().attach();
        f()
    }

    /// Sets an attribute; the value is formatted only if somebody listens.
    pub fn set(&self, key: &'static str, value: impl Display) -> &Self {
        let span = self.context.span();
        if span.is_recording() {
            span.set_attribute(KeyValue::new(key, value.to_string()));
        }
        self
    }

    /// Marks the work as failed.
    pub fn fail(&self, cause: impl Display) -> &Self {
        let span = self.context.span();
        if span.is_recording() {
            span.set_status(Status::error(cause.to_string()));
        }
        self
    }

    /// Trace id, 32 hex digits.
    #[must_use]
    pub fn trace_id(&self) -> String {
        self.trace().to_string()
    }

    pub(crate) fn trace(&self) -> TraceId {
        self.context.span().span_context().trace_id()
    }
}
