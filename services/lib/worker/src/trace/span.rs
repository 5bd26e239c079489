//! [`TraceSpan`]: one operation in a trace.

use std::fmt::Display;
use std::future::Future;

use futures::future::{Either, FutureExt as _};
use opentelemetry::trace::{FutureExt as _, Status, TraceContextExt as _, TraceId};
use opentelemetry::{Context, KeyValue};

use crate::inert::redact;

/// The role of a span in a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpanKind {
    /// Handles a request.
    Server,
    /// Sends a request and waits for the response.
    Client,
    /// Sends a message.
    Producer,
    /// Processes a message.
    Consumer,
    /// Work inside the process.
    Internal,
}

/// One operation in a trace. It ends when [`TraceSpan::run`] completes, or when its last handle is dropped.
#[derive(Clone)]
pub struct TraceSpan {
    pub(crate) context: Context,
    /// True if the context is current already, so that there is nothing to enter and nothing to end.
    is_entered: bool,
}

// === impl TraceSpan ===

impl TraceSpan {
    pub(crate) fn of(context: Context) -> Self {
        Self { context, is_entered: false }
    }

    /// Returns the current span.
    pub(super) fn entered(context: Context) -> Self {
        Self { context, is_entered: true }
    }

    /// Runs `future` in the span and then ends the span.
    ///
    /// # Cancel safety
    /// Dropping the returned future drops `future`. The span ends when its last handle is dropped.
    pub fn run<F: Future>(self, future: F) -> impl Future<Output = F::Output> + use<F> {
        // Not an async fn, because that would store `future` twice.
        if self.is_entered {
            return Either::Left(future);
        }
        let context = self.context.clone();
        Either::Right(future.with_context(context).map(move |output| {
            self.context.span().end();
            output
        }))
    }

    /// Runs `f` in the span, which stays open.
    pub fn within<R>(&self, f: impl FnOnce() -> R) -> R {
        let _guard = self.context.clone().attach();
        f()
    }

    /// Sets an attribute, without passwords inside URLs. The value is formatted only if the span is recorded.
    pub fn set(&self, key: &'static str, value: impl Display) -> &Self {
        let span = self.context.span();
        if span.is_recording() {
            span.set_attribute(KeyValue::new(key, redact(&value.to_string()).into_owned()));
        }
        self
    }

    /// Marks the span as failed.
    pub fn fail(&self, cause: impl Display) -> &Self {
        let span = self.context.span();
        if span.is_recording() {
            span.set_status(Status::error(redact(&cause.to_string()).into_owned()));
        }
        self
    }

    /// Returns the trace id, 32 hex digits.
    #[must_use]
    pub fn trace_id(&self) -> String {
        self.trace().to_string()
    }

    pub(crate) fn trace(&self) -> TraceId {
        self.context.span().span_context().trace_id()
    }
}
