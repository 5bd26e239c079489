//! Publishing with headers, trace context and retries under one message id.
//!
//! The id makes a retry harmless: inside the stream's duplicate window the broker drops a second copy and returns the
//! sequence of the first.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};
use opentelemetry::{Context, KeyValue};
use time::format_description::well_known::Rfc3339;
use tokio::time::Instant;

use crate::about;
use crate::clock::Clock;
use crate::metrics::{Histogram, Meters, Tally};
use crate::outage::Outage;
use crate::output::Output;
use crate::trace::{self, SpanKind, TraceSpan, Tracer};
use crate::transport::{
    Error, ErrorKind, Headers, LINK_HEADER, MESSAGE_ID, Message, Published, Timer, Transport,
};

/// Publishes the messages of one service. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Publisher(Arc<Inner>);

struct Inner {
    transport: Arc<dyn Transport>,
    clock: Clock,
    tracer: Tracer,
    /// `ce-source`.
    source: String,
    /// How long [`Publisher::publish`] retries while the broker is unavailable.
    budget: Duration,
    outage: Outage,
    sent: Tally,
    duration: Histogram,
    labels: [KeyValue; 2],
    error_labels: [KeyValue; 3],
}

/// How long a publish is retried, and on which errors.
#[derive(Debug, Clone, Copy)]
pub(crate) enum RetryBudget {
    /// Retry for this long while the broker is unavailable. A full broker is an error at once.
    Within(Duration),
    /// Retry without limit while the broker is unavailable or full.
    Endless,
}

impl RetryBudget {
    /// Returns true if an error of this kind is retried.
    pub(crate) fn covers(self, kind: ErrorKind) -> bool {
        match self {
            Self::Within(_) => kind == ErrorKind::Unavailable,
            Self::Endless => kind.is_outage(),
        }
    }

    /// Returns the pauses between attempts. The iterator ends when the budget is used up.
    pub(crate) fn pauses(self) -> ExponentialBackoff {
        let pauses = ExponentialBuilder::new()
            .with_min_delay(Duration::from_millis(50))
            .with_jitter()
            .without_max_times();
        match self {
            Self::Within(budget) => {
                pauses.with_max_delay(Duration::from_secs(2)).with_total_delay(Some(budget)).build()
            }
            Self::Endless => pauses.with_max_delay(Duration::from_secs(5)).build(),
        }
    }
}

impl Publisher {
    pub(crate) fn new(
        transport: Arc<dyn Transport>,
        clock: Clock,
        tracer: Tracer,
        meters: &Meters,
        budget: Duration,
        outage: Outage,
    ) -> Self {
        let labels =
            [KeyValue::new("messaging.system", "nats"), KeyValue::new("messaging.operation.name", "publish")];
        let error_labels = [labels[0].clone(), labels[1].clone(), KeyValue::new("error.type", "unpublished")];
        let sent = meters.tally(
            "messaging.client.sent.messages",
            "{message}",
            "messages the broker acknowledged",
            labels.to_vec(),
        );
        Self(Arc::new(Inner {
            source: about::service_name(tracer.service()),
            duration: meters.histogram(
                "messaging.client.operation.duration",
                "s",
                "time until the broker answered",
            ),
            transport,
            clock,
            tracer,
            budget,
            outage,
            sent,
            labels,
            error_labels,
        }))
    }

    /// Publishes and waits for the stream's acknowledgement, retrying within the configured budget.
    pub(crate) fn publish(&self, id: &str, output: Output) -> impl Future<Output = Result<Published, Error>> {
        self.publish_with(id, output, RetryBudget::Within(self.0.budget))
    }

    /// Publishes, retrying without limit while the broker is unavailable or full.
    ///
    /// For outputs of a message in flight, which heartbeats keep alive meanwhile: an outage must not use up the
    /// message's attempts. The hard stop ends the wait by dropping the future.
    pub(crate) fn publish_until_accepted(
        &self,
        id: &str,
        output: Output,
    ) -> impl Future<Output = Result<Published, Error>> {
        self.publish_with(id, output, RetryBudget::Endless)
    }

    async fn publish_with(&self, id: &str, output: Output, budget: RetryBudget) -> Result<Published, Error> {
        let name = || format!("publish {}", output.subject);
        let span = self.0.tracer.start_here(name, SpanKind::Producer, || with_type(id, &output));
        let send = || async {
            let mut message = self.message(id, &output, &span.context)?;
            message.headers.insert(MESSAGE_ID, id)?;
            self.0.transport.publish(message).await
        };
        let attempts = pin!(self.attempts(send, &span, budget));
        span.clone().run(attempts).await
    }

