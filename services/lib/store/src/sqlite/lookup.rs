//! Queries for one report.

use gongkai_lifecycle::{self as lifecycle, record_arrival, record_withdrawal, revisions};
use gongkai_model::{Fact, History, Rank, ReportKey, ReviewStep};
use rusqlite::{Connection, OptionalExtension, params};
use time::OffsetDateTime;

use super::columns::{self, FACT, REVISION, SOURCE, damaged, micros, signed, unsigned};
use crate::arrival::{StoredProse, StoredSection};
use crate::error::Error;
use crate::query::{Cursor, Key, Page};
use crate::report::{RevisionHeader, StoredReport};

/// Returns the history of a report, up to `as_of` if given.
///
/// Stored times are cut to microseconds, so a time from an answer includes the event that it belongs to.
pub(super) fn history(
    c: &Connection,
    key: &ReportKey,
    as_of: Option<OffsetDateTime>,
) -> Result<History, Error> {
    let until = as_of.map_or(i64::MAX, micros);
    let mut history = History::default();
    let mut select = c.prepare_cached(
        "SELECT received_sequence, effective_at, event_sequence, content_hash, url, received_at, published_at, region \
         FROM arrival WHERE agency = ?1 AND year = ?2 AND received_at <= ?3",
    )?;
    for arrival in select.query_and_then(params![key.agency.as_str(), key.year, until], columns::arrival)? {
        record_arrival(&mut history, &arrival?);
    }
    let mut select = c.prepare_cached(
        "SELECT sequence, effective_at, CASE WHEN agency IS ?1 AND year IS ?2 THEN '' ELSE url END AS url \
         FROM withdrawal WHERE withdrawn_at <= ?3 AND ((agency = ?1 AND year = ?2) OR (url <> '' AND url IN \
         (SELECT a.url FROM arrival a WHERE a.agency = ?1 AND a.year = ?2)))",
    )?;
    for down in select.query_and_then(params![key.agency.as_str(), key.year, until], columns::taken_down)? {
        record_withdrawal(&mut history, &down?);
    }
    Ok(history)
}

/// Returns the whole report, now or at `as_of`.
pub(super) fn report(
    c: &Connection,
    key: &ReportKey,
    as_of: Option<OffsetDateTime>,
) -> Result<Option<StoredReport>, Error> {
    let history = history(c, key, as_of)?;
    let revisions = revisions(&history);
    let Some(current) = revisions.last() else { return Ok(None) };
    let content = current.content().rank.sequence();
    Ok(Some(StoredReport {
        revision: header(c, current, revisions.len(), current.is_withdrawn)?,
        prose: prose(c, content)?,
        facts: facts(c, content)?,
        review: review(c, content)?,
    }))
}

/// Returns the current revision's header.
pub(super) fn newest(c: &Connection, key: &ReportKey) -> Result<Option<RevisionHeader>, Error> {
    let history = history(c, key, None)?;
    let revisions = revisions(&history);
    revisions.last().map(|current| header(c, current, revisions.len(), current.is_withdrawn)).transpose()
}

/// Returns the headers of a report's revisions, lowest rank first.
pub(super) fn headers(
    c: &Connection,
    key: &ReportKey,
    after: Option<&Cursor>,
    limit: usize,
) -> Result<Page<RevisionHeader>, Error> {
    let after = after.map(|cursor| match cursor.0.as_slice() {
        [Key::Integer(at), Key::Integer(sequence)] => columns::rank(*at, *sequence, "cursor"),
        _ => Err(Error::OutOfRange("cursor")),
    });
    let after = after.transpose()?;
    let history = history(c, key, None)?;
    let all = revisions(&history);
    let start = all.partition_point(|revision| Some(revision.newest().rank) <= after);
    let end = all.len().min(start.saturating_add(limit));
    let mut items = Vec::new();
    for (at, revision) in all.iter().enumerate().take(end).skip(start) {
        let withdrawn = at + 1 == all.len() && revision.is_withdrawn;
        items.push(header(c, revision, at + 1, withdrawn)?);
    }
    let last = all.get(start..end).filter(|_| end < all.len()).and_then(<[_]>::last);
    Ok(Page { items, next: last.map(|last| cursor(last.newest().rank)).transpose()? })
}

