//! Acceptance of a submission: store the original, publish the event, save the receipt. Each step is awaited before the next.
//!
//! A crash between two steps loses nothing that was answered with 202. A sender that got no answer repeats the call under
//! the same id:
//!
//! | crash after | state | the repeated call |
//! |---|---|---|
//! | storing the original | an object without a reference | skips the put and publishes |
//! | publishing the event | the event is processed; the stages' events create the receipt | is a duplicate for the stream and returns the receipt |
//! | saving the receipt | content and places are not recorded | records the places and returns the receipt; the same content under another id is processed once more |
//!
//! A submission is redundant, and answered `unchanged`, while its content is the current content: parse and the later stages
//! say so, and nothing else was accepted since at one of their URLs, or for the same agency and year.

use std::sync::Arc;

use crate::{
    blocking,
    config::Config,
    error::{Code, Problem},
    fetch::Fetcher,
    publication::Request,
    receipt_store::{LastAccepted, ReceiptStore},
    review::ReviewLevels,
    submission::{File, StoredFiles, Submission, SubmissionIdentity, WithdrawalRequest},
    turns::Turns,
};
use futures::future::try_join_all;
use gongkai_agencies::Registry;
use gongkai_lifecycle::{self as lifecycle, Rank};
use gongkai_model::RejectionCode;
use gongkai_proto::{
    convert::timestamp::timestamp,
    subjects::{BUCKET_ORIGINALS, Event},
    v1::{ContentRef, DocumentReceived, Receipt, SubmissionState},
};
use gongkai_worker::{
    Output, Runtime,
    record_store::Versioned,
    trace,
    transport::{self, Objects},
};
use tokio::sync::watch;

/// Accepts submissions and withdrawals. Cheap to clone.
#[derive(Clone)]
pub struct Intake {
    runtime: Runtime,
    originals: Arc<dyn Objects>,
    storing: Turns,
    receipts: ReceiptStore,
    fetcher: Fetcher,
    review_levels: ReviewLevels,
    public_url: String,
    registry: watch::Receiver<Arc<Registry>>,
}

// === impl Intake ===

impl Intake {
    /// Creates an intake over the broker of a runtime. `registry` resolves the agencies of withdrawals.
    #[must_use]
    pub fn new(
        config: &Config,
        runtime: Runtime,
        fetcher: Fetcher,
        registry: watch::Receiver<Arc<Registry>>,
    ) -> Self {
        Self {
            registry,
            originals: runtime.objects(BUCKET_ORIGINALS),
            storing: Turns::default(),
            receipts: ReceiptStore::new(&runtime),
            runtime,
            fetcher,
            review_levels: ReviewLevels::new(config),
            public_url: config.public_url.trim_end_matches('/').to_owned(),
        }
    }

    /// Performs the request of an event.
    ///
    /// # Errors
    /// Nothing was accepted. [`Code::retryable`] tells whether the same call may succeed later.
    ///
    /// # Cancel safety
    /// If the future is dropped, the submission may or may not have been accepted. Call again with the same id.
    pub async fn request(&self, request: Request) -> Result<Receipt, Problem> {
        match request {
            Request::Submit(submission) => self.submit(*submission).await,
            Request::Withdraw(withdrawal) => self.withdraw(*withdrawal).await,
            Request::Fetch(mut submission, url) => {
                // The id of an event does not depend on its content, so a repeat needs no second fetch.
                if let Some(known) = self.receipts.known(&submission.id("")).await? {
                    return Ok(self.with_status_url(known));
                }
                let declared = std::mem::take(&mut submission.content);
                submission.content = self.fetcher.fetch(&url, declared).await?;
                self.submit(*submission).await
            }
        }
    }

