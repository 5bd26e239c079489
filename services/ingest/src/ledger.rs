//! What ingest remembers, in one key-value bucket:
//!
//! | key | value | for |
//! |---|---|---|
//! | `s-…` | a `Receipt` | the state of a submission |
//! | `c-…` | [`Seen`] | which submission brought this content first |
//! | `r-…` | a `HistoryRecord` | what arrived of this report, and its withdrawals by name |
//! | `u-…` | a `UrlIndexRecord` | when this URL was last withdrawn |
//!
//! Nothing here is the truth; the log is. A lost entry costs a second run over the same content, never a document. What
//! stands of a report is for [`gongkai_lifecycle`] to say.

use std::collections::BTreeSet;

use bytes::Bytes;
use futures::{
    StreamExt as _,
    stream::{self, BoxStream},
};
use serde::{Deserialize, Serialize};

use crate::{state, submission::digest};
use gongkai_lifecycle::{
    Arrival, History, Rank, TakenDown, UrlIndex, Withdrawal, current, record_arrival, record_url_withdrawal,
    record_withdrawal,
};
use gongkai_proto::{
    convert::history,
    subjects::BUCKET_SUBMISSIONS,
    v1::{HistoryRecord, Receipt, SubmissionState, UrlIndexRecord},
};
use gongkai_worker::{Record, RecordStore, Runtime, record_store::Noted, transport::Error};

/// Lost races in a row for one entry before the caller is told. Each loss means that somebody else got on.
const MAX_RACES: u32 = 32;

/// The bucket. Cheap to clone.
#[derive(Clone)]
pub struct Ledger {
    records: RecordStore,
}

/// The first arrival of a content; the default if it never came.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The submission that brought it.
    pub submission_id: String,
    /// Stream sequence of its `DocumentReceived`.
    pub sequence: u64,
    /// Where it was published; empty if unknown.
    pub url: String,
}

// === impl Seen ===

impl Record for Seen {
    fn encode(&self) -> Bytes {
        serde_json::to_vec(self).expect("strings and numbers always serialise").into()
    }

    /// An entry of another version counts as none: the content runs again.
    fn decode(value: Bytes) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(serde_json::from_slice(&value).unwrap_or_default())
    }
}

// === impl Ledger ===

impl Ledger {
    /// The ledger of this deployment.
    #[must_use]
    pub fn new(runtime: &Runtime) -> Self {
        Self { records: RecordStore::new(runtime.entries(BUCKET_SUBMISSIONS), MAX_RACES) }
    }

    /// The receipt of a submission, if it is known.
    ///
    /// # Errors
    /// The store was not reached.
    pub async fn get(&self, id: &str) -> Result<Option<Receipt>, Error> {
        let receipt: Receipt = self.records.read(id).await?.record;
        Ok(is_known(&receipt).then_some(receipt))
    }

    /// The receipt as a reader should see it: one that is `unchanged` shows what became of the first.
    ///
    /// # Errors
    /// The store was not reached.
    pub async fn resolve(&self, id: &str) -> Result<Option<Receipt>, Error> {
        let Some(receipt) = self.get(id).await? else { return Ok(None) };
        if receipt.state() != SubmissionState::Unchanged {
            return Ok(Some(receipt));
        }
        let first = self.get(&receipt.duplicate_of).await?;
        Ok(Some(match first {
            Some(first) => outcome_of(&receipt, first),
            None => receipt,
        }))
    }

    /// Merges news into what is known, in whatever order they come, and returns the result.
    ///
    /// # Errors
    /// The store was not reached; merging the same news again does no harm.
    pub async fn merge(&self, news: Receipt) -> Result<Receipt, Error> {
        let id = news.submission_id.clone();
        let take = |known: &mut Receipt| {
            let merged =
                if is_known(known) { state::merge(known.clone(), news.clone()) } else { news.clone() };
            let is_news = merged != *known;
            *known = merged;
            (is_news, ())
        };
        Ok(self.records.change(&id, take).await?.0)
    }

    /// Who brought this content first.
    ///
    /// # Errors
    /// The store was not reached.
    pub async fn seen(&self, content_key: &str) -> Result<Noted<Seen>, Error> {
        self.records.read(&content_entry(content_key)).await
    }

