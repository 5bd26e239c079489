//! Converts rows to plain types and back. A value that cannot be converted is an error, never a default.

use std::str::FromStr;

use gongkai_model::{
    Area, Arrival, CellRef, Concept, Fact, FactId, Finding, Rank, ReportKey, Severity, Source, Span, State,
    Summary, TakenDown, Versions,
};
use rusqlite::{Row, types::Value};
use time::OffsetDateTime;

use crate::{arrival::Origin, error::Error, query::severity_rank, report::RevisionHeader};

/// Converts a sequence to a column value.
pub(super) fn signed(n: u64, what: &'static str) -> Result<i64, Error> {
    i64::try_from(n).map_err(|_| Error::OutOfRange(what))
}

/// Reads a sequence from a column.
pub(super) fn unsigned(row: &Row<'_>, column: &str) -> Result<u64, Error> {
    u64::try_from(row.get::<_, i64>(column)?).map_err(|_| damaged(column))
}

/// Converts a time to a column value, cut to microseconds.
pub(super) fn micros(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos().div_euclid(1000))
        .expect("±9999 years fit in 63 bits of microseconds")
}

/// Converts a column value to a time.
pub(super) fn time_of(micros: i64) -> Result<OffsetDateTime, Error> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1000).map_err(|_| damaged("time"))
}

pub(super) fn damaged(what: &str) -> Error {
    Error::Damaged(format!("unknown value in column {what}"))
}

fn parsed<T: FromStr>(row: &Row<'_>, column: &str) -> Result<T, Error> {
    row.get_ref(column)?.as_str().map_err(|_| damaged(column))?.parse().map_err(|_| damaged(column))
}

fn optional<T: FromStr>(row: &Row<'_>, column: &str) -> Result<Option<T>, Error> {
    let text: Option<String> = row.get(column)?;
    text.map(|t| t.parse().map_err(|_| damaged(column))).transpose()
}

/// Returns a text column without a copy, or `None` for NULL.
fn words<'a>(row: &'a Row<'_>, at: usize) -> Result<Option<&'a str>, Error> {
    row.get_ref(at)?.as_str_or_null().map_err(|_| damaged("text"))
}

/// Reads a report's key from the columns `agency` and `year`.
pub(super) fn key(row: &Row<'_>) -> Result<ReportKey, Error> {
    let agency: String = row.get("agency")?;
    let agency = gongkai_model::AgencyKey::from_code(&agency).map_err(|_| damaged("agency"))?;
    Ok(ReportKey { agency, year: row.get("year")? })
}

/// The columns that [`revision`] reads besides `ordinal`: `f` is the first arrival, `c` the one whose content counts,
/// and `v` its versions.
pub(super) const REVISION: &str = "c.agency, c.year, c.agency_name, c.form, c.variant, c.title, c.media_type, c.trace_id, \
     c.errors, c.warnings, c.reviews, c.infos, v.program, v.parser, v.forms, v.rules, \
     f.content_hash, f.received_sequence, f.submission_id, f.received_at, f.published_at, f.url, f.region, n.event_time";

/// Reads a revision's header.
pub(super) fn revision(row: &Row<'_>, withdrawn: bool) -> Result<RevisionHeader, Error> {
    Ok(RevisionHeader {
        key: key(row)?,
        ordinal: row.get("ordinal")?,
        origin: origin(row)?,
        event_time: row.get::<_, Option<i64>>("event_time")?.map(time_of).transpose()?,
        agency_name: row.get("agency_name")?,
        form: parsed(row, "form")?,
        variant: parsed(row, "variant")?,
        title: row.get("title")?,
        media_type: row.get("media_type")?,
        summary: Summary {
            error: row.get("errors")?,
            warning: row.get("warnings")?,
            review: row.get("reviews")?,
            info: row.get("infos")?,
        },
        versions: versions(row)?,
        trace_id: row.get("trace_id")?,
        withdrawn,
    })
}

/// Reads an arrival of a report's history.
pub(super) fn arrival(row: &Row<'_>) -> Result<Arrival, Error> {
    Ok(Arrival {
        rank: rank(row.get("effective_at")?, row.get("received_sequence")?, "received_sequence")?,
        event: unsigned(row, "event_sequence")?,
        content_hash: row.get("content_hash")?,
        url: row.get("url")?,
        received_at: time_of(row.get("received_at")?)?,
        published_at: row.get::<_, Option<i64>>("published_at")?.map(time_of).transpose()?,
        region: parsed(row, "region")?,
    })
}

/// Reads a withdrawal of a report's history.
pub(super) fn taken_down(row: &Row<'_>) -> Result<TakenDown, Error> {
    Ok(TakenDown {
        rank: rank(row.get("effective_at")?, row.get("sequence")?, "sequence")?,
        url: row.get("url")?,
    })
}

/// Converts microseconds and a sequence to a rank.
pub(super) fn rank(effective_at: i64, sequence: i64, what: &'static str) -> Result<Rank, Error> {
    let sequence = u64::try_from(sequence).map_err(|_| Error::OutOfRange(what))?;
    Ok(Rank::new(time_of(effective_at)?, sequence))
}

fn origin(row: &Row<'_>) -> Result<Origin, Error> {
    Ok(Origin {
        submission_id: row.get("submission_id")?,
        content_hash: row.get("content_hash")?,
        received_sequence: unsigned(row, "received_sequence")?,
        received_at: time_of(row.get("received_at")?)?,
        published_at: row.get::<_, Option<i64>>("published_at")?.map(time_of).transpose()?,
        url: row.get("url")?,
        region: parsed(row, "region")?,
    })
}

