//! One message, in a straight line: decode, handle, publish the outputs, acknowledge.
//!
//! Heartbeats run until the message is settled. Outputs carry ids made from the input's, so that doing it all again
//! publishes nothing twice. A broker that is away or full is waited for while the message is kept alive: an outage uses
//! up no attempts.

use std::pin::pin;
use std::time::Duration;

use opentelemetry::trace::TraceContextExt as _;
use opentelemetry::{Context as OtelContext, KeyValue};
use tokio::time::{Instant, timeout};

use crate::clock::Clock;
use crate::dead_letter::{self, ATTEMPTS_EXHAUSTED, DeadLetter, OUTPUT_TOO_LARGE, PANIC, UNDECODABLE};
use crate::delivery::{Arrived, Held};
use crate::handler::{Context, Decision, Handler};
use crate::instruments::{Instruments, Outcome};
use crate::metrics::Meters;
use crate::outage::Outage;
use crate::output::Output;
use crate::panics::{Caught, Panicked};
use crate::plan::Plan;
use crate::publisher::{Patience, Publisher};
use crate::retry::RetryPolicy;
use crate::trace::{self, Kind, Span, Tracer};
use crate::transport::{Error, ErrorKind, LINK_HEADER, MESSAGE_ID, Message};

/// What a stage works with.
#[derive(Clone)]
pub(crate) struct Tools {
    pub(crate) publisher: Publisher,
    pub(crate) tracer: Tracer,
    pub(crate) clock: Clock,
    pub(crate) outage: Outage,
    /// Where dead letters go.
    pub(crate) dead_subject: String,
    pub(crate) version: &'static str,
}

/// A handler and what surrounds it: one consumer of one service.
pub(crate) struct Stage<H> {
    handler: H,
    tools: Tools,
    stream: String,
    durable: String,
    deadline: Duration,
    retry: RetryPolicy,
    base: OtelContext,
    pub(crate) instruments: Instruments,
}

/// What became of a message.
#[derive(Debug)]
enum Verdict {
    Done,
    Failed(Decision),
    Panicked(Panicked),
}

// === impl Stage ===

impl<H: Handler> Stage<H> {
    pub(crate) fn new(tools: Tools, meters: &Meters, plan: &Plan, handler: H) -> Self {
        Self {
            handler,
            stream: plan.spec.stream.clone(),
            durable: plan.spec.durable.clone(),
            deadline: plan.deadline,
            retry: plan.retry,
            base: tools.tracer.base(),
            instruments: Instruments::new(meters, &plan.spec.durable),
            tools,
        }
    }

    /// Works on one message until it is settled.
    ///
    /// # Cancel safety
    /// Dropping it asks for redelivery; outputs already published are absorbed by their ids.
    pub(crate) async fn process(&self, arrived: Arrived, held: Held) {
        let started = Instant::now();
        let id = self.message_id(&arrived);
        let span = self.open_span(&arrived, &id);
        // Pinned here, as large futures are throughout: each hand that a future passes through is a copy of it.
        let work = pin!(self.work(&span, id, arrived, held));
        let outcome = span.clone().run(work).await;
        self.instruments.processed(outcome, started.elapsed());
    }

    async fn work(&self, span: &Span, id: String, arrived: Arrived, held: Held) -> Outcome {
        let context = Context {
            message_id: id,
            subject: arrived.message.subject.clone(),
            sequence: arrived.sequence,
            logged_at: arrived.logged_at,
            attempt: arrived.attempt,
            trace_id: span.trace_id(),
        };
        let mut verdict = self.judge(&arrived.message, &context).await;
        if matches!(verdict, Verdict::Failed(Decision::Unavailable(_))) {
            verdict = Box::pin(self.judge_again(&arrived.message, &context, verdict)).await;
        }
        // Boxed but for the good case: a job's size is that of its largest way through.
        match verdict {
            Verdict::Done => self.done(&context, held).await,
            Verdict::Failed(decision) => {
                Box::pin(self.decided(span, &context, &arrived.message, decision, held)).await
            }
            Verdict::Panicked(panicked) => {
                span.fail("panicked");
                Box::pin(self.panicked(&context, &arrived.message, panicked, held)).await
            }
        }
    }

    /// Judges again for as long as the broker is away or full. The message is kept alive meanwhile.
    async fn judge_again(&self, message: &Message, context: &Context, mut verdict: Verdict) -> Verdict {
        let mut pauses = Patience::Endless.pauses();
        while matches!(verdict, Verdict::Failed(Decision::Unavailable(_)))
            && let Some(pause) = pauses.next()
        {
            tokio::time::sleep(pause).await;
            verdict = self.judge(message, context).await;
        }
        verdict
    }

