//! Reports that were filed under another agency: recorded and looked up.

use gongkai_model::ReportKey;
use rusqlite::{Connection, Transaction, params};

use super::columns;
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
