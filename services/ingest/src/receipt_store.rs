//! The state that ingest keeps, in one key-value bucket:
//!
//! | key | value | content |
//! |---|---|---|
//! | `s-…` | a `Receipt` | the state of a submission |
//! | `i-…` | a [`CallRecord`](crate::calls::CallRecord) | the calls under one id of a sender |
//! | `c-…` | [`LastAccepted`] | the last submission of a content that was not redundant |
//! | `p-…` | a [`PlaceRecord`](crate::places::PlaceRecord) | the submissions at a place, a URL or an agency and year |
//! | `r-…` | a `HistoryRecord` | the arrivals of a report, and its withdrawals by name |
//! | `u-…` | a `UrlIndexRecord` | the last withdrawal of a URL |
//! | `rebuilt` | a number | the last epoch of the log from which the bucket was restored |
//!
//! The log is authoritative; this bucket is derived from it, and [`crate::rebuild`] restores it. If an entry is lost,
//! the same content is processed a second time, but no document is lost. [`gongkai_lifecycle`] decides which content
//! of a report is current.

mod acceptance;

use std::collections::BTreeSet;

use bytes::Bytes;
use futures::{
    StreamExt as _,
    stream::{self, BoxStream},
};

use crate::{outcomes::Outcomes, places::LastAccepted, state, submission::digest};
use gongkai_lifecycle::{
    Arrival, History, Rank, TakenDown, UrlIndex, Withdrawal, current, record_arrival, record_departure,
    record_erasure, record_url_withdrawal, record_withdrawal,
};
use gongkai_model::ReportKey;
use gongkai_proto::{
    convert::history,
    subjects::BUCKET_SUBMISSIONS,
    v1::{HistoryRecord, Receipt, ReportErased, SubmissionState, UrlIndexRecord},
};
use gongkai_worker::{Record, RecordStore, Runtime, transport::Error};
use serde::{Deserialize, Serialize};

/// Maximum number of lost races in a row for one entry. In each of them another writer succeeded.
const MAX_RACES: u32 = 32;

/// Key of [`Rebuilt`].
const REBUILT: &str = "rebuilt";

/// The last epoch of the log from which the bucket was restored.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Rebuilt {
    log_epoch: Option<u64>,
}

impl Record for Rebuilt {
    fn encode(&self) -> Bytes {
        serde_json::to_vec(self).expect("a number always serialises").into()
    }

    fn decode(value: Bytes) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(serde_json::from_slice(&value)?)
    }
}

/// The bucket of receipts. Cheap to clone.
#[derive(Clone)]
pub struct ReceiptStore {
    records: RecordStore,
    runtime: Runtime,
    outcomes: Outcomes,
}

/// The last erasure of a report.
#[derive(Clone, PartialEq, prost::Message)]
struct ErasedReport {
    /// Everything is erased that the log had before this sequence.
    #[prost(uint64, tag = "1")]
    before: u64,
    /// Without the objects.
    #[prost(message, optional, tag = "2")]
    tombstone: Option<ReportErased>,
}

// === impl ReceiptStore ===

impl ReceiptStore {
    /// Opens the bucket.
    #[must_use]
    pub fn new(runtime: &Runtime) -> Self {
        let records = RecordStore::new(runtime.entries(BUCKET_SUBMISSIONS), MAX_RACES);
        Self { records, runtime: runtime.clone(), outcomes: Outcomes::new(runtime) }
    }

    /// Returns the epoch of the log; see [`Runtime::log_epoch`].
    #[must_use]
    pub fn log_epoch(&self) -> u64 {
        self.runtime.log_epoch()
    }

    /// Returns the receipt of a submission as it is stored.
    ///
    /// # Errors
    /// The broker did not answer.
    pub async fn get(&self, id: &str) -> Result<Option<Receipt>, Error> {
        let receipt: Receipt = self.records.read(id).await?.record;
        Ok(is_known(&receipt).then_some(receipt))
    }

