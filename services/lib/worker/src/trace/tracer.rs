//! [`Tracer`]: starts the spans of one service.

use std::borrow::Cow;
use std::sync::Arc;

use opentelemetry::trace::{
    SpanBuilder, SpanContext, SpanKind as OtelSpanKind, TraceContextExt as _, TraceFlags, TraceState,
    Tracer as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{IdGenerator as _, RandomIdGenerator, SdkTracer};

use super::span::{SpanKind, TraceSpan};

/// Starts the spans of one service. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Tracer(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    service: &'static str,
    exporting: Option<SdkTracer>,
    /// True if traces that start here without an exporter are marked as sampled.
    sampled: bool,
}

impl Tracer {
    /// Creates a tracer that exports nothing. It still assigns valid trace ids.
    #[must_use]
    pub fn silent(service: &'static str) -> Self {
        Self(Arc::new(Inner { service, exporting: None, sampled: true }))
    }

    pub(crate) fn exporting(service: &'static str, tracer: SdkTracer) -> Self {
        Self(Arc::new(Inner { service, exporting: Some(tracer), sampled: true }))
    }

    /// Returns the short name of the service.
    #[must_use]
    pub fn service(&self) -> &'static str {
        self.0.service
    }

    /// Returns the context for work of this service outside any trace. It contains this tracer.
    pub(crate) fn base(&self) -> Context {
        Context::new().with_value(self.clone())
    }

    /// Opens a span under `parent`, which must contain this tracer ([`Tracer::base`]).
    ///
    /// `attributes` is called only if spans are exported.
    pub(crate) fn start(
        &self,
        name: impl Into<Cow<'static, str>>,
        kind: SpanKind,
        parent: &Context,
        attributes: impl FnOnce() -> Vec<KeyValue>,
    ) -> TraceSpan {
        let Some(tracer) = &self.0.exporting else { return self.pass_on(parent) };
        let builder = SpanBuilder::from_name(name).with_kind(kind.into()).with_attributes(attributes());
        TraceSpan::of(parent.with_span(tracer.build_with_context(builder, parent)))
    }

    /// Opens a span under the current one, or under [`Tracer::base`] if there is none.
    ///
    /// Without an exporter and within a trace, it returns the current span.
    pub(crate) fn start_here(
        &self,
        name: impl FnOnce() -> String,
        kind: SpanKind,
        attributes: impl FnOnce() -> Vec<KeyValue>,
    ) -> TraceSpan {
        let current = Context::current();
        if self.0.exporting.is_none() && current.span().span_context().is_valid() {
            return TraceSpan::entered(current);
        }
        let parent = if current.get::<Self>().is_some() { current } else { self.base() };
        let name = if self.is_exporting() { name() } else { String::new() };
        self.start(name, kind, &parent, attributes)
    }

    /// Opens a span in a new trace, with a link to `origin`. A replay belongs to its own trace, not to the one that
    /// failed.
    pub(crate) fn start_linked(
        &self,
        name: impl Into<Cow<'static, str>>,
        kind: SpanKind,
        origin: &SpanContext,
        base: &Context,
        attributes: impl FnOnce() -> Vec<KeyValue>,
    ) -> TraceSpan {
        let span = self.start(name, kind, base, attributes);
        span.context.span().add_link(origin.clone(), Vec::new());
        span
    }

    pub(crate) fn is_exporting(&self) -> bool {
        self.0.exporting.is_some()
    }

    fn pass_on(&self, parent: &Context) -> TraceSpan {
        let known = parent.span().span_context().is_valid();
        TraceSpan::of(if known { parent.clone() } else { fresh_root(parent, self.0.sampled) })
    }
}

/// Returns the context with new ids, as the root of a trace.
pub(super) fn fresh_root(context: &Context, sampled: bool) -> Context {
    let ids = RandomIdGenerator::default();
    let flags = TraceFlags::default().with_sampled(sampled);
    let span = SpanContext::new(ids.new_trace_id(), ids.new_span_id(), flags, false, TraceState::default());
    context.with_remote_span_context(span)
}

impl From<SpanKind> for OtelSpanKind {
    fn from(kind: SpanKind) -> Self {
        match kind {
            SpanKind::Server => Self::Server,
            SpanKind::Client => Self::Client,
            SpanKind::Producer => Self::Producer,
            SpanKind::Consumer => Self::Consumer,
            SpanKind::Internal => Self::Internal,
        }
    }
}
