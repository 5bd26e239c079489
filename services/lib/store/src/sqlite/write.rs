//! The projector's writes, each inside one transaction.

use gongkai_lifecycle::current;
use gongkai_model::{Fact, Finding, ReportKey, Source, Summary, Versions, Waiver, Withdrawal};
use rusqlite::{OptionalExtension, Transaction, named_params, params, params_from_iter, types::Value};

use super::columns::{self, FACT, SOURCE, micros, signed, source_values};
use super::{erasures, explained, lookup, moved, waivers};
use crate::arrival::{ArrivalEvent, ArrivalOutcome, Content, StoredProse};
use crate::change::ChangeKind;
use crate::digest::digest;
use crate::error::Error;
use crate::query::severity_rank;
use crate::store::{Applied, Write};

/// Applies one write.
pub(super) fn apply(tx: &Transaction<'_>, write: &Write) -> Result<Applied, Error> {
    match write {
        Write::Arrival(arrival) => self::arrival(tx, arrival),
        Write::Withdrawal(withdrawal) => self::withdrawal(tx, withdrawal),
        Write::Waiver(waiver) => self::waiver(tx, waiver),
        Write::Erasure(erasure) => changing(tx, &erasure.reports, || erasures::erase(tx, erasure)),
    }
}

/// Stores an arrival, unless the same or a later stage event about it is stored. For an erased content, stores only
/// that it arrived.
fn arrival(tx: &Transaction<'_>, arrival: &ArrivalEvent) -> Result<Applied, Error> {
    let id = signed(arrival.arrival.rank.sequence(), "received_sequence")?;
    let event = signed(arrival.arrival.event, "event_sequence")?;
    if let ArrivalOutcome::Validated(content) = &arrival.outcome {
        explained::record_judgements(tx, content, micros(arrival.event_at))?;
    }
    if let ArrivalOutcome::Validated(content) = &arrival.outcome {
        for from in &arrival.moved_from {
            moved::record(tx, from, &content.key, event)?;
        }
    }
    let stored = stored_arrival(tx, id)?;
    if stored.as_ref().is_some_and(|(stored_event, _)| *stored_event >= event) {
        return Ok(Applied::Unseen);
    }
    let hash = &arrival.arrival.content_hash;
    let content = match &arrival.outcome {
        ArrivalOutcome::Validated(content) if !erasures::is_erased(tx, &content.key, hash)? => Some(content),
        ArrivalOutcome::Validated(_) | ArrivalOutcome::Rejected => None,
    };
    let new_key = content.map(|content| content.key.clone());
    // A later reading may find another agency or year, or no report. The old report then changes too.
    let old_key = stored.and_then(|(_, key)| key).filter(|old| new_key.as_ref() != Some(old));
    let touched: Vec<ReportKey> = old_key.into_iter().chain(new_key).collect();
    changing(tx, &touched, || {
        tx.prepare_cached("DELETE FROM arrival WHERE received_sequence = ?")?.execute([id])?;
        insert_arrival(tx, id, event, arrival)?;
        content.map_or(Ok(()), |content| insert_content(tx, id, content))
    })
}