    /// Returns the receipt as a client sees it. An `unchanged` receipt shows the outcome of the first submission.
    ///
    /// # Errors
    /// The broker did not answer.
    pub async fn resolve(&self, id: &str) -> Result<Option<Receipt>, Error> {
        match self.get(id).await? {
            Some(receipt) => self.outcome(receipt).await.map(Some),
            None => Ok(None),
        }
    }

    /// Returns an `unchanged` receipt with the outcome of the first submission, and any other unchanged.
    ///
    /// # Errors
    /// The broker did not answer.
    pub async fn outcome(&self, receipt: Receipt) -> Result<Receipt, Error> {
        if receipt.state() != SubmissionState::Unchanged {
            return Ok(receipt);
        }
        let first = self.get(&receipt.duplicate_of).await?;
        Ok(match first {
            Some(first) => outcome_of(&receipt, first),
            None => receipt,
        })
    }

    /// Returns the receipt as [`Self::resolve`] does, if it belongs to the present log. A receipt of a log that was
    /// lost since is emptied, so that the submission is accepted again.
    ///
    /// # Errors
    /// The broker did not answer.
    pub async fn known(&self, id: &str) -> Result<Option<Receipt>, Error> {
        let Some(receipt) = self.get(id).await? else { return Ok(None) };
        let epoch = self.runtime.log_epoch();
        if receipt.log_epoch >= epoch {
            return self.outcome(receipt).await.map(Some);
        }
        let empty = |known: &mut Receipt| {
            let is_lost = is_known(known) && known.log_epoch < epoch;
            if is_lost {
                *known = Receipt::default();
            }
            (is_lost, ())
        };
        self.records.change(id, empty).await?;
        self.resolve(id).await
    }

    /// Merges an update into the stored receipt and returns the result. Updates may come in any order.
    ///
    /// # Errors
    /// The broker did not answer. Merging the same update again is harmless.
    pub async fn merge(&self, update: Receipt) -> Result<Receipt, Error> {
        let merged = |known: &Receipt| match is_known(known) {
            true => state::merge(known.clone(), update.clone()),
            false => update.clone(),
        };
        self.update(&update.submission_id, merged).await
    }

    /// Merges an update from the log, and returns the result. If there is no receipt yet, the new one belongs to the
    /// present log.
    ///
    /// # Errors
    /// As for [`Self::merge`].
    pub async fn learn(&self, update: Receipt) -> Result<Receipt, Error> {
        let epoch = self.runtime.log_epoch();
        let merged = |known: &Receipt| match is_known(known) {
            true => state::learn(known.clone(), update.clone()),
            false => Receipt { log_epoch: epoch, ..update.clone() },
        };
        self.update(&update.submission_id, merged).await
    }

    async fn update(
        &self,
        id: &str,
        merged: impl Fn(&Receipt) -> Receipt + Send + Sync,
    ) -> Result<Receipt, Error> {
        let take = |known: &mut Receipt| {
            let (before, merged) = (known.state(), merged(known));
            let is_changed = merged != *known;
            *known = merged;
            (is_changed, before)
        };
        let (receipt, before) = self.records.change(id, take).await?;
        self.outcomes.changed(before, &receipt);
        Ok(receipt)
    }

    /// Records the arrival of a report.
    ///
    /// # Errors
    /// The broker did not answer.
    pub async fn record_arrival(&self, report: &str, arrival: &Arrival) -> Result<(), Error> {
        self.change_history(report, |history| record_arrival(history, arrival)).await
    }

    /// Records that all of a report was erased that the log had before this sequence. The latest erasure counts.
    ///
    /// # Errors
    /// The broker did not answer.
    pub async fn record_erased_report(
        &self,
        report: &str,
        tombstone: &ReportErased,
        before: u64,
    ) -> Result<(), Error> {
        let at = |tombstone: &ReportErased| tombstone.erased_at.map(|at| (at.seconds, at.nanos));
        let take = |known: &mut ErasedReport| {
            // A tombstone that follows has the time of the first, whose sequence counts.
            let is_news = match &known.tombstone {
                Some(last) if at(last) == at(tombstone) => before < known.before,
                Some(last) => at(last) < at(tombstone),
                None => true,
            };
            if is_news {
                *known = ErasedReport { before, tombstone: Some(tombstone.clone()) };
            }
            (is_news, ())
        };
        self.records.change(&erased_entry(report), take).await.map(drop)
    }

