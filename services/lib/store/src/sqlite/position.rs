//! The log from which the file was built, and which of its events the file contains.

use rusqlite::{Connection, OptionalExtension as _, Transaction, params};
use time::OffsetDateTime;

use super::columns::{damaged, signed};
use crate::error::Error;
use crate::log::{LogIdentity, Mark, Position};

/// Records that the file is for the events of `log`, and contains none yet.
pub(super) fn begin(tx: &Transaction<'_>, log: &LogIdentity) -> Result<(), Error> {
    let first = signed(log.first_sequence, "first_sequence")?;
    tx.execute("INSERT INTO log VALUES (?, ?, 0)", params![nanos(log.created)?, first])?;
    Ok(())
}

/// Returns the log, and whether the file ever contained all of it.
pub(super) fn log(c: &Connection) -> Result<Option<(LogIdentity, bool)>, Error> {
    let row = c.query_row("SELECT created, first_sequence, whole FROM log", [], |row| {
        Ok((row.get(0)?, row.get::<_, i64>(1)?, row.get(2)?))
    });
    let Some((created, first, whole)) = row.optional()? else { return Ok(None) };
    let first_sequence = u64::try_from(first).map_err(|_| damaged("first_sequence"))?;
    Ok(Some((LogIdentity { created: time_of(created)?, first_sequence }, whole)))
}

pub(super) fn set_whole(tx: &Transaction<'_>) -> Result<(), Error> {
    tx.execute("UPDATE log SET whole = 1", [])?;
    Ok(())
}

pub(super) fn read(c: &Connection) -> Result<Position, Error> {
    let events: i64 = c.query_row("SELECT count(*) FROM event", [], |row| row.get(0))?;
    let newest =
        c.query_row("SELECT sequence, logged_at FROM event ORDER BY sequence DESC LIMIT 1", [], |row| {
            Ok((row.get::<_, i64>(0)?, row.get(1)?))
        });
    let newest = newest.optional()?.map(|(sequence, at)| {
        let sequence = u64::try_from(sequence).map_err(|_| damaged("sequence"))?;
        Ok::<_, Error>(Mark { sequence, logged_at: time_of(at)? })
    });
    Ok(Position { events: events.unsigned_abs(), newest: newest.transpose()? })
}

/// Records an event. Returns false if it is already recorded.
///
/// # Errors
/// `OtherLog` if another event with this sequence is recorded.
pub(super) fn record(tx: &Transaction<'_>, mark: &Mark) -> Result<bool, Error> {
    let (sequence, at) = (signed(mark.sequence, "sequence")?, nanos(mark.logged_at)?);
    let mut insert = tx.prepare_cached("INSERT INTO event VALUES (?, ?) ON CONFLICT DO NOTHING")?;
    if insert.execute([sequence, at])? == 1 {
        return Ok(true);
    }
    let mut select = tx.prepare_cached("SELECT logged_at FROM event WHERE sequence = ?")?;
    let known: i64 = select.query_row([sequence], |row| row.get(0))?;
    if known == at { Ok(false) } else { Err(Error::OtherLog { sequence: mark.sequence }) }
}

fn nanos(at: OffsetDateTime) -> Result<i64, Error> {
    i64::try_from(at.unix_timestamp_nanos()).map_err(|_| Error::OutOfRange("logged_at"))
}

fn time_of(nanos: i64) -> Result<OffsetDateTime, Error> {
    OffsetDateTime::from_unix_timestamp_nanos(nanos.into()).map_err(|_| damaged("logged_at"))
}
