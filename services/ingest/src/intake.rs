//! Acceptance of a submission: record the call, store the original, publish the event, save the receipt. Each step is
//! awaited before the next.
//!
//! A crash between two steps loses no submission that was answered with 202. A sender that got no answer repeats the
//! call under the same id:
//!
//! | crash after | state | the repeated call |
//! |---|---|---|
//! | recording the call | the id is bound to this content | continues under the same submission id |
//! | announcing it at its places | nothing counts as current there | continues |
//! | storing the original | an object without a reference | skips the put and publishes |
//! | publishing the event | ingest's own consumer creates the receipt | is dropped as a duplicate, or finds the receipt |
//! | recording it at its places | only the receipt is missing | saves the receipt |
//! | saving the receipt | its content is not recorded | returns the receipt; another id is processed again |
//!
//! A submission is redundant, and answered `unchanged`, while its content is the current content: the events of parse
//! and the later stages confirm that, and nothing that ranks above it was accepted, or is being accepted, at one of
//! its places. A redundant submission with a time after that of the current content is published all the same, and
//! ranks by its time.

mod call;
mod incoming;
mod originals;
mod repetition;
mod rights;
mod withdrawal;

use self::{
    incoming::HashedDocument,
    originals::Originals,
    repetition::{Repetition, repetition, rests_on_resources},
    rights::RightsGuard,
};

use crate::{
    actor::Actor,
    auth::Caller,
    blocking,
    calls::Attempt,
    config::Config,
    endings::Endings,
    erasure::Eraser,
    error::{Code, Problem},
    fetch::Fetcher,
    metrics::{Metrics, Repeat},
    places::{LastAccepted, Unfinished, micros},
    publication::PublicationRequest,
    rates::Rates,
    receipt_store::ReceiptStore,
    review::ReviewLevels,
    submission::{
        self, DeclaredMetadata, FileLimits, Submission, SubmissionIdentity, event_time, sender_site,
    },
};
use gongkai_model::Region;
use gongkai_proto::{
    convert::timestamp::timestamp,
    subjects::{self, Event, STREAM_REPORTS},
    v1::{DocumentReceived, Receipt, SubmissionState},
};
use gongkai_registry::Following;
use gongkai_worker::{
    Output, Runtime, trace,
    transport::{self, Published},
};
use prost_types::Timestamp;
use time::OffsetDateTime;

/// Accepts submissions and withdrawals. Cheap to clone.
#[derive(Clone)]
pub struct Intake {
    runtime: Runtime,
    originals: Originals,
    receipts: ReceiptStore,
    eraser: Eraser,
    fetcher: Fetcher,
    review_levels: ReviewLevels,
    endings: Endings,
    registry: Following,
    metrics: Metrics,
    limits: FileLimits,
    rights: RightsGuard,
    rates: Rates,
}

/// How to proceed with a call.
enum CallDecision {
    /// Accept the call as this attempt.
    Begin(Attempt),
    /// Answer with the receipt of an accepted call.
    Known(Box<Receipt>),
}

// === impl Intake ===

impl Intake {
    /// Creates an intake over the broker of a runtime. `registry` resolves the agencies of withdrawals.
    #[must_use]
    pub fn new(config: &Config, runtime: Runtime, fetcher: Fetcher, registry: Following) -> Self {
        let metrics = Metrics::new(&runtime);
        Self {
            rates: Rates::new(config, &runtime),
            rights: RightsGuard::new(&runtime, registry.clone(), metrics.clone()),
            registry,
            originals: Originals::new(&runtime),
            receipts: ReceiptStore::new(&runtime),
            metrics,
            eraser: Eraser::new(&runtime),
            runtime,
            fetcher,
            review_levels: ReviewLevels::new(config),
            limits: config.file_limits(),
            endings: Endings::new(config),
        }
    }

