//! The read model in a SQLite file: one writer, a few readers, write-ahead log.
//!
//! Every commit is synced, because an acknowledged event is not delivered again. Readers work on snapshots and never
//! wait for the writer. Every page has a [checksum](checksums), so damage is noticed.

mod checksums;
mod columns;
mod connections;
mod erasures;
mod explained;
mod feed;
mod files;
mod list;
mod lookup;
mod moved;
mod paging;
mod position;
mod schema;
mod sql;
mod waivers;
mod write;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use gongkai_model::{AgencyKey, History, ReportKey, Waiver};
use rusqlite::{Connection, Transaction, TransactionBehavior};
use time::OffsetDateTime;

use self::checksums::Checksums;
pub use self::connections::Options;
use self::connections::ReadConnections;
pub use self::files::{FileLock, lock, set_aside};
use crate::arrival::RejectedArrival;
use crate::change::Change;
use crate::error::Error;
use crate::log::{LogIdentity, Mark, Position};
use crate::query::{
    Cursor, Explained, FactQuery, FindingQuery, FoundFact, FoundFinding, FoundWaiver, MovedWaiver, Page,
    ReportQuery, WaiverQuery,
};
use crate::report::{RevisionHeader, StoredReport};
use crate::store::{Applied, Store, Write};

/// Number of events between two checkpoints. A report occupies some twenty pages.
const CHECKPOINT: u64 = 128;

/// A read model in a file. Shared behind an `Arc`.
///
/// No two processes may open one file: see [`lock`].
pub struct SqliteStore {
    epoch: String,
    /// `None` once the store is closed.
    writer: Mutex<Option<Writer>>,
    readers: ReadConnections,
    position: Mutex<Position>,
}

/// The only connection that writes, and the checksums that it maintains.
struct Writer {
    connection: Connection,
    checksums: Checksums,
    /// Number of events since the last checkpoint.
    uncopied: u64,
}

/// Returns the epoch of the read model in a file, which may be in use.
///
/// # Errors
/// The file is missing or not a read model.
pub fn epoch_of(path: &Path) -> Result<String, Error> {
    let connection = connections::open(path, Options::default().busy_timeout)?;
    Ok(connection.query_row("SELECT epoch FROM life", [], |row| row.get(0))?)
}

impl SqliteStore {
    /// Opens the file, creates it if it is missing, and migrates its schema. Compares every page with its checksum.
    ///
    /// # Errors
    /// `Damaged`: the file differs from the one that was written; call [`set_aside`] and start a new one. `Newer`:
    /// another program is needed. Otherwise the folder is missing or not writable, or the disk is full.
    pub fn open(path: &Path, options: Options) -> Result<Self, Error> {
        let is_new = std::fs::metadata(path).map_or(true, |found| found.len() == 0);
        let checked = if is_new { None } else { Some(Checksums::load(path)?) };
        let mut connection = connections::open(path, options.busy_timeout)?;
        schema::migrate(&mut connection)?;
        let epoch = connection.query_row("SELECT epoch FROM life", [], |row| row.get(0))?;
        let position = position::read(&connection)?;
        let checksums = checked.map_or_else(|| Checksums::create(path, &connection), Ok)?;
        let readers = ReadConnections::open(path, options)?;
        let writer = Writer { connection, checksums, uncopied: 0 };
        Ok(Self { epoch, writer: Mutex::new(Some(writer)), readers, position: Mutex::new(position) })
    }

    /// Compares the next `pages` pages with their checksums, or all of them if another program wrote the file.
    ///
    /// # Errors
    /// `Damaged` if a page differs, or if the file was replaced by another.
    pub fn verify(&self, pages: usize) -> Result<(), Error> {
        self.writer().as_mut().ok_or(Error::Closed)?.checksums.verify_some(pages)
    }

    /// Closes the file, so that another can replace it. Waits for reads under way, for up to the options'
    /// `busy_timeout`. Every later call fails with [`Error::Closed`].
    pub fn close(&self) {
        drop(self.writer().take());
        self.readers.close();
    }

