//! One finding with everything that it depends on, and the severities that it has had.

use gongkai_model::{Fact, FactId, ReportKey};
use rusqlite::{Connection, Transaction, params};

use super::columns::{severity, time_of};
use super::{list, lookup, waivers};
use crate::arrival::Content;
use crate::error::Error;
use crate::query::{
    Condition, Explained, FindingField, FindingQuery, Judgement, Op, ReportScope, Value, WaiverQuery,
    severity_rank,
};

/// Records the severities of a validation's findings. The result is the same for every order of validations.
pub(super) fn record_judgements(tx: &Transaction<'_>, content: &Content, at: i64) -> Result<(), Error> {
    let mut upsert = tx.prepare_cached(
        "INSERT INTO judgement VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6) ON CONFLICT DO UPDATE SET \
         first_at = min(first_at, excluded.first_at), last_at = max(last_at, excluded.last_at)",
    )?;
    for finding in &content.findings {
        upsert.execute(params![
            content.key.agency.as_str(),
            content.key.year,
            finding.fingerprint,
            severity_rank(finding.severity),
            finding.versions.rules,
            at,
        ])?;
    }
    Ok(())
}

/// Returns a finding with everything that it depends on.
pub(super) fn explained(
    c: &Connection,
    key: &ReportKey,
    fingerprint: &str,
) -> Result<Option<Explained>, Error> {
    let scope = ReportScope { agency: Some(key.agency.clone()), year: Some(key.year) };
    let named = Condition {
        field: FindingField::Fingerprint,
        op: Op::Eq,
        value: Value::Text(fingerprint.to_owned()),
    };
    let query =
        FindingQuery { scope: scope.clone(), conditions: vec![named], limit: 1, ..FindingQuery::default() };
    let Some(found) = list::findings(c, &query)?.items.into_iter().next() else { return Ok(None) };
    let Some(report) = lookup::report(c, key, None)? else { return Ok(None) };
    let fact = |id: &FactId| report.facts.iter().find(|fact| fact.id == *id).cloned();
    let operands: Vec<Fact> = found.finding.facts.iter().filter_map(fact).collect();
    let waivers = waivers::list(
        c,
        &WaiverQuery { scope, fingerprint: Some(fingerprint.to_owned()), after: None, limit: usize::MAX },
    )?;
    Ok(Some(Explained {
        operands,
        revision: report.revision,
        judgements: judgements(c, key, fingerprint)?,
        waivers: waivers.items,
        found,
    }))
}

fn judgements(c: &Connection, key: &ReportKey, fingerprint: &str) -> Result<Vec<Judgement>, Error> {
    let mut select = c.prepare_cached(
        "SELECT severity, rules, first_at, last_at FROM judgement \
         WHERE agency = ? AND year = ? AND fingerprint = ? ORDER BY first_at, severity, rules",
    )?;
    let found = select.query_and_then(params![key.agency.as_str(), key.year, fingerprint], |row| {
        Ok::<_, Error>(Judgement {
            severity: severity(row.get("severity")?)?,
            rules: row.get("rules")?,
            first_at: time_of(row.get("first_at")?)?,
            last_at: time_of(row.get("last_at")?)?,
        })
    })?;
    found.collect()
}