/// Stores a withdrawal, unless it is stored already.
fn withdrawal(tx: &Transaction<'_>, withdrawal: &Withdrawal) -> Result<Applied, Error> {
    let id = signed(withdrawal.rank.sequence(), "sequence")?;
    let mut touched = reports_at(tx, &withdrawal.url)?;
    touched
        .extend(withdrawal.report.iter().filter(|key| !touched.contains(key)).cloned().collect::<Vec<_>>());
    changing(tx, &touched, || {
        let mut insert = tx.prepare_cached(
            "INSERT INTO withdrawal (sequence, url, agency, year, withdrawn_at, effective_at) \
             VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        )?;
        let agency = withdrawal.report.as_ref().map(|key| key.agency.as_str());
        let year = withdrawal.report.as_ref().map(|key| key.year);
        let (at, effective_at) = (micros(withdrawal.withdrawn_at), micros(withdrawal.rank.effective_at()));
        insert.execute(params![id, withdrawal.url, agency, year, at, effective_at])?;
        Ok(())
    })
}

/// Stores a waiver, or the end of a stored one. It is visible in the findings of a report that is not withdrawn. Does
/// not store a waiver that was granted before the report was erased.
fn waiver(tx: &Transaction<'_>, waiver: &Waiver) -> Result<Applied, Error> {
    if erasures::erased_at(tx, &waiver.key)?.map(micros) >= Some(micros(waiver.created_at)) {
        return Ok(Applied::Unseen);
    }
    let is_news = waivers::put(tx, waiver)?;
    let seen = view(tx, &waiver.key)?;
    if !is_news || !matches!(seen, FeedView::Stands { .. }) {
        return Ok(Applied::Unseen);
    }
    insert_change(tx, &waiver.key, &seen)?;
    Ok(Applied::Changed)
}

/// Makes a change, recomputes the reports that it touches, and writes a feed entry for each that visibly changed.
fn changing(
    tx: &Transaction<'_>,
    touched: &[ReportKey],
    change: impl FnOnce() -> Result<(), Error>,
) -> Result<Applied, Error> {
    let before = touched.iter().map(|key| view(tx, key)).collect::<Result<Vec<_>, _>>()?;
    change()?;
    let mut applied = Applied::Unseen;
    for (key, before) in touched.iter().zip(before) {
        refresh(tx, key)?;
        let after = view(tx, key)?;
        if after != before {
            insert_change(tx, key, &after)?;
            applied = Applied::Changed;
        }
    }
    Ok(applied)
}

/// The part of a report that a reader of the feed sees.
#[derive(PartialEq)]
enum FeedView {
    Nothing,
    Withdrawn,
    Stands { content_hash: String, digest: String },
}

fn view(tx: &Transaction<'_>, key: &ReportKey) -> Result<FeedView, Error> {
    let mut select = tx.prepare_cached(
        "SELECT r.withdrawn, c.content_hash, c.digest FROM report r \
         JOIN arrival c ON c.received_sequence = r.content_sequence WHERE r.agency = ? AND r.year = ?",
    )?;
    let row = select.query_row(params![key.agency.as_str(), key.year], |row| {
        let withdrawn: bool = row.get(0)?;
        let stands = FeedView::Stands { content_hash: row.get(1)?, digest: row.get(2)? };
        Ok(if withdrawn { FeedView::Withdrawn } else { stands })
    });
    Ok(row.optional()?.unwrap_or(FeedView::Nothing))
}

/// Recomputes all rows of `report`.
pub(super) fn refresh_all(tx: &Transaction<'_>) -> Result<(), Error> {
    let mut select = tx.prepare("SELECT DISTINCT agency, year FROM arrival WHERE agency IS NOT NULL")?;
    let keys: Vec<ReportKey> = select.query_and_then([], columns::key)?.collect::<Result<_, _>>()?;
    keys.iter().try_for_each(|key| refresh(tx, key))
}

/// Computes the row of `report` from the report's arrivals and withdrawals.
fn refresh(tx: &Transaction<'_>, key: &ReportKey) -> Result<(), Error> {
    let agency = key.agency.as_str();
    let history = lookup::history(tx, key, None)?;
    let Some(current) = current(&history) else {
        tx.prepare_cached("DELETE FROM report WHERE agency = ? AND year = ?")?
            .execute(params![agency, key.year])?;
        return Ok(());
    };
    let mut upsert = tx.prepare_cached(
        "INSERT OR REPLACE INTO report \
         (agency, year, first_sequence, content_sequence, newest_sequence, withdrawn, agency_name, received_at) \
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, c.agency_name, f.received_at FROM arrival f, arrival c \
         WHERE f.received_sequence = ?3 AND c.received_sequence = ?4",
    )?;
    let first = signed(current.first().rank.sequence(), "first")?;
    let content = signed(current.content().rank.sequence(), "content")?;
    let newest = signed(current.newest().rank.sequence(), "newest")?;
    upsert.execute(params![agency, key.year, first, content, newest, current.is_withdrawn])?;
    Ok(())
}

fn insert_change(tx: &Transaction<'_>, key: &ReportKey, after: &FeedView) -> Result<(), Error> {
    let kind = match after {
        FeedView::Stands { .. } => ChangeKind::Validated,
        FeedView::Nothing if erasures::erased_at(tx, key)?.is_some() => ChangeKind::Erased,
        FeedView::Nothing if moved::moved_to(tx, key)?.is_some() => ChangeKind::Moved,
        FeedView::Withdrawn | FeedView::Nothing => ChangeKind::Withdrawn,
    };
    tx.prepare_cached("INSERT INTO change (kind, agency, year) VALUES (?, ?, ?)")?.execute(params![
        kind.as_str(),
        key.agency.as_str(),
        key.year
    ])?;
    Ok(())
}

fn stored_arrival(tx: &Transaction<'_>, id: i64) -> Result<Option<(i64, Option<ReportKey>)>, Error> {
    let mut select =
        tx.prepare_cached("SELECT event_sequence, agency, year FROM arrival WHERE received_sequence = ?")?;
    let mut rows = select.query([id])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let rejected = row.get_ref("agency")?.as_str_or_null().map_err(rusqlite::Error::from)?.is_none();
    let key = if rejected { None } else { Some(columns::key(row)?) };
    Ok(Some((row.get("event_sequence")?, key)))
}

fn reports_at(tx: &Transaction<'_>, url: &str) -> Result<Vec<ReportKey>, Error> {
    let mut select = tx.prepare_cached(
        "SELECT DISTINCT agency, year FROM arrival WHERE url = ? AND url <> '' AND agency IS NOT NULL \
         ORDER BY agency, year",
    )?;
    select.query_and_then([url], columns::key)?.collect()
}

fn insert_arrival(tx: &Transaction<'_>, id: i64, event: i64, put: &ArrivalEvent) -> Result<(), Error> {
    let arrival = &put.arrival;
    tx.prepare_cached(
        "INSERT INTO arrival (received_sequence, event_sequence, content_hash, submission_id, received_at, \
         published_at, url, region, effective_at, event_time) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        id,
        event,
        arrival.content_hash,
        put.submission_id,
        micros(arrival.received_at),
        arrival.published_at.map(micros),
        arrival.url,
        arrival.region.as_str(),
        micros(arrival.rank.effective_at()),
        put.event_time.map(micros),
    ])?;
    Ok(())
}