    fn writer(&self) -> MutexGuard<'_, Option<Writer>> {
        // A panic while the lock was held rolled the transaction back, so the connection is usable.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `f` in a transaction and commits if it succeeds.
    fn transact<T>(&self, f: impl FnOnce(&Transaction<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let mut writer = self.writer();
        writer.as_mut().ok_or(Error::Closed)?.transact(f)
    }

    /// Runs `f` on a snapshot.
    fn read<T>(&self, f: impl FnOnce(&Connection) -> Result<T, Error>) -> Result<T, Error> {
        let reader = self.readers.lease()?;
        let snapshot = reader.unchecked_transaction()?;
        f(&snapshot)
    }
}

impl Writer {
    fn transact<T>(&mut self, f: impl FnOnce(&Transaction<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = f(&transaction)?;
        transaction.commit()?;
        Ok(done)
    }

    /// Copies the written pages into the main file, once enough events were written. After a failure, the next call
    /// tries again.
    fn checkpoint(&mut self, events: u64) {
        self.uncopied += events;
        if self.uncopied >= CHECKPOINT && self.checksums.checkpoint(&self.connection).is_ok() {
            self.uncopied = 0;
        }
    }
}

impl Store for SqliteStore {
    fn write(&self, writes: &[Write], marks: &[Mark]) -> Result<Applied, Error> {
        let mut writer = self.writer();
        let writer = writer.as_mut().ok_or(Error::Closed)?;
        let (applied, recorded) = writer.transact(|tx| {
            let mut recorded = Vec::new();
            for mark in marks {
                if position::record(tx, mark)? {
                    recorded.push(*mark);
                }
            }
            let mut applied = Applied::Unseen;
            for write in writes {
                applied = applied.or(write::apply(tx, write)?);
            }
            Ok((applied, recorded))
        })?;
        self.position.lock().unwrap_or_else(PoisonError::into_inner).add(&recorded);
        let is_erasure = writes.iter().any(|write| matches!(write, Write::Erasure(_)));
        // Erased data leave the file itself now, not some thousand events later.
        let uncopied = if is_erasure { CHECKPOINT } else { marks.len().max(writes.len()) as u64 };
        writer.checkpoint(uncopied);
        Ok(applied)
    }

    fn position(&self) -> Position {
        *self.position.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn log(&self) -> Result<Option<LogIdentity>, Error> {
        Ok(self.read(position::log)?.map(|(log, _)| log))
    }

    fn begin(&self, log: &LogIdentity) -> Result<(), Error> {
        self.transact(|tx| position::begin(tx, log))
    }

    fn is_whole(&self) -> Result<bool, Error> {
        Ok(self.read(position::log)?.is_some_and(|(_, whole)| whole))
    }

    fn set_whole(&self) -> Result<(), Error> {
        self.transact(position::set_whole)
    }

    fn report(&self, key: &ReportKey, as_of: Option<OffsetDateTime>) -> Result<Option<StoredReport>, Error> {
        self.read(|c| lookup::report(c, key, as_of))
    }

    fn erased_at(&self, key: &ReportKey) -> Result<Option<OffsetDateTime>, Error> {
        self.read(|c| erasures::erased_at(c, key))
    }

    fn moved_to(&self, key: &ReportKey) -> Result<Option<ReportKey>, Error> {
        self.read(|c| moved::moved_to(c, key))
    }

    fn rejected(&self, after: u64, limit: usize) -> Result<Vec<RejectedArrival>, Error> {
        self.read(|c| moved::rejected(c, after, limit))
    }

    fn history(&self, key: &ReportKey) -> Result<History, Error> {
        self.read(|c| lookup::history(c, key, None))
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

    fn waivers_to_move(&self, now: OffsetDateTime, limit: usize) -> Result<Vec<MovedWaiver>, Error> {
        self.read(|c| waivers::to_move(c, now, limit))
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
        let cap = |c: &Connection| c.pragma_update(None, "max_page_count", 40);
        cap(&store.writer().as_ref().unwrap().connection).unwrap();
        let fill = || {
            store.transact(|tx| {
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
