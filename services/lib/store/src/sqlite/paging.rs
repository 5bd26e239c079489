//! Runs statements that end with a sort key and a limit, and creates the cursor of the last row.

use rusqlite::{Connection, Row, types::ValueRef};

use super::columns::damaged;
use super::sql::Sql;
use crate::error::Error;
use crate::query::{Cursor, Key, Page};

/// Returns the columns that select the sort key once more as `sort0`, `sort1`, …, for the cursor.
pub(super) fn sort_columns(keys: &[&str]) -> String {
    let named: Vec<String> = keys.iter().enumerate().map(|(i, key)| format!("{key} AS sort{i}")).collect();
    named.join(", ")
}

/// Runs a statement that ends with [`Sql::page`].
pub(super) fn page<T>(
    c: &Connection,
    sql: &Sql,
    keys: usize,
    limit: usize,
    read: impl Fn(&Row<'_>) -> Result<T, Error>,
) -> Result<Page<T>, Error> {
    let mut select = c.prepare_cached(sql.text())?;
    let mut rows = select.query(sql.params())?;
    let mut items = Vec::new();
    let mut last = None;
    while let Some(row) = rows.next()? {
        if items.len() == limit {
            return Ok(Page { items, next: last });
        }
        items.push(read(row)?);
        last = Some(cursor(row, keys)?);
    }
    Ok(Page { items, next: None })
}

fn cursor(row: &Row<'_>, keys: usize) -> Result<Cursor, Error> {
    let key = |i: usize| match row.get_ref(format!("sort{i}").as_str())? {
        ValueRef::Integer(n) => Ok(Key::Integer(n)),
        ValueRef::Text(text) => {
            String::from_utf8(text.to_vec()).map(Key::Text).map_err(|_| damaged("sort key"))
        }
        _ => Err(damaged("sort key")),
    };
    (0..keys).map(key).collect::<Result<_, _>>().map(Cursor)
}
