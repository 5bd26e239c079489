//! What readers may ask: scope, conditions, order, and a page behind a cursor.
//!
//! Pages are cut by key, not by number: the cursor holds the sort key of the last row, so rows that come in between pages
//! shift nothing.

use gongkai_model::{AgencyKey, Fact, Finding, ReportKey, Severity, Waiver};
use time::OffsetDateTime;

use crate::report::RevisionHeader;

/// Reports of one agency or all, of one year or all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scope {
    /// `None`: all agencies.
    pub agency: Option<AgencyKey>,
    /// `None`: all years.
    pub year: Option<i32>,
}

impl Scope {
    /// True if it names one report.
    #[must_use]
    pub fn is_one_report(&self) -> bool {
        self.agency.is_some() && self.year.is_some()
    }
}

/// How a field is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    /// `=`
    Eq,
    /// `!=`: also holds where the field is absent, but for numbers of facts.
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `:`: names and titles contain it, codes begin with it.
    Has,
}

/// What a field is compared with.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// Any number.
    Number(f64),
    /// Yes or no.
    Flag(bool),
}

/// `field op value`. The caller sees to it that the value is of the field's type.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition<F> {
    /// Which field.
    pub field: F,
    /// How.
    pub op: Op,
    /// With what.
    pub value: Value,
}

/// Fields of a report that conditions may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReportField {
    /// Integer.
    Year,
    /// Text.
    Form,
    /// Text.
    Variant,
    /// Text; [`Op::Has`] is "contains".
    AgencyName,
    /// Text; [`Op::Has`] is "contains".
    Title,
    /// Text; [`Op::Has`] is "begins with".
    Region,
    /// Text.
    MediaType,
    /// Number of findings of this weight; integer.
    Findings(Severity),
    /// Flag.
    Withdrawn,
}

/// Fields of a finding that conditions may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FindingField {
    /// Rank of the severity, see [`severity_rank`]; integer.
    Severity,
    /// Text; [`Op::Has`] is "begins with".
    Rule,
    /// Text; [`Op::Has`] is "begins with".
    Concept,
    /// Text.
    Fingerprint,
    /// Of the report; integer.
    Year,
    /// Of the report; text; [`Op::Has`] is "begins with".
    Region,
    /// True if a waiver lets it stand; flag.
    Waived,
}

/// Fields of a fact that conditions may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FactField {
    /// Text; [`Op::Has`] is "begins with".
    Concept,
    /// Text.
    Applicant,
    /// Text.
    State,
    /// Number; no comparison holds for a cell that is not reported, not even `!=`.
    Value,
    /// Of the report; integer.
    Year,
    /// Of the report; text; [`Op::Has`] is "begins with".
    Region,
}

/// 1 for `INFO` to 4 for `ERROR`.
#[must_use]
pub fn severity_rank(severity: Severity) -> i64 {
    match severity {
        Severity::Info => 1,
        Severity::Review => 2,
        Severity::Warning => 3,
        Severity::Error => 4,
    }
}

/// What reports are sorted by; equal ones by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ReportOrder {
    /// Agency, then year.
    #[default]
    Name,
    /// Year.
    Year,
    /// The agency's name.
    AgencyName,
    /// When the newest revision came in.
    ReceivedAt,
}

/// What findings are sorted by; equal ones by report and the rules' order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum FindingOrder {
    /// Report.
    #[default]
    Report,
    /// Severity.
    Severity,
}

/// The sort key of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(pub Vec<Key>);

/// A part of a sort key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// A number.
    Integer(i64),
    /// Text.
    Text(String),
}

/// Some rows, and where to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Behind the last row; `None` if there are no more.
    pub next: Option<Cursor>,
}

/// Which reports.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ReportQuery {
    /// Of whom.
    pub scope: Scope,
    /// All must hold.
    pub conditions: Vec<Condition<ReportField>>,
    /// Sorted by.
    pub order: ReportOrder,
    /// The other way round, ties included.
    pub descending: bool,
    /// Behind this row.
    pub after: Option<Cursor>,
    /// At most this many.
    pub limit: usize,
}

/// Which findings. Those of withdrawn reports are left out unless the scope is one report.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FindingQuery {
    /// Of which reports.
    pub scope: Scope,
    /// All must hold.
    pub conditions: Vec<Condition<FindingField>>,
    /// Sorted by.
    pub order: FindingOrder,
    /// The other way round, ties included.
    pub descending: bool,
    /// Behind this row.
    pub after: Option<Cursor>,
    /// At most this many.
    pub limit: usize,
}

/// Which facts, by report and the form's order. Those of withdrawn reports are left out unless the scope is one report.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FactQuery {
    /// Of which reports.
    pub scope: Scope,
    /// All must hold.
    pub conditions: Vec<Condition<FactField>>,
    /// Behind this row.
    pub after: Option<Cursor>,
    /// At most this many.
    pub limit: usize,
}

/// Which waivers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WaiverQuery {
    /// Of which reports.
    pub scope: Scope,
    /// Of which finding; `None` for all.
    pub fingerprint: Option<String>,
    /// Behind this row.
    pub after: Option<Cursor>,
    /// At most this many.
    pub limit: usize,
}

/// A waiver, and whether its finding has moved on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundWaiver {
    /// The waiver.
    pub waiver: Waiver,
    /// True if its finding stands in the newest revision on other values than those that were waived.
    pub is_lapsed: bool,
}

/// A finding and everything it stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// The finding.
    pub found: FoundFinding,
    /// The newest revision's header.
    pub revision: RevisionHeader,
    /// The operands in the order in which the finding names them.
    pub operands: Vec<Fact>,
    /// Every weight it had, oldest first.
    pub judgements: Vec<Judgement>,
    /// Every waiver it had, newest first.
    pub waivers: Vec<FoundWaiver>,
}

/// What rules of one version made of a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The weight.
    pub severity: Severity,
    /// Names and versions of the rule packs.
    pub rules: String,
    /// When the log first said so.
    pub first_at: OffsetDateTime,
    /// When the log last said so.
    pub last_at: OffsetDateTime,
}

/// A finding and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundFinding {
    /// The report.
    pub key: ReportKey,
    /// The finding.
    pub finding: Finding,
    /// The trace that carried the report.
    pub trace_id: String,
    /// The waiver that lets it stand.
    pub waiver: Option<Waiver>,
}

/// A fact and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundFact {
    /// The report.
    pub key: ReportKey,
    /// The fact.
    pub fact: Fact,
}
