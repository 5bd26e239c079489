//! Opens connections, and shares a few among readers.

use std::ops::Deref;
use std::path::Path;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, config::DbConfig};

use crate::error::Error;

/// Statements kept prepared on each connection.
const STATEMENTS: usize = 64;

/// How a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Read connections, at least 1. As many reads run at once; further ones wait.
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
    // Query plans never depend on bound values. Otherwise cached statements are planned anew for every value.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(connection)
}

/// A pool of read connections.
pub(super) struct Readers {
    idle: Mutex<Vec<Connection>>,
    returned: Condvar,
    busy_timeout: Duration,
}

impl Readers {
    pub(super) fn open(path: &Path, options: Options) -> Result<Self, Error> {
        let mut idle = Vec::new();
        for _ in 0..options.readers.max(1) {
            let connection = open(path, options.busy_timeout)?;
            connection.pragma_update(None, "query_only", true)?;
            idle.push(connection);
        }
        Ok(Self { idle: Mutex::new(idle), returned: Condvar::new(), busy_timeout: options.busy_timeout })
    }

    /// Takes a connection, or waits until one is returned.
    ///
    /// # Errors
    /// `Busy` if none was returned in time.
    pub(super) fn lease(&self) -> Result<Lease<'_>, Error> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut idle, _) = self
            .returned
            .wait_timeout_while(idle, self.busy_timeout, |idle| idle.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        let connection = idle.pop().ok_or(Error::Busy)?;
        Ok(Lease { readers: self, connection: Some(connection) })
    }
}

/// A connection of the pool; dropping returns it.
pub(super) struct Lease<'a> {
    readers: &'a Readers,
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
        let connection = self.connection.take();
        self.readers.idle.lock().unwrap_or_else(PoisonError::into_inner).extend(connection);
        self.readers.returned.notify_one();
    }
}
