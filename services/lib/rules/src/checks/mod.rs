//! The checks: what a rule of a pack may name, and what each hands back.
//!
//! A check looks at one report and says where its condition fails. It knows neither rule ids nor words nor
//! severities: those are the pack's.

mod blanks;
mod cells;
mod citation;
mod contents;
mod cross;
mod dictionary;
mod documents;
mod doubles;
mod headings;
mod identities;
mod integers;
mod links;
mod mentioned_years;
mod mobile;
mod names;
mod page;
mod personal;
mod proactive;
mod prose_disputes;
mod prose_documents;
mod prose_fees;
mod prose_none;
mod prose_percent;
mod prose_requests;
mod prose_sum;
mod residue;
mod sections;
mod shifts;
mod years;

use std::{borrow::Cow, cell::OnceCell, ops::Range};

use gongkai_model::{AgencyKind, Concept, FactId, Level, Report, Source, kind_of, level_of};

use crate::{
    context::Context,
    expression::{names::Needs, world::World},
    fingerprint::Key,
    identity::{Broken, broken},
    layout::Layout,
    params::Kind,
    prose::{Prose, passage::Passage},
    repair::{Repair, repairs},
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
    /// What would mend them, one list a suspect.
    pub(crate) repairs: Vec<(usize, Vec<Repair>)>,
    /// The prose, ready for counting.
    pub(crate) prose: Prose<'a>,
    /// What the expressions of the rules need.
    needs: Needs,
    world: OnceCell<World>,
    /// What the agency's name tells, looked up once.
    level: OnceCell<Option<Level>>,
    kind: OnceCell<Option<AgencyKind>>,
}

impl<'a> Input<'a> {
    pub(crate) fn new(
        report: &'a Report,
        context: &'a Context<'a>,
        layouts: &'a [Layout],
        needs: Needs,
    ) -> Self {
        let layout = layouts.iter().find(|l| l.form == report.form && l.variant == report.variant);
        let table = layout.map(|layout| Table::new(layout, report));
        let broken = table.as_ref().map(broken).unwrap_or_default();
        let repairs = table.as_ref().map(|table| repairs(table, &broken)).unwrap_or_default();
        let prose = Prose::new(report);
        Self {
            report,
            context,
            table,
            broken,
            repairs,
            prose,
            needs,
            world: OnceCell::new(),
            level: OnceCell::new(),
            kind: OnceCell::new(),
        }
    }

    /// What expressions see, made when the first one asks.
    pub(crate) fn world(&self) -> &World {
        self.world.get_or_init(|| World::new(self, self.needs))
    }

    /// The agency's level, by the registry, else by its name; `None` if neither tells.
    pub(crate) fn level(&self) -> Option<Level> {
        let known = self.context.profile.and_then(|agency| agency.level);
        known.or_else(|| *self.level.get_or_init(|| level_of(&self.report.agency)))
    }

    /// The agency's kind, by the registry, else by its name; `None` if neither tells.
    pub(crate) fn kind(&self) -> Option<AgencyKind> {
        let known = self.context.profile.and_then(|agency| agency.kind);
        known.or_else(|| *self.kind.get_or_init(|| kind_of(&self.report.agency)))
    }

    /// The first of these cells that a broken identity suspects.
    pub(crate) fn suspected(&self, cells: &[usize]) -> Option<usize> {
        cells.iter().copied().find(|cell| self.broken.iter().any(|broken| broken.cause == *cell))
    }

    /// The first of these cells, by their public names, that a broken identity suspects.
    pub(crate) fn suspected_of(&self, facts: &[FactId]) -> Option<FactId> {
        let table = self.table.as_ref()?;
        let is_suspect =
            |fact: &&FactId| self.broken.iter().any(|broken| table.layout.cells[broken.cause].id == **fact);
        facts.iter().find(is_suspect).cloned()
    }
}

/// A value for a placeholder, in both languages.
#[derive(Debug, Clone)]
pub(crate) struct Value {
    pub(crate) name: Cow<'static, str>,
    pub(crate) zh: String,
    pub(crate) en: String,
}

impl Value {
    /// A value that is the same in both languages.
    pub(crate) fn same(name: impl Into<Cow<'static, str>>, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { name: name.into(), zh: text.clone(), en: text }
    }

    pub(crate) fn new(
        name: impl Into<Cow<'static, str>>,
        zh: impl Into<String>,
        en: impl Into<String>,
    ) -> Self {
        Self { name: name.into(), zh: zh.into(), en: en.into() }
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
    /// What would mend it, in Chinese.
    pub(crate) suggestion: Option<String>,
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
            suggestion: None,
        }
    }
}

/// [`quoted`] by characters of the passage.
pub(crate) fn quoted_chars(
    case: &'static str,
    passage: &Passage<'_>,
    chars: Range<usize>,
    values: Vec<Value>,
) -> Draft {
    of_source(case, passage, passage.quote(chars), values)
}

/// A draft about words: their chapter and quotation are among its values, and tell it apart.
pub(crate) fn quoted(
    case: &'static str,
    passage: &Passage<'_>,
    bytes: Range<usize>,
    values: Vec<Value>,
) -> Draft {
    of_source(case, passage, passage.quote_bytes(bytes), values)
}

fn of_source(case: &'static str, passage: &Passage<'_>, source: Source, mut values: Vec<Value>) -> Draft {
    values.push(chapter_name(passage.chapter()));
    values.push(Value::same("quote", source.text.as_str()));
    let key = Key::Quote { chapter: passage.chapter(), text: source.text.clone() };
    Draft { source: Some(source), values, ..Draft::new(case, key) }
}

/// A check that a rule may name: what it must be told by its rule, and its function.
pub(crate) struct Check {
    /// The name in a pack.
    pub(crate) name: &'static str,
    /// The ways to break it, each with the placeholders of its messages.
    pub(crate) cases: &'static [(&'static str, &'static [&'static str])],
    /// The parameters that its rule must give.
    pub(crate) params: &'static [(&'static str, Kind)],
    /// Looks at a report.
    pub(crate) run: fn(&Rule, &Input<'_>) -> Vec<Draft>,
}

impl Check {
    /// The checks that need one report only.
    const SINGLE: &[&[Self]] = &[
        identities::CHECKS,
        integers::CHECKS,
        cells::CHECKS,
        prose_sum::CHECKS,
        prose_requests::CHECKS,
        sections::CHECKS,
        years::CHECKS,
        citation::CHECKS,
        shifts::CHECKS,
        proactive::CHECKS,
        prose_none::CHECKS,
        prose_disputes::CHECKS,
        prose_documents::CHECKS,
        prose_fees::CHECKS,
        prose_percent::CHECKS,
        blanks::CHECKS,
        headings::CHECKS,
        contents::CHECKS,
        names::CHECKS,
        documents::CHECKS,
        mentioned_years::CHECKS,
        doubles::CHECKS,
        residue::CHECKS,
        links::CHECKS,
        personal::CHECKS,
        dictionary::CHECKS,
        page::CHECKS,
    ];

    pub(crate) fn all() -> impl Iterator<Item = &'static Self> {
        Self::SINGLE.iter().chain(cross::CHECKS).copied().flatten()
    }

    pub(crate) fn from_name(name: &str) -> Option<&'static Self> {
        Self::all().find(|check| check.name == name)
    }
}

impl std::fmt::Debug for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
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
