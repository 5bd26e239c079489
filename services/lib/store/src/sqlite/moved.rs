//! Reports that were filed under another agency: recorded and looked up; and documents that were rejected, which may be filed yet.

use gongkai_model::ReportKey;
use rusqlite::{Connection, Transaction, params};

use super::columns::{self, signed, unsigned};
use super::sql::limit_of;
use crate::arrival::RejectedArrival;
use crate::error::Error;

/// Records that documents of a report went to another one. Of two moves the one of the later event counts.
pub(super) fn record(
    tx: &Transaction<'_>,
    from: &ReportKey,
    to: &ReportKey,
    event: i64,
) -> Result<(), Error> {
    let mut upsert = tx.prepare_cached(
        "INSERT INTO moved VALUES (?, ?, ?, ?, ?) ON CONFLICT (agency, year) DO UPDATE SET \
         to_agency = excluded.to_agency, to_year = excluded.to_year, event_sequence = excluded.event_sequence \
         WHERE excluded.event_sequence > moved.event_sequence",
    )?;
    upsert.execute(params![from.agency.as_str(), from.year, to.agency.as_str(), to.year, event])?;
    Ok(())
}

/// Returns where a report went last.
pub(super) fn moved_to(c: &Connection, key: &ReportKey) -> Result<Option<ReportKey>, Error> {
    let mut select = c.prepare_cached(
        "SELECT to_agency AS agency, to_year AS year FROM moved WHERE agency = ? AND year = ?",
    )?;
    let mut found = select.query_and_then(params![key.agency.as_str(), key.year], columns::key)?;
    found.next().transpose()
}

/// Returns the rejected arrivals after one, in the order of arrival.
pub(super) fn rejected(c: &Connection, after: u64, limit: usize) -> Result<Vec<RejectedArrival>, Error> {
    let mut select = c.prepare_cached(
        "SELECT received_sequence, event_sequence FROM arrival \
         WHERE agency IS NULL AND year IS NULL AND received_sequence > ? ORDER BY received_sequence LIMIT ?",
    )?;
    let found = select.query_and_then(params![signed(after, "after")?, limit_of(limit)], |row| {
        Ok(RejectedArrival {
            received_sequence: unsigned(row, "received_sequence")?,
            event_sequence: unsigned(row, "event_sequence")?,
        })
    })?;
    found.collect()
}
