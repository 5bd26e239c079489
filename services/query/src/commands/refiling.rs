//! Has stored documents read again that a new list of agencies settles otherwise: those of reports that it files under another
//! agency, those of reports whose agency or a body below it has another entry, and those that were rejected because their agency
//! was unknown, or not one of their site's.
//!
//! Parse files each anew by the list, and the stages take the arrival out of the report under which it was. What has moved is no
//! longer found. Once all is published, the list counts as settled; a call that ended early is completed by the next one.

use std::{collections::BTreeSet, sync::Arc};

use futures::{Stream, StreamExt as _, TryStreamExt as _, stream, stream::BoxStream};
use gongkai_agencies::{Asked, Registry, Resolution};
use gongkai_model::{AgencyKey, Arrival, History, ReportKey};
use gongkai_proto::{
    ReportEvent,
    convert::timestamp::timestamp,
    v1::{DocumentReceived, RefiledReport, RefilingReason, Rereading},
};
use gongkai_registry::RegistryStore;
use gongkai_store::{Cursor, RejectedArrival, RevisionHeader, query::ReportQuery};
use gongkai_worker::Runtime;

use super::{
    rejections::{may_settle, rereading},
    rereading::{logged, publish, read_again, received, withdraw_again},
};
use crate::{error::QueryError, reads::Reads};

/// Reports or rejected documents per read.
const BATCH: usize = 1000;

/// Finds documents to read again, and publishes them. Cheap to clone.
#[derive(Clone)]
pub struct Refiling {
    runtime: Runtime,
    reads: Reads,
    lists: RegistryStore,
}

/// One run by one list.
#[derive(Clone)]
struct RefilingRun {
    refiling: Refiling,
    list: Arc<Registry>,
    /// The list by which all was settled before.
    before: Arc<Registry>,
    /// The agencies whose reports may have other findings, although they stay.
    affected: Arc<BTreeSet<AgencyKey>>,
    only_named: bool,
}

// === impl Refiling ===

impl Refiling {
    #[must_use]
    pub fn new(runtime: Runtime, reads: Reads, lists: RegistryStore) -> Self {
        Self { runtime, reads, lists }
    }

    /// Returns what the list settles otherwise, as it is found. Unless `only_named`, documents are published to be read again
    /// before they are returned.
    ///
    /// # Errors
    /// The stream ends with the first error. What it returned before is done; call again.
    pub async fn reports(
        self,
        list: Registry,
        only_named: bool,
    ) -> Result<BoxStream<'static, Result<RefiledReport, QueryError>>, QueryError> {
        let before = self.lists.settled().await.map_err(QueryError::Broker)?;
        let run = RefilingRun {
            affected: Arc::new(list.affected_since(&before)),
            refiling: self,
            list: Arc::new(list),
            before: Arc::new(before),
            only_named,
        };
        Ok(run.clone().stored().chain(run.clone().rejected()).chain(run.end()).boxed())
    }
}

// === impl RefilingRun ===

impl RefilingRun {
    /// Returns the stored reports.
    fn stored(self) -> impl Stream<Item = Result<RefiledReport, QueryError>> + Send {
        let pages = stream::try_unfold(Some(None), move |after: Option<Option<Cursor>>| {
            let this = self.clone();
            async move {
                let Some(after) = after else { return Ok(None) };
                let (found, next) = this.reports_after(after).await?;
                Ok::<_, QueryError>(Some((stream::iter(found).map(Ok), next.map(Some))))
            }
        });
        pages.try_flatten()
    }

    /// Returns the rejected documents. If the list is settled, there are none.
    fn rejected(self) -> impl Stream<Item = Result<RefiledReport, QueryError>> + Send {
        let begin = (self.list.name() != self.before.name() || self.only_named).then_some(0);
        let pages = stream::try_unfold(begin, move |after: Option<u64>| {
            let this = self.clone();
            async move {
                let Some(after) = after else { return Ok(None) };
                let (found, next) = this.rejected_after(after).await?;
                Ok::<_, QueryError>(Some((stream::iter(found).map(Ok), next)))
            }
        });
        pages.try_flatten()
    }

    /// Records at the end of the stream that all is settled.
    fn end(self) -> impl Stream<Item = Result<RefiledReport, QueryError>> + Send {
        let settle = async move {
            if self.only_named { Ok(()) } else { self.refiling.lists.settle(&self.list).await }
        };
        stream::once(settle).filter_map(async |settled| Some(Err(QueryError::Broker(settled.err()?))))
    }

    async fn reports_after(
        &self,
        after: Option<Cursor>,
    ) -> Result<(Vec<RefiledReport>, Option<Cursor>), QueryError> {
        let query = ReportQuery { limit: BATCH, after, ..ReportQuery::default() };
        let page = self.refiling.reads.run(move |store| store.reports(&query)).await?;
        let mut found = Vec::new();
        for report in &page.items {
            let may_move = may_move(&self.list, report);
            let moved = if may_move { self.move_report(report).await? } else { None };
            match moved {
                Some(moved) => found.push(moved),
                None if self.affected.contains(&report.key.agency) => {
                    found.extend(self.settle_report(report).await?);
                }
                None => {}
            }
        }
        Ok((found, page.next))
    }

