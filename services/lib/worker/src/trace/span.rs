//! A span: one piece of work in a trace.

use std::fmt::Display;
use std::future::Future;

use futures::future::{Either, FutureExt as _};
use opentelemetry::trace::{FutureExt as _, Status, TraceContextExt as _, TraceId};
use opentelemetry::{Context, KeyValue};

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

// === impl Span ===

impl Span {
    pub(crate) fn of(context: Context) -> Self {
        Self { context, is_entered: false }
    }

    /// The span that is current already.
    pub(super) fn entered(context: Context) -> Self {
        Self { context, is_entered: true }
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