    /// Publishes a message as it is, retrying within the configured budget.
    pub(crate) async fn republish(&self, message: &Message) -> Result<Published, Error> {
        let id = message.headers.get(MESSAGE_ID).unwrap_or_default();
        let attributes = || attributes(id, &message.subject, message.payload.len());
        let span = self.0.tracer.start_here(
            || format!("publish {}", message.subject),
            SpanKind::Producer,
            attributes,
        );
        let send = || self.0.transport.publish(message.clone());
        let attempts = pin!(self.attempts(send, &span, RetryBudget::Within(self.0.budget)));
        span.clone().run(attempts).await
    }

    /// Sets a timer, retrying within the configured budget. It needs no message id, because a name has at most one
    /// timer.
    ///
    /// The message that it publishes starts a trace of its own, with a link to the current one.
    pub(crate) async fn schedule(
        &self,
        name: &str,
        output: Output,
        after: Duration,
        replaces: bool,
    ) -> Result<(), Error> {
        let span = self.0.tracer.start_here(
            || format!("schedule {name}"),
            SpanKind::Producer,
            || with_type(name, &output),
        );
        let send = || async {
            let mut message = self.message(name, &output, &span.context)?;
            message.headers.insert(LINK_HEADER, "true")?;
            let message = Message { subject: name.to_owned(), ..message };
            let timer = Timer { message, target: output.subject.clone(), after, replaces };
            self.0.transport.schedule(timer).await
        };
        let attempts = pin!(self.attempts(send, &span, RetryBudget::Within(self.0.budget)));
        span.clone().run(attempts).await.map(drop)
    }

    /// Calls `send`, which builds its message each time: keeping a copy for a retry would cost every publish a clone.
    async fn attempts<F: Future<Output = Result<Published, Error>>>(
        &self,
        send: impl Fn() -> F,
        span: &TraceSpan,
        budget: RetryBudget,
    ) -> Result<Published, Error> {
        // Built on the first failure. Most publishes succeed at once.
        let mut pauses = None;
        loop {
            let started = Instant::now();
            let result = send().await;
            self.record(started.elapsed(), &result);
            let error = match result {
                Ok(published) => return Ok(published),
                Err(error) => error,
            };
            let pauses = pauses.get_or_insert_with(|| Box::new(budget.pauses()));
            let pause = if budget.covers(error.kind) { pauses.next() } else { None };
            let Some(pause) = pause else {
                span.fail(&error);
                return Err(error);
            };
            tokio::time::sleep(pause).await;
        }
    }

    fn record(&self, elapsed: Duration, result: &Result<Published, Error>) {
        let inner = &self.0;
        match result {
            Ok(_) => {
                inner.outage.accepted();
                inner.sent.add(1);
                inner.duration.record_with(elapsed, &inner.labels);
            }
            Err(error) => {
                inner.outage.seen(error);
                inner.duration.record_with(elapsed, &inner.error_labels);
            }
        }
    }

    fn message(&self, id: &str, output: &Output, context: &Context) -> Result<Message, Error> {
        let mut headers = Headers::new();
        for (name, value) in [
            ("ce-specversion", "1.0"),
            ("ce-id", id),
            ("ce-type", output.ce_type),
            ("ce-source", &self.0.source),
            ("content-type", "application/protobuf"),
        ] {
            headers.insert(name, value)?;
        }
        let now = self.0.clock.now();
        let now = now.format(&Rfc3339).expect("a date of this era has an RFC 3339 form");
        headers.insert("ce-time", &now)?;
        trace::inject_into_message(context, &mut headers);
        Ok(Message { subject: output.subject.clone(), headers, payload: output.payload.clone() })
    }
}

fn with_type(id: &str, output: &Output) -> Vec<KeyValue> {
    let mut attributes = attributes(id, &output.subject, output.payload.len());
    attributes.push(KeyValue::new("cloudevents.event_type", output.ce_type));
    attributes
}

fn attributes(id: &str, subject: &str, size: usize) -> Vec<KeyValue> {
    vec![
        KeyValue::new("messaging.system", "nats"),
        KeyValue::new("messaging.operation.name", "publish"),
        KeyValue::new("messaging.operation.type", "send"),
        KeyValue::new("messaging.destination.name", subject.to_owned()),
        KeyValue::new("messaging.message.id", id.to_owned()),
        KeyValue::new("messaging.message.body.size", i64::try_from(size).unwrap_or(i64::MAX)),
    ]
}
