//! Restores the alert records when they are lost, and raises the alerts of a lost stream again.
//!
//! The log of reports is authoritative: the records derive from its events. The events are applied again in their
//! order. Their alerts are published again only where they cannot be in the present stream of alerts: if the event is
//! older than that stream, or was not settled yet. The message ids are those of the first time, so a subscription
//! that has received an alert does not receive it again.
//!
//! Meanwhile no event is handled: without its record, it would resolve nothing.

use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt as _, stream};
use gongkai_proto::{
    ReportEvent,
    subjects::{self, BUCKET_ALERTS, Event, STREAM_ALERTS, STREAM_REPORTS},
};
use gongkai_worker::{
    Context, Decision, Handler, Latch, Output, RecordStore, Runtime,
    transport::{Error, ErrorKind, Logged},
};
use time::OffsetDateTime;

use super::handler::Alerter;
use crate::streams::{CheckedEpoch, identity};

/// The kinds of events that alerts derive from.
pub const KINDS: [Event; 4] =
    [Event::ReportValidated, Event::ReportWithdrawn, Event::ReportWaived, Event::ReportErased];

/// Key of the record that identifies the streams from which the alert records were derived.
const SOURCES: &str = "sources";
const MAX_RACES: u32 = 16;
/// Messages of the log that are read ahead.
const READ_AHEAD: usize = 32;
/// Pause before the broker is called again.
const PAUSE: Duration = Duration::from_secs(1);

/// Turns report events into alerts while the alert records belong to the present log. Cheap to clone.
#[derive(Clone)]
pub struct Rebuilder(Arc<Inner>);

struct Inner {
    alerter: Alerter,
    /// Applies events again. Followers were told of their changes the first time.
    again: Alerter,
    records: RecordStore,
    runtime: Runtime,
    /// The epoch of the log that the records are known to belong to.
    checked: CheckedEpoch,
}

/// The identities of the streams that the alert records belong to.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
struct Sources {
    #[prost(int64, tag = "1")]
    reports: i64,
    #[prost(int64, tag = "2")]
    alerts: i64,
}

/// The events to apply again.
#[derive(Debug, Clone, Copy)]
struct ReplayRange {
    /// The identities of the present streams.
    present: Sources,
    next: u64,
    last: u64,
    /// Every event up to this sequence was settled.
    floor: u64,
    /// When the present stream of alerts was created.
    since: OffsetDateTime,
}

// === impl Rebuilder ===

impl Rebuilder {
    /// Creates a handler that passes events on to `alerter` as soon as [`Self::watch`] has checked the records.
    #[must_use]
    pub fn new(alerter: Alerter, runtime: &Runtime) -> Self {
        Self(Arc::new(Inner {
            again: alerter.unfollowed(),
            alerter,
            records: RecordStore::new(runtime.entries(BUCKET_ALERTS), MAX_RACES),
            runtime: runtime.clone(),
            checked: CheckedEpoch::none(),
        }))
    }

    /// Checks that the records belong to the present log.
    ///
    /// # Errors
    /// `Unavailable`: that is not known yet, or they are being restored.
    pub fn ready(&self) -> Result<(), Decision> {
        self.0.checked.ready(&self.0.runtime, || "the alert records are not checked yet".to_owned())
    }

    /// Checks the records, at the start and after each accepted loss, until shutdown.
    ///
    /// # Errors
    /// The broker refuses: a deployment mistake.
    pub async fn watch(self) -> Result<(), Error> {
        let runtime = &self.0.runtime;
        let shutdown = runtime.shutdown();
        let watching = async {
            loop {
                let epoch = runtime.log_epoch();
                let latch = runtime.latch("alert records");
                self.0.check(&latch).await?;
                // If another loss was accepted meanwhile, this epoch is out of date and lets no event pass.
                self.0.checked.set(epoch);
                latch.release();
                runtime.until_epoch_after(epoch).await;
            }
        };
        shutdown.run_until_cancelled(watching).await.unwrap_or(Ok(()))
    }
}

#[async_trait::async_trait]
impl Handler for Rebuilder {
    type Input = ReportEvent;

