//! Has stored reports read or checked again by the present program and rules, because an operator asks for it.
//!
//! Of each report its current document is handled: read again as a backfill, or checked again as it was read, behind newer
//! messages. Each message is a repetition: it has an id with that of the run, and a trace of its own with a link to the first one.

use futures::{Stream, StreamExt as _, TryStreamExt as _, stream};
use gongkai_model::ReportKey;
use gongkai_neighbours::record;
use gongkai_proto::ReportEvent;
use gongkai_proto::convert::timestamp::timestamp;
use gongkai_proto::subjects::{self, STREAM_REPORTS};
use gongkai_proto::v1::{AgencyRecord, DocumentReceived, ReprocessedReport, Rereading, Stage};
use gongkai_registry::RegistryStore;
use gongkai_store::{Cursor, ReportScope, RevisionHeader, query::ReportQuery};
use gongkai_worker::repetition::{FirstCopy, repeat};
use gongkai_worker::transport::{self, Logged};
use gongkai_worker::{Message, RecordStore, Runtime};
use prost::Message as _;
use time::OffsetDateTime;

use super::pace::Pace;
use crate::error::QueryError;
use crate::reads::Reads;

/// Reports per read.
const BATCH: usize = 500;

/// Publishes stored documents once more. Cheap to clone.
#[derive(Clone)]
pub struct Reprocessing {
    runtime: Runtime,
    reads: Reads,
    lists: RegistryStore,
    /// Validate's records of reports. Only read here.
    neighbours: RecordStore,
}

/// Which reports to run again, and how.
#[derive(Debug, Clone)]
pub struct ReprocessingOrder {
    /// The agencies and years.
    pub scope: ReportScope,
    /// Reports received at this time or later.
    pub since: Option<OffsetDateTime>,
    /// The first stage to run again: parse or validate.
    pub stage: Stage,
    /// True to publish nothing.
    pub only_named: bool,
}

/// One run.
struct ReprocessingRun {
    reprocessing: Reprocessing,
    order: ReprocessingOrder,
    run_id: String,
    /// The name of the list of agencies by which documents are read.
    list: String,
    pace: Pace,
}

// === impl Reprocessing ===

impl Reprocessing {
    #[must_use]
    pub fn new(runtime: Runtime, reads: Reads, lists: RegistryStore) -> Self {
        let neighbours = RecordStore::new(runtime.entries(subjects::BUCKET_NEIGHBOURS), 1);
        Self { runtime, reads, lists, neighbours }
    }

    /// Returns the reports as they are found. Unless only named, the message of each is published before it is returned.
    ///
    /// # Errors
    /// The stream ends with the first error; what it returned before is published.
    pub async fn reports(
        self,
        order: ReprocessingOrder,
    ) -> Result<impl Stream<Item = Result<ReprocessedReport, QueryError>> + Send, QueryError> {
        let list = self.lists.newest().await.map_err(QueryError::Broker)?;
        let run = ReprocessingRun {
            run_id: format!("r{}", self.runtime.clock().now().unix_timestamp_nanos() / 1_000_000),
            pace: Pace::new(self.runtime.clone()),
            reprocessing: self.clone(),
            order: order.clone(),
            list,
        };
        let pages = self.stored(order);
        Ok(stream::try_unfold((run, Box::pin(pages)), async |(mut run, mut pages)| {
            let Some(report) = pages.try_next().await? else { return Ok(None) };
            let done = run.one(&report).await?;
            Ok(Some((done, (run, pages))))
        }))
    }

    /// Returns the current revisions that an order selects.
    fn stored(
        self,
        order: ReprocessingOrder,
    ) -> impl Stream<Item = Result<RevisionHeader, QueryError>> + Send {
        let since = order.since;
        let pages = stream::try_unfold(Some(None), move |after: Option<Option<Cursor>>| {
            let (reads, scope) = (self.reads.clone(), order.scope.clone());
            async move {
                let Some(after) = after else { return Ok(None) };
                let query = ReportQuery { scope, limit: BATCH, after, ..ReportQuery::default() };
                let page = reads.run(move |store| store.reports(&query)).await?;
                Ok::<_, QueryError>(Some((stream::iter(page.items).map(Ok), page.next.map(Some))))
            }
        });
        let is_due =
            move |report: &RevisionHeader| since.is_none_or(|since| report.origin.received_at >= since);
        pages.try_flatten().try_filter(move |report| std::future::ready(is_due(report)))
    }
}