fn cursor(rank: Rank) -> Result<Cursor, Error> {
    Ok(Cursor(vec![
        Key::Integer(micros(rank.effective_at())),
        Key::Integer(signed(rank.sequence(), "cursor")?),
    ]))
}

fn header(
    c: &Connection,
    revision: &lifecycle::Revision<'_>,
    ordinal: usize,
    withdrawn: bool,
) -> Result<RevisionHeader, Error> {
    let mut select = c.prepare_cached(&format!(
        "SELECT {REVISION}, ?3 AS ordinal FROM arrival f JOIN arrival c ON c.received_sequence = ?2 \
         JOIN arrival n ON n.received_sequence = ?4 JOIN versions v ON v.id = c.versions_id \
         WHERE f.received_sequence = ?1"
    ))?;
    let first = signed(revision.first().rank.sequence(), "first")?;
    let content = signed(revision.content().rank.sequence(), "content")?;
    let newest = signed(revision.newest().rank.sequence(), "newest")?;
    let ordinal = i64::try_from(ordinal).unwrap_or(i64::MAX);
    let mut rows = select.query(params![first, content, ordinal, newest])?;
    let row = rows.next()?.ok_or_else(|| Error::Damaged("an arrival has no versions".to_owned()))?;
    columns::revision(row, withdrawn)
}

fn prose(c: &Connection, arrival: u64) -> Result<Option<StoredProse>, Error> {
    let id = signed(arrival, "arrival")?;
    let mut select = c.prepare_cached("SELECT preamble FROM arrival WHERE received_sequence = ?")?;
    let preamble: Option<Option<String>> = select.query_row([id], |row| row.get(0)).optional()?;
    let Some(preamble) = preamble.flatten() else { return Ok(None) };
    let mut select = c.prepare_cached(
        "SELECT number, title, text FROM section WHERE received_sequence = ? ORDER BY position",
    )?;
    let sections = select.query_map([id], |row| {
        Ok(StoredSection { number: row.get(0)?, title: row.get(1)?, text: row.get(2)? })
    })?;
    Ok(Some(StoredProse { preamble, sections: sections.collect::<Result<_, _>>()? }))
}

fn review(c: &Connection, arrival: u64) -> Result<Vec<ReviewStep>, Error> {
    let id = signed(arrival, "arrival")?;
    let mut select = c.prepare_cached(
        "SELECT level, decision, decided_at FROM review_step WHERE received_sequence = ? ORDER BY position",
    )?;
    let steps = select.query_and_then([id], |row| {
        let decided_at = row.get::<_, Option<i64>>(2)?.map(columns::time_of).transpose()?;
        Ok(ReviewStep { level: row.get(0)?, decision: row.get(1)?, decided_at })
    })?;
    steps.collect()
}

fn facts(c: &Connection, arrival: u64) -> Result<Vec<Fact>, Error> {
    let id = signed(arrival, "arrival")?;
    let mut select = c.prepare_cached(&format!(
        "SELECT {FACT}, {SOURCE} FROM fact WHERE received_sequence = ? ORDER BY position"
    ))?;
    let found = select.query_and_then([id], |row| columns::fact(row, 0))?;
    let mut facts = found.collect::<Result<Vec<_>, Error>>()?;
    // One query suffices for all facts: few cells have candidates, and most reports none. Positions count from 0.
    let mut select = c.prepare_cached(&format!(
        "SELECT {SOURCE}, fact FROM candidate WHERE received_sequence = ? ORDER BY fact, position"
    ))?;
    let mut rows = select.query([id])?;
    while let Some(row) = rows.next()? {
        let position = usize::try_from(unsigned(row, "fact")?).ok();
        let fact = position.and_then(|at| facts.get_mut(at)).ok_or_else(|| damaged("fact"))?;
        fact.candidates.extend(columns::source(row, 0)?);
    }
    Ok(facts)
}

/// Adds the candidates of an unreadable cell.
pub(super) fn add_candidates(
    c: &Connection,
    fact: &mut Fact,
    arrival: i64,
    position: i64,
) -> Result<(), Error> {
    let mut select = c.prepare_cached(&format!(
        "SELECT {SOURCE} FROM candidate WHERE received_sequence = ? AND fact = ? ORDER BY position"
    ))?;
    for source in select.query_and_then([arrival, position], |row| columns::source(row, 0))? {
        fact.candidates.extend(source?);
    }
    Ok(())
}
