//! Processing one message: decode, handle, publish the outputs, acknowledge.
//!
//! Heartbeats keep the message alive until it is settled. The ids of outputs derive from the input's id, so processing
//! a message again publishes nothing twice. While the broker is unavailable or full, the message waits and is kept
//! alive: an outage uses up no attempts.

mod trial;

use std::pin::pin;
use std::time::Duration;

use opentelemetry::trace::TraceContextExt as _;
use opentelemetry::{Context as OtelContext, KeyValue};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::alone::WorkFloor;
use crate::attempts::{AttemptLog, Treatment};
use crate::clock::Clock;
use crate::dead_letter::{self, ATTEMPTS_EXHAUSTED, DeadLetter, OUTPUT_TOO_LARGE, PANIC, UNDECODABLE};
use crate::delivery::{AckHandle, Incoming};
use crate::handler::{Context, Decision, Handler};
use crate::instruments::{Instruments, Outcome};
use crate::metrics::Meters;
use crate::outage::Outage;
use crate::output::Output;
use crate::own_stores::OwnStores;
use crate::panics::{Caught, Panicked};
use crate::plan::Plan;
use crate::publisher::{Publisher, RetryBudget};
use crate::retry::RetryPolicy;
use crate::trace::{self, SpanKind, TraceSpan, Tracer};
use crate::transport::{Error, ErrorKind, LINK_HEADER, Message};

/// What every stage of a process shares.
#[derive(Clone)]
pub(crate) struct Tools {
    pub(crate) publisher: Publisher,
    pub(crate) tracer: Tracer,
    pub(crate) clock: Clock,
    pub(crate) outage: Outage,
    pub(crate) stores: OwnStores,
    /// The process's soft stop.
    pub(crate) soft: CancellationToken,
    /// Subject of dead letters.
    pub(crate) dead_subject: String,
    pub(crate) version: &'static str,
}

/// Keeps a crash that one message causes from costing other messages an attempt.
pub(crate) struct CrashIsolation {
    pub(crate) floor: WorkFloor,
    pub(crate) attempts: AttemptLog,
}

/// One consumer of one service: its handler, with everything that runs it.
pub(crate) struct Stage<H> {
    handler: H,
    tools: Tools,
    apart: CrashIsolation,
    stream: String,
    durable: String,
    deadline: Duration,
    retry: RetryPolicy,
    base: OtelContext,
    pub(crate) instruments: Instruments,
}

/// A message in work.
#[derive(Clone, Copy)]
struct Work<'a> {
    message: &'a Message,
    context: &'a Context,
    /// Number of the delivery, from 1.
    delivery: u32,
}

/// Result of one attempt to handle a message.
#[derive(Debug)]
enum AttemptResult {
    Done,
    Failed(Decision),
    Panicked(Panicked),
    /// Not handled: the process died this often while only this message was in work.
    Crashed(u32),
}

// === impl AttemptResult ===

impl AttemptResult {
    fn is_outage(&self) -> bool {
        matches!(self, Self::Failed(decision) if decision.is_outage())
    }
}

// === impl Tools ===

impl Tools {
    pub(crate) fn dead_letter(
        &self,
        context: &Context,
        message: &Message,
        code: &str,
        cause: &anyhow::Error,
    ) -> DeadLetter {
        DeadLetter {
            service: self.tracer.service().to_owned(),
            subject: context.subject.clone(),
            headers: dead_letter::headers(&message.headers),
            payload: message.payload.clone(),
            code: code.to_owned(),
            cause: format!("{cause:#}"),
            attempts: context.attempt,
            first_seen_at: Some(dead_letter::timestamp(context.logged_at)),
            buried_at: Some(dead_letter::timestamp(self.clock.now())),
            trace_id: context.trace_id.clone(),
            message_id: context.message_id.clone(),
            service_version: self.version.to_owned(),
            sequence: context.sequence,
        }
    }
}

// === impl Stage ===

impl<H: Handler> Stage<H> {
    pub(crate) fn new(tools: Tools, meters: &Meters, plan: &Plan, apart: CrashIsolation, handler: H) -> Self {
        for store in plan.stores {
            tools.stores.know(store);
        }
        Self {
            handler,
            apart,
            stream: plan.spec.stream.clone(),
            durable: plan.spec.durable.clone(),
            deadline: plan.deadline,
            retry: plan.retry,
            base: tools.tracer.base(),
            instruments: Instruments::new(meters, &plan.spec.durable),
            tools,
        }
    }

