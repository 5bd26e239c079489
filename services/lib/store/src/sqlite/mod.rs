//! The read model in a SQLite file: one writer, a few readers, write-ahead log.
//!
//! Every commit is synced, because an acknowledged event is not delivered again. Readers work on snapshots and never wait for
//! the writer.

mod columns;
mod connections;
mod explained;
mod feed;
mod list;
mod lookup;
mod paging;
mod schema;
mod sql;
mod waivers;
mod write;

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use gongkai_model::{AgencyKey, ReportKey, Waiver, Withdrawal};
use rusqlite::{Connection, Transaction, TransactionBehavior};
use time::OffsetDateTime;

use crate::arrival::ArrivalEvent;
use crate::change::Change;
use crate::error::Error;
use crate::query::{
    Cursor, Explained, FactQuery, FindingQuery, FoundFact, FoundFinding, FoundWaiver, Page, ReportQuery,
    WaiverQuery,
};
use crate::report::{RevisionHeader, StoredReport};
use crate::store::{Applied, Store};
pub use connections::Options;
use connections::Readers;

/// A read model in a file. Shared behind an `Arc`.
pub struct SqliteStore {
    epoch: String,
    writer: Mutex<Connection>,
    readers: Readers,
}

impl SqliteStore {
    /// Opens the file, creates it if it is missing, and migrates its schema.
    ///
    /// # Errors
    /// The folder is missing or not writable, the disk is full, or the file is no read model or was written by a newer program.
    pub fn open(path: &Path, options: Options) -> Result<Self, Error> {
        let mut writer = connections::open(path, options.busy_timeout)?;
        schema::migrate(&mut writer)?;
        let epoch = writer.query_row("SELECT epoch FROM life", [], |row| row.get(0))?;
        let readers = Readers::open(path, options)?;
        Ok(Self { epoch, writer: Mutex::new(writer), readers })
    }

    /// Runs `f` in a transaction and commits if it succeeds.
    fn write<T>(&self, f: impl FnOnce(&Transaction<'_>) -> Result<T, Error>) -> Result<T, Error> {
        // A panic while the lock was held rolled the transaction back: the connection is as good as before.
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = f(&transaction)?;
        transaction.commit()?;
        Ok(done)
    }

    /// Runs `f` on a snapshot.
    fn read<T>(&self, f: impl FnOnce(&Connection) -> Result<T, Error>) -> Result<T, Error> {
        let reader = self.readers.lease()?;
        let snapshot = reader.unchecked_transaction()?;
        f(&snapshot)
    }
}

impl Store for SqliteStore {
    fn put_arrival(&self, arrival: &ArrivalEvent) -> Result<Applied, Error> {
        self.write(|tx| write::arrival(tx, arrival))
    }

    fn put_withdrawal(&self, withdrawal: &Withdrawal) -> Result<Applied, Error> {
        self.write(|tx| write::withdrawal(tx, withdrawal))
    }

    fn put_waiver(&self, waiver: &Waiver) -> Result<Applied, Error> {
        self.write(|tx| write::waiver(tx, waiver))
    }

    fn report(&self, key: &ReportKey, as_of: Option<OffsetDateTime>) -> Result<Option<StoredReport>, Error> {
        self.read(|c| lookup::report(c, key, as_of))
    }

    fn reports(&self, query: &ReportQuery) -> Result<Page<RevisionHeader>, Error> {
        self.read(|c| list::reports(c, query))
    }

    fn revisions(
        &self,
        key: &ReportKey,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page<RevisionHeader>, Error> {
        self.read(|c| lookup::headers(c, key, after, limit))
    }

    fn findings(&self, query: &FindingQuery) -> Result<Page<FoundFinding>, Error> {
        self.read(|c| list::findings(c, query))
    }

    fn explained(&self, key: &ReportKey, fingerprint: &str) -> Result<Option<Explained>, Error> {
        self.read(|c| explained::explained(c, key, fingerprint))
    }

    fn waiver(&self, key: &ReportKey, id: &str) -> Result<Option<Waiver>, Error> {
        self.read(|c| waivers::get(c, key, id))
    }

    fn waivers(&self, query: &WaiverQuery) -> Result<Page<FoundWaiver>, Error> {
        self.read(|c| waivers::list(c, query))
    }

    fn waivers_to_expire(&self, now: OffsetDateTime, limit: usize) -> Result<Vec<Waiver>, Error> {
        self.read(|c| waivers::to_expire(c, now, limit))
    }

    fn facts(&self, query: &FactQuery) -> Result<Page<FoundFact>, Error> {
        self.read(|c| list::facts(c, query))
    }

    fn changes(&self, agency: Option<&AgencyKey>, after: u64, limit: usize) -> Result<Vec<Change>, Error> {
        self.read(|c| feed::changes(c, agency, after, limit))
    }

    fn last_change(&self) -> Result<u64, Error> {
        self.read(feed::last)
    }

    fn epoch(&self) -> &str {
        &self.epoch
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::{Error as E, ErrorCode};
        match &error {
            E::SqliteFailure(failure, _) => match failure.code {
                ErrorCode::DiskFull => Self::Full,
                ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Self::Busy,
                ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Self::Damaged(error.to_string()),
                _ => Self::Backend(Box::new(error)),
            },
            E::FromSqlConversionFailure(..) | E::IntegralValueOutOfRange(..) | E::InvalidColumnType(..) => {
                Self::Damaged(error.to_string())
            }
            _ => Self::Backend(Box::new(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn open(folder: &tempfile::TempDir, options: Options) -> Result<SqliteStore, Error> {
        SqliteStore::open(&folder.path().join("read-model.db"), options)
    }

    #[test]
    fn a_full_disk_has_its_own_error_and_leaves_nothing_half_done() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder, Options::default()).unwrap();
        store.writer.lock().unwrap().pragma_update(None, "max_page_count", 40).unwrap();
        let fill = || {
            store.write(|tx| {
                for _ in 0..1000 {
                    tx.execute(
                        "INSERT INTO withdrawal VALUES (NULL, hex(randomblob(500)), NULL, NULL, 3, 3)",
                        [],
                    )?;
                }
                Ok(())
            })
        };
        assert!(matches!(fill(), Err(Error::Full)));
        let count = |c: &Connection| -> Result<i64, Error> {
            Ok(c.query_row("SELECT count(*) FROM withdrawal", [], |row| row.get(0))?)
        };
        assert_eq!(store.read(count).unwrap(), 0);
    }

    #[test]
    fn a_file_that_is_no_read_model_is_damage() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("read-model.db"), "一份普通的文本文件".repeat(99)).unwrap();
        assert!(matches!(open(&folder, Options::default()), Err(Error::Damaged(_))));
    }

    #[test]
    fn a_reader_that_waits_too_long_is_told_so() {
        let folder = tempfile::tempdir().unwrap();
        let options = Options { readers: 1, busy_timeout: Duration::from_millis(20) };
        let store = open(&folder, options).unwrap();
        let lease = store.readers.lease().unwrap();
        assert!(matches!(store.last_change(), Err(Error::Busy)));
        drop(lease);
        assert_eq!(store.last_change().unwrap(), 0);
    }

    #[test]
    fn a_read_model_keeps_its_epoch() {
        let folder = tempfile::tempdir().unwrap();
        let first = open(&folder, Options::default()).unwrap().epoch().to_owned();
        assert_eq!(open(&folder, Options::default()).unwrap().epoch(), first);
        assert_eq!(first.len(), 16);
    }
}