    /// Handles the message and publishes its outputs.
    async fn judge(&self, message: &Message, context: &Context) -> Verdict {
        if context.attempt > self.retry.attempts {
            // Only a crash during the last attempt, or several, brings a message here.
            let cause = anyhow::anyhow!("no attempt came to an end");
            return Verdict::Failed(Decision::bury(ATTEMPTS_EXHAUSTED, cause));
        }
        let handled = {
            let handling = pin!(self.handle(message, context));
            timeout(self.deadline, Caught(handling)).await
        };
        let outputs = match handled {
            Ok(Ok(Ok(outputs))) => outputs,
            Ok(Ok(Err(decision))) => return Verdict::Failed(decision),
            Ok(Err(panicked)) => return Verdict::Panicked(panicked),
            Err(_elapsed) => {
                let cause = anyhow::anyhow!("deadline of {} s passed", self.deadline.as_secs());
                return Verdict::Failed(Decision::retry(cause));
            }
        };
        match self.publish(outputs, context).await {
            Ok(()) => Verdict::Done,
            Err(error) if error.kind == ErrorKind::TooLarge => {
                Verdict::Failed(Decision::bury(OUTPUT_TOO_LARGE, error))
            }
            Err(error) => Verdict::Failed(error.into()),
        }
    }

    async fn handle(&self, message: &Message, context: &Context) -> Result<Vec<Output>, Decision> {
        let input = H::Input::try_from((&message.subject, message.payload.clone()))
            .map_err(|error| Decision::bury(UNDECODABLE, error))?;
        self.handler.handle(input, context).await
    }

    /// Publishes one after the other, in the handler's order, and awaits each acknowledgement.
    async fn publish(&self, outputs: Vec<Output>, context: &Context) -> Result<(), Error> {
        for (index, mut output) in outputs.into_iter().enumerate() {
            let id = match output.message_id.take() {
                Some(own) => own,
                None => output_id(&context.message_id, self.tools.tracer.service(), index),
            };
            self.tools.publisher.publish_patiently(&id, output).await?;
        }
        Ok(())
    }

    async fn done(&self, context: &Context, held: Held) -> Outcome {
        let started = Instant::now();
        let span = self.ack_span(context);
        let acknowledging = pin!(async {
            held.ack().await.inspect_err(|error| {
                span.fail(error);
            })
        });
        let result = span.clone().run(acknowledging).await;
        self.instruments.acknowledged(started.elapsed());
        if let Err(error) = result {
            self.unsettled(context, &error);
        }
        Outcome::Done
    }

    /// Does what was decided. An outage gets here only when its patience ended: the message comes again.
    async fn decided(
        &self,
        span: &Span,
        context: &Context,
        message: &Message,
        decision: Decision,
        held: Held,
    ) -> Outcome {
        let (after, cause) = match decision {
            Decision::Bury { code, cause } => {
                span.fail(code);
                return self.bury(context, message, code, &cause, held).await;
            }
            Decision::Retry { after, cause } => (after, cause),
            Decision::Unavailable(error) => (None, error.into()),
        };
        span.fail(&cause);
        self.again(context, message, after, &cause, held).await
    }

    async fn again(
        &self,
        context: &Context,
        message: &Message,
        after: Option<Duration>,
        cause: &anyhow::Error,
        held: Held,
    ) -> Outcome {
        if self.retry.is_last(context.attempt) {
            return self.bury(context, message, ATTEMPTS_EXHAUSTED, cause, held).await;
        }
        let (id, attempt) = (&context.message_id, context.attempt);
        let delay = match after {
            Some(asked) => RetryPolicy::at_least(asked, id, attempt),
            None => self.retry.delay(id, attempt),
        };
        let delay_ms = delay.as_millis();
        tracing::warn!(
            message_id = id,
            subject = context.subject,
            attempt,
            delay_ms,
            error = format!("{cause:#}"),
            "message will be tried again"
        );
        if let Err(error) = held.nak(delay).await {
            self.unsettled(context, &error);
        }
        Outcome::Retry
    }

    async fn panicked(
        &self,
        context: &Context,
        message: &Message,
        panicked: Panicked,
        held: Held,
    ) -> Outcome {
        let (id, attempt) = (&context.message_id, context.attempt);
        tracing::error!(
            message_id = id,
            subject = context.subject,
            attempt,
            place = panicked.place.as_deref(),
            error = &panicked as &dyn std::error::Error,
            "handler panicked"
        );
        if self.retry.is_last(attempt) {
            self.bury(context, message, PANIC, &panicked.into(), held).await;
        } else if let Err(error) = held.nak(self.retry.delay(id, attempt)).await {
            self.unsettled(context, &error);
        }
        Outcome::Panicked
    }