    /// Processes one message until it is settled.
    ///
    /// # Cancel safety
    /// Dropping the future asks for redelivery. Outputs that were already published are dropped as duplicates then.
    pub(crate) async fn process(&self, incoming: Incoming, handle: AckHandle) {
        let started = Instant::now();
        let id = incoming.message.id_in(&self.stream, incoming.sequence);
        let span = self.open_span(&incoming, &id);
        // Large futures are pinned, because passing a future by value copies it.
        let work = pin!(self.work(&span, incoming, handle));
        let outcome = span.clone().run(work).await;
        self.instruments.processed(outcome, started.elapsed());
    }

    async fn work(&self, span: &TraceSpan, incoming: Incoming, handle: AckHandle) -> Outcome {
        let place = (self.stream.as_str(), incoming.sequence);
        let mut context = Context::new(&incoming.message, place, incoming.logged_at, span.trace_id());
        // The rare cases are boxed: a job is as large as its largest branch.
        let mut treatment = Treatment::Clear;
        if incoming.delivery > 1 {
            treatment = Box::pin(self.treatment(&mut context, incoming.delivery)).await;
        }
        let work = Work { message: &incoming.message, context: &context, delivery: incoming.delivery };
        let mut result = self.attempt(work, treatment).await;
        if result.is_outage() {
            result = Box::pin(self.attempt_until_available(work, treatment, result)).await;
        }
        match result {
            AttemptResult::Done => self.done(&context, handle).await,
            AttemptResult::Failed(decision) => {
                Box::pin(self.carry_out(span, &context, &incoming.message, decision, handle)).await
            }
            AttemptResult::Panicked(panicked) => {
                span.fail("panicked");
                Box::pin(self.panicked(&context, &incoming.message, panicked, handle)).await
            }
            AttemptResult::Crashed(crashes) => {
                span.fail("crashed");
                Box::pin(self.crashed(&context, &incoming.message, crashes, handle)).await
            }
        }
    }

    /// Repeats the attempt for as long as the broker is unavailable or full, or a store of the handler is away.
    /// Heartbeats keep the message alive meanwhile.
    ///
    /// At the soft stop, a message that waits for the handler's store is not repeated: another process may reach it.
    async fn attempt_until_available(
        &self,
        work: Work<'_>,
        treatment: Treatment,
        mut result: AttemptResult,
    ) -> AttemptResult {
        let mut pauses = RetryBudget::Endless.pauses();
        let mut _waiting = None;
        while result.is_outage()
            && let Some(pause) = pauses.next()
        {
            if let AttemptResult::Failed(Decision::Away { store, cause }) = &result {
                // The earlier wait ends after this one began, so that an outage has no gaps.
                _waiting = Some(self.tools.stores.away(store, cause));
                tokio::select! {
                    () = sleep(pause) => {}
                    () = self.tools.soft.cancelled() => return result,
                }
            } else {
                _waiting = None;
                sleep(pause).await;
            }
            result = self.attempt(work, treatment).await;
        }
        result
    }

    /// Handles the message and publishes its outputs.
    async fn attempt(&self, work: Work<'_>, treatment: Treatment) -> AttemptResult {
        let handled = match treatment {
            Treatment::Clear => {
                let _in_work = self.apart.floor.among_others().await;
                self.handle(work).await
            }
            Treatment::Suspect => Box::pin(self.handle_alone(work)).await,
            Treatment::Crashed(crashes) => Err(AttemptResult::Crashed(crashes)),
        };
        let outputs = match handled {
            Ok(outputs) => outputs,
            Err(result) => return result,
        };
        match self.publish(outputs, work.context).await {
            Ok(()) => AttemptResult::Done,
            Err(error) if error.kind == ErrorKind::TooLarge => {
                AttemptResult::Failed(Decision::bury(OUTPUT_TOO_LARGE, error))
            }
            Err(error) => AttemptResult::Failed(error.into()),
        }
    }