    /// Carries out the request of an event. Content that is given by URL is fetched each time, because it may have
    /// changed.
    ///
    /// # Errors
    /// Nothing was accepted. [`Code::retryable`] tells whether the same call may succeed later.
    ///
    /// # Cancel safety
    /// If the future is dropped, the submission may or may not have been accepted. Call again with the same id.
    pub async fn request(&self, actor: &Actor, request: PublicationRequest) -> Result<Receipt, Problem> {
        match request {
            PublicationRequest::Submit(submission) => self.submit(actor, *submission).await,
            PublicationRequest::Withdraw(withdrawal) => self.withdraw(actor, *withdrawal).await,
            PublicationRequest::Fetch(mut submission, remote) => {
                // Nothing is fetched for a caller that may not publish it.
                self.may(actor, &submission.declared).await?;
                self.fetcher.complete(&mut submission, &remote).await?;
                self.submit(actor, *submission).await
            }
        }
    }

    /// Counts the events of a call against the rate of its site. [`crate::reception`] calls it for every server.
    ///
    /// # Errors
    /// `RATE_LIMITED`, or `TOO_LARGE` if the call has more events than the site may send at once.
    pub fn count(&self, caller: &Caller, events: usize) -> Result<(), Problem> {
        self.rates.count(caller, events)
    }

    /// Checks whether `actor` may publish, update or withdraw the named report, by the same rules as acceptance.
    ///
    /// # Errors
    /// `NOT_YOURS`, or the broker did not answer.
    pub async fn may(&self, actor: &Actor, declared: &DeclaredMetadata) -> Result<(), Problem> {
        self.rights.check(actor, declared).await
    }

    /// Accepts a document on behalf of `actor`.
    ///
    /// # Errors
    /// As for [`Self::request`].
    ///
    /// # Cancel safety
    /// As for [`Self::request`].
    pub async fn submit(&self, actor: &Actor, submission: Submission) -> Result<Receipt, Problem> {
        self.limits.check(&submission)?;
        self.rights.claim(actor, &submission.declared).await?;
        let (size, now, sender) = (submission.size(), timestamp(self.now()), actor.sender());
        let mut incoming =
            blocking::run_sized(size, move || HashedDocument::new(submission, sender, now)).await?;
        self.eraser.refuse_erased(&incoming.event).await?;
        incoming.event.review_levels = self.review_levels.of(&incoming.submission.declared);
        let call = incoming.statement();
        let mut turn = self.turn(&call, None).await?;
        if let CallDecision::Known(known) = &turn
            && self.brings_content_back(&incoming).await?
        {
            turn = self.turn(&call, Some(&known.submission_id)).await?;
        }
        let receipt = match turn {
            CallDecision::Begin(attempt) if attempt.event_time_us == call.event_time_us => {
                return self.accept(&mut incoming, &attempt).await;
            }
            CallDecision::Begin(attempt) => self.accept(&mut incoming, &attempt).await?,
            CallDecision::Known(known) => self.with_status_url(*known),
        };
        if let Some(renewal) = self.renewal(&call, &receipt).await? {
            self.accept(&mut incoming, &renewal).await?;
        }
        Ok(receipt)
    }

    /// Accepts an attempt.
    async fn accept(&self, incoming: &mut HashedDocument, attempt: &Attempt) -> Result<Receipt, Problem> {
        let id = attempt.submission_id.as_str();
        incoming.begun_by(attempt);
        let mut seen = self.receipts.seen(&incoming.content_key).await?;
        let repetition = match seen.record.submission_id == id {
            true => Repetition::New,
            false => self.repetition(incoming, &seen.record).await?,
        };
        let supersedes = self.superseded(&incoming.submission.identity, attempt).await?;
        let first = seen.record.submission_id.clone();
        let callback_site = self.endings.site(incoming.event.sender.as_ref(), &attempt.renews);
        let region = incoming.submission.declared.region();
        let in_state = |state| Receipt {
            revision: incoming.content_hash.clone(),
            supersedes: supersedes.clone(),
            callback_site: callback_site.clone(),
            agency_name: incoming.event.agency.as_ref().map(|agency| agency.name.clone()).unwrap_or_default(),
            site: sender_site(incoming.event.sender.as_ref()),
            duplicate_of: attempt.renews.clone(),
            event_time: incoming.event.event_time,
            received_at: incoming.event.received_at,
            ..self.new_receipt(id, state)
        };
        let unchanged = Receipt { duplicate_of: first, ..in_state(SubmissionState::Unchanged) };
        if repetition == Repetition::Redundant {
            return self.saved(Receipt { sequence: seen.record.sequence, ..unchanged }, region).await;
        }
        let accepted = self.publish(incoming, id, &supersedes).await?;
        if repetition == Repetition::Later {
            return self.saved(Receipt { sequence: accepted.sequence, ..unchanged }, region).await;
        }
        let received = Receipt { sequence: accepted.sequence, ..in_state(SubmissionState::Received) };
        seen.record = accepted;
        // Another replica that finds the receipt must find this record too. Without it, the content is processed once
        // more, which is harmless.
        if let Err(error) = self.receipts.record_seen(&seen).await
            && !error.kind.is_outage()
        {
            tracing::warn!(error = &error as &dyn std::error::Error, "accepted content was not recorded");
        }
        Ok(self.with_status_url(self.receipts.merge(received).await?))
    }