    /// Returns the tombstone of the last erasure of a report, with the sequence before which everything is erased.
    ///
    /// # Errors
    /// The broker did not answer.
    pub async fn erased_report(&self, report: &str) -> Result<Option<(u64, ReportErased)>, Error> {
        let ErasedReport { before, tombstone } = self.records.read(&erased_entry(report)).await?.record;
        Ok(tombstone.map(|tombstone| (before, tombstone)))
    }

    /// Records that an arrival left a report, because this event reads it as another.
    ///
    /// # Errors
    /// The broker did not answer.
    pub async fn record_departure(&self, report: &str, arrival: u64, event: u64) -> Result<(), Error> {
        self.change_history(report, |history| record_departure(history, arrival, event)).await
    }

    /// Records that contents of a report were erased.
    ///
    /// # Errors
    /// The broker did not answer.
    pub async fn record_erasure(&self, report: &str, content_hashes: &[String]) -> Result<(), Error> {
        self.change_history(report, |history| record_erasure(history, content_hashes)).await
    }

    /// Records a withdrawal. It has no effect if a withdrawal of higher rank is recorded.
    ///
    /// # Errors
    /// The broker did not answer.
    pub async fn record_withdrawal(&self, withdrawal: &Withdrawal) -> Result<(), Error> {
        let Withdrawal { rank, url, report, .. } = withdrawal;
        if let Some(report) = report {
            let taken_down = TakenDown { rank: *rank, url: String::new() };
            let take = |history: &mut History| record_withdrawal(history, &taken_down);
            self.change_history(&report.to_string(), take).await?;
        }
        if !url.is_empty() {
            let take = |index: &mut UrlIndex| record_url_withdrawal(index, *rank);
            let change = |record: &mut UrlIndexRecord| history::change_index(record, take);
            self.records.change(&url_entry(url), change).await?;
        }
        Ok(())
    }

    async fn change_history(
        &self,
        report: &str,
        take: impl Fn(&mut History) -> bool + Send + Sync,
    ) -> Result<(), Error> {
        let change = |record: &mut HistoryRecord| history::change_history(record, &take);
        self.records.change(&report_entry(report), change).await.map(drop)
    }

    /// Returns the rank of a content of a report if it is the current one, as far as the stages' events have arrived.
    ///
    /// # Errors
    /// The broker did not answer.
    pub async fn current_rank(&self, report: &str, content_hash: &str) -> Result<Option<Rank>, Error> {
        let mut history = self.history(report).await?;
        let Some(newest) = current(&history).filter(|current| current.content_hash() == content_hash) else {
            return Ok(None);
        };
        // Withdrawals by URL are stored by URL, and do not decide which content is current.
        let urls: BTreeSet<String> = newest.arrivals().iter().map(|arrival| arrival.url.clone()).collect();
        for url in urls {
            if let Some(rank) = self.withdrawn(&url).await? {
                record_withdrawal(&mut history, &TakenDown { rank, url });
            }
        }
        let current = current(&history).filter(|current| !current.is_withdrawn);
        Ok(current.map(|current| current.newest().rank))
    }

    /// Returns true if a report was withdrawn by its name after `seen`, or if that is uncertain.
    ///
    /// # Errors
    /// The broker did not answer.
    pub async fn is_withdrawn_after(&self, report: &ReportKey, seen: &LastAccepted) -> Result<bool, Error> {
        let history = self.history(&report.to_string()).await?;
        let is_later = |rank: Rank| rank.sequence() > seen.sequence || rank > seen.rank();
        Ok(history.taken_down.iter().any(|down| down.url.is_empty() && is_later(down.rank)))
    }

    /// Returns the history of a report.
    ///
    /// # Errors
    /// The broker did not answer.
    pub async fn history(&self, report: &str) -> Result<History, Error> {
        let record: HistoryRecord = self.records.read(&report_entry(report)).await?.record;
        Ok(History::from(&record))
    }