    async fn handle(&self, event: ReportEvent, context: &Context) -> Result<Vec<Output>, Decision> {
        self.ready()?;
        self.0.alerter.handle(event, context).await
    }
}

// === impl Inner ===

impl Inner {
    /// Checks that the records belong to the present streams, and restores them if not. Retries while the broker is
    /// unavailable.
    async fn check(&self, latch: &Latch) -> Result<(), Error> {
        let mut span = None;
        loop {
            match self.try_check(&mut span, latch).await {
                Err(error) if error.kind.is_outage() || error.kind == ErrorKind::Conflict => {}
                done => return done,
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Checks the records once. `left` is the span that an earlier attempt has not finished.
    async fn try_check(&self, left: &mut Option<ReplayRange>, latch: &Latch) -> Result<(), Error> {
        let reports = self.runtime.stream_state(STREAM_REPORTS).await?;
        let alerts = self.runtime.stream_state(STREAM_ALERTS).await?;
        let present = Sources { reports: identity(&reports), alerts: identity(&alerts) };
        let known = self.records.read::<Sources>(SOURCES).await?.record;
        if known == present {
            return Ok(());
        }
        let lag = self.runtime.consumer_lag(STREAM_REPORTS, subjects::CONSUMER_NOTIFY).await?;
        if lag.is_some() || self.runtime.log_epoch() > 0 {
            let span = left.take_if(|span| span.present == present).unwrap_or(ReplayRange {
                present,
                next: reports.first_sequence.max(1),
                last: reports.last_sequence,
                floor: lag.map_or(0, |lag| lag.floor),
                since: alerts.created,
            });
            self.apply_again(left.insert(span), latch).await?;
        }
        self.records.change(SOURCES, |sources: &mut Sources| (true, *sources = present)).await?;
        Ok(())
    }

    /// Applies the events of a span in their order. After an error the next call continues.
    async fn apply_again(&self, span: &mut ReplayRange, latch: &Latch) -> Result<(), Error> {
        let ReplayRange { next, last, floor, since, .. } = *span;
        if next <= last {
            tracing::warn!(from = next, to = last, "alert records are made again from the log of reports");
        }
        let read = |sequence| self.runtime.message(STREAM_REPORTS, sequence);
        let mut messages = stream::iter(next..=last).map(read).buffered(READ_AHEAD);
        while let Some(message) = messages.next().await {
            let sequence = span.next;
            if let Some(logged) = message? {
                let is_unpublished = logged.logged_at < since || sequence > floor;
                self.apply_one(sequence, logged, is_unpublished).await?;
            }
            span.next += 1;
            latch.say(format!(
                "alert records, which are made again from the log: {sequence} of {last} events"
            ));
        }
        Ok(())
    }

    /// Applies one event. Publishes its alerts if `is_unpublished`.
    async fn apply_one(&self, sequence: u64, logged: Logged, is_unpublished: bool) -> Result<(), Error> {
        let Logged { message, logged_at } = logged;
        if !Event::of(&message.subject).is_some_and(|event| KINDS.contains(&event)) {
            return Ok(());
        }
        // An event that cannot be decoded was buried the first time.
        let Ok(event) = ReportEvent::try_from((message.subject.as_str(), message.payload.clone())) else {
            return Ok(());
        };
        let span = self.runtime.continue_trace(&message, "alert again");
        let context = Context::new(&message, (STREAM_REPORTS, sequence), logged_at, span.trace_id());
        let applying = async {
            let outputs = match self.again.handle(event, &context).await {
                Ok(outputs) => outputs,
                Err(Decision::Unavailable(error)) => return Err(error),
                // The event was buried the first time too.
                Err(Decision::Bury { .. }) => return Ok(()),
                Err(Decision::Retry { cause, .. } | Decision::Away { cause, .. }) => {
                    return Err(Error::new(ErrorKind::Conflict, "an event was not applied").because(cause));
                }
            };
            for output in outputs.into_iter().filter(|_| is_unpublished) {
                self.runtime.publish(&context.message_id, output).await?;
            }
            Ok(())
        };
        span.clone().run(applying).await
    }
}