fn insert_content(tx: &Transaction<'_>, id: i64, content: &Content) -> Result<(), Error> {
    let summary = Summary::of(&content.findings);
    tx.prepare_cached(
        "UPDATE arrival SET agency = :agency, year = :year, agency_name = :agency_name, form = :form, \
         variant = :variant, title = :title, media_type = :media_type, trace_id = :trace_id, \
         versions_id = :versions, errors = :errors, warnings = :warnings, reviews = :reviews, infos = :infos, \
         digest = :digest, preamble = :preamble WHERE received_sequence = :id",
    )?
    .execute(named_params! {
        ":id": id,
        ":agency": content.key.agency.as_str(),
        ":year": content.key.year,
        ":agency_name": content.agency_name,
        ":form": content.form.as_str(),
        ":variant": content.variant.as_str(),
        ":title": content.title,
        ":media_type": content.media_type,
        ":trace_id": content.trace_id,
        ":versions": versions_id(tx, &content.versions)?,
        ":errors": summary.error,
        ":warnings": summary.warning,
        ":reviews": summary.review,
        ":infos": summary.info,
        ":digest": digest(content),
        ":preamble": content.prose.as_ref().map(|prose| prose.preamble.as_str()),
    })?;
    if let Some(prose) = &content.prose {
        insert_sections(tx, id, prose)?;
    }
    for (position, fact) in (0..).zip(&content.facts) {
        insert_fact(tx, id, position, fact)?;
    }
    for (position, finding) in (0..).zip(&content.findings) {
        insert_finding(tx, id, position, finding)?;
    }
    for (position, step) in (0_i64..).zip(&content.review) {
        let decided_at = step.decided_at.map(micros);
        tx.prepare_cached("INSERT INTO review_step VALUES (?, ?, ?, ?, ?)")?.execute(params![
            id,
            position,
            step.level,
            step.decision,
            decided_at
        ])?;
    }
    Ok(())
}

