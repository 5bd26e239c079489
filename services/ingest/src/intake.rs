//! Acceptance: store the original, publish the event, note the state; in this order, each step awaited.
//!
//! A crash between any two steps loses nothing that was answered 202, and what was not answered is sent again by its
//! sender under the same id:
//!
//! | stops after | what is left | the same call again |
//! |---|---|---|
//! | the original is stored | an object nobody refers to | skips the put, publishes |
//! | the event is published | it is on its way, its receipt comes from the stages' events | is a duplicate for the stream, gets its receipt |
//! | the receipt is noted | content not noted | gets its receipt; the same content under another id runs twice, harmlessly |

use std::sync::Arc;

use crate::{
    fetch::Fetcher,
    ledger::{Ledger, Seen},
    offload,
    problem::{Code, Problem},
    publication::Request,
    submission::{File, Identity, Stored, Submission, Withdrawal},
};
use gongkai_agencies::Registry;
use gongkai_lifecycle::{self as lifecycle, Rank};
use gongkai_proto::{
    convert::timestamp::timestamp,
    subjects::{BUCKET_ORIGINALS, Event},
    v1::{ContentRef, Receipt, SubmissionState},
};
use gongkai_worker::{
    Output, Runtime, trace,
    transport::{self, Objects},
};
use tokio::sync::watch;

/// Takes submissions in. Cheap to clone.
#[derive(Clone)]
pub struct Intake {
    runtime: Runtime,
    originals: Arc<dyn Objects>,
    ledger: Ledger,
    fetcher: Fetcher,
    public_url: String,
    registry: watch::Receiver<Arc<Registry>>,
}

// === impl Intake ===

impl Intake {
    /// An intake over a runtime's broker, for the agencies of a registry.
    #[must_use]
    pub fn new(
        runtime: Runtime,
        fetcher: Fetcher,
        public_url: &str,
        registry: watch::Receiver<Arc<Registry>>,
    ) -> Self {
        Self {
            registry,
            originals: runtime.objects(BUCKET_ORIGINALS),
            ledger: Ledger::new(&runtime),
            runtime,
            fetcher,
            public_url: public_url.trim_end_matches('/').to_owned(),
        }
    }

    /// Does what an event asks for.
    ///
    /// # Errors
    /// Nothing was accepted; [`Code::retryable`] says whether the same call may succeed later.
    ///
    /// # Cancel safety
    /// Dropping it leaves open whether the submission was accepted; call again with the same id.
    pub async fn request(&self, request: Request) -> Result<Receipt, Problem> {
        match request {
            Request::Submit(submission) => self.submit(*submission).await,
            Request::Withdraw(withdrawal) => self.withdraw(*withdrawal).await,
            Request::Fetch(mut submission, url) => {
                // An event's id does not depend on its content: a repeat is answered without fetching again.
                if let Some(known) = self.ledger.resolve(&submission.id("")).await? {
                    return Ok(self.addressed(known));
                }
                let declared = std::mem::take(&mut submission.content);
                submission.content = self.fetcher.fetch(&url, declared).await?;
                self.submit(*submission).await
            }
        }
    }

