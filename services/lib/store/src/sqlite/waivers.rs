//! Waivers: stored, looked up, listed.

use gongkai_model::{AgencyKey, ReportKey, Revocation, Waiver, WaiverEnd};
use rusqlite::{Connection, Row, Transaction, named_params, params};
use time::OffsetDateTime;

use super::columns::{self, damaged, micros, severity, time_of};
use super::paging::{page, sort_columns};
use super::sql::{Sql, limit_of};
use crate::error::Error;
use crate::query::{FoundWaiver, MovedWaiver, Page, WaiverQuery, severity_rank};

/// Selects the id of the newest waiver that covers finding `i` of report `r`.
pub(super) const COVERING: &str = "(SELECT n.id FROM waiver n WHERE n.agency = r.agency AND n.year = r.year \
     AND n.fingerprint = i.fingerprint AND n.operands_digest = i.operands_digest AND n.ended_at IS NULL \
     ORDER BY n.created_at DESC, n.id LIMIT 1)";

/// Tests whether the finding of waiver `r` has other operand values now.
const LAPSED: &str = "EXISTS (SELECT 1 FROM report t JOIN finding i ON i.received_sequence = t.content_sequence \
     WHERE t.agency = r.agency AND t.year = r.year AND i.fingerprint = r.fingerprint \
     AND i.operands_digest <> r.operands_digest)";

/// Stores a waiver, or the end of a stored one. Returns false if nothing changed. Of two ends the earlier stays.
pub(super) fn put(tx: &Transaction<'_>, waiver: &Waiver) -> Result<bool, Error> {
    let end = waiver.end.as_ref();
    let revoked = end.and_then(|end| end.revoked.as_ref());
    let mut upsert = tx.prepare_cached(
        "INSERT INTO waiver VALUES (:agency, :year, :id, :fingerprint, :digest, :rule, :severity, :reason, \
         :person, :created_at, :expires_at, :ended_at, :ended_by, :end_reason, :region) \
         ON CONFLICT (agency, year, id) DO UPDATE SET ended_at = excluded.ended_at, \
         ended_by = excluded.ended_by, end_reason = excluded.end_reason \
         WHERE excluded.ended_at < coalesce(waiver.ended_at, excluded.ended_at + 1)",
    )?;
    let changed = upsert.execute(named_params! {
        ":agency": waiver.key.agency.as_str(),
        ":year": waiver.key.year,
        ":id": waiver.id,
        ":fingerprint": waiver.fingerprint,
        ":digest": waiver.operands_digest,
        ":rule": waiver.rule,
        ":severity": severity_rank(waiver.severity),
        ":reason": waiver.reason,
        ":person": waiver.person,
        ":created_at": micros(waiver.created_at),
        ":expires_at": micros(waiver.expires_at),
        ":ended_at": end.map(|end| micros(end.at)),
        ":ended_by": revoked.map(|revoked| revoked.person.as_str()),
        ":end_reason": revoked.map(|revoked| revoked.reason.as_str()),
        ":region": waiver.region.as_str(),
    })?;
    Ok(changed > 0)
}

/// Returns the waiver named by the column `waiver` of a finding's row.
pub(super) fn covering(c: &Connection, row: &Row<'_>) -> Result<Option<Waiver>, Error> {
    let Some(id) = row.get::<_, Option<String>>("waiver")? else { return Ok(None) };
    get(c, &columns::key(row)?, &id)
}

/// Returns one waiver.
pub(super) fn get(c: &Connection, key: &ReportKey, id: &str) -> Result<Option<Waiver>, Error> {
    let mut select = c.prepare_cached("SELECT * FROM waiver WHERE agency = ? AND year = ? AND id = ?")?;
    let mut rows = select.query(params![key.agency.as_str(), key.year, id])?;
    rows.next()?.map(waiver).transpose()
}

