//! Reads about one report.

use gongkai_model::{Fact, ReportKey};
use rusqlite::{Connection, OptionalExtension, params};
use time::OffsetDateTime;

use super::columns::{self, FACT, REVISION, SOURCE, damaged, signed, time_of, unsigned};
use crate::arrival::{Prose, Section};
use crate::error::Error;
use crate::query::{Cursor, Key, Page};
use crate::report::{Report, Revision};
use crate::standing::{ArrivalFacts, Ranked, Standing, WithdrawalFacts};

/// All arrivals of a report and all withdrawals that may concern it.
pub(super) fn history(
    c: &Connection,
    key: &ReportKey,
) -> Result<(Vec<ArrivalFacts>, Vec<WithdrawalFacts>), Error> {
    let mut select = c.prepare_cached(
        "SELECT received_sequence, event_sequence, content_hash, url, received_at FROM arrival \
         WHERE agency = ? AND year = ?",
    )?;
    let arrivals = select.query_and_then(params![key.agency.as_str(), key.year], |row| {
        Ok::<_, Error>(ArrivalFacts {
            received_sequence: unsigned(row, "received_sequence")?,
            event_sequence: unsigned(row, "event_sequence")?,
            content_hash: row.get("content_hash")?,
            url: row.get("url")?,
            received_at: time_of(row.get("received_at")?)?,
        })
    })?;
    let arrivals = arrivals.collect::<Result<_, _>>()?;
    let mut select = c.prepare_cached(
        "SELECT sequence, url, (agency IS ?1 AND year IS ?2) AS names_report, withdrawn_at FROM withdrawal \
         WHERE (agency = ?1 AND year = ?2) OR (url <> '' AND url IN \
         (SELECT a.url FROM arrival a WHERE a.agency = ?1 AND a.year = ?2))",
    )?;
    let withdrawals = select.query_and_then(params![key.agency.as_str(), key.year], |row| {
        Ok::<_, Error>(WithdrawalFacts {
            sequence: unsigned(row, "sequence")?,
            url: row.get("url")?,
            names_report: row.get("names_report")?,
            withdrawn_at: time_of(row.get("withdrawn_at")?)?,
        })
    })?;
    Ok((arrivals, withdrawals.collect::<Result<_, _>>()?))
}

/// The report, now or at a time.
pub(super) fn report(
    c: &Connection,
    key: &ReportKey,
    as_of: Option<OffsetDateTime>,
) -> Result<Option<Report>, Error> {
    let (arrivals, withdrawals) = history(c, key)?;
    // Stored times are cut to microseconds; a time from an answer of ours finds what it names.
    let standing = match as_of {
        Some(as_of) => Standing::at(&arrivals, &withdrawals, as_of),
        None => Standing::of(&arrivals, &withdrawals),
    };
    let Some(standing) = standing else { return Ok(None) };
    let newest = standing.revisions.last().expect("a standing has at least one revision");
    Ok(Some(Report {
        revision: revision(c, *newest, standing.withdrawn)?,
        prose: prose(c, newest.content)?,
        facts: facts(c, newest.content)?,
    }))
}

/// The newest revision's header.
pub(super) fn newest(c: &Connection, key: &ReportKey) -> Result<Option<Revision>, Error> {
    let (arrivals, withdrawals) = history(c, key)?;
    let Some(standing) = Standing::of(&arrivals, &withdrawals) else { return Ok(None) };
    let newest = standing.revisions.last().expect("a standing has at least one revision");
    revision(c, *newest, standing.withdrawn).map(Some)
}

/// Revisions, oldest first.
pub(super) fn revisions(
    c: &Connection,
    key: &ReportKey,
    after: Option<&Cursor>,
    limit: usize,
) -> Result<Page<Revision>, Error> {
    let after = match after.map(|cursor| cursor.0.as_slice()) {
        None => 0,
        Some([Key::Integer(n)]) => u64::try_from(*n).map_err(|_| Error::OutOfRange("cursor"))?,
        Some(_) => return Err(Error::OutOfRange("cursor")),
    };
    let (arrivals, withdrawals) = history(c, key)?;
    let Some(standing) = Standing::of(&arrivals, &withdrawals) else {
        return Ok(Page { items: Vec::new(), next: None });
    };
    let newest = standing.revisions.last().map(|ranked| ranked.first);
    let rest: Vec<Ranked> = standing.revisions.into_iter().filter(|ranked| ranked.first > after).collect();
    let mut items = Vec::new();
    for ranked in rest.iter().take(limit) {
        let withdrawn = standing.withdrawn && Some(ranked.first) == newest;
        items.push(revision(c, *ranked, withdrawn)?);
    }
    let next = rest.get(..limit).filter(|page| page.len() < rest.len()).and_then(|page| page.last());
    let next = next.map(|last| signed(last.first, "cursor")).transpose()?;
    Ok(Page { items, next: next.map(|n| Cursor(vec![Key::Integer(n)])) })
}

fn revision(c: &Connection, ranked: Ranked, withdrawn: bool) -> Result<Revision, Error> {
    let mut select = c.prepare_cached(&format!(
        "SELECT {REVISION} FROM arrival f JOIN arrival c ON c.received_sequence = ?2 \
         JOIN versions v ON v.id = c.versions_id WHERE f.received_sequence = ?1"
    ))?;
    let mut rows =
        select.query(params![signed(ranked.first, "first")?, signed(ranked.content, "content")?])?;
    let row = rows.next()?.ok_or_else(|| Error::Damaged("an arrival has no versions".to_owned()))?;
    columns::revision(row, withdrawn)
}

fn prose(c: &Connection, arrival: u64) -> Result<Option<Prose>, Error> {
    let id = signed(arrival, "arrival")?;
    let mut select = c.prepare_cached("SELECT preamble FROM arrival WHERE received_sequence = ?")?;
    let preamble: Option<Option<String>> = select.query_row([id], |row| row.get(0)).optional()?;
    let Some(preamble) = preamble.flatten() else { return Ok(None) };
    let mut select = c.prepare_cached(
        "SELECT number, title, text FROM section WHERE received_sequence = ? ORDER BY position",
    )?;
    let sections = select
        .query_map([id], |row| Ok(Section { number: row.get(0)?, title: row.get(1)?, text: row.get(2)? }))?;
    Ok(Some(Prose { preamble, sections: sections.collect::<Result<_, _>>()? }))
}

fn facts(c: &Connection, arrival: u64) -> Result<Vec<Fact>, Error> {
    let id = signed(arrival, "arrival")?;
    let mut select = c.prepare_cached(&format!(
        "SELECT {FACT}, {SOURCE} FROM fact WHERE received_sequence = ? ORDER BY position"
    ))?;
    let found = select.query_and_then([id], |row| columns::fact(row, 0))?;
    let mut facts = found.collect::<Result<Vec<_>, Error>>()?;
    // All at once: few cells have any, and most reports none. Positions count from 0.
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

/// Adds what the readings of an unreadable cell proposed.
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