    /// Takes a document in.
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
        let (submission, stored) = offload::over(size, hash).await?;
        let content_hash = stored.content.sha256.clone();
        let id = submission.id(&content_hash);
        if let Some(known) = self.ledger.resolve(&id).await? {
            return self.repeated(&submission, &content_hash, known);
        }
        let content_key = submission.content_key(&content_hash);
        let mut seen = self.ledger.seen(&content_key).await?;
        if let Some(first) = self.still_stands(&id, &submission, &content_hash, &seen.record).await? {
            return self.unchanged(&id, &content_hash, first).await;
        }
        self.store(&submission.content, &stored.content).await?;
        for (file, reference) in submission.attachments.iter().zip(&stored.attachments) {
            self.store(file, reference).await?;
        }
        let sequence = self.publish_received(&id, &submission, stored).await?;
        let receipt =
            Receipt { revision: content_hash, sequence, ..self.news(&id, SubmissionState::Received) };
        let receipt = self.ledger.merge(receipt).await?;
        seen.record = Seen { submission_id: id, sequence, url: submission.about.url };
        if let Err(error) = self.ledger.note_seen(&content_key, &seen).await {
            // Accepted all the same; without the note the same content runs once more.
            tracing::warn!(error = &error as &dyn std::error::Error, "content was not noted as seen");
        }
        Ok(self.addressed(receipt))
    }

    /// Takes a withdrawal in.
    ///
    /// # Errors
    /// As for [`Self::request`].
    ///
    /// # Cancel safety
    /// As for [`Self::request`].
    pub async fn withdraw(&self, withdrawal: Withdrawal) -> Result<Receipt, Problem> {
        let id = withdrawal.id();
        if let Some(known) = self.ledger.resolve(&id).await? {
            return Ok(self.addressed(known));
        }
        let report = withdrawal.report(&self.registry.borrow());
        let withdrawn_at = self.runtime.clock().now();
        let event = withdrawal.withdrawn(&id, report.as_ref(), timestamp(withdrawn_at));
        let subject = Event::ReportWithdrawn.subject(withdrawal.about.region());
        let output = Output::new(subject, Event::ReportWithdrawn.ce_type(), &event);
        let sequence = self.runtime.publish(&id, output).await?.sequence;
        // The log's own time follows with the event; until then this is near enough, and a content that it takes down
        // without need runs once more.
        let rank = Rank::new(self.runtime.clock().now(), sequence);
        let noted = lifecycle::Withdrawal { rank, url: withdrawal.about.url, report, withdrawn_at };
        self.ledger.note_withdrawal(&noted).await?;
        let receipt = Receipt { sequence, ..self.news(&id, SubmissionState::Withdrawn) };
        Ok(self.addressed(self.ledger.merge(receipt).await?))
    }

    /// The receipt of a submission.
    ///
    /// # Errors
    /// `SUBMISSION_NOT_FOUND`, or the store was not reached.
    pub async fn receipt(&self, id: &str) -> Result<Receipt, Problem> {
        let known = match crate::submission::is_id(id) {
            true => self.ledger.resolve(id).await?,
            false => None,
        };
        known.map(|receipt| self.addressed(receipt)).ok_or_else(|| not_found(id))
    }

    /// The receipts of a submission, now and after every change, up to the final one.
    ///
    /// # Errors
    /// As for [`Self::receipt`].
    pub async fn watch(
        &self,
        id: &str,
    ) -> Result<futures::stream::BoxStream<'static, Result<Receipt, transport::Error>>, Problem> {
        use futures::StreamExt as _;
        let receipts = match crate::submission::is_id(id) {
            true => self.ledger.watch(id).await?,
            false => None,
        };
        let receipts = receipts.ok_or_else(|| not_found(id))?;
        let addressed = self.clone();
        Ok(receipts.map(move |receipt| Ok(addressed.addressed(receipt?))).boxed())
    }

    /// The answer to a call whose id is known.
    fn repeated(
        &self,
        submission: &Submission,
        content_hash: &str,
        known: Receipt,
    ) -> Result<Receipt, Problem> {
        if known.revision.is_empty() || known.revision == content_hash {
            return Ok(self.addressed(known));
        }
        if matches!(submission.identity, Identity::Key { .. }) {
            return Err(Problem::new(
                Code::IdReused,
                format!(
                    "the key belongs to {}, whose content is another; take a new key",
                    known.submission_id
                ),
            ));
        }
        // By the specification the same source and id are the same event.
        tracing::warn!(
            submission_id = known.submission_id,
            source = submission.about.event_source,
            "an event id came again with other content, which was ignored"
        );
        Ok(self.addressed(known))
    }

    /// The submission that brought this content, if it still counts: not our own, not dead, and the content is what stands
    /// of its report.
    async fn still_stands(
        &self,
        id: &str,
        submission: &Submission,
        content_hash: &str,
        seen: &Seen,
    ) -> Result<Option<Seen>, Problem> {
        if seen.submission_id.is_empty() || seen.submission_id == id {
            return Ok(None);
        }
        let first = self.ledger.get(&seen.submission_id).await?.unwrap_or_default();
        let is_dead = first.state() == SubmissionState::Dead;
        // A draft never stands: it is answered once and for all.
        let counts = !is_dead
            && (submission.is_draft() || self.ledger.stands(seen, &first.report, content_hash).await?);
        Ok(counts.then(|| seen.clone()))
    }

    async fn unchanged(&self, id: &str, content_hash: &str, first: Seen) -> Result<Receipt, Problem> {
        let news = Receipt {
            revision: content_hash.to_owned(),
            duplicate_of: first.submission_id,
            sequence: first.sequence,
            ..self.news(id, SubmissionState::Unchanged)
        };
        self.ledger.merge(news).await?;
        self.receipt(id).await
    }

    async fn store(&self, file: &File, reference: &ContentRef) -> Result<(), transport::Error> {
        if self.originals.exists(&reference.key).await? {
            return Ok(());
        }
        self.originals.put(&reference.key, file.bytes.clone()).await
    }

    async fn publish_received(
        &self,
        id: &str,
        submission: &Submission,
        stored: Stored,
    ) -> Result<u64, transport::Error> {
        let event = submission.received(id, stored, timestamp(self.runtime.clock().now()));
        let subject = Event::ReportReceived.subject(submission.about.region());
        let output = Output::new(subject, Event::ReportReceived.ce_type(), &event);
        Ok(self.runtime.publish(id, output).await?.sequence)
    }

    fn news(&self, id: &str, state: SubmissionState) -> Receipt {
        let trace_id = trace::current_trace_id();
        Receipt { submission_id: id.to_owned(), state: state.into(), trace_id, ..Receipt::default() }
    }

    /// Where its state can be asked for depends on who serves it, so it is not stored.
    fn addressed(&self, receipt: Receipt) -> Receipt {
        let status_url = format!("{}/v1/submissions/{}", self.public_url, receipt.submission_id);
        Receipt { status_url, ..receipt }
    }
}

fn not_found(id: &str) -> Problem {
    Problem::new(Code::SubmissionNotFound, format!("nobody submitted \"{}\" here", crate::problem::quote(id)))
}