    /// Runs the handler, within its deadline and behind a boundary against panics.
    async fn handle(&self, work: Work<'_>) -> Result<Vec<Output>, AttemptResult> {
        let handling = pin!(self.decode_and_handle(work));
        match timeout(self.deadline, Caught(handling)).await {
            Ok(Ok(Ok(outputs))) => Ok(outputs),
            Ok(Ok(Err(decision))) => Err(AttemptResult::Failed(decision)),
            Ok(Err(panicked)) => Err(AttemptResult::Panicked(panicked)),
            Err(_elapsed) => {
                let cause = anyhow::anyhow!("deadline of {} s passed", self.deadline.as_secs());
                Err(AttemptResult::Failed(Decision::retry(cause)))
            }
        }
    }

    async fn decode_and_handle(
        &self,
        Work { message, context, .. }: Work<'_>,
    ) -> Result<Vec<Output>, Decision> {
        let input = H::Input::try_from((&message.subject, message.payload.clone()))
            .map_err(|error| Decision::bury(UNDECODABLE, error))?;
        self.handler.handle(input, context).await
    }

    /// Publishes the outputs in the handler's order and waits for each acknowledgement.
    async fn publish(&self, outputs: Vec<Output>, context: &Context) -> Result<(), Error> {
        for (index, mut output) in outputs.into_iter().enumerate() {
            let id = match output.message_id.take() {
                Some(own) => own,
                None => output_id(&context.message_id, self.tools.tracer.service(), index),
            };
            self.tools.publisher.publish_until_accepted(&id, output).await?;
        }
        Ok(())
    }

    /// Acknowledges a message that was handled.
    async fn done(&self, context: &Context, handle: AckHandle) -> Outcome {
        let (started, delivery) = (Instant::now(), handle.delivery);
        let span = self.ack_span(context);
        let acknowledging = pin!(async {
            handle.ack().await.inspect_err(|error| {
                span.fail(error);
            })
        });
        let result = span.clone().run(acknowledging).await;
        self.instruments.acknowledged(started.elapsed());
        match result {
            Ok(()) if delivery > 1 => Box::pin(self.forget(context)).await,
            Ok(()) => {}
            Err(error) => self.unsettled(context, &error),
        }
        Outcome::Done
    }

    /// Retries or buries the message, as decided.
    async fn carry_out(
        &self,
        span: &TraceSpan,
        context: &Context,
        message: &Message,
        decision: Decision,
        handle: AckHandle,
    ) -> Outcome {
        let (after, cause) = match decision {
            Decision::Bury { code, cause } => {
                span.fail(code);
                return self.bury(context, message, code, &cause, handle).await;
            }
            Decision::Retry { after, cause } => (after, cause),
            Decision::Unavailable(error) => (None, error.into()),
            Decision::Away { cause, .. } => {
                span.fail(&cause);
                return self.hand_back(context, handle).await;
            }
        };
        span.fail(&cause);
        self.retry(context, message, after, &cause, handle).await
    }

    /// Asks for redelivery, or buries the message after the last attempt.
    async fn retry(
        &self,
        context: &Context,
        message: &Message,
        after: Option<Duration>,
        cause: &anyhow::Error,
        handle: AckHandle,
    ) -> Outcome {
        if self.retry.is_last(context.attempt) {
            return self.bury(context, message, ATTEMPTS_EXHAUSTED, cause, handle).await;
        }
        let delay = self.failed(context, after, cause, &handle).await;
        let delay_ms = delay.as_millis();
        tracing::warn!(
            message_id = context.message_id,
            subject = context.subject,
            attempt = context.attempt,
            delay_ms,
            error = format!("{cause:#}"),
            "message will be retried"
        );
        if let Err(error) = handle.nak(delay).await {
            self.unsettled(context, &error);
        }
        Outcome::Retry
    }

    /// Hands back a message that waits for a store of the handler, because the process stops.
    async fn hand_back(&self, context: &Context, handle: AckHandle) -> Outcome {
        self.ended(context, &handle).await;
        let delay = self.retry.delay(&context.message_id, context.attempt);
        if let Err(error) = handle.nak(delay).await {
            self.unsettled(context, &error);
        }
        Outcome::Retry
    }

