//! The queries of a store: scope, conditions, order, and a page after a cursor.
//!
//! A cursor contains the sort key of the last row, so rows that are inserted between two pages do not shift the next
//! page.

use gongkai_model::{AgencyKey, Fact, Finding, ReportKey, Severity, Waiver};
use time::OffsetDateTime;

use crate::report::RevisionHeader;

/// Restricts a query to one agency, to one year, or both.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReportScope {
    /// The agency; `None` for all.
    pub agency: Option<AgencyKey>,
    /// The year; `None` for all.
    pub year: Option<i32>,
}

impl ReportScope {
    /// Returns true if both the agency and the year are given.
    #[must_use]
    pub fn is_one_report(&self) -> bool {
        self.agency.is_some() && self.year.is_some()
    }
}

/// A comparison operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    /// `=`
    Eq,
    /// `!=`: also true where the field is absent, except for the values of facts.
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `:`: true if names and titles contain the value, and if codes begin with it.
    Has,
}

/// The right side of a condition.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// Any number.
    Number(f64),
    /// True or false.
    Flag(bool),
}

/// `field op value`. The value must be of the field's type.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition<F> {
    /// The field to compare.
    pub field: F,
    /// The operator.
    pub op: Op,
    /// The value to compare with.
    pub value: Value,
}

/// Fields of a report that conditions may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReportField {
    /// Year of the report, an integer.
    Year,
    /// Name of the form, a text.
    Form,
    /// Name of the form's variant, a text.
    Variant,
    /// Name of the agency, a text. [`Op::Has`] means "contains".
    AgencyName,
    /// Title of the report, a text. [`Op::Has`] means "contains".
    Title,
    /// Region of the report, a text. [`Op::Has`] means "begins with".
    Region,
    /// Media type of the document, a text.
    MediaType,
    /// Number of findings of this severity, an integer.
    Findings(Severity),
    /// A flag: the report is withdrawn.
    Withdrawn,
}

/// Fields of a finding that conditions may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FindingField {
    /// Rank of the severity, an integer: see [`severity_rank`].
    Severity,
    /// Id of the rule, a text. [`Op::Has`] means "begins with".
    Rule,
    /// Concept of the finding, a text. [`Op::Has`] means "begins with".
    Concept,
    /// Fingerprint of the finding, a text.
    Fingerprint,
    /// Year of the report, an integer.
    Year,
    /// Region of the report, a text. [`Op::Has`] means "begins with".
    Region,
    /// A flag: a waiver covers the finding.
    Waived,
}

/// Fields of a fact that conditions may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FactField {
    /// Concept of the cell, a text. [`Op::Has`] means "begins with".
    Concept,
    /// Kind of applicant, a text.
    Applicant,
    /// State of the cell, a text.
    State,
    /// Value of the cell, a number. No comparison is true for a cell without a reported number, not even `!=`.
    Value,
    /// Year of the report, an integer.
    Year,
    /// Region of the report, a text. [`Op::Has`] means "begins with".
    Region,
}

/// Returns the rank of a severity: 1 for `INFO` to 4 for `ERROR`.
#[must_use]
pub fn severity_rank(severity: Severity) -> i64 {
    match severity {
        Severity::Info => 1,
        Severity::Review => 2,
        Severity::Warning => 3,
        Severity::Error => 4,
    }
}

/// The order of reports; ties are ordered by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ReportOrder {
    /// By agency, then by year.
    #[default]
    Name,
    /// By year.
    Year,
    /// By the agency's name.
    AgencyName,
    /// By the time at which the current revision was received.
    ReceivedAt,
}

/// The order of findings; ties are ordered by report and in the rules' order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum FindingOrder {
    /// By report.
    #[default]
    Report,
    /// By severity.
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

/// A page of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// The cursor for the next page; `None` if this page is the last.
    pub next: Option<Cursor>,
}

/// A query for reports.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ReportQuery {
    /// The agencies and years to select.
    pub scope: ReportScope,
    /// Conditions that must all hold.
    pub conditions: Vec<Condition<ReportField>>,
    /// The order of the rows.
    pub order: ReportOrder,
    /// Reverses the order, ties included.
    pub descending: bool,
    /// The cursor after which the page starts.
    pub after: Option<Cursor>,
    /// Maximum number of rows per page.
    pub limit: usize,
}

/// A query for findings. Those of withdrawn reports are left out unless the scope is one report.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FindingQuery {
    /// The agencies and years to select.
    pub scope: ReportScope,
    /// Conditions that must all hold.
    pub conditions: Vec<Condition<FindingField>>,
    /// The order of the rows.
    pub order: FindingOrder,
    /// Reverses the order, ties included.
    pub descending: bool,
    /// The cursor after which the page starts.
    pub after: Option<Cursor>,
    /// Maximum number of rows per page.
    pub limit: usize,
}

/// A query for facts, ordered by report and as in the form. Those of withdrawn reports are left out unless the scope is
/// one report.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FactQuery {
    /// The agencies and years to select.
    pub scope: ReportScope,
    /// Conditions that must all hold.
    pub conditions: Vec<Condition<FactField>>,
    /// The cursor after which the page starts.
    pub after: Option<Cursor>,
    /// Maximum number of rows per page.
    pub limit: usize,
}

/// A query for waivers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WaiverQuery {
    /// The agencies and years to select.
    pub scope: ReportScope,
    /// The finding's fingerprint; `None` for all.
    pub fingerprint: Option<String>,
    /// The cursor after which the page starts.
    pub after: Option<Cursor>,
    /// Maximum number of rows per page.
    pub limit: usize,
}

/// A waiver, and whether it has lapsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundWaiver {
    /// The waiver.
    pub waiver: Waiver,
    /// True if the finding has other operand values in the current revision than when it was waived.
    pub is_lapsed: bool,
}

/// A waiver of a report that was filed under another agency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedWaiver {
    /// The waiver under the former name.
    pub from: Waiver,
    /// The same decision about the same finding under the present name, or the waiver that the finding has there already.
    pub to: Waiver,
    /// True if `to` is stored already.
    pub is_granted: bool,
}

/// A finding and everything that it depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// The finding.
    pub found: FoundFinding,
    /// The current revision's header.
    pub revision: RevisionHeader,
    /// The operands in the order in which the finding names them.
    pub operands: Vec<Fact>,
    /// Every severity that the finding has had, oldest first.
    pub judgements: Vec<Judgement>,
    /// Every waiver that the finding has had, newest first.
    pub waivers: Vec<FoundWaiver>,
}

/// The severity that one version of the rules gave a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The severity.
    pub severity: Severity,
    /// Names and versions of the rule packs.
    pub rules: String,
    /// When the log stored the finding's first validation with this severity.
    pub first_at: OffsetDateTime,
    /// When the log stored the finding's last validation with this severity.
    pub last_at: OffsetDateTime,
}

/// A finding with its report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundFinding {
    /// The report.
    pub key: ReportKey,
    /// The finding.
    pub finding: Finding,
    /// Trace id of the report.
    pub trace_id: String,
    /// The waiver that covers the finding.
    pub waiver: Option<Waiver>,
}

/// A fact with its report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundFact {
    /// The report.
    pub key: ReportKey,
    /// The fact.
    pub fact: Fact,
}