    /// Saves a receipt that is final at once.
    async fn saved(&self, receipt: Receipt, region: Region) -> Result<Receipt, Problem> {
        self.tell(&receipt, region).await?;
        let receipt = self.receipts.merge(receipt).await?;
        Ok(self.with_status_url(self.receipts.outcome(receipt).await?))
    }

    /// Publishes the end for the site, before the receipt is saved: a sender that gets no answer calls again, and the
    /// end is published again.
    async fn tell(&self, receipt: &Receipt, region: Region) -> Result<(), Problem> {
        let receipt = self.receipts.outcome(receipt.clone()).await?;
        if let Some((id, event)) = self.endings.event(receipt, region) {
            self.runtime.publish(&id, event).await?;
        }
        Ok(())
    }

    /// Stores the files and publishes the event. Announces it at its places before, and records it there afterwards.
    async fn publish(
        &self,
        incoming: &HashedDocument,
        id: &str,
        supersedes: &str,
    ) -> Result<LastAccepted, Problem> {
        let begun = self.unfinished(id, &incoming.content_key);
        self.receipts.begin_at(&incoming.places, &begun).await?;
        let Submission { content, attachments, declared, .. } = &incoming.submission;
        let references = incoming.event.content.iter().chain(&incoming.event.attachments);
        let mut reused = Vec::new();
        let main = Some(content).filter(|content| !content.bytes.is_empty());
        for (file, reference) in main.into_iter().chain(attachments).zip(references) {
            if self.originals.store(file, reference).await? {
                reused.push((file, reference));
            }
        }
        let event = DocumentReceived {
            submission_id: id.to_owned(),
            supersedes: supersedes.to_owned(),
            ..incoming.event.clone()
        };
        let subject = match declared.is_backfill {
            true => subjects::backfill_subject(declared.region()),
            false => Event::ReportReceived.subject(declared.region()),
        };
        let output = Output::new(subject, Event::ReportReceived.ce_type(), &event);
        let published = self.runtime.publish(&self.message_id(id), output).await?;
        // A file that existed may have been collected as an orphan before the event named it.
        for (file, reference) in reused {
            self.originals.store(file, reference).await?;
        }
        let arrival = self.arrival(published).await?;
        let accepted =
            self.accepted(begun, published.sequence, arrival, &incoming.places, declared.event_time);
        self.receipts.end_at(&accepted).await?;
        Ok(accepted)
    }

    /// Returns when a message arrived in the log: now, unless an earlier call of the attempt published it.
    async fn arrival(&self, published: Published) -> Result<OffsetDateTime, transport::Error> {
        if !published.duplicate {
            return Ok(self.now());
        }
        let logged = self.runtime.message(STREAM_REPORTS, published.sequence).await?;
        Ok(logged.map_or_else(|| self.now(), |logged| logged.logged_at))
    }

    fn unfinished(&self, id: &str, content_key: &str) -> Unfinished {
        let since_us = micros(self.now());
        Unfinished { submission_id: id.to_owned(), content_key: content_key.to_owned(), since_us }
    }

