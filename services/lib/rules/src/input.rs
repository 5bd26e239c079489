//! The input of checks: a report, its context, and values that are computed once for all rules.

use gongkai_model::{AgencyKind, FactId, Level, Paragraph, Report};

use crate::{
    context::ReportContext,
    equation::{Broken, broken},
    layout::FormLayout,
    prose::Prose,
    repair::{Repair, repairs},
    table::Table,
    told,
};

/// One report, ready for the rules.
pub(crate) struct Input<'a> {
    pub(crate) report: &'a Report,
    pub(crate) context: &'a ReportContext<'a>,
    /// The cells; absent if the report's form is unknown.
    pub(crate) table: Option<Table<'a>>,
    /// The broken equations with their suspects.
    pub(crate) broken: Vec<Broken>,
    /// The repairs of broken equations, one list for each suspect.
    pub(crate) repairs: Vec<(usize, Vec<Repair>)>,
    /// The prose as passages.
    pub(crate) prose: Prose<'a>,
}

impl<'a> Input<'a> {
    pub(crate) fn new(report: &'a Report, context: &'a ReportContext<'a>, layouts: &'a [FormLayout]) -> Self {
        let layout = layouts.iter().find(|l| l.form == report.form && l.variant == report.variant);
        let table = layout.map(|layout| Table::new(layout, report));
        let prose = Prose::new(report);
        let mut broken = table.as_ref().map(broken).unwrap_or_default();
        if let Some(table) = &table {
            told::suspect(table, &prose, &mut broken);
        }
        let repairs = table.as_ref().map(|table| repairs(table, &broken)).unwrap_or_default();
        Self { report, context, table, broken, repairs, prose }
    }

    /// Returns every paragraph with its chapter, in the report's order; 0 is the text before the first chapter.
    pub(crate) fn paragraphs(&self) -> impl Iterator<Item = (u32, &'a Paragraph)> {
        let preamble = self.report.preamble.iter().map(|paragraph| (0, paragraph));
        let sections = self.report.sections.iter();
        preamble.chain(sections.flat_map(|section| section.paragraphs.iter().map(|p| (section.number, p))))
    }

    /// Returns the agency's level, by the registry, else by its name, or `None` if neither gives it.
    pub(crate) fn level(&self) -> Option<Level> {
        let known = self.context.profile.and_then(|agency| agency.level);
        known.or(self.context.by_name.level)
    }

    /// Returns the agency's kind, by the registry, else by its name, or `None` if neither gives it.
    pub(crate) fn kind(&self) -> Option<AgencyKind> {
        let known = self.context.profile.and_then(|agency| agency.kind);
        known.or(self.context.by_name.kind)
    }

    /// Returns the first of these cells that is the suspect of a broken equation.
    pub(crate) fn suspected(&self, cells: &[usize]) -> Option<usize> {
        cells.iter().copied().find(|cell| self.broken.iter().any(|broken| broken.cause == *cell))
    }

    /// Returns the first of these cells, by their public names, that is the suspect of a broken equation.
    pub(crate) fn suspected_of(&self, facts: &[FactId]) -> Option<FactId> {
        let table = self.table.as_ref()?;
        let is_suspect =
            |fact: &&FactId| self.broken.iter().any(|broken| table.layout.cells[broken.cause].id == **fact);
        facts.iter().find(is_suspect).cloned()
    }
}