    /// Accepts a document.
    ///
    /// # Errors
    /// As for [`Self::request`].
    ///
    /// # Cancel safety
    /// As for [`Self::request`].
    pub async fn submit(&self, submission: Submission) -> Result<Receipt, Problem> {
        if submission.content.bytes.is_empty()
            || submission.attachments.iter().any(|file| file.bytes.is_empty())
        {
            return Err(Problem::new(Code::Empty, "a document of no bytes cannot be read"));
        }
        let size = submission.size();
        let hash = move || {
            let stored = submission.references();
            (submission, stored)
        };
        let (submission, stored) = blocking::run_sized(size, hash).await?;
        let content_hash = stored.content.sha256.clone();
        let mut id = submission.id(&content_hash);
        let known = self.receipts.known(&id).await?;
        if let Some(known) = &known
            && submission.identity != SubmissionIdentity::Content
        {
            return self.repeated(&submission, &content_hash, known.clone()).await;
        }
        let content_key = submission.content_key(&content_hash);
        let mut seen = self.receipts.seen(&content_key).await?;
        let is_redundant = self.is_redundant(&submission, &content_hash, &seen.record).await?;
        match known {
            // The call has no id of its own, and its content was accepted before: it is a repetition only while that
            // content is current.
            Some(_) if !is_redundant => {
                match self.next_id(&submission, &content_hash, seen.record.sequence).await? {
                    Ok(next) => id = next,
                    Err(known) => return self.repeated(&submission, &content_hash, known).await,
                }
            }
            Some(known) => return self.repeated(&submission, &content_hash, known).await,
            None if is_redundant && seen.record.submission_id != id => {
                return self.unchanged(&id, &content_hash, seen.record).await;
            }
            None => {}
        }
        self.store(&submission.content, &stored.content).await?;
        for (file, reference) in submission.attachments.iter().zip(&stored.attachments) {
            self.store(file, reference).await?;
        }
        let sequence = self.publish_received(&id, &submission, stored).await?;
        let receipt =
            Receipt { revision: content_hash, sequence, ..self.new_receipt(&id, SubmissionState::Received) };
        let receipt = self.receipts.merge(receipt).await?;
        let (places, log_epoch) = (submission.declared.places(), receipt.log_epoch);
        seen.record = LastAccepted { submission_id: id, sequence, content_key, places, log_epoch };
        self.record_accepted(&seen).await?;
        Ok(self.with_status_url(receipt))
    }

    /// Returns the id of a call without one of its own, whose content was accepted before, last at `sequence`, and is
    /// no longer current. If the call repeats a submission that was accepted but not recorded, returns its receipt.
    async fn next_id(
        &self,
        submission: &Submission,
        content_hash: &str,
        sequence: u64,
    ) -> Result<Result<String, Receipt>, Problem> {
        let mut id = submission.id_after(content_hash, sequence);
        while let Some(known) = self.receipts.known(&id).await? {
            // A later state has the sequence of its own event. If that is unclear, other content at the same places
            // counts as later.
            let is_fresh = known.state() == SubmissionState::Received;
            let unrecorded = LastAccepted {
                submission_id: id,
                sequence: if is_fresh { known.sequence } else { 0 },
                content_key: submission.content_key(content_hash),
                places: submission.declared.places(),
                log_epoch: known.log_epoch,
            };
            if self.is_redundant(submission, content_hash, &unrecorded).await? {
                return Ok(Err(known));
            }
            id = submission.id_after(content_hash, known.sequence);
        }
        Ok(Ok(id))
    }