    /// Notes who brought a content, in place of what was read. If somebody else noted the same meanwhile, theirs stays.
    ///
    /// # Errors
    /// The store was not reached.
    pub async fn note_seen(&self, content_key: &str, seen: &Noted<Seen>) -> Result<(), Error> {
        self.records.save(&content_entry(content_key), seen).await.map(drop)
    }

    /// Notes that a report arrived.
    ///
    /// # Errors
    /// The store was not reached.
    pub async fn note_arrival(&self, report: &str, arrival: &Arrival) -> Result<(), Error> {
        self.change_history(report, |history| record_arrival(history, arrival)).await
    }

    /// Notes a withdrawal; one that ranks below what is known changes nothing.
    ///
    /// # Errors
    /// The store was not reached.
    pub async fn note_withdrawal(&self, withdrawal: &Withdrawal) -> Result<(), Error> {
        let Withdrawal { rank, url, report, .. } = withdrawal;
        if let Some(report) = report {
            let taken_down = TakenDown { rank: *rank, url: String::new() };
            let take = |history: &mut History| record_withdrawal(history, &taken_down);
            self.change_history(&report.to_string(), take).await?;
        }
        if !url.is_empty() {
            let take = |index: &mut UrlIndex| record_url_withdrawal(index, *rank);
            let change = |place: &mut UrlIndexRecord| history::change_index(place, take);
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

    /// True if the content is what stands of its report, as far as the stages have told. `report` is empty before they told
    /// whose it is, and where it is no report: then only its address can
    /// have been withdrawn, and whatever the log has behind it counts.
    ///
    /// # Errors
    /// The store was not reached.
    pub async fn stands(&self, seen: &Seen, report: &str, content_hash: &str) -> Result<bool, Error> {
        if report.is_empty() {
            let withdrawn = self.withdrawn(&seen.url).await?;
            return Ok(withdrawn.is_none_or(|rank| rank.sequence() < seen.sequence));
        }
        let record: HistoryRecord = self.records.read(&report_entry(report)).await?.record;
        let mut history = History::from(&record);
        let urls: BTreeSet<String> = history.arrivals.iter().map(|arrival| arrival.url.clone()).collect();
        for url in urls {
            if let Some(rank) = self.withdrawn(&url).await? {
                record_withdrawal(&mut history, &TakenDown { rank, url });
            }
        }
        let stands = current(&history).filter(|current| !current.is_withdrawn);
        Ok(stands.is_some_and(|current| current.content_hash() == content_hash))
    }

    /// The withdrawal of an address that ranks highest.
    async fn withdrawn(&self, url: &str) -> Result<Option<Rank>, Error> {
        if url.is_empty() {
            return Ok(None);
        }
        let record: UrlIndexRecord = self.records.read(&url_entry(url)).await?.record;
        Ok(UrlIndex::from(&record).withdrawn)
    }

    /// The receipt now and after every change, up to the final one; `None` if nobody submitted it. One that is
    /// `unchanged` is followed until the first is final.
    ///
    /// # Errors
    /// The store was not reached.
    pub async fn watch(&self, id: &str) -> Result<Option<BoxStream<'static, Result<Receipt, Error>>>, Error> {
        let Some(now) = self.resolve(id).await? else { return Ok(None) };
        let unchanged = (now.state() == SubmissionState::Unchanged).then(|| now.clone());
        let followed = unchanged.as_ref().map_or(id, |own| own.duplicate_of.as_str());
        let receipts = self.records.watch::<Receipt>(followed).await?;
        let later = receipts.map(move |news| {
            let news = news?;
            let is_last = state::is_final(&news);
            Ok((
                unchanged.as_ref().map_or_else(|| news.clone(), |own| outcome_of(own, news.clone())),
                is_last,
            ))
        });
        let all = stream::once(async move { Ok((now, false)) }).chain(later);
        Ok(Some(changes(all.boxed())))
    }
}

/// Drops repeats and ends behind the last one.
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

/// What became of the first arrival, on the receipt of a later one.
fn outcome_of(unchanged: &Receipt, first: Receipt) -> Receipt {
    Receipt {
        report: first.report,
        findings: first.findings,
        rejection: first.rejection,
        ..unchanged.clone()
    }
}

fn is_known(receipt: &Receipt) -> bool {
    !receipt.submission_id.is_empty()
}

fn content_entry(content_key: &str) -> String {
    format!("c-{content_key}")
}

fn url_entry(url: &str) -> String {
    format!("u-{}", digest(&[url]))
}

fn report_entry(report: &str) -> String {
    format!("r-{report}")
}
