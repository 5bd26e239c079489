//! Whether the present program would handle the message of a dead letter.
//!
//! A trial runs what a stage does with the message up to its effects: it decodes the message, loads what it refers to, reads or
//! checks it with the same functions, and converts it as the stage does. It publishes and stores nothing. What depends on somebody
//! else, such as the receiver of an alert, stays uncertain.

mod conversion;
mod parse;
mod verdict;

use std::sync::Arc;

use gongkai_agencies::Registry;
use gongkai_isolation::Readers;
use gongkai_proto::{ReportEvent, event::Undecodable, subjects, v1};
use gongkai_rules::RuleSet;
use gongkai_worker::dead_letter::{UNDECODABLE, UNEXPECTED_EVENT};
use gongkai_worker::transport::{Error, Objects};
use gongkai_worker::{RecordStore, Runtime};
use prost::bytes::Bytes;
use tokio::sync::watch;

pub use self::verdict::Verdict;
use super::index::BuriedLetter;

/// Runs trials.
pub struct Trials {
    runtime: Runtime,
    originals: Arc<dyn Objects>,
    texts: Arc<dyn Objects>,
    /// Ingest's records of contents. Only read here.
    contents: RecordStore,
    readers: Readers,
    registry: watch::Receiver<Arc<Registry>>,
    rules: RuleSet,
}

// === impl Trials ===

impl Trials {
    /// Creates trials that read documents with `readers` and resolve agencies by `registry`.
    #[must_use]
    pub fn new(runtime: &Runtime, readers: Readers, registry: watch::Receiver<Arc<Registry>>) -> Self {
        Self {
            originals: runtime.objects(subjects::BUCKET_ORIGINALS),
            texts: runtime.objects(subjects::BUCKET_TEXTS),
            contents: RecordStore::new(runtime.entries(subjects::BUCKET_CONTENTS), 1),
            runtime: runtime.clone(),
            readers,
            registry,
            rules: RuleSet::embedded(),
        }
    }

    /// Tells whether the service that buried a message would handle it.
    ///
    /// # Errors
    /// The broker or the object store did not answer.
    pub async fn of(&self, buried: &BuriedLetter) -> Result<Verdict, Error> {
        let v1::DeadLetter { subject, payload, .. } = &buried.letter;
        if subjects::stream_of(subject).is_none() {
            return Ok(Verdict::fails(UNEXPECTED_EVENT, &format!("no stream has the subject {subject}")));
        }
        match buried.letter.service.as_str() {
            "parse" => match ReportEvent::decode(subject, payload.clone()) {
                Ok(ReportEvent::Received(received)) => self.parse(&received).await,
                other => Ok(unexpected(other)),
            },
            "validate" => match ReportEvent::decode(subject, payload.clone()) {
                Ok(ReportEvent::Parsed(parsed)) => self.validate(*parsed).await,
                Ok(event @ (ReportEvent::Withdrawn(_) | ReportEvent::Erased(_))) => Ok(conversion::of(event)),
                other => Ok(unexpected(other)),
            },
            "query" => match ReportEvent::decode(subject, payload.clone()) {
                Ok(event) => self.project(event).await,
                other => Ok(unexpected(other)),
            },
            "ingest" => Ok(record(subject, payload)),
            "notify" => self.notify(buried).await,
            service => Ok(Verdict::Uncertain(format!("no trial is known for {service}"))),
        }
    }

    /// Tells whether query would store an event.
    async fn project(&self, event: ReportEvent) -> Result<Verdict, Error> {
        if let ReportEvent::Validated(validated) = &event {
            let text = validated.report.as_ref().and_then(|report| report.text.as_ref());
            if let Err(error) = self.text(text).await? {
                return Ok(Verdict::fails("DAMAGED_TEXT", &error));
            }
        }
        Ok(conversion::of(event))
    }

    /// Tells whether notify would handle a message. Of a delivery, only sending shows that.
    async fn notify(&self, buried: &BuriedLetter) -> Result<Verdict, Error> {
        let v1::DeadLetter { subject, payload, .. } = &buried.letter;
        if subjects::stream_of(subject) == Some(subjects::STREAM_TIMERS) {
            return Ok(Verdict::Uncertain("it is a timer of deliveries".to_owned()));
        }
        let event = match ReportEvent::decode(subject, payload.clone()) {
            Ok(event) => event,
            undecodable => return Ok(unexpected(undecodable)),
        };
        if subjects::stream_of(subject) != Some(subjects::STREAM_ALERTS) {
            return Ok(conversion::of(event));
        }
        if let Some(subscription) = &buried.recipient {
            let durable = subjects::consumer_delivery(subscription);
            if self.runtime.consumer_lag(subjects::STREAM_ALERTS, &durable).await?.is_none() {
                return Ok(Verdict::fails(
                    "NO_SUBSCRIPTION",
                    &format!("there is no subscription {subscription}"),
                ));
            }
        }
        Ok(Verdict::Uncertain("only sending shows whether the receiver accepts it".to_owned()))
    }

    /// Loads and decodes the prose of a report: `None` if it was erased or never stored. The inner error is a damaged text.
    async fn text(
        &self,
        text: Option<&v1::ContentRef>,
    ) -> Result<Result<Option<v1::ParsedText>, prost::DecodeError>, Error> {
        let Some(text) = text.filter(|text| !text.key.is_empty()) else { return Ok(Ok(None)) };
        let found = self.texts.get(&text.key).await?;
        Ok(found.map(prost::Message::decode).transpose())
    }

    /// Tells whether validate would check a report.
    async fn validate(&self, parsed: v1::ReportParsed) -> Result<Verdict, Error> {
        let text = parsed.report.as_ref().and_then(|report| report.text.as_ref());
        let text = match self.text(text).await? {
            Ok(text) => text,
            Err(error) => return Ok(Verdict::fails(conversion::UNREADABLE_EVENT, &error)),
        };
        let report = match conversion::report(parsed, text) {
            Ok(report) => report,
            Err(error) => return Ok(Verdict::fails(conversion::UNREADABLE_EVENT, &error)),
        };
        let rules = self.rules.clone();
        let check = move || drop(rules.evaluate_all(&report, &gongkai_rules::ReportContext::default()));
        Ok(match self.runtime.cpu(check).await {
            Ok(()) => Verdict::passes(),
            Err(panicked) => Verdict::fails(gongkai_worker::dead_letter::PANIC, &panicked),
        })
    }
}

/// Tells whether ingest would record an event or a dead letter.
fn record(subject: &str, payload: &Bytes) -> Verdict {
    if subjects::stream_of(subject) == Some(subjects::STREAM_DEAD) {
        return match v1::DeadLetter::try_from((subject, payload.clone())) {
            Ok(_) => Verdict::passes(),
            Err(error) => Verdict::fails(UNDECODABLE, &error),
        };
    }
    match ReportEvent::decode(subject, payload.clone()) {
        Ok(event) => conversion::of(event),
        undecodable => unexpected(undecodable),
    }
}

/// Returns why a stage does not handle what a message was decoded as.
fn unexpected(decoded: Result<ReportEvent, Undecodable>) -> Verdict {
    match decoded {
        Ok(_) => Verdict::fails(UNEXPECTED_EVENT, "the service does not handle messages of this kind"),
        Err(error) => Verdict::fails(UNDECODABLE, &format!("{:#}", anyhow::Error::from(error))),
    }
}
