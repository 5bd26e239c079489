//! Reads of the change feed.

use gongkai_model::AgencyKey;
use rusqlite::{Connection, types::Value};

use super::columns::{self, damaged, signed, unsigned};
use super::sql::{Sql, limit_of};
use super::{lookup, moved};
use crate::change::{Change, ChangeKind};
use crate::error::Error;

pub(super) fn changes(
    c: &Connection,
    agency: Option<&AgencyKey>,
    after: u64,
    limit: usize,
) -> Result<Vec<Change>, Error> {
    let mut sql = Sql::new("SELECT ordinal, kind, agency, year FROM change WHERE ordinal > ");
    sql.bind(Value::Integer(signed(after, "ordinal")?));
    if let Some(agency) = agency {
        sql.push(" AND agency = ").bind(agency.as_str().to_owned().into());
    }
    sql.push(" ORDER BY ordinal LIMIT ").bind(limit_of(limit));
    let mut select = c.prepare_cached(sql.text())?;
    let found = select.query_and_then(sql.params(), |row| {
        let kind: String = row.get("kind")?;
        let kinds = [ChangeKind::Validated, ChangeKind::Withdrawn, ChangeKind::Erased, ChangeKind::Moved];
        let kind = kinds.into_iter().find(|k| k.as_str() == kind).ok_or_else(|| damaged("kind"))?;
        let key = columns::key(row)?;
        Ok(Change {
            ordinal: unsigned(row, "ordinal")?,
            kind,
            report: lookup::newest(c, &key)?,
            moved_to: if kind == ChangeKind::Moved { moved::moved_to(c, &key)? } else { None },
            key,
        })
    })?;
    found.collect()
}

pub(super) fn last(c: &Connection) -> Result<u64, Error> {
    let mut select = c.prepare_cached("SELECT coalesce(max(ordinal), 0) AS last FROM change")?;
    let mut rows = select.query([])?;
    let row = rows.next()?.ok_or_else(|| damaged("last"))?;
    unsigned(row, "last")
}
