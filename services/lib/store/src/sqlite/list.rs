//! Queries over many reports, page by page.

use gongkai_model::Severity;
use rusqlite::Connection;

use super::columns::{self, FACT, REVISION, SOURCE};
use super::lookup::add_candidates;
use super::paging::{page, sort_columns};
use super::sql::{Has, Sql, SqlColumn};
use super::waivers;
use crate::error::Error;
use crate::query::{
    FactField, FactQuery, FindingField, FindingOrder, FindingQuery, FoundFact, FoundFinding, Page,
    ReportField, ReportOrder, ReportQuery,
};
use crate::report::RevisionHeader;

pub(super) fn reports(c: &Connection, query: &ReportQuery) -> Result<Page<RevisionHeader>, Error> {
    let keys: &[&str] = match query.order {
        ReportOrder::Name => &["r.agency", "r.year"],
        ReportOrder::Year => &["r.year", "r.agency"],
        ReportOrder::AgencyName => &["r.agency_name", "r.agency", "r.year"],
        ReportOrder::ReceivedAt => &["r.received_at", "r.agency", "r.year"],
    };
    let mut sql = Sql::new(&format!(
        "SELECT {REVISION}, r.withdrawn, (SELECT count(DISTINCT a.content_hash) FROM arrival a \
         WHERE a.agency = r.agency AND a.year = r.year) AS ordinal, {} FROM report r \
         JOIN arrival f ON f.received_sequence = r.first_sequence \
         JOIN arrival c ON c.received_sequence = r.content_sequence \
         JOIN arrival n ON n.received_sequence = r.newest_sequence \
         JOIN versions v ON v.id = c.versions_id WHERE true",
        sort_columns(keys)
    ));
    sql.scope(&query.scope).conditions(&query.conditions, report_column);
    sql.page(keys, query.descending, query.after.as_ref(), query.limit)?;
    page(c, &sql, keys.len(), query.limit, |row| columns::revision(row, row.get("withdrawn")?))
}

pub(super) fn findings(c: &Connection, query: &FindingQuery) -> Result<Page<FoundFinding>, Error> {
    let keys: &[&str] = match query.order {
        FindingOrder::Report => &["r.agency", "r.year", "i.position"],
        FindingOrder::Severity => &["i.severity", "r.agency", "r.year", "i.position"],
    };
    let mut sql = Sql::new(&format!(
        "SELECT {SOURCE}, r.agency, r.year, a.trace_id, i.*, v.program, v.parser, v.forms, v.rules, w.id AS waiver, {} \
         FROM report r \
         JOIN arrival a ON a.received_sequence = r.content_sequence \
         JOIN finding i ON i.received_sequence = r.content_sequence \
         JOIN versions v ON v.id = i.versions_id \
         LEFT JOIN waiver w ON w.agency = r.agency AND w.year = r.year AND w.id = {} WHERE true",
        sort_columns(keys),
        waivers::COVERING,
    ));
    if !query.scope.is_one_report() {
        sql.push(" AND NOT r.withdrawn");
    }
    sql.scope(&query.scope).conditions(&query.conditions, finding_column);
    sql.page(keys, query.descending, query.after.as_ref(), query.limit)?;
    page(c, &sql, keys.len(), query.limit, |row| {
        Ok(FoundFinding {
            key: columns::key(row)?,
            finding: columns::finding(row)?,
            trace_id: row.get("trace_id")?,
            waiver: waivers::covering(c, row)?,
        })
    })
}

pub(super) fn facts(c: &Connection, query: &FactQuery) -> Result<Page<FoundFact>, Error> {
    let keys: &[&str] = &["r.agency", "r.year", "t.position"];
    let mut sql = Sql::new(&format!(
        "SELECT {FACT}, {SOURCE}, r.agency, r.year, t.received_sequence, t.position, {} FROM report r \
         JOIN arrival a ON a.received_sequence = r.content_sequence \
         JOIN fact t ON t.received_sequence = r.content_sequence WHERE true",
        sort_columns(keys)
    ));
    if !query.scope.is_one_report() {
        sql.push(" AND NOT r.withdrawn");
    }
    sql.scope(&query.scope).conditions(&query.conditions, fact_column);
    sql.page(keys, false, query.after.as_ref(), query.limit)?;
    page(c, &sql, keys.len(), query.limit, |row| {
        let mut fact = columns::fact(row, 0)?;
        add_candidates(c, &mut fact, row.get("received_sequence")?, row.get("position")?)?;
        Ok(FoundFact { key: columns::key(row)?, fact })
    })
}

fn report_column(field: ReportField) -> SqlColumn {
    let (sql, has) = match field {
        ReportField::Year => ("r.year", Has::Equals),
        ReportField::Form => ("c.form", Has::Equals),
        ReportField::Variant => ("c.variant", Has::Equals),
        ReportField::AgencyName => ("r.agency_name", Has::Contains),
        ReportField::Title => ("c.title", Has::Contains),
        ReportField::Region => ("f.region", Has::BeginsWith),
        ReportField::MediaType => ("c.media_type", Has::Equals),
        ReportField::Findings(Severity::Error) => ("c.errors", Has::Equals),
        ReportField::Findings(Severity::Warning) => ("c.warnings", Has::Equals),
        ReportField::Findings(Severity::Review) => ("c.reviews", Has::Equals),
        ReportField::Findings(Severity::Info) => ("c.infos", Has::Equals),
        ReportField::Withdrawn => ("r.withdrawn", Has::Equals),
    };
    SqlColumn::new(sql, has)
}

fn finding_column(field: FindingField) -> SqlColumn {
    let (sql, has) = match field {
        FindingField::Severity => ("i.severity", Has::Equals),
        FindingField::Rule => ("i.rule", Has::BeginsWith),
        FindingField::Concept => ("i.concept", Has::BeginsWith),
        FindingField::Fingerprint => ("i.fingerprint", Has::Equals),
        FindingField::Year => ("r.year", Has::Equals),
        FindingField::Region => ("a.region", Has::BeginsWith),
        FindingField::Waived => ("(w.id IS NOT NULL)", Has::Equals),
    };
    SqlColumn::new(sql, has)
}

fn fact_column(field: FactField) -> SqlColumn {
    let (sql, has) = match field {
        FactField::Concept => ("t.concept", Has::BeginsWith),
        FactField::Applicant => ("t.applicant", Has::Equals),
        FactField::State => ("t.state", Has::Equals),
        FactField::Value => return SqlColumn::only_present("CAST(t.value AS REAL)"),
        FactField::Year => ("r.year", Has::Equals),
        FactField::Region => ("a.region", Has::BeginsWith),
    };
    SqlColumn::new(sql, has)
}