    /// Has the documents of a report read again that the list files otherwise.
    async fn move_report(&self, report: &RevisionHeader) -> Result<Option<RefiledReport>, QueryError> {
        let History { arrivals, taken_down, .. } = self.history(&report.key).await?;
        let (mut moved_to, mut documents) = (None::<ReportKey>, 0);
        for arrival in arrivals {
            let Some(received) = self.received(arrival.rank.sequence()).await? else { continue };
            let Some(to) = filed_as(&self.list, report, &received) else { continue };
            let (from, to) = (report.key.to_string(), moved_to.insert(to).to_string());
            self.read_again(received, &arrival, from, to).await?;
            documents += 1;
        }
        let Some(to) = moved_to else { return Ok(None) };
        for down in taken_down.iter().filter(|down| down.url.is_empty() && !self.only_named) {
            withdraw_again(&self.refiling.runtime, down.rank, &to).await?;
        }
        Ok(Some(refiled(report, &to, documents, RefilingReason::Moved)))
    }

    /// Has the newest document of a report read again, which stays where it is.
    async fn settle_report(&self, report: &RevisionHeader) -> Result<Option<RefiledReport>, QueryError> {
        let arrivals = self.history(&report.key).await?.arrivals;
        let Some(newest) = arrivals.into_iter().max_by_key(|arrival| arrival.rank) else { return Ok(None) };
        let Some(received) = self.received(newest.rank.sequence()).await? else { return Ok(None) };
        let name = report.key.to_string();
        self.read_again(received, &newest, name.clone(), name).await?;
        Ok(Some(refiled(report, &report.key, 1, RefilingReason::Entry)))
    }

    async fn read_again(
        &self,
        received: DocumentReceived,
        arrival: &Arrival,
        filed_as: String,
        expected: String,
    ) -> Result<(), QueryError> {
        let rereading = Rereading {
            received_sequence: arrival.rank.sequence(),
            effective_at: Some(timestamp(arrival.rank.effective_at())),
            filed_as,
            expected,
            registry: self.list.name().to_owned(),
        };
        if self.only_named {
            return Ok(());
        }
        publish(&self.refiling.runtime, read_again(received, rereading, arrival.event)).await
    }

    /// Returns the rejected documents after an arrival that the list may settle, and where to go on.
    async fn rejected_after(&self, after: u64) -> Result<(Vec<RefiledReport>, Option<u64>), QueryError> {
        let rejected = self.refiling.reads.run(move |store| store.rejected(after, BATCH)).await?;
        let next = rejected.last().map(|last| last.received_sequence);
        let mut found = Vec::new();
        for arrival in rejected {
            found.extend(self.reread_rejected(arrival).await?);
        }
        Ok((found, next))
    }

    async fn reread_rejected(&self, arrival: RejectedArrival) -> Result<Option<RefiledReport>, QueryError> {
        let RejectedArrival { received_sequence, event_sequence } = arrival;
        let event = logged(&self.refiling.runtime, event_sequence).await.map_err(QueryError::Broker)?;
        let Some(ReportEvent::Rejected(rejected)) = event else { return Ok(None) };
        let Some(received) = self.received(received_sequence).await? else { return Ok(None) };
        if !may_settle(&rejected, &received, &self.before, &self.list) {
            return Ok(None);
        }
        let submission_id = received.submission_id.clone();
        if !self.only_named {
            let rereading = rereading(&rejected, &self.list);
            publish(&self.refiling.runtime, read_again(received, rereading, event_sequence)).await?;
        }
        let reason = RefilingReason::Rejected.into();
        Ok(Some(RefiledReport { submission_id, documents: 1, reason, ..RefiledReport::default() }))
    }

    async fn history(&self, key: &ReportKey) -> Result<History, QueryError> {
        let key = key.clone();
        self.refiling.reads.run(move |store| store.history(&key)).await
    }

    /// Returns the document that arrived at this sequence; `None` if the log does not have it.
    async fn received(&self, sequence: u64) -> Result<Option<DocumentReceived>, QueryError> {
        received(&self.refiling.runtime, sequence).await.map_err(QueryError::Broker)
    }
}

fn refiled(report: &RevisionHeader, to: &ReportKey, documents: u32, reason: RefilingReason) -> RefiledReport {
    RefiledReport {
        from: report.key.to_string(),
        to: to.to_string(),
        agency_name: report.agency_name.clone(),
        documents,
        reason: reason.into(),
        submission_id: String::new(),
    }
}

/// Returns false if the list surely leaves a report where it is.
fn may_move(list: &Registry, report: &RevisionHeader) -> bool {
    list.get(&report.key.agency).is_none() || filed_as(list, report, &DocumentReceived::default()).is_some()
}

/// Returns the report as which the list files a document, if that is another one.
fn filed_as(list: &Registry, report: &RevisionHeader, received: &DocumentReceived) -> Option<ReportKey> {
    let agency = received.agency.clone().unwrap_or_default();
    let asked = Asked {
        code: &agency.code,
        name: &agency.name,
        document_name: &report.agency_name,
        region: report.origin.region,
        host: gongkai_agencies::host(&report.origin.url),
        year: report.key.year,
    };
    match list.resolve(&asked) {
        Resolution::Known(known) if known.code != report.key.agency => {
            Some(ReportKey { agency: known.code.clone(), year: report.key.year })
        }
        _ => None,
    }
}