// === impl ReprocessingRun ===

impl ReprocessingRun {
    async fn one(&mut self, report: &RevisionHeader) -> Result<ReprocessedReport, QueryError> {
        let answer = ReprocessedReport {
            name: report.key.to_string(),
            agency_name: report.agency_name.clone(),
            ..ReprocessedReport::default()
        };
        let message = match self.order.stage {
            Stage::Validate => self.checked_again(&report.key).await.map_err(QueryError::Broker)?,
            Stage::Parse | Stage::Unspecified => self.read_again(&report.key).await?,
        };
        let Some((message_id, message)) = message else {
            return Ok(ReprocessedReport { skipped: "the log has no such document".to_owned(), ..answer });
        };
        if self.order.only_named {
            return Ok(answer);
        }
        // Documents to read wait as a backfill; the later stages have no lane of their own.
        if self.order.stage == Stage::Validate {
            self.pace.turn(&message.subject).await;
        }
        self.reprocessing.runtime.republish(&message).await.map_err(QueryError::Broker)?;
        Ok(ReprocessedReport { message_id, run_id: self.run_id.clone(), ..answer })
    }

    /// Returns the message that has the newest document of a report read again, and its id.
    async fn read_again(&self, key: &ReportKey) -> Result<Option<(String, Message)>, QueryError> {
        let of = key.clone();
        let arrivals = self.reprocessing.reads.run(move |store| store.history(&of)).await?.arrivals;
        let Some(newest) = arrivals.into_iter().max_by_key(|arrival| arrival.rank) else { return Ok(None) };
        let sequence = newest.rank.sequence();
        let Some(Logged { message, .. }) = self.logged(sequence).await.map_err(QueryError::Broker)? else {
            return Ok(None);
        };
        let event = ReportEvent::decode(&message.subject, message.payload.clone());
        let Ok(ReportEvent::Received(received)) = event else { return Ok(None) };
        let id = format!("{}.again.{}.{sequence}", received.submission_id, self.run_id);
        let rereading = Rereading {
            received_sequence: sequence,
            effective_at: Some(timestamp(newest.rank.effective_at())),
            filed_as: key.to_string(),
            expected: key.to_string(),
            registry: self.list.clone(),
        };
        let subject = subjects::backfill_subject(received.region.parse().unwrap_or_default());
        let event = DocumentReceived { rereading: Some(rereading), ..*received };
        let message = Message { subject, payload: event.encode_to_vec().into(), ..message };
        let message = repeat(&message, None, None, &id).map_err(QueryError::Broker)?;
        Ok(Some((id, message)))
    }

    /// Returns the message that has a report checked again as it was read, and its id.
    async fn checked_again(&self, key: &ReportKey) -> Result<Option<(String, Message)>, transport::Error> {
        let neighbours = &self.reprocessing.neighbours;
        let agency: AgencyRecord = neighbours.read(&record::agency_key(&key.agency)).await?.record;
        let current = record::year(&agency, key.year).and_then(record::current_revision);
        let Some(sequence) = current.map(|current| current.arrival.event) else { return Ok(None) };
        let Some(Logged { message, logged_at }) = self.logged(sequence).await? else { return Ok(None) };
        let event = ReportEvent::decode(&message.subject, message.payload.clone());
        if !matches!(event, Ok(ReportEvent::Parsed(_))) {
            return Ok(None);
        }
        let first = FirstCopy { id: message.id_in(STREAM_REPORTS, sequence), sequence, logged_at };
        let id = format!("{}.again.{}", first.id, self.run_id);
        let message = repeat(&message, Some(&first), None, &id)?;
        Ok(Some((id, message)))
    }

    async fn logged(&self, sequence: u64) -> Result<Option<Logged>, transport::Error> {
        self.reprocessing.runtime.message(STREAM_REPORTS, sequence).await
    }
}