fn versions_id(tx: &Transaction<'_>, versions: &Versions) -> Result<i64, Error> {
    let words = params![versions.program, versions.parser, versions.forms, versions.rules];
    tx.prepare_cached(
        "INSERT INTO versions (program, parser, forms, rules) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
    )?
    .execute(words)?;
    let mut select = tx.prepare_cached(
        "SELECT id FROM versions WHERE program = ? AND parser = ? AND forms = ? AND rules = ?",
    )?;
    Ok(select.query_row(words, |row| row.get(0))?)
}

fn insert_sections(tx: &Transaction<'_>, id: i64, prose: &StoredProse) -> Result<(), Error> {
    let mut insert = tx.prepare_cached("INSERT INTO section VALUES (?, ?, ?, ?, ?)")?;
    for (position, section) in (0_i64..).zip(&prose.sections) {
        insert.execute(params![id, position, section.number, section.title, section.text])?;
    }
    Ok(())
}

fn insert_fact(tx: &Transaction<'_>, id: i64, position: i64, fact: &Fact) -> Result<(), Error> {
    let values = [
        id.into(),
        position.into(),
        fact.id.concept.to_string().into(),
        fact.id.applicant.map(|a| a.as_str().to_owned()).into(),
        fact.state.as_str().to_owned().into(),
        fact.state.value().map(|v| v.to_string()).into(),
        fact.unread_reason.map(|reason| reason.as_str().to_owned()).into(),
    ];
    tx.prepare_cached(&format!(
        "INSERT INTO fact (received_sequence, position, {FACT}, {SOURCE}) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    ))?
    .execute(with_source(values, fact.source.as_ref()))?;
    for (rank, source) in (0_i64..).zip(&fact.candidates) {
        tx.prepare_cached("INSERT INTO candidate VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")?
            .execute(with_source([id.into(), position.into(), rank.into()], Some(source)))?;
    }
    Ok(())
}

fn insert_finding(tx: &Transaction<'_>, id: i64, position: i64, finding: &Finding) -> Result<(), Error> {
    let operands: Vec<String> = finding.facts.iter().map(ToString::to_string).collect();
    let values: [Value; 14] = [
        id.into(),
        position.into(),
        finding.rule.clone().into(),
        severity_rank(finding.severity).into(),
        finding.message.clone().into(),
        finding.message_en.clone().into(),
        finding.fingerprint.clone().into(),
        finding.cause.as_ref().map(ToString::to_string).into(),
        finding.concept.as_ref().map(ToString::to_string).into(),
        finding.formula.clone().into(),
        finding.expected.clone().into(),
        finding.actual.clone().into(),
        operands.join("\n").into(),
        versions_id(tx, &finding.versions)?.into(),
    ];
    let [text, table, row, column, page, start, end, area, part] = source_values(finding.source.as_ref());
    // In the order in which migrations added the columns.
    let later: [Value; 13] = [
        text,
        table,
        row,
        column,
        page,
        start,
        end,
        finding.legal.clone().into(),
        finding.help.clone().into(),
        finding.suggestion.clone().into(),
        area,
        finding.operands_digest.clone().into(),
        part,
    ];
    let values = values.into_iter().chain(later);
    tx.prepare_cached(
        "INSERT INTO finding VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params_from_iter(values))?;
    Ok(())
}

fn with_source<const N: usize>(
    values: [Value; N],
    source: Option<&Source>,
) -> rusqlite::ParamsFromIter<impl Iterator<Item = Value>> {
    params_from_iter(values.into_iter().chain(source_values(source)))
}