    async fn panicked(
        &self,
        context: &Context,
        message: &Message,
        panicked: Panicked,
        handle: AckHandle,
    ) -> Outcome {
        let (id, attempt) = (&context.message_id, context.attempt);
        tracing::error!(
            message_id = id,
            subject = context.subject,
            attempt,
            place = panicked.location.as_deref(),
            error = &panicked as &dyn std::error::Error,
            "handler panicked"
        );
        let cause = panicked.into();
        if self.retry.is_last(attempt) {
            self.bury(context, message, PANIC, &cause, handle).await;
            return Outcome::Panicked;
        }
        let delay = self.failed(context, None, &cause, &handle).await;
        if let Err(error) = handle.nak(delay).await {
            self.unsettled(context, &error);
        }
        Outcome::Panicked
    }

    /// Publishes the dead letter, waits for its acknowledgement, and only then ends deliveries.
    async fn bury(
        &self,
        context: &Context,
        message: &Message,
        code: &'static str,
        cause: &anyhow::Error,
        handle: AckHandle,
    ) -> Outcome {
        let letter = self.tools.dead_letter(context, message, code, cause);
        let output = letter.output(&self.tools.dead_subject);
        let id = letter.id();
        let published = self.tools.publisher.publish_until_accepted(&id, output).await;
        let (message_id, attempt) = (&context.message_id, context.attempt);
        if let Err(error) = published {
            tracing::error!(
                message_id,
                code,
                attempt,
                error = &error as &dyn std::error::Error,
                "dead letter not published; the message will be redelivered"
            );
            handle.nak(self.retry.max).await.ok();
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
        let delivery = handle.delivery;
        match handle.term(code).await {
            Ok(()) if delivery > 1 => self.forget(context).await,
            Ok(()) => {}
            Err(error) => self.unsettled(context, &error),
        }
        Outcome::Buried
    }

    /// Logs that settling failed; in an outage, which has its own line, only for debugging. The broker may deliver the message again.
    fn unsettled(&self, context: &Context, error: &Error) {
        self.tools.outage.seen(error);
        let (message_id, is_outage) = (&context.message_id, error.kind.is_outage());
        let error = error as &dyn std::error::Error;
        if is_outage {
            tracing::debug!(message_id, error, "message not settled; it may be redelivered");
        } else {
            tracing::warn!(message_id, error, "message not settled; it may be redelivered");
        }
    }

    fn open_span(&self, incoming: &Incoming, id: &str) -> TraceSpan {
        let tracer = &self.tools.tracer;
        let message = &incoming.message;
        let sender = trace::extract_from_message(&self.base, &message.headers);
        let name = if tracer.is_exporting() { format!("process {}", message.subject) } else { String::new() };
        let attributes = || self.attributes(incoming, id);
        if message.headers.contains(LINK_HEADER) {
            let origin = sender.span().span_context().clone();
            return tracer.start_linked(name, SpanKind::Consumer, &origin, &self.base, attributes);
        }
        tracer.start(name, SpanKind::Consumer, &sender, attributes)
    }

    fn ack_span(&self, context: &Context) -> TraceSpan {
        let name = || format!("ack {}", context.subject);
        self.tools.tracer.start_here(name, SpanKind::Client, || {
            vec![
                KeyValue::new("messaging.system", "nats"),
                KeyValue::new("messaging.operation.name", "ack"),
                KeyValue::new("messaging.operation.type", "settle"),
                KeyValue::new("messaging.destination.name", context.subject.clone()),
                KeyValue::new("messaging.message.id", context.message_id.clone()),
            ]
        })
    }

    fn attributes(&self, incoming: &Incoming, id: &str) -> Vec<KeyValue> {
        let size = i64::try_from(incoming.message.payload.len()).unwrap_or(i64::MAX);
        vec![
            KeyValue::new("messaging.system", "nats"),
            KeyValue::new("messaging.operation.name", "process"),
            KeyValue::new("messaging.operation.type", "process"),
            KeyValue::new("messaging.destination.name", incoming.message.subject.clone()),
            KeyValue::new("messaging.consumer.group.name", self.durable.clone()),
            KeyValue::new("messaging.message.id", id.to_owned()),
            KeyValue::new("messaging.message.body.size", size),
            KeyValue::new("messaging.nats.stream", self.stream.clone()),
            KeyValue::new("messaging.nats.delivery.attempt", i64::from(incoming.delivery)),
        ]
    }
}

/// Returns the id of an output. It depends only on the input's id, the stage and the position of the output.
fn output_id(input: &str, stage: &str, index: usize) -> String {
    format!("{input}.{stage}.{index}")
}

#[cfg(test)]
mod tests;