    fn accepted(
        &self,
        what: Unfinished,
        sequence: u64,
        arrival: OffsetDateTime,
        places: &[String],
        stated: Option<Timestamp>,
    ) -> LastAccepted {
        let accepted = LastAccepted {
            submission_id: what.submission_id,
            content_key: what.content_key,
            sequence,
            places: places.to_vec(),
            log_epoch: self.runtime.log_epoch(),
            ..LastAccepted::default()
        };
        accepted.at(event_time(stated), arrival)
    }

    /// Returns the receipt of a submission.
    ///
    /// # Errors
    /// `SUBMISSION_NOT_FOUND`, or the broker did not answer.
    pub async fn receipt(&self, id: &str) -> Result<Receipt, Problem> {
        let known = match submission::is_id(id) {
            true => self.receipts.resolve(id).await?,
            false => None,
        };
        match known {
            Some(receipt) => Ok(self.with_status_url(receipt)),
            None => Err(self.not_found(id).await),
        }
    }

    /// Returns a stream of the present receipt and of the receipt after every change, up to the final state.
    ///
    /// # Errors
    /// As for [`Self::receipt`].
    pub async fn watch(
        &self,
        id: &str,
    ) -> Result<futures::stream::BoxStream<'static, Result<Receipt, transport::Error>>, Problem> {
        use futures::StreamExt as _;
        let receipts = match submission::is_id(id) {
            true => self.receipts.watch(id).await?,
            false => None,
        };
        let Some(receipts) = receipts else { return Err(self.not_found(id).await) };
        let intake = self.clone();
        Ok(receipts.map(move |receipt| Ok(intake.with_status_url(receipt?))).boxed())
    }

    async fn not_found(&self, id: &str) -> Problem {
        let id = crate::error::quote(id);
        let (chinese, english) = match self.receipts.is_whole().await {
            Ok(true) => (format!("此处没有提交“{id}”"), format!("nobody submitted \"{id}\" here")),
            Ok(false) => (
                format!("“{id}”尚不可查：回执正在由日志重建"),
                format!("\"{id}\" is not known yet: receipts are being made again from the log"),
            ),
            Err(error) => return error.into(),
        };
        Problem::new(Code::SubmissionNotFound, chinese, english)
    }

    /// Returns the submission that an attempt supersedes; empty if none before it was accepted.
    async fn superseded(&self, identity: &SubmissionIdentity, attempt: &Attempt) -> Result<String, Problem> {
        if attempt.before.is_empty() || *identity == SubmissionIdentity::Content {
            return Ok(String::new());
        }
        let Some(former) = self.receipts.get(&attempt.before).await? else { return Ok(String::new()) };
        let is_retry = rests_on_resources(&former);
        self.metrics.repeated(if is_retry { Repeat::Retried } else { Repeat::Superseded });
        tracing::warn!(
            submission_id = attempt.submission_id,
            supersedes = attempt.before,
            is_retry,
            "an id came again with other content, or after a failure; it is a new submission"
        );
        Ok(attempt.before.clone())
    }

    /// Returns the message id of a submission's event: the id of the submission. After a loss it includes the epoch
    /// of the log: an older copy of the log may still have the submission while the stages have lost its state.
    fn message_id(&self, id: &str) -> String {
        match self.runtime.log_epoch() {
            0 => id.to_owned(),
            epoch => format!("{id}.{epoch}"),
        }
    }

    async fn repetition(
        &self,
        incoming: &HashedDocument,
        seen: &LastAccepted,
    ) -> Result<Repetition, Problem> {
        let report = incoming.submission.declared.report(&*self.registry.current()?);
        Ok(repetition(&self.receipts, incoming, report.as_ref(), seen, self.now()).await?)
    }

    fn now(&self) -> OffsetDateTime {
        self.runtime.clock().now()
    }

    /// Creates a receipt in the given state, under the current trace.
    fn new_receipt(&self, id: &str, state: SubmissionState) -> Receipt {
        let trace_id = trace::current_trace_id();
        let log_epoch = self.runtime.log_epoch();
        Receipt {
            submission_id: id.to_owned(),
            state: state.into(),
            trace_id,
            log_epoch,
            ..Receipt::default()
        }
    }

    fn with_status_url(&self, receipt: Receipt) -> Receipt {
        self.endings.with_status_url(receipt)
    }
}
