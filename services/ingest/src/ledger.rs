//! What ingest remembers, in one key-value bucket:
//!
//! | key | value | for |
//! |---|---|---|
//! | `s-…` | a `Receipt` | the state of a submission |
//! | `c-…` | [`Seen`] | which submission brought this content first |
//! | `w-…` | a stream sequence | when this URL was last withdrawn |
//!
//! Nothing here is the truth; the log is. A lost entry costs a second run over the same content, never a document.

use std::sync::Arc;

use bytes::Bytes;
use futures::{
    StreamExt as _,
    stream::{self, BoxStream},
};
use prost::Message as _;
use serde::{Deserialize, Serialize};

use crate::{state, submission::digest};
use gongkai_proto::{
    subjects::BUCKET_SUBMISSIONS,
    v1::{Receipt, SubmissionState},
};
use gongkai_worker::{
    Runtime,
    transport::{Entries, Entry, Error, ErrorKind},
};

/// How often a lost compare-and-set is tried again. Each loss means that somebody else got on.
const TURNS: u32 = 32;

/// The bucket. Cheap to clone.
#[derive(Clone)]
pub struct Ledger {
    entries: Arc<dyn Entries>,
}

/// The first arrival of a content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The submission that brought it.
    pub submission_id: String,
    /// Stream sequence of its `DocumentReceived`.
    pub sequence: u64,
    /// Where it was published; empty if unknown.
    pub url: String,
}

/// A [`Seen`] as read, with what it takes to replace it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenEntry {
    /// The entry.
    pub seen: Seen,
    revision: u64,
}

// === impl Ledger ===

impl Ledger {
    /// The ledger of this deployment.
    #[must_use]
    pub fn new(runtime: &Runtime) -> Self {
        Self { entries: runtime.entries(BUCKET_SUBMISSIONS) }
    }

    /// The receipt of a submission, if it is known.
    ///
    /// # Errors
    /// The store was not reached.
    pub async fn get(&self, id: &str) -> Result<Option<Receipt>, Error> {
        self.entries.get(id).await?.as_ref().map(receipt).transpose()
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
        for _ in 0..TURNS {
            let written = match self.entries.get(&id).await? {
                None => self.entries.create(&id, encode(&news)).await.map(|_| news.clone()),
                Some(entry) => {
                    let known = receipt(&entry)?;
                    let merged = state::merge(known.clone(), news.clone());
                    if merged == known {
                        return Ok(known);
                    }
                    self.entries.update(&id, encode(&merged), entry.revision).await.map(|_| merged)
                }
            };
            match written {
                Err(error) if error.kind == ErrorKind::Conflict => {}
                done => return done,
            }
        }
        Err(Error::new(ErrorKind::Conflict, format!("{id} was written by others {TURNS} times in a row")))
    }

    /// Who brought this content first.
    ///
    /// # Errors
    /// The store was not reached.
    pub async fn seen(&self, content_key: &str) -> Result<Option<SeenEntry>, Error> {
        let Some(entry) = self.entries.get(&content_entry(content_key)).await? else { return Ok(None) };
        // An entry of another version counts as none: the content runs again.
        let Ok(seen) = serde_json::from_slice(&entry.value) else { return Ok(None) };
        Ok(Some(SeenEntry { seen, revision: entry.revision }))
    }

    /// Notes who brought a content, in place of an entry that no longer counts. If somebody else noted the same
    /// meanwhile, theirs stays.
    ///
    /// # Errors
    /// The store was not reached.
    pub async fn note_seen(
        &self,
        content_key: &str,
        seen: &Seen,
        replaced: Option<&SeenEntry>,
    ) -> Result<(), Error> {
        let key = content_entry(content_key);
        let value: Bytes = serde_json::to_vec(seen).expect("strings and numbers always serialise").into();
        let written = match replaced {
            Some(old) => self.entries.update(&key, value, old.revision).await,
            None => self.entries.create(&key, value).await,
        };
        match written {
            Err(error) if error.kind != ErrorKind::Conflict => Err(error),
            _ => Ok(()),
        }
    }

    /// Stream sequence of the last withdrawal of a URL; 0 if there was none.
    ///
    /// # Errors
    /// The store was not reached.
    pub async fn withdrawn(&self, url: &str) -> Result<u64, Error> {
        Ok(self.entries.get(&url_entry(url)).await?.map_or(0, |entry| sequence(&entry)))
    }

    /// Notes a withdrawal; an older one changes nothing.
    ///
    /// # Errors
    /// The store was not reached.
    pub async fn note_withdrawn(&self, url: &str, at: u64) -> Result<(), Error> {
        let key = url_entry(url);
        let value = Bytes::copy_from_slice(&at.to_be_bytes());
        for _ in 0..TURNS {
            let written = match self.entries.get(&key).await? {
                Some(entry) if sequence(&entry) >= at => return Ok(()),
                Some(entry) => self.entries.update(&key, value.clone(), entry.revision).await,
                None => self.entries.create(&key, value.clone()).await,
            };
            match written {
                Err(error) if error.kind == ErrorKind::Conflict => {}
                done => return done.map(|_| ()),
            }
        }
        Err(Error::new(ErrorKind::Conflict, "a withdrawal was written by others again and again"))
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
        let entries = self.entries.watch(followed).await?;
        let later = entries.map(move |entry| {
            let news = receipt(&entry?)?;
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

fn encode(receipt: &Receipt) -> Bytes {
    receipt.encode_to_vec().into()
}

fn receipt(entry: &Entry) -> Result<Receipt, Error> {
    Receipt::decode(entry.value.clone())
        .map_err(|error| Error::new(ErrorKind::Other, "an entry is no receipt").because(error))
}

fn sequence(entry: &Entry) -> u64 {
    entry.value.as_ref().try_into().map_or(0, u64::from_be_bytes)
}

fn content_entry(content_key: &str) -> String {
    format!("c-{content_key}")
}

fn url_entry(url: &str) -> String {
    format!("w-{}", digest(&[url]))
}