    /// Publishes the dead letter, awaits its acknowledgement, and only then ends the deliveries.
    async fn bury(
        &self,
        context: &Context,
        message: &Message,
        code: &'static str,
        cause: &anyhow::Error,
        held: Held,
    ) -> Outcome {
        let letter = self.dead_letter(context, message, code, cause);
        let output = letter.output(&self.tools.dead_subject);
        let id = letter.id();
        let published = self.tools.publisher.publish_patiently(&id, output).await;
        let (message_id, attempt) = (&context.message_id, context.attempt);
        if let Err(error) = published {
            tracing::error!(
                message_id,
                code,
                attempt,
                error = &error as &dyn std::error::Error,
                "dead letter not published; the message comes again"
            );
            held.nak(self.retry.max).await.ok();
            return Outcome::Retry;
        }
        tracing::error!(
            message_id,
            subject = context.subject,
            code,
            attempt,
            error = letter.cause,
            "message buried"
        );
        if let Err(error) = held.term(code).await {
            self.unsettled(context, &error);
        }
        Outcome::Buried
    }

    fn dead_letter(
        &self,
        context: &Context,
        message: &Message,
        code: &str,
        cause: &anyhow::Error,
    ) -> DeadLetter {
        DeadLetter {
            service: self.tools.tracer.service().to_owned(),
            subject: context.subject.clone(),
            headers: dead_letter::headers(&message.headers),
            payload: message.payload.clone(),
            code: code.to_owned(),
            cause: format!("{cause:#}"),
            attempts: context.attempt,
            first_seen_at: Some(dead_letter::timestamp(context.logged_at)),
            buried_at: Some(dead_letter::timestamp(self.tools.clock.now())),
            trace_id: context.trace_id.clone(),
            message_id: context.message_id.clone(),
            service_version: self.tools.version.to_owned(),
            sequence: context.sequence,
        }
    }

    fn unsettled(&self, context: &Context, error: &Error) {
        self.tools.outage.seen(error);
        let error = error as &dyn std::error::Error;
        tracing::warn!(message_id = context.message_id, error, "message not settled; it may come again");
    }

    fn message_id(&self, arrived: &Arrived) -> String {
        match arrived.message.headers.get(MESSAGE_ID) {
            Some(id) => id.to_owned(),
            None => format!("{}.{}", self.stream, arrived.sequence),
        }
    }

    fn open_span(&self, arrived: &Arrived, id: &str) -> Span {
        let tracer = &self.tools.tracer;
        let message = &arrived.message;
        let sender = trace::extract_from_message(&self.base, &message.headers);
        let name = if tracer.is_exporting() { format!("process {}", message.subject) } else { String::new() };
        let attributes = || self.attributes(arrived, id);
        if message.headers.contains(LINK_HEADER) {
            let origin = sender.span().span_context().clone();
            return tracer.start_linked(name, Kind::Consumer, &origin, &self.base, attributes);
        }
        tracer.start(name, Kind::Consumer, &sender, attributes)
    }

    fn ack_span(&self, context: &Context) -> Span {
        let name = || format!("ack {}", context.subject);
        self.tools.tracer.start_here(name, Kind::Client, || {
            vec![
                KeyValue::new("messaging.system", "nats"),
                KeyValue::new("messaging.operation.name", "ack"),
                KeyValue::new("messaging.operation.type", "settle"),
                KeyValue::new("messaging.destination.name", context.subject.clone()),
                KeyValue::new("messaging.message.id", context.message_id.clone()),
            ]
        })
    }

    fn attributes(&self, arrived: &Arrived, id: &str) -> Vec<KeyValue> {
        let size = i64::try_from(arrived.message.payload.len()).unwrap_or(i64::MAX);
        vec![
            KeyValue::new("messaging.system", "nats"),
            KeyValue::new("messaging.operation.name", "process"),
            KeyValue::new("messaging.operation.type", "process"),
            KeyValue::new("messaging.destination.name", arrived.message.subject.clone()),
            KeyValue::new("messaging.consumer.group.name", self.durable.clone()),
            KeyValue::new("messaging.message.id", id.to_owned()),
            KeyValue::new("messaging.message.body.size", size),
            KeyValue::new("messaging.nats.stream", self.stream.clone()),
            KeyValue::new("messaging.nats.delivery.attempt", i64::from(arrived.attempt)),
        ]
    }
}

/// The id of an output: the same input gives the same ids, however often it comes.
fn output_id(input: &str, stage: &str, index: usize) -> String {
    format!("{input}.{stage}.{index}")
}

#[cfg(test)]
mod tests;