fn versions(row: &Row<'_>) -> Result<Versions, Error> {
    Ok(Versions {
        program: row.get("program")?,
        parser: row.get("parser")?,
        forms: row.get("forms")?,
        rules: row.get("rules")?,
    })
}

/// Converts a source to the values of the columns `source_…`.
pub(super) fn source_values(source: Option<&Source>) -> [Value; 9] {
    let number = |n: Option<u32>| n.map_or(Value::Null, |n| Value::Integer(n.into()));
    let cell = source.and_then(|s| s.cell);
    let span = source.and_then(|s| s.span);
    [
        source.map_or(Value::Null, |s| Value::Text(s.text.clone())),
        number(cell.map(|c| c.table)),
        number(cell.map(|c| c.row)),
        number(cell.map(|c| c.column)),
        number(source.and_then(|s| s.page)),
        number(span.map(|s| s.start)),
        number(span.map(|s| s.end)),
        source.and_then(|s| s.area).map_or(Value::Null, |area| Value::Text(area_text(area))),
        source.and_then(|s| s.part.clone()).map_or(Value::Null, Value::Text),
    ]
}

/// The columns that [`source`] reads. They are read by position, because access by name searches the names of all
/// columns for each value.
pub(super) const SOURCE: &str = "source_text, source_table, source_row, source_column, source_page, \
     source_start, source_end, source_area, source_part";

/// Reads a source from the columns [`SOURCE`], which begin at index `at`.
pub(super) fn source(row: &Row<'_>, at: usize) -> Result<Option<Source>, Error> {
    let Some(text) = row.get(at)? else { return Ok(None) };
    let (table, start): (Option<u32>, Option<u32>) = (row.get(at + 1)?, row.get(at + 5)?);
    let cell = match table {
        Some(table) => Some(CellRef { table, row: row.get(at + 2)?, column: row.get(at + 3)? }),
        None => None,
    };
    let span = match start {
        Some(start) => Some(Span { start, end: row.get(at + 6)? }),
        None => None,
    };
    let area =
        words(row, at + 7)?.map(|text| parse_area(text).ok_or_else(|| damaged("source_area"))).transpose()?;
    Ok(Some(Source { text, cell, page: row.get(at + 4)?, span, area, part: row.get(at + 8)? }))
}

fn area_text(area: Area) -> String {
    let Area { left, top, right, bottom } = area;
    format!("{left},{top},{right},{bottom}")
}

fn parse_area(text: &str) -> Option<Area> {
    let mut numbers = text.split(',').map(|number| number.parse().ok());
    let mut next = || numbers.next().flatten();
    let area = Area { left: next()?, top: next()?, right: next()?, bottom: next()? };
    numbers.next().is_none().then_some(area)
}

/// The columns that [`fact`] reads before [`SOURCE`].
pub(super) const FACT: &str = "concept, applicant, state, value, unread_reason";

/// Reads a fact without its candidates from the columns [`FACT`] and [`SOURCE`], which begin at index `at`.
pub(super) fn fact(row: &Row<'_>, at: usize) -> Result<Fact, Error> {
    let concept = Concept::new(words(row, at)?.ok_or_else(|| damaged("concept"))?);
    let applicant =
        words(row, at + 1)?.map(|text| text.parse().map_err(|_| damaged("applicant"))).transpose()?;
    let state = match (words(row, at + 2)?, words(row, at + 3)?) {
        (Some("reported"), Some(text)) => State::Reported(text.parse().map_err(|_| damaged("value"))?),
        (Some("blank"), None) => State::Blank,
        (Some("not_applicable"), None) => State::NotApplicable,
        (Some("missing"), None) => State::Missing,
        (Some("unreadable"), None) => State::Unreadable,
        _ => return Err(damaged("state")),
    };
    let unread_reason = words(row, at + 4)?.map(|text| text.parse().map_err(|_| damaged("unread_reason")));
    Ok(Fact {
        id: FactId { concept, applicant },
        state,
        unread_reason: unread_reason.transpose()?,
        source: source(row, at + 5)?,
        candidates: Vec::new(),
    })
}

/// Reads a finding from a row with its versions joined and the columns [`SOURCE`] first.
pub(super) fn finding(row: &Row<'_>) -> Result<Finding, Error> {
    let operands: String = row.get("facts")?;
    let operands = operands.lines().map(|line| line.parse().map_err(|_| damaged("facts")));
    Ok(Finding {
        rule: row.get("rule")?,
        severity: severity(row.get("severity")?)?,
        message: row.get("message")?,
        message_en: row.get("message_en")?,
        fingerprint: row.get("fingerprint")?,
        cause: optional(row, "cause")?,
        concept: row.get::<_, Option<String>>("concept")?.as_deref().map(Concept::new),
        formula: row.get("formula")?,
        expected: row.get("expected")?,
        actual: row.get("actual")?,
        facts: operands.collect::<Result<_, _>>()?,
        source: source(row, 0)?,
        legal: row.get("legal")?,
        help: row.get("help")?,
        suggestion: row.get("suggestion")?,
        operands_digest: row.get("operands_digest")?,
        versions: versions(row)?,
    })
}

pub(super) fn severity(rank: i64) -> Result<Severity, Error> {
    Severity::ALL.iter().copied().find(|s| severity_rank(*s) == rank).ok_or_else(|| damaged("severity"))
}
