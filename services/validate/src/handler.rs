//! The stage's handler: records an arrival, a withdrawal or an erasure and validates every report that it concerns.
//!
//! If the event of an erased content comes after its tombstone, the answer is a rejection.
//!
//! A violated rule is a finding inside `ReportValidated`, not an error. If the prose was erased from the object store
//! between two stages, the report's tables are still checked, and findings that depend on prose are left out.

use std::sync::Arc;

use anyhow::anyhow;
use async_trait::async_trait;
use gongkai_agencies::Registry;
use gongkai_lifecycle::{TakenDown, UrlIndex, concerned, record_report, record_url_withdrawal};
use gongkai_model::{Rejection, RejectionCode, ReportKey};
use gongkai_neighbours::{SharedRecords, record, shared_records::sibling_scope};
use gongkai_proto::{
    ReportEvent,
    convert::history,
    subjects,
    v1::{self, AgencyRecord, ReadingsRecord, UrlIndexRecord},
};
use gongkai_rules::RuleSet;
use gongkai_worker::{Context, Decision, Handler, Output, RecordStore, Runtime};
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

use crate::{
    UNREADABLE_EVENT, document::ParsedDocument, metrics::Metrics, notices, refiling,
    revalidation::Revalidation, revalidator::Revalidator,
};

/// Maximum number of lost races in a row for one record before a message is retried later. All children of a parent
/// write its record.
const MAX_RACES: u32 = 40;
/// Code of a dead letter for a record that has no room.
const RECORD_FULL: &str = "STATE_TOO_LARGE";
/// Number of deliveries after which a report that was read again is validated by the list of agencies that is there.
const REGISTRY_ATTEMPTS: u32 = 4;

/// The stage's handler.
pub struct Validator {
    shared: SharedRecords,
    revalidator: Revalidator,
}

impl Validator {
    /// Creates a handler over the runtime's buckets and CPU pool. `registry` lists the agencies.
    #[must_use]
    pub fn new(runtime: &Runtime, rules: RuleSet, registry: watch::Receiver<Arc<Registry>>) -> Self {
        let records = RecordStore::new(runtime.entries(subjects::BUCKET_NEIGHBOURS), MAX_RACES);
        let shared = SharedRecords { records, registry };
        Self {
            revalidator: Revalidator {
                shared: shared.clone(),
                texts: runtime.objects(subjects::BUCKET_TEXTS),
                runtime: runtime.clone(),
                rules,
                metrics: Metrics::new(runtime),
            },
            shared,
        }
    }

    async fn parsed(&self, parsed: v1::ReportParsed, context: &Context) -> Result<Vec<Output>, Decision> {
        self.await_registry(&parsed.registry, context.attempt)?;
        let mut own = self.revalidator.document((parsed, context.sequence), context.trace_id.clone()).await?;
        if own.origin.kind() == v1::DocumentKind::Draft {
            return Ok(vec![self.revalidator.draft(own, context).await?]);
        }
        let arrival = history::arrival(&own.origin, context.sequence)
            .map_err(|error| Decision::bury(UNREADABLE_EVENT, error))?;
        let Some(mut outputs) = self.refile(&mut own, context).await? else { return Ok(Vec::new()) };
        let withdrawal = self.record_url(&own).await?;
        let content = self.revalidator.summary(&own).await?;
        let change = |record: &mut AgencyRecord| {
            let report = record::year_mut(record, own.key.year);
            let is_withdrawal_new =
                withdrawal.as_ref().is_some_and(|withdrawal| record::record_withdrawal(report, withdrawal));
            record::record_arrival(report, &arrival, &content) || is_withdrawal_new
        };
        outputs.extend(self.apply(&own.key, &change, Some(&own), context).await?);
        Ok(outputs)
    }

    /// Returns an error if a document was read again for a list of agencies that this process does not follow yet.
    fn await_registry(&self, awaited: &str, attempt: u32) -> Result<(), Decision> {
        if awaited.is_empty()
            || awaited == self.shared.registry.borrow().name()
            || attempt >= REGISTRY_ATTEMPTS
        {
            return Ok(());
        }
        Err(Decision::retry(anyhow!("the list of agencies is not {awaited} yet")))
    }

    /// Takes an arrival that was read again out of the reports that it left, and validates these. Returns `None` if the arrival
    /// was read once more since.
    async fn refile(
        &self,
        own: &mut ParsedDocument,
        context: &Context,
    ) -> Result<Option<Vec<Output>>, Decision> {
        let (arrival, event) = (own.origin.received_sequence, own.parsed_sequence);
        let Some(filed_as) = &own.filed_as else { return Ok(Some(Vec::new())) };
        let change = |record: &mut ReadingsRecord| {
            let is_first_new = refiling::record_reading(record, filed_as, 0);
            (refiling::record_reading(record, &own.key, event) || is_first_new, ())
        };
        let (readings, ()) = self.shared.records.change(&refiling::readings_key(arrival), change).await?;
        let Some(left) = refiling::left_by(&readings, event) else { return Ok(None) };
        let mut outputs = Vec::new();
        for key in &left {
            let change = |record: &mut AgencyRecord| {
                record::record_departure(record::year_mut(record, key.year), arrival, event)
            };
            outputs.extend(self.apply(key, &change, None, context).await?);
            let left: AgencyRecord = self.shared.records.read(&record::agency_key(&key.agency)).await?.record;
            let last = record::year(&left, key.year).and_then(|report| report.last_verdict.as_ref());
            own.outranks = own.outranks.max(last.map_or(0, |last| last.validation));
        }
        own.moved_from = left;
        Ok(Some(outputs))
    }

