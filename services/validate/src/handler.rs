//! The stage: take in what arrived or was withdrawn, and say of every report it concerns what the rules say now.
//!
//! A broken rule is a finding inside `ReportValidated`, not an error. Prose that was erased from the object store between
//! two stages is read as absent: the report's tables are checked all the same, and what rests on prose is silent.

use std::sync::Arc;

use async_trait::async_trait;
use gongkai_agencies::Registry;
use gongkai_lifecycle::{TakenDown, UrlIndex, concerned, record_report, record_url_withdrawal};
use gongkai_model::ReportKey;
use gongkai_proto::{
    ReportEvent,
    convert::history,
    subjects,
    v1::{self, AgencyRecord, PlaceRecord},
};
use gongkai_rules::{AgencyYear, RuleSet};
use gongkai_worker::{Context, Decision, Handler, Output, RecordStore, Runtime};
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

use crate::{
    UNREADABLE_EVENT, cells,
    metrics::Metrics,
    record,
    settle::{Ask, Settler},
    subject::Subject,
};

/// Lost races in a row for one record before a message is tried again later: a parent's record sees all its children.
const MAX_RACES: u32 = 40;

/// The stage's handler.
pub struct Checker {
    settler: Settler,
}

impl Checker {
    /// A checker over the runtime's buckets and CPU pool, for the agencies of a registry.
    #[must_use]
    pub fn new(runtime: &Runtime, rules: RuleSet, registry: watch::Receiver<Arc<Registry>>) -> Self {
        Self {
            settler: Settler {
                ledger: RecordStore::new(runtime.entries(subjects::BUCKET_NEIGHBOURS), MAX_RACES),
                texts: runtime.objects(subjects::BUCKET_TEXTS),
                runtime: runtime.clone(),
                rules,
                registry,
                metrics: Metrics::new(runtime),
            },
        }
    }

    async fn parsed(&self, parsed: v1::ReportParsed, context: &Context) -> Result<Vec<Output>, Decision> {
        let own = self.settler.subject(parsed, context.trace_id.clone()).await?;
        if own.origin.kind() == v1::DocumentKind::Draft {
            return Ok(vec![self.settler.draft(own, context).await?]);
        }
        let arrival = history::arrival(&own.origin, context.sequence)
            .map_err(|error| Decision::bury(UNREADABLE_EVENT, error))?;
        let taken_down = self.record_address(&own).await?;
        let report = own.report.clone();
        let seen = move || AgencyYear::of(&report, gongkai_agencies::kind_of(&report.agency));
        let seen = self.settler.runtime.cpu(seen).await.map_err(Decision::retry)?;
        let content = cells::content(&seen, &own.origin.content_hash, context.sequence);
        let take = |record: &mut AgencyRecord| {
            let report = record::year_mut(record, own.key.year);
            let is_down = taken_down.as_ref().is_some_and(|down| record::take_withdrawal(report, down));
            record::take_arrival(report, &arrival, &content) || is_down
        };
        self.settle(&own.key, &take, Some(&own), context).await
    }

    /// By URL it takes down what stood there, by report what it names wherever it stood.
    async fn withdrawn(
        &self,
        event: &v1::ReportWithdrawn,
        context: &Context,
    ) -> Result<Vec<Output>, Decision> {
        let withdrawal = history::withdrawal(event, context.sequence, context.logged_at)
            .map_err(|error| Decision::bury(UNREADABLE_EVENT, error))?;
        let index = match withdrawal.url.as_str() {
            "" => UrlIndex::default(),
            url => {
                let take = |index: &mut UrlIndex| record_url_withdrawal(index, withdrawal.rank);
                let change = |place: &mut PlaceRecord| history::change_index(place, take);
                self.settler.ledger.change(&place_key(url), change).await?.1
            }
        };
        let mut outputs = Vec::new();
        for (key, taken_down) in concerned(&withdrawal, &index) {
            let take = |record: &mut AgencyRecord| {
                record::take_withdrawal(record::year_mut(record, key.year), &taken_down)
            };
            outputs.extend(self.settle(&key, &take, None, context).await?);
        }
        Ok(outputs)
    }

    /// Changes a report and settles everything that looks at it.
    async fn settle(
        &self,
        key: &ReportKey,
        take: &(dyn Fn(&mut AgencyRecord) -> bool + Sync),
        own: Option<&Subject>,
        context: &Context,
    ) -> Result<Vec<Output>, Decision> {
        let years: Vec<i32> =
            (0..=record::YEARS_BACK).filter_map(|after| key.year.checked_add(after)).collect();
        let ask = Ask { own, ..Ask::other(&key.agency, &years, context) };
        let (record, mut outputs) = self.settler.change(ask, take).await?;
        outputs.extend(self.settler.spread(&key.agency, &record, key.year, context).await?);
        Ok(outputs)
    }

    /// Records that the report arrived with its address; gives the withdrawal of that address that ranks highest.
    async fn record_address(&self, own: &Subject) -> Result<Option<TakenDown>, Decision> {
        let url = &own.origin.url;
        if url.is_empty() {
            return Ok(None);
        }
        let take = |index: &mut UrlIndex| record_report(index, &own.key);
        let change = |place: &mut PlaceRecord| history::change_index(place, take);
        let (_, index) = self.settler.ledger.change(&place_key(url), change).await?;
        Ok(index.withdrawn.map(|rank| TakenDown { rank, url: url.clone() }))
    }
}

#[async_trait]
impl Handler for Checker {
    type Input = ReportEvent;

    async fn handle(&self, event: ReportEvent, context: &Context) -> Result<Vec<Output>, Decision> {
        match event {
            ReportEvent::Parsed(event) => {
                let received_at = event.origin.as_ref().and_then(|origin| origin.received_at);
                let outputs = self.parsed(*event, context).await?;
                self.settler.metrics.validated(received_at);
                Ok(outputs)
            }
            ReportEvent::Withdrawn(event) => self.withdrawn(&event, context).await,
            _ => Err(Decision::unexpected(context)),
        }
    }
}

/// Key of an address's record: its digest, since an address has characters that a key has not.
fn place_key(url: &str) -> String {
    format!("places/{}", hex::encode(&Sha256::digest(url)[..16]))
}