    /// Records what was accepted: first at its places, so that earlier content no longer counts as current there, and
    /// then by its content. Without the second record, the content is processed once more, which is harmless.
    ///
    /// # Errors
    /// It is not recorded at its places. The sender must repeat the call.
    async fn record_accepted(&self, seen: &Versioned<LastAccepted>) -> Result<(), transport::Error> {
        self.record_at_places(&seen.record).await?;
        if let Err(error) = self.receipts.record_seen(&seen.record.content_key, seen).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "accepted content was not recorded");
        }
        Ok(())
    }

    async fn record_at_places(&self, accepted: &LastAccepted) -> Result<(), transport::Error> {
        let records = accepted.places.iter().map(|place| self.receipts.record_last_at(place, accepted));
        try_join_all(records).await.map(drop)
    }

    /// Records a submission again whose call is repeated: ingest may have stopped before it did. Once the document is
    /// read, the history of its report tells which content is current.
    async fn record_repeated(
        &self,
        submission: &Submission,
        content_hash: &str,
        known: &Receipt,
    ) -> Result<(), transport::Error> {
        if known.state() != SubmissionState::Received {
            return Ok(());
        }
        let accepted = LastAccepted {
            submission_id: known.submission_id.clone(),
            sequence: known.sequence,
            content_key: submission.content_key(content_hash),
            places: submission.declared.places(),
            log_epoch: known.log_epoch,
        };
        self.record_at_places(&accepted).await
    }

    /// Accepts a withdrawal.
    ///
    /// # Errors
    /// As for [`Self::request`].
    ///
    /// # Cancel safety
    /// As for [`Self::request`].
    pub async fn withdraw(&self, withdrawal: WithdrawalRequest) -> Result<Receipt, Problem> {
        let id = withdrawal.id();
        if let Some(known) = self.receipts.known(&id).await? {
            return Ok(self.with_status_url(known));
        }
        let report = withdrawal.declared.report(&self.registry.borrow());
        let withdrawn_at = self.runtime.clock().now();
        let event = withdrawal.withdrawn(&id, report.as_ref(), timestamp(withdrawn_at));
        let subject = Event::ReportWithdrawn.subject(withdrawal.declared.region());
        let output = Output::new(subject, Event::ReportWithdrawn.ce_type(), &event);
        let sequence = self.runtime.publish(&self.message_id(&id), output).await?.sequence;
        // The event will bring the time of the stream. Until then this one is close enough: content that is wrongly
        // counted as withdrawn is processed once more.
        let rank = Rank::new(self.runtime.clock().now(), sequence);
        let recorded = lifecycle::Withdrawal { rank, url: withdrawal.declared.url, report, withdrawn_at };
        self.receipts.record_withdrawal(&recorded).await?;
        let receipt = Receipt { sequence, ..self.new_receipt(&id, SubmissionState::Withdrawn) };
        Ok(self.with_status_url(self.receipts.merge(receipt).await?))
    }

    /// Returns the receipt of a submission.
    ///
    /// # Errors
    /// `SUBMISSION_NOT_FOUND`, or the broker did not answer.
    pub async fn receipt(&self, id: &str) -> Result<Receipt, Problem> {
        let known = match crate::submission::is_id(id) {
            true => self.receipts.resolve(id).await?,
            false => None,
        };
        known.map(|receipt| self.with_status_url(receipt)).ok_or_else(|| not_found(id))
    }

    /// Returns a stream of the receipt now and after every change, up to the final state.
    ///
    /// # Errors
    /// As for [`Self::receipt`].
    pub async fn watch(
        &self,
        id: &str,
    ) -> Result<futures::stream::BoxStream<'static, Result<Receipt, transport::Error>>, Problem> {
        use futures::StreamExt as _;
        let receipts = match crate::submission::is_id(id) {
            true => self.receipts.watch(id).await?,
            false => None,
        };
        let receipts = receipts.ok_or_else(|| not_found(id))?;
        let intake = self.clone();
        Ok(receipts.map(move |receipt| Ok(intake.with_status_url(receipt?))).boxed())
    }

    /// Answers a call whose id is known.
    async fn repeated(
        &self,
        submission: &Submission,
        content_hash: &str,
        known: Receipt,
    ) -> Result<Receipt, Problem> {
        if known.revision.is_empty() || known.revision == content_hash {
            self.record_repeated(submission, content_hash, &known).await?;
            return Ok(self.with_status_url(known));
        }
        if matches!(submission.identity, SubmissionIdentity::Key { .. }) {
            return Err(Problem::new(
                Code::IdReused,
                format!(
                    "the key belongs to {}, whose content is another; take a new key",
                    known.submission_id
                ),
            ));
        }
        // By the CloudEvents specification, the same source and id mean the same event.
        tracing::warn!(
            submission_id = known.submission_id,
            source = submission.declared.event_source,
            "an event id came again with other content, which was ignored"
        );
        Ok(self.with_status_url(known))
    }

    /// Returns true if an earlier submission of the same content, `seen`, makes this one redundant.
    async fn is_redundant(
        &self,
        submission: &Submission,
        content_hash: &str,
        seen: &LastAccepted,
    ) -> Result<bool, Problem> {
        if seen.submission_id.is_empty() {
            return Ok(false);
        }
        let first = self.receipts.get(&seen.submission_id).await?.unwrap_or_default();
        if first.state() == SubmissionState::Dead || rests_on_resources(&first) {
            return Ok(false);
        }
        // A draft is checked once and has no later state to compare with.
        if submission.is_draft() {
            return Ok(true);
        }
        // Also at the places of the earlier submission: it may have been withdrawn or replaced there before it was
        // read.
        for place in submission.declared.places().iter().chain(&seen.places) {
            let last = self.receipts.last_at(place).await?;
            if last.sequence > seen.sequence && last.content_key != seen.content_key {
                return Ok(false);
            }
        }
        if !first.report.is_empty() {
            return Ok(self.receipts.is_current(&first.report, content_hash).await?);
        }
        // Not read yet, or no report: it may have been withdrawn by the name that its sender gives.
        let report = submission.declared.report(&self.registry.borrow());
        let Some(report) = report else { return Ok(true) };
        Ok(!self.receipts.is_withdrawn_after(&report, seen.sequence).await?)
    }

    /// Saves the receipt of a submission whose content is current already.
    async fn unchanged(&self, id: &str, content_hash: &str, first: LastAccepted) -> Result<Receipt, Problem> {
        let unchanged = Receipt {
            revision: content_hash.to_owned(),
            duplicate_of: first.submission_id,
            sequence: first.sequence,
            ..self.new_receipt(id, SubmissionState::Unchanged)
        };
        self.receipts.merge(unchanged).await?;
        self.receipt(id).await
    }

    async fn store(&self, file: &File, reference: &ContentRef) -> Result<(), transport::Error> {
        // The same content many times at once: the first one stores it, the others find it.
        let _turn = self.storing.take(&reference.key).await;
        if self.originals.exists(&reference.key).await? {
            return Ok(());
        }
        self.originals.put(&reference.key, file.bytes.clone()).await
    }

    async fn publish_received(
        &self,
        id: &str,
        submission: &Submission,
        stored: StoredFiles,
    ) -> Result<u64, transport::Error> {
        let received_at = timestamp(self.runtime.clock().now());
        let event = DocumentReceived {
            review_levels: self.review_levels.of(&submission.declared),
            ..submission.received(id, stored, received_at)
        };
        let subject = Event::ReportReceived.subject(submission.declared.region());
        let output = Output::new(subject, Event::ReportReceived.ce_type(), &event);
        Ok(self.runtime.publish(&self.message_id(id), output).await?.sequence)
    }

    /// Returns the message id of a submission's event: the id of the submission. After a loss it includes the number of
    /// the log: an older copy of the log may still have the submission while the stages have lost its state.
    fn message_id(&self, id: &str) -> String {
        match self.runtime.log_epoch() {
            0 => id.to_owned(),
            epoch => format!("{id}.{epoch}"),
        }
    }

    /// A receipt in the given state, under the current trace.
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

    /// Adds the status URL, which depends on the serving instance and is therefore not stored.
    fn with_status_url(&self, receipt: Receipt) -> Receipt {
        let status_url = format!("{}/v1/submissions/{}", self.public_url, receipt.submission_id);
        Receipt { status_url, ..receipt }
    }
}

/// Returns true if a document was rejected for lack of time or memory, or because of a crash: another attempt may
/// succeed.
fn rests_on_resources(receipt: &Receipt) -> bool {
    receipt.rejection.as_ref().is_some_and(|rejection| {
        let code = rejection.code.parse::<RejectionCode>();
        rejection.retryable || code.is_ok_and(RejectionCode::rests_on_resources)
    })
}

fn not_found(id: &str) -> Problem {
    Problem::new(Code::SubmissionNotFound, format!("nobody submitted \"{}\" here", crate::error::quote(id)))
}