/// Returns the waivers, newest first.
pub(super) fn list(c: &Connection, query: &WaiverQuery) -> Result<Page<FoundWaiver>, Error> {
    let keys: &[&str] = &["r.created_at", "r.agency", "r.year", "r.id"];
    let mut sql =
        Sql::new(&format!("SELECT r.*, {LAPSED} AS lapsed, {} FROM waiver r WHERE true", sort_columns(keys)));
    sql.scope(&query.scope);
    if let Some(fingerprint) = &query.fingerprint {
        sql.push(" AND r.fingerprint = ").bind(fingerprint.clone().into());
    }
    sql.page(keys, true, query.after.as_ref(), query.limit)?;
    page(c, &sql, keys.len(), query.limit, |row| {
        let waiver = waiver(row)?;
        Ok(FoundWaiver { is_lapsed: waiver.end.is_none() && row.get("lapsed")?, waiver })
    })
}

/// Returns the waivers that have expired and have no recorded end.
pub(super) fn to_expire(c: &Connection, now: OffsetDateTime, limit: usize) -> Result<Vec<Waiver>, Error> {
    let mut select = c.prepare_cached(
        "SELECT * FROM waiver WHERE ended_at IS NULL AND expires_at <= ? ORDER BY expires_at LIMIT ?",
    )?;
    let found = select.query_and_then(params![micros(now), limit_of(limit)], waiver)?;
    found.collect()
}

/// Returns the valid waivers of reports that were filed under another agency, each with the waiver that covers the finding there:
/// the same decision, or one that is there already. If several findings there are the same, the first one has it.
pub(super) fn to_move(c: &Connection, now: OffsetDateTime, limit: usize) -> Result<Vec<MovedWaiver>, Error> {
    let mut select = c.prepare_cached(
        "SELECT w.*, m.to_agency, m.to_year, i.fingerprint AS to_fingerprint, min(i.position), \
           (SELECT n.id FROM waiver n WHERE n.agency = m.to_agency AND n.year = m.to_year \
             AND n.fingerprint = i.fingerprint AND n.operands_digest = i.operands_digest AND n.ended_at IS NULL \
             ORDER BY n.created_at DESC, n.id LIMIT 1) AS granted \
         FROM waiver w \
         JOIN moved m ON m.agency = w.agency AND m.year = w.year \
         JOIN report t ON t.agency = m.to_agency AND t.year = m.to_year \
         JOIN finding i ON i.received_sequence = t.content_sequence \
           AND i.rule = w.rule AND i.operands_digest = w.operands_digest \
         WHERE w.ended_at IS NULL AND w.expires_at > ? \
           AND NOT EXISTS (SELECT 1 FROM report o WHERE o.agency = w.agency AND o.year = w.year) \
         GROUP BY w.agency, w.year, w.id LIMIT ?",
    )?;
    let found = select.query_and_then(params![micros(now), limit_of(limit)], |row| {
        let from = waiver(row)?;
        let agency: String = row.get("to_agency")?;
        let agency = AgencyKey::from_code(&agency).map_err(|_| damaged("to_agency"))?;
        let key = ReportKey { agency, year: row.get("to_year")? };
        let granted = row.get::<_, Option<String>>("granted")?;
        let granted = granted.map(|id| get(c, &key, &id)).transpose()?.flatten();
        let is_granted = granted.is_some();
        let to = match granted {
            Some(granted) => granted,
            None => from.moved(&key, &row.get::<_, String>("to_fingerprint")?),
        };
        Ok(MovedWaiver { from, to, is_granted })
    })?;
    found.collect()
}

fn waiver(row: &Row<'_>) -> Result<Waiver, Error> {
    let ended_at: Option<i64> = row.get("ended_at")?;
    let revoked = match (row.get("ended_by")?, row.get("end_reason")?) {
        (Some(person), Some(reason)) => Some(Revocation { person, reason }),
        _ => None,
    };
    let end = ended_at.map(|at| Ok::<_, Error>(WaiverEnd { at: time_of(at)?, revoked })).transpose()?;
    let region: String = row.get("region")?;
    Ok(Waiver {
        id: row.get("id")?,
        key: columns::key(row)?,
        region: region.parse().map_err(|_| damaged("region"))?,
        fingerprint: row.get("fingerprint")?,
        operands_digest: row.get("operands_digest")?,
        rule: row.get("rule")?,
        severity: severity(row.get("severity")?)?,
        reason: row.get("reason")?,
        person: row.get("person")?,
        created_at: time_of(row.get("created_at")?)?,
        expires_at: time_of(row.get("expires_at")?)?,
        end,
    })
}
