//! The checks: what a rule of a pack may name, and what each hands back.
//!
//! A check looks at one report and says where its condition fails. It knows neither rule ids nor words nor
//! severities: those are the pack's.

mod cells;
mod citation;
mod identities;
mod integers;
mod prose_requests;
mod prose_sum;
mod sections;
mod years;

use gongkai_model::{Concept, FactId, Report, Source};

use crate::{
    context::Context,
    fingerprint::Key,
    identity::{Broken, broken},
    layout::{IdentityKind, Layout},
    prose::Prose,
    rule::Rule,
    table::Table,
};

/// What a check looks at: the report and what was made of it once for all checks.
pub(crate) struct Input<'a> {
    pub(crate) report: &'a Report,
    pub(crate) context: &'a Context<'a>,
    /// The cells; absent if the report's form is unknown.
    pub(crate) table: Option<Table<'a>>,
    /// The broken identities with their suspects.
    pub(crate) broken: Vec<Broken>,
    /// The prose, ready for counting.
    pub(crate) prose: Prose<'a>,
}

impl<'a> Input<'a> {
    pub(crate) fn new(report: &'a Report, context: &'a Context<'a>, layouts: &'a [Layout]) -> Self {
        let layout = layouts.iter().find(|l| l.form == report.form && l.variant == report.variant);
        let table = layout.map(|layout| Table::new(layout, report));
        let broken = table.as_ref().map(broken).unwrap_or_default();
        Self { report, context, table, broken, prose: Prose::new(report) }
    }

    /// The first of these cells that a broken identity suspects.
    pub(crate) fn suspected(&self, cells: &[usize]) -> Option<usize> {
        cells.iter().copied().find(|cell| self.broken.iter().any(|broken| broken.cause == *cell))
    }
}

/// A value for a placeholder, in both languages.
#[derive(Debug, Clone)]
pub(crate) struct Value {
    pub(crate) name: &'static str,
    pub(crate) zh: String,
    pub(crate) en: String,
}

impl Value {
    /// A value that is the same in both languages.
    pub(crate) fn same(name: &'static str, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { name, zh: text.clone(), en: text }
    }

    pub(crate) fn new(name: &'static str, zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { name, zh: zh.into(), en: en.into() }
    }
}

/// A finding before its rule gave it words and weight.
#[derive(Debug)]
pub(crate) struct Draft {
    /// Which message of the rule.
    pub(crate) case: &'static str,
    pub(crate) cause: Option<FactId>,
    pub(crate) concept: Option<Concept>,
    pub(crate) expected: Option<String>,
    pub(crate) actual: Option<String>,
    pub(crate) facts: Vec<FactId>,
    pub(crate) source: Option<Source>,
    pub(crate) key: Key,
    pub(crate) values: Vec<Value>,
}

impl Draft {
    /// A draft with nothing but its case and what tells it apart.
    pub(crate) fn new(case: &'static str, key: Key) -> Self {
        Self {
            case,
            cause: None,
            concept: None,
            expected: None,
            actual: None,
            facts: Vec::new(),
            source: None,
            key,
            values: Vec::new(),
        }
    }
}

/// What a check must be told by its rule: its cases with the placeholders of each, and its parameters.
pub(crate) struct Spec {
    pub(crate) cases: &'static [(&'static str, &'static [&'static str])],
    pub(crate) params: &'static [&'static str],
}

/// A check that a rule may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Check {
    Identity(IdentityKind),
    Integers,
    EmptyCells,
    MissingCells,
    UnreadableCells,
    ProseSums,
    ProseRequests,
    Sections,
    Years,
    SupersededForm,
}

impl Check {
    const ALL: [Self; 13] = [
        Self::Identity(IdentityKind::Row),
        Self::Identity(IdentityKind::Sum),
        Self::Identity(IdentityKind::Balance),
        Self::Identity(IdentityKind::Dispute),
        Self::Integers,
        Self::EmptyCells,
        Self::MissingCells,
        Self::UnreadableCells,
        Self::ProseSums,
        Self::ProseRequests,
        Self::Sections,
        Self::Years,
        Self::SupersededForm,
    ];

    /// The name in a pack.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Identity(IdentityKind::Row) => "identity.row",
            Self::Identity(IdentityKind::Sum) => "identity.sum",
            Self::Identity(IdentityKind::Balance) => "identity.balance",
            Self::Identity(IdentityKind::Dispute) => "identity.dispute",
            Self::Integers => "integers",
            Self::EmptyCells => "cells.empty",
            Self::MissingCells => "cells.missing",
            Self::UnreadableCells => "cells.unreadable",
            Self::ProseSums => "prose.sums",
            Self::ProseRequests => "prose.requests",
            Self::Sections => "sections",
            Self::Years => "years",
            Self::SupersededForm => "citation.superseded_form",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|check| check.name() == name)
    }

    pub(crate) fn spec(self) -> Spec {
        match self {
            Self::Identity(_) => identities::SPEC,
            Self::Integers => integers::SPEC,
            Self::EmptyCells => cells::EMPTY_SPEC,
            Self::MissingCells | Self::UnreadableCells => cells::LISTED_SPEC,
            Self::ProseSums => prose_sum::SPEC,
            Self::ProseRequests => prose_requests::SPEC,
            Self::Sections => sections::SPEC,
            Self::Years => years::SPEC,
            Self::SupersededForm => citation::SPEC,
        }
    }

    /// Looks at a report.
    pub(crate) fn run(self, rule: &Rule, input: &Input<'_>) -> Vec<Draft> {
        match self {
            Self::Identity(kind) => identities::run(kind, input),
            Self::Integers => integers::run(input),
            Self::EmptyCells => cells::empty(rule, input),
            Self::MissingCells => cells::missing(input),
            Self::UnreadableCells => cells::unreadable(input),
            Self::ProseSums => prose_sum::run(rule, input),
            Self::ProseRequests => prose_requests::run(input),
            Self::Sections => sections::run(input),
            Self::Years => years::run(input),
            Self::SupersededForm => citation::run(input),
        }
    }
}

/// A number as a decimal string.
pub(crate) fn decimal(value: rust_decimal::Decimal) -> String {
    value.normalize().to_string()
}

/// A chapter as an editor names it; 0 is what stands before the first.
pub(crate) fn chapter_name(number: u32) -> Value {
    let numeral = usize::try_from(number).ok().and_then(|at| "零一二三四五六".chars().nth(at));
    match numeral {
        Some('零') => Value::new("chapter", "前言", "the preamble"),
        Some(numeral) => Value::new("chapter", format!("第{numeral}章"), format!("chapter {number}")),
        None => Value::new("chapter", format!("第{number}章"), format!("chapter {number}")),
    }
}
