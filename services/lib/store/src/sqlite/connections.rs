//! Opens connections, and shares a few among readers.

use std::ops::Deref;
use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, config::DbConfig};

use crate::error::Error;

/// Number of statements kept prepared on each connection.
const STATEMENTS: usize = 64;

/// How a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Number of read connections, at least 1. As many reads run at once; further ones wait.
    pub readers: usize,
    /// How long a call waits for a read connection, or for another process that writes, before [`Error::Busy`].
    pub busy_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { readers: 4, busy_timeout: Duration::from_secs(5) }
    }
}

/// Opens a connection that may write.
pub(super) fn open(path: &Path, busy_timeout: Duration) -> Result<Connection, Error> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(busy_timeout)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Query plans never depend on bound values. Otherwise cached statements are planned again for every value.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // Checkpoints are made by `checksums` alone.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(connection)
}

/// The connections of a pool that are not in use.
struct Idle {
    connections: Vec<Connection>,
    /// Number of leased connections.
    leased: usize,
    is_closed: bool,
}

/// A pool of read connections.
pub(super) struct ReadConnections {
    idle: Mutex<Idle>,
    returned: Condvar,
    busy_timeout: Duration,
}

impl ReadConnections {
    pub(super) fn open(path: &Path, options: Options) -> Result<Self, Error> {
        let mut idle = Vec::new();
        for _ in 0..options.readers.max(1) {
            let connection = open(path, options.busy_timeout)?;
            connection.pragma_update(None, "query_only", true)?;
            idle.push(connection);
        }
        let idle = Idle { connections: idle, leased: 0, is_closed: false };
        Ok(Self { idle: Mutex::new(idle), returned: Condvar::new(), busy_timeout: options.busy_timeout })
    }

    /// Leases a connection, or waits until one is returned.
    ///
    /// # Errors
    /// `Busy` if none was returned in time, `Closed` once the pool is closed.
    pub(super) fn lease(&self) -> Result<Lease<'_>, Error> {
        let mut idle = self.wait(|idle| idle.connections.is_empty() && !idle.is_closed);
        if idle.is_closed {
            return Err(Error::Closed);
        }
        let connection = idle.connections.pop().ok_or(Error::Busy)?;
        idle.leased += 1;
        Ok(Lease { readers: self, connection: Some(connection) })
    }

    /// Closes the connections. Waits for leased ones to be returned, for at most the busy timeout.
    pub(super) fn close(&self) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.is_closed = true;
        idle.connections.clear();
        drop(idle);
        self.returned.notify_all();
        drop(self.wait(|idle| idle.leased > 0));
    }

    fn wait(&self, mut still: impl FnMut(&mut Idle) -> bool) -> MutexGuard<'_, Idle> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.returned.wait_timeout_while(idle, self.busy_timeout, |idle| still(idle));
        waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// A connection of the pool, to which it returns when dropped.
pub(super) struct Lease<'a> {
    readers: &'a ReadConnections,
    connection: Option<Connection>,
}

impl Deref for Lease<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection.as_ref().expect("only drop takes the connection out")
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let mut idle = self.readers.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.leased -= 1;
        let connection = self.connection.take();
        if !idle.is_closed {
            idle.connections.extend(connection);
        }
        drop(idle);
        self.readers.returned.notify_all();
    }
}
