//! Erasures: recorded, carried out, and looked up.

use gongkai_model::{Erasure, ReportKey};
use rusqlite::{Connection, Transaction, params};
use time::OffsetDateTime;

use super::columns::{micros, time_of};
use crate::error::Error;

/// Tables with a row for each part of an arrival's content.
const PARTS: [&str; 5] = ["section", "candidate", "fact", "finding", "review_step"];

/// Records an erasure and deletes the stored contents: prose, title, facts and findings, and the report's earlier
/// waivers. The deleted data are overwritten with zeros.
pub(super) fn erase(tx: &Transaction<'_>, erasure: &Erasure) -> Result<(), Error> {
    tx.pragma_update(None, "secure_delete", true)?;
    for key in &erasure.reports {
        for content_hash in &erasure.content_hashes {
            record(tx, key, content_hash, erasure)?;
            delete_content(tx, key, content_hash)?;
        }
        tx.prepare_cached("DELETE FROM waiver WHERE agency = ? AND year = ? AND created_at <= ?")?
            .execute(params![key.agency.as_str(), key.year, micros(erasure.erased_at)])?;
    }
    tx.pragma_update(None, "secure_delete", false)?;
    Ok(())
}

/// Records the erasure of one content. Of two erasures the later counts.
fn record(tx: &Transaction<'_>, key: &ReportKey, content_hash: &str, erasure: &Erasure) -> Result<(), Error> {
    let mut upsert = tx.prepare_cached(
        "INSERT INTO erasure VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (agency, year, content_hash) DO UPDATE SET \
         erased_at = excluded.erased_at, reason = excluded.reason, person = excluded.person \
         WHERE excluded.erased_at > erasure.erased_at",
    )?;
    let (agency, at) = (key.agency.as_str(), micros(erasure.erased_at));
    upsert.execute(params![agency, key.year, content_hash, at, erasure.reason, erasure.person])?;
    Ok(())
}

fn delete_content(tx: &Transaction<'_>, key: &ReportKey, content_hash: &str) -> Result<(), Error> {
    let of_content =
        "SELECT received_sequence FROM arrival WHERE agency = ?1 AND year = ?2 AND content_hash = ?3";
    let content = params![key.agency.as_str(), key.year, content_hash];
    for part in PARTS {
        let delete = format!("DELETE FROM {part} WHERE received_sequence IN ({of_content})");
        tx.prepare_cached(&delete)?.execute(content)?;
    }
    tx.prepare_cached(
        "UPDATE arrival SET agency = NULL, year = NULL, agency_name = NULL, form = NULL, variant = NULL, \
         title = NULL, media_type = NULL, trace_id = NULL, versions_id = NULL, errors = NULL, warnings = NULL, \
         reviews = NULL, infos = NULL, digest = NULL, preamble = NULL \
         WHERE agency = ?1 AND year = ?2 AND content_hash = ?3",
    )?
    .execute(content)?;
    Ok(())
}

/// Returns true if a content of a report was erased.
pub(super) fn is_erased(c: &Connection, key: &ReportKey, content_hash: &str) -> Result<bool, Error> {
    let mut select =
        c.prepare_cached("SELECT 1 FROM erasure WHERE agency = ? AND year = ? AND content_hash = ?")?;
    Ok(select.exists(params![key.agency.as_str(), key.year, content_hash])?)
}

/// Returns when contents of a report were last erased.
pub(super) fn erased_at(c: &Connection, key: &ReportKey) -> Result<Option<OffsetDateTime>, Error> {
    let mut select = c.prepare_cached("SELECT max(erased_at) FROM erasure WHERE agency = ? AND year = ?")?;
    let last: Option<i64> = select.query_row(params![key.agency.as_str(), key.year], |row| row.get(0))?;
    last.map(time_of).transpose()
}