    /// Handles a withdrawal. One by URL concerns the reports that arrived with it; one by report concerns that report
    /// at every URL.
    async fn withdrawn(
        &self,
        event: &v1::ReportWithdrawn,
        context: &Context,
    ) -> Result<Vec<Output>, Decision> {
        let withdrawal = history::withdrawal(event, context.sequence, context.logged_at)
            .map_err(|error| Decision::bury(UNREADABLE_EVENT, error))?;
        let index = match withdrawal.url.as_str() {
            "" => UrlIndex::default(),
            url => self.change_url_index(url, |index| record_url_withdrawal(index, withdrawal.rank)).await?,
        };
        let mut outputs = Vec::new();
        for (key, taken_down) in concerned(&withdrawal, &index) {
            let change = |record: &mut AgencyRecord| {
                record::record_withdrawal(record::year_mut(record, key.year), &taken_down)
            };
            outputs.extend(self.apply(&key, &change, None, context).await?);
        }
        Ok(outputs)
    }

    /// Handles an erasure, which concerns every report that the contents were read as.
    async fn erased(&self, event: &v1::ReportErased, context: &Context) -> Result<Vec<Output>, Decision> {
        let erasure = history::erasure(event).map_err(|error| Decision::bury(UNREADABLE_EVENT, error))?;
        let mut outputs = Vec::new();
        for key in &erasure.reports {
            let change = |record: &mut AgencyRecord| {
                record::record_erasure(record::year_mut(record, key.year), &erasure.content_hashes)
            };
            outputs.extend(self.apply(key, &change, None, context).await?);
        }
        Ok(outputs)
    }

    /// Changes the record of a report's agency. Then validates the years that are compared with the report, and then
    /// the relatives.
    async fn apply(
        &self,
        key: &ReportKey,
        change: &(dyn Fn(&mut AgencyRecord) -> bool + Sync),
        own: Option<&ParsedDocument>,
        context: &Context,
    ) -> Result<Vec<Output>, Decision> {
        let years = (0..=record::YEARS_BACK).filter_map(|after| key.year.checked_add(after)).collect();
        let first = Revalidation::new(key.agency.clone(), years);
        let change = |record: &mut AgencyRecord| {
            let is_news = change(record);
            self.record_scope(record, key) || is_news
        };
        let updated = self.revalidator.update(&first, own, context, &change).await;
        if let (Err(Decision::Bury { code: RECORD_FULL, .. }), Some(own)) = (&updated, own) {
            return Ok(vec![own.rejected(&too_many_revisions())]);
        }
        let (record, mut outputs) = updated?;
        let erased = own.filter(|own| own.was_erased(&record));
        outputs.extend(erased.map(|own| own.rejected(&Rejection::erased())));
        for due in notices::notify_relatives(&self.shared, &key.agency, &record, key.year).await? {
            outputs.extend(self.revalidator.revalidate(&due, context).await?);
        }
        Ok(outputs)
    }

    /// Records the group of siblings of a report by the registry's entry of its agency. Returns true if it is another one.
    fn record_scope(&self, record: &mut AgencyRecord, key: &ReportKey) -> bool {
        let report = record::year_mut(record, key.year);
        let scope = sibling_scope(record::region(report), self.shared.profile(&key.agency).as_ref());
        scope.is_some_and(|scope| record::record_scope(report, &scope))
    }

    /// Records that the report arrived with its URL. Returns the withdrawal of that URL with the highest rank.
    async fn record_url(&self, own: &ParsedDocument) -> Result<Option<TakenDown>, Decision> {
        let url = &own.origin.url;
        if url.is_empty() {
            return Ok(None);
        }
        let index = self.change_url_index(url, |index| record_report(index, &own.key)).await?;
        Ok(index.withdrawn.map(|rank| TakenDown { rank, url: url.clone() }))
    }

    async fn change_url_index(
        &self,
        url: &str,
        change: impl Fn(&mut UrlIndex) -> bool + Sync,
    ) -> Result<UrlIndex, Decision> {
        let change = |record: &mut UrlIndexRecord| history::change_index(record, &change);
        let (_, index) = self.shared.records.change(&url_key(url), change).await?;
        Ok(index)
    }
}

#[async_trait]
impl Handler for Validator {
    type Input = ReportEvent;

    async fn handle(&self, event: ReportEvent, context: &Context) -> Result<Vec<Output>, Decision> {
        match event {
            ReportEvent::Parsed(event) => {
                let received_at = event.origin.as_ref().and_then(|origin| origin.received_at);
                let outputs = self.parsed(*event, context).await?;
                self.revalidator.metrics.validated(received_at);
                Ok(outputs)
            }
            ReportEvent::Withdrawn(event) => self.withdrawn(&event, context).await,
            ReportEvent::Erased(event) => self.erased(&event, context).await,
            _ => Err(Decision::unexpected(context)),
        }
    }
}

/// Returns the rejection of a content for which the record of its agency has no room.
fn too_many_revisions() -> Rejection {
    Rejection::new(
        RejectionCode::TooManyRevisions,
        "该机关的年报已有数千个不同版本，不再接收新的版本；请检查发布系统是否反复报送自动变化的网页，并联系管理员。",
        "the agency's reports have thousands of different contents already; check whether the CMS sends a page that changes by \
         itself, and ask the operator",
    )
}

/// Returns the key of a URL's record: a digest, because keys allow fewer characters than URLs. Stored records have
/// the prefix `places/`.
fn url_key(url: &str) -> String {
    format!("places/{}", hex::encode(&Sha256::digest(url)[..16]))
}
