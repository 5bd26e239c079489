//! Has stored documents read again that the list of agencies files under another agency.
//!
//! Each is published once more, on the subject of backfills and as what it is: a repetition of its arrival. Parse files it anew by
//! the list, and the stages take the arrival out of the report under which it was. A call that is repeated publishes the same
//! messages, and what has moved is no longer found.

use std::sync::Arc;

use futures::{StreamExt as _, TryStreamExt as _, stream, stream::BoxStream};
use gongkai_agencies::{Asked, Registry, Resolution};
use gongkai_model::{Arrival, History, Rank, ReportKey};
use gongkai_proto::{
    ReportEvent,
    convert::timestamp::timestamp,
    subjects::{self, Event, STREAM_REPORTS},
    v1::{DocumentReceived, RefiledReport, ReportWithdrawn, Rereading},
};
use gongkai_store::{Cursor, RevisionHeader, query::ReportQuery};
use gongkai_worker::{Output, Runtime};
use sha2::{Digest as _, Sha256};

use crate::{error::QueryError, reads::Reads};

/// Reports per read.
const BATCH: usize = 1000;

/// Finds reports that move, and has them read again. Cheap to clone.
#[derive(Clone)]
pub struct Refiling {
    runtime: Runtime,
    reads: Reads,
}

// === impl Refiling ===

impl Refiling {
    #[must_use]
    pub fn new(runtime: Runtime, reads: Reads) -> Self {
        Self { runtime, reads }
    }

    /// Returns the reports that the list files under another agency, as they are found. Unless `only_named`, their documents are
    /// published to be read again before a report is returned.
    ///
    /// # Errors
    /// The stream ends with the first error. What it returned before is done; call again.
    #[must_use]
    pub fn reports(
        self,
        registry: Arc<Registry>,
        only_named: bool,
    ) -> BoxStream<'static, Result<RefiledReport, QueryError>> {
        let pages = stream::try_unfold(Some(None), move |after: Option<Option<Cursor>>| {
            let (this, registry) = (self.clone(), registry.clone());
            async move {
                let Some(after) = after else { return Ok(None) };
                let (moved, next) = this.page(&registry, after, only_named).await?;
                Ok::<_, QueryError>(Some((stream::iter(moved).map(Ok), next.map(Some))))
            }
        });
        pages.try_flatten().boxed()
    }

    async fn page(
        &self,
        registry: &Registry,
        after: Option<Cursor>,
        only_named: bool,
    ) -> Result<(Vec<RefiledReport>, Option<Cursor>), QueryError> {
        let query = ReportQuery { limit: BATCH, after, ..ReportQuery::default() };
        let page = self.reads.run(move |store| store.reports(&query)).await?;
        let mut moved = Vec::new();
        for report in page.items.iter().filter(|report| may_move(registry, report)) {
            moved.extend(self.report(registry, report, only_named).await?);
        }
        Ok((moved, page.next))
    }

    async fn report(
        &self,
        registry: &Registry,
        report: &RevisionHeader,
        only_named: bool,
    ) -> Result<Option<RefiledReport>, QueryError> {
        let key = report.key.clone();
        let History { arrivals, taken_down, .. } = self.reads.run(move |store| store.history(&key)).await?;
        let mut refiled = None::<RefiledReport>;
        for arrival in arrivals {
            let Some(ReportEvent::Received(received)) = self.logged(arrival.rank).await? else { continue };
            let Some(to) = filed_as(registry, report, &received) else { continue };
            if !only_named {
                self.read_again(*received, &arrival, &report.key, &to).await?;
            }
            let refiled = refiled.get_or_insert_with(|| RefiledReport {
                from: report.key.to_string(),
                to: to.to_string(),
                agency_name: report.agency_name.clone(),
                documents: 0,
            });
            refiled.documents += 1;
        }
        let to = refiled.as_ref().filter(|_| !only_named).and_then(|refiled| refiled.to.parse().ok());
        if let Some(to) = to {
            for down in taken_down.iter().filter(|down| down.url.is_empty()) {
                self.withdraw_again(down.rank, &to).await?;
            }
        }
        Ok(refiled)
    }

    /// Returns the event of this rank; `None` if the log does not have it.
    async fn logged(&self, rank: Rank) -> Result<Option<ReportEvent>, QueryError> {
        let found =
            self.runtime.message(STREAM_REPORTS, rank.sequence()).await.map_err(QueryError::Broker)?;
        Ok(found.and_then(|found| ReportEvent::decode(&found.message.subject, found.message.payload).ok()))
    }

    /// Publishes the withdrawal of a report for the report that it became. It takes effect when it did.
    async fn withdraw_again(&self, rank: Rank, to: &ReportKey) -> Result<(), QueryError> {
        let Some(ReportEvent::Withdrawn(withdrawn)) = self.logged(rank).await? else { return Ok(()) };
        let subject = Event::ReportWithdrawn.subject(withdrawn.region.parse().unwrap_or_default());
        let id = message_id(&withdrawn.submission_id, &format!("{to} {}", rank.sequence()));
        let event = ReportWithdrawn {
            report: to.to_string(),
            event_time: Some(timestamp(rank.effective_at())),
            ..*withdrawn
        };
        let output = Output::new(subject, Event::ReportWithdrawn.ce_type(), &event);
        self.runtime.publish(&id, output).await.map_err(QueryError::Broker)?;
        Ok(())
    }

    /// Publishes a document to be read again. The message id is the same until the document is filed otherwise.
    async fn read_again(
        &self,
        received: DocumentReceived,
        arrival: &Arrival,
        from: &ReportKey,
        to: &ReportKey,
    ) -> Result<(), QueryError> {
        let rereading = Rereading {
            received_sequence: arrival.rank.sequence(),
            effective_at: Some(timestamp(arrival.rank.effective_at())),
            filed_as: from.to_string(),
            expected: to.to_string(),
        };
        let id = message_id(&received.submission_id, &format!("{from} {to} {}", arrival.event));
        let subject = subjects::backfill_subject(received.region.parse().unwrap_or_default());
        let event = DocumentReceived { rereading: Some(rereading), ..received };
        let output = Output::new(subject, Event::ReportReceived.ce_type(), &event);
        self.runtime.publish(&id, output).await.map_err(QueryError::Broker)?;
        Ok(())
    }
}

/// Returns an id that is the same for the same repetition of a submission's event.
fn message_id(submission_id: &str, repetition: &str) -> String {
    format!("{submission_id}.again.{}", hex::encode(&Sha256::digest(repetition)[..8]))
}

/// Returns false if the list surely leaves a report where it is.
fn may_move(registry: &Registry, report: &RevisionHeader) -> bool {
    registry.get(&report.key.agency).is_none()
        || filed_as(registry, report, &DocumentReceived::default()).is_some()
}

/// Returns the report as which the list files a document, if that is another one.
fn filed_as(registry: &Registry, report: &RevisionHeader, received: &DocumentReceived) -> Option<ReportKey> {
    let agency = received.agency.clone().unwrap_or_default();
    let asked = Asked {
        code: &agency.code,
        name: &agency.name,
        document_name: &report.agency_name,
        region: report.origin.region,
        host: gongkai_agencies::host(&report.origin.url),
        year: report.key.year,
    };
    match registry.resolve(&asked) {
        Resolution::Known(known) if known.code != report.key.agency => {
            Some(ReportKey { agency: known.code.clone(), year: report.key.year })
        }
        _ => None,
    }
}