    /// Returns the highest rank among the withdrawals of a URL.
    async fn withdrawn(&self, url: &str) -> Result<Option<Rank>, Error> {
        if url.is_empty() {
            return Ok(None);
        }
        let record: UrlIndexRecord = self.records.read(&url_entry(url)).await?.record;
        Ok(UrlIndex::from(&record).withdrawn)
    }

    /// Returns true if the receipts include everything in the log up to its last loss.
    ///
    /// # Errors
    /// The broker did not answer.
    pub async fn is_whole(&self) -> Result<bool, Error> {
        let rebuilt: Rebuilt = self.records.read(REBUILT).await?.record;
        Ok(rebuilt.log_epoch >= Some(self.log_epoch()))
    }

    /// Records that the receipts include everything in the log of this epoch.
    ///
    /// # Errors
    /// The broker did not answer.
    pub async fn note_whole(&self, log_epoch: u64) -> Result<(), Error> {
        let note = |rebuilt: &mut Rebuilt| {
            let is_later = rebuilt.log_epoch < Some(log_epoch);
            rebuilt.log_epoch = rebuilt.log_epoch.max(Some(log_epoch));
            (is_later, ())
        };
        self.records.change(REBUILT, note).await.map(drop)
    }

    /// Returns a stream of the present receipt and of the receipt after every change, up to the final state; `None`
    /// if it is unknown. For an `unchanged` receipt, the stream follows the first submission.
    ///
    /// # Errors
    /// The broker did not answer.
    pub async fn watch(&self, id: &str) -> Result<Option<BoxStream<'static, Result<Receipt, Error>>>, Error> {
        let Some(now) = self.resolve(id).await? else { return Ok(None) };
        let unchanged = (now.state() == SubmissionState::Unchanged).then(|| now.clone());
        let followed = unchanged.as_ref().map_or(id, |own| own.duplicate_of.as_str());
        let receipts = self.records.watch::<Receipt>(followed).await?;
        let later = receipts.map(move |receipt| {
            let receipt = receipt?;
            let is_last = state::is_final(&receipt);
            Ok((
                unchanged.as_ref().map_or_else(|| receipt.clone(), |own| outcome_of(own, receipt.clone())),
                is_last,
            ))
        });
        let all = stream::once(async move { Ok((now, false)) }).chain(later);
        Ok(Some(changes(all.boxed())))
    }
}

/// Drops repetitions and ends after the final receipt.
fn changes(
    all: BoxStream<'static, Result<(Receipt, bool), Error>>,
) -> BoxStream<'static, Result<Receipt, Error>> {
    let state = (all, None::<Receipt>, false);
    stream::unfold(state, |(mut all, mut sent, mut is_over)| async move {
        while !is_over {
            match all.next().await? {
                Err(error) => return Some((Err(error), (all, sent, true))),
                Ok((receipt, is_last)) => {
                    is_over = is_last;
                    if sent.as_ref() != Some(&receipt) {
                        sent = Some(receipt.clone());
                        return Some((Ok(receipt), (all, sent, is_over)));
                    }
                }
            }
        }
        None
    })
    .boxed()
}

/// Returns an `unchanged` receipt with the outcome of the first submission.
fn outcome_of(unchanged: &Receipt, first: Receipt) -> Receipt {
    Receipt {
        report: first.report,
        findings: first.findings,
        rejection: first.rejection,
        differences: first.differences,
        parts: first.parts,
        agency_name: if first.agency_name.is_empty() {
            unchanged.agency_name.clone()
        } else {
            first.agency_name
        },
        ..unchanged.clone()
    }
}

fn is_known(receipt: &Receipt) -> bool {
    !receipt.submission_id.is_empty()
}

fn url_entry(url: &str) -> String {
    format!("u-{}", digest(&[url]))
}

fn erased_entry(report: &str) -> String {
    format!("e-{report}")
}

fn report_entry(report: &str) -> String {
    format!("r-{report}")
}
