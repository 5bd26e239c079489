//! Records and reports in a private temporary database, so that a folder of any size needs little memory.

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
    CREATE TABLE reports (number INTEGER PRIMARY KEY, report BLOB NOT NULL);
    BEGIN;
";

/// The records of agencies and their relatives, and the reports themselves. The database is a temporary file that ends
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

    /// Stores a report under a number.
    ///
    /// # Errors
    /// The disk is full or failed.
    pub(super) fn put(&self, number: u32, report: &[u8]) -> anyhow::Result<()> {
        let mut packed = DeflateEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(report)?;
        let packed = packed.finish()?;
        self.lock()
            .prepare_cached("INSERT INTO reports VALUES (?, ?)")?
            .execute(params![number, packed])
            .context("couldn't keep a report in the temporary database")?;
        Ok(())
    }

    /// Returns the report of a number, or `None` if there is none.
    ///
    /// # Errors
    /// The disk failed.
    pub(super) fn take(&self, number: u32) -> anyhow::Result<Option<Vec<u8>>> {
        let packed: Option<Vec<u8>> = self
            .lock()
            .prepare_cached("SELECT report FROM reports WHERE number = ?")?
            .query_row([number], |row| row.get(0))
            .optional()?;
        let Some(packed) = packed else { return Ok(None) };
        let mut report = Vec::new();
        DeflateDecoder::new(packed.as_slice()).read_to_end(&mut report)?;
        Ok(Some(report))
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
    fn a_report_comes_back_as_it_was_put() {
        let records = DiskRecords::new().unwrap();
        records.put(7, b"report").unwrap();
        assert_eq!(records.take(7).unwrap().as_deref(), Some(&b"report"[..]));
        assert_eq!(records.take(8).unwrap(), None);
    }
}
