//! The records of contents, by hash: the reports and texts that each was read as, and whether it was erased.
//!
//! Only ingest writes this bucket. Parse reads it to distinguish an erased original from a lost one.

use gongkai_proto::{
    subjects::BUCKET_CONTENTS,
    v1::{KnownContent, ReportErased},
};
use gongkai_worker::{RecordStore, Runtime, transport::Error};

/// Maximum number of lost races in a row for one entry. In each of them another writer succeeded.
const MAX_RACES: u32 = 32;

/// The bucket of contents. Cheap to clone.
#[derive(Clone)]
pub struct ContentStore {
    records: RecordStore,
}

// === impl ContentStore ===

impl ContentStore {
    /// Opens the bucket.
    #[must_use]
    pub fn new(runtime: &Runtime) -> Self {
        Self { records: RecordStore::new(runtime.entries(BUCKET_CONTENTS), MAX_RACES) }
    }

    /// Returns the record of a content, which is empty if the content was never read.
    ///
    /// # Errors
    /// The broker did not answer.
    pub async fn get(&self, content_hash: &str) -> Result<KnownContent, Error> {
        Ok(self.records.read(content_hash).await?.record)
    }

    /// Records that a content was read as a report, or as a draft if `report` is empty, and where its text is stored.
    /// Returns the whole record.
    ///
    /// # Errors
    /// The broker did not answer. Recording the same again is harmless.
    pub async fn record_reading(
        &self,
        content_hash: &str,
        report: &str,
        text: &str,
    ) -> Result<KnownContent, Error> {
        let take =
            |known: &mut KnownContent| (add(&mut known.reports, report) | add(&mut known.texts, text), ());
        Ok(self.records.change(content_hash, take).await?.0)
    }

    /// Records that a file is part of a content.
    ///
    /// # Errors
    /// The broker did not answer. Recording the same again is harmless.
    pub async fn record_file(&self, file: &str, content_hash: &str) -> Result<(), Error> {
        let take = |known: &mut KnownContent| (add(&mut known.contents, content_hash), ());
        self.records.change(file, take).await.map(drop)
    }

    /// Records that a content was erased. Returns the whole record. The first tombstone stays.
    ///
    /// # Errors
    /// The broker did not answer. Recording the same again is harmless.
    pub async fn record_erasure(
        &self,
        content_hash: &str,
        tombstone: &ReportErased,
    ) -> Result<KnownContent, Error> {
        let take = |known: &mut KnownContent| {
            let is_new = known.erased.is_none();
            if is_new {
                known.erased = Some(tombstone.clone());
            }
            (is_new, ())
        };
        Ok(self.records.change(content_hash, take).await?.0)
    }
}

/// Adds a word unless it is empty or known. Returns true if it was added.
fn add(words: &mut Vec<String>, word: &str) -> bool {
    let is_new = !word.is_empty() && words.iter().all(|known| known != word);
    if is_new {
        words.push(word.to_owned());
    }
    is_new
}
