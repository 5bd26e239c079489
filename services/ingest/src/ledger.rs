//! What ingest remembers, in one key-value bucket:
//!
//! | key | value | for |
//! |---|---|---|
//! | `s-…` | a `Receipt` | the state of a submission |
//! | `c-…` | [`Seen`] | which submission brought this content first |
//! | `w-…` | a stream sequence | when this URL was last withdrawn |
//!
//! Nothing here is the truth; the log is. A lost entry costs a second run over the same content, never a document.

use bytes::Bytes;
use futures::{
    StreamExt as _,
    stream::{self, BoxStream},
};
use serde::{Deserialize, Serialize};

use crate::{state, submission::digest};
use gongkai_proto::{
    subjects::BUCKET_SUBMISSIONS,
    v1::{Receipt, SubmissionState},
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

/// Stream sequence of a URL's last withdrawal; 0 if there was none.
#[derive(Default)]
struct WithdrawnAt(u64);

// === impl Seen, WithdrawnAt ===

impl Record for Seen {
    fn encode(&self) -> Bytes {
        serde_json::to_vec(self).expect("strings and numbers always serialise").into()
    }

    /// An entry of another version counts as none: the content runs again.
    fn decode(value: Bytes) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(serde_json::from_slice(&value).unwrap_or_default())
    }
}

impl Record for WithdrawnAt {
    fn encode(&self) -> Bytes {
        Bytes::copy_from_slice(&self.0.to_be_bytes())
    }

    fn decode(value: Bytes) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self(value.as_ref().try_into().map_or(0, u64::from_be_bytes)))
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

    /// Stream sequence of the last withdrawal of a URL; 0 if there was none.
    ///
    /// # Errors
    /// The store was not reached.
    pub async fn withdrawn(&self, url: &str) -> Result<u64, Error> {
        Ok(self.records.read::<WithdrawnAt>(&url_entry(url)).await?.record.0)
    }

    /// Notes a withdrawal; an older one changes nothing.
    ///
    /// # Errors
    /// The store was not reached.
    pub async fn note_withdrawn(&self, url: &str, at: u64) -> Result<(), Error> {
        let raise = |known: &mut WithdrawnAt| {
            let is_news = known.0 < at;
            known.0 = known.0.max(at);
            (is_news, ())
        };
        self.records.change(&url_entry(url), raise).await.map(drop)
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
    format!("w-{}", digest(&[url]))
}
