//! A service's tracer: starts spans, real ones if an exporter is on.

use std::borrow::Cow;
use std::sync::Arc;

use opentelemetry::trace::{
    SpanBuilder, SpanContext, SpanKind, TraceContextExt as _, TraceFlags, TraceState, Tracer as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{IdGenerator as _, RandomIdGenerator, SdkTracer};

use super::span::{Kind, Span};

/// Starts the spans of one service. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Tracer(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    service: &'static str,
    exporting: Option<SdkTracer>,
    /// Whether a trace that starts here is marked as sampled while nothing is exported from here.
    sampled: bool,
}

impl Tracer {
    /// A tracer that exports nothing; trace ids are real nevertheless.
    #[must_use]
    pub fn silent(service: &'static str) -> Self {
        Self(Arc::new(Inner { service, exporting: None, sampled: true }))
    }

    pub(crate) fn exporting(service: &'static str, tracer: SdkTracer) -> Self {
        Self(Arc::new(Inner { service, exporting: Some(tracer), sampled: true }))
    }

    /// The service whose spans these are.
    #[must_use]
    pub fn service(&self) -> &'static str {
        self.0.service
    }

    /// The context under which this service's work starts: no trace yet, this tracer.
    pub(crate) fn base(&self) -> Context {
        Context::new().with_value(self.clone())
    }

    /// Opens a span under `parent`, which holds this tracer ([`Tracer::base`]). Attributes are asked for only if
    /// somebody listens.
    pub(crate) fn start(
        &self,
        name: impl Into<Cow<'static, str>>,
        kind: Kind,
        parent: &Context,
        attributes: impl FnOnce() -> Vec<KeyValue>,
    ) -> Span {
        let Some(tracer) = &self.0.exporting else { return self.pass_on(parent) };
        let builder = SpanBuilder::from_name(name).with_kind(kind.into()).with_attributes(attributes());
        Span::of(parent.with_span(tracer.build_with_context(builder, parent)))
    }

    /// Opens a span under the current one, or under [`Tracer::base`] outside of any. If nobody listens and there is a
    /// trace, nothing is opened at all.
    pub(crate) fn start_here(
        &self,
        name: impl FnOnce() -> String,
        kind: Kind,
        attributes: impl FnOnce() -> Vec<KeyValue>,
    ) -> Span {
        let current = Context::current();
        if self.0.exporting.is_none() && current.span().span_context().is_valid() {
            return Span::entered(current);
        }
        let parent = if current.get::<Self>().is_some() { current } else { self.base() };
        let name = if self.is_exporting() { name() } else { String::new() };
        self.start(name, kind, &parent, attributes)
    }

    /// Opens a span in a trace of its own, which points to `origin` by a link: a replay belongs to today, not to the
    /// trace that failed then.
    pub(crate) fn start_linked(
        &self,
        name: impl Into<Cow<'static, str>>,
        kind: Kind,
        origin: &SpanContext,
        base: &Context,
        attributes: impl FnOnce() -> Vec<KeyValue>,
    ) -> Span {
        let span = self.start(name, kind, base, attributes);
        span.context.span().add_link(origin.clone(), Vec::new());
        span
    }

    pub(crate) fn is_exporting(&self) -> bool {
        self.0.exporting.is_some()
    }

    fn pass_on(&self, parent: &Context) -> Span {
        let known = parent.span().span_context().is_valid();
        Span::of(if known { parent.clone() } else { fresh_root(parent, self.0.sampled) })
    }
}

/// The context with fresh ids, as the first of a trace.
pub(super) fn fresh_root(context: &Context, sampled: bool) -> Context {
    let ids = RandomIdGenerator::default();
    let flags = TraceFlags::default().with_sampled(sampled);
    let span = SpanContext::new(ids.new_trace_id(), ids.new_span_id(), flags, false, TraceState::default());
    context.with_remote_span_context(span)
}

impl From<Kind> for SpanKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Server => Self::Server,
            Kind::Client => Self::Client,
            Kind::Producer => Self::Producer,
            Kind::Consumer => Self::Consumer,
            Kind::Internal => Self::Internal,
        }
    }
}
