//! Records and documents in a private temporary database, so that a folder of any size needs little memory.

use std::{
    io::{Read as _, Write as _},
    sync::{Mutex, MutexGuard, PoisonError},
};

use anyhow::Context as _;
use async_trait::async_trait;
use bytes::Bytes;
use flate2::{Compression, read::DeflateDecoder, write::DeflateEncoder};
use futures::stream::{self, BoxStream, StreamExt as _};
use gongkai_worker::transport::{Entries, Entry, Error, ErrorKind};
use rusqlite::{Connection, OptionalExtension as _, params};

const TABLES: &str = "
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    PRAGMA cache_size = -32768;
    CREATE TABLE entries (key TEXT PRIMARY KEY, value BLOB NOT NULL, revision INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE documents (number INTEGER PRIMARY KEY, file TEXT NOT NULL, is_report INTEGER NOT NULL, content BLOB NOT NULL);
    BEGIN;
";

/// A document that was read, and the name of its file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct StoredDocument {
    pub(super) file: String,
    pub(super) content: StoredContent,
}

/// What is left of a document after it was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum StoredContent {
    /// A report, packed by the caller.
    Report(Vec<u8>),
    /// The output line of a document that is no report.
    Line(String),
}

/// The records of agencies and their relatives, and the documents themselves. The database is a temporary file that ends
/// with the process.
#[derive(Debug)]
pub(super) struct DiskRecords(Mutex<Connection>);

impl DiskRecords {
    /// Creates an empty database.
    ///
    /// # Errors
    /// The temporary folder has no room or cannot be written.
    pub(super) fn new() -> anyhow::Result<Self> {
        // An empty name is a temporary file that is deleted when it is closed.
        let connection = Connection::open("").context("couldn't make a temporary database")?;
        connection.execute_batch(TABLES).context("couldn't make a temporary database")?;
        Ok(Self(Mutex::new(connection)))
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stores a document under a number.
    ///
    /// # Errors
    /// The disk is full or failed.
    pub(super) fn put(&self, number: u32, document: &StoredDocument) -> anyhow::Result<()> {
        let StoredDocument { file, content } = document;
        let (is_report, bytes) = match content {
            StoredContent::Report(report) => (true, report.as_slice()),
            StoredContent::Line(line) => (false, line.as_bytes()),
        };
        let mut packed = DeflateEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(bytes)?;
        let packed = packed.finish()?;
        self.lock()
            .prepare_cached("INSERT INTO documents VALUES (?, ?, ?, ?)")?
            .execute(params![number, file, is_report, packed])
            .context("couldn't keep a document in the temporary database")?;
        Ok(())
    }

    /// Returns the document of a number, or `None` if there is none.
    ///
    /// # Errors
    /// The disk failed.
    pub(super) fn document(&self, number: u32) -> anyhow::Result<Option<StoredDocument>> {
        let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        let found: Option<(String, bool, Vec<u8>)> = self
            .lock()
            .prepare_cached("SELECT file, is_report, content FROM documents WHERE number = ?")?
            .query_row([number], row)
            .optional()?;
        let Some((file, is_report, packed)) = found else { return Ok(None) };
        let mut bytes = Vec::new();
        DeflateDecoder::new(packed.as_slice()).read_to_end(&mut bytes)?;
        let content = match is_report {
            true => StoredContent::Report(bytes),
            false => StoredContent::Line(String::from_utf8(bytes)?),
        };
        Ok(Some(StoredDocument { file, content }))
    }

    fn write(&self, statement: &str, values: impl rusqlite::Params, key: &str) -> Result<(), Error> {
        let changed = self.lock().prepare_cached(statement).and_then(|mut write| write.execute(values));
        match changed {
            Ok(1) => Ok(()),
            Ok(_) => Err(Error::new(ErrorKind::Conflict, format!("entry {key} has changed"))),
            Err(error) => Err(failed(error)),
        }
    }
}

fn failed(error: rusqlite::Error) -> Error {
    Error::new(ErrorKind::Other, "the temporary database failed; check the disk").because(error)
}

#[async_trait]
impl Entries for DiskRecords {
    async fn get(&self, key: &str) -> Result<Option<Entry>, Error> {
        let entry = |row: &rusqlite::Row<'_>| {
            let value: Vec<u8> = row.get(0)?;
            let revision: i64 = row.get(1)?;
            Ok(Entry { value: value.into(), revision: u64::try_from(revision).unwrap_or_default() })
        };
        self.lock()
            .prepare_cached("SELECT value, revision FROM entries WHERE key = ?")
            .and_then(|mut read| read.query_row([key], entry).optional())
            .map_err(failed)
    }

    async fn create(&self, key: &str, value: Bytes) -> Result<u64, Error> {
        let statement = "INSERT INTO entries VALUES (?, ?, 1) ON CONFLICT DO NOTHING";
        self.write(statement, params![key, &value[..]], key).map(|()| 1)
    }

    async fn update(&self, key: &str, value: Bytes, revision: u64) -> Result<u64, Error> {
        let statement =
            "UPDATE entries SET value = ?, revision = revision + 1 WHERE key = ? AND revision = ?";
        let read = i64::try_from(revision).unwrap_or(i64::MAX);
        self.write(statement, params![&value[..], key, read], key).map(|()| revision + 1)
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        let deleted = self
            .lock()
            .prepare_cached("DELETE FROM entries WHERE key = ?")
            .and_then(|mut delete| delete.execute([key]));
        deleted.map(drop).map_err(failed)
    }

    /// Returns the current value only: nobody else writes.
    async fn watch(&self, key: &str) -> Result<BoxStream<'static, Result<Entry, Error>>, Error> {
        Ok(stream::iter(self.get(key).await?.map(Ok)).boxed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_write_counts_only_at_the_revision_that_was_read() {
        let records = DiskRecords::new().unwrap();
        assert!(records.get("a").await.unwrap().is_none());
        assert_eq!(records.create("a", "1".into()).await.unwrap(), 1);
        assert_eq!(records.create("a", "2".into()).await.unwrap_err().kind, ErrorKind::Conflict);
        assert_eq!(records.update("a", "3".into(), 1).await.unwrap(), 2);
        assert_eq!(records.update("a", "4".into(), 1).await.unwrap_err().kind, ErrorKind::Conflict);
        let entry = records.get("a").await.unwrap().unwrap();
        assert_eq!((&entry.value[..], entry.revision), (&b"3"[..], 2));
        records.delete("a").await.unwrap();
        assert!(records.get("a").await.unwrap().is_none());
    }

    #[test]
    fn a_document_comes_back_as_it_was_put() {
        let records = DiskRecords::new().unwrap();
        let contents = [StoredContent::Report(b"report".to_vec()), StoredContent::Line("{}".to_owned())];
        for (number, content) in (7..).zip(contents) {
            let document = StoredDocument { file: "a.txt".to_owned(), content };
            records.put(number, &document).unwrap();
            assert_eq!(records.document(number).unwrap(), Some(document));
        }
        assert_eq!(records.document(9).unwrap(), None);
    }
}
