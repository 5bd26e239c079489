//! The cells of one report, by their index in the form.

use std::collections::HashMap;

use rust_decimal::Decimal;

use gongkai_model::{FactId, Report, State};

use crate::layout::FormLayout;

/// The state of each cell of the form, in the form's order.
#[derive(Debug)]
pub(crate) struct Table<'a> {
    pub(crate) layout: &'a FormLayout,
    states: Vec<State>,
}

impl<'a> Table<'a> {
    /// Assigns a report's facts to the cells of its form. A cell without a fact is missing.
    pub(crate) fn new(layout: &'a FormLayout, report: &Report) -> Self {
        let in_order = report.facts.len() == layout.cells.len()
            && report.facts.iter().zip(layout.cells.iter()).all(|(fact, cell)| fact.id == cell.id);
        let states = if in_order {
            report.facts.iter().map(|fact| fact.state).collect()
        } else {
            let by_id: HashMap<&FactId, State> = report.facts.iter().map(|f| (&f.id, f.state)).collect();
            layout.cells.iter().map(|c| by_id.get(&c.id).copied().unwrap_or(State::Missing)).collect()
        };
        Self { layout, states }
    }

    /// Returns the states of all cells.
    pub(crate) fn states(&self) -> &[State] {
        &self.states
    }

    /// Returns the state of a cell.
    pub(crate) fn state(&self, cell: usize) -> State {
        self.states[cell]
    }

    /// Returns the number in a cell, if it has one.
    pub(crate) fn value(&self, cell: usize) -> Option<Decimal> {
        self.states[cell].value()
    }

    /// Returns the cells of a chapter, by number.
    pub(crate) fn chapter(&self, chapter: u32) -> impl Iterator<Item = usize> {
        let cells = self.layout.cells.iter().enumerate();
        cells.filter(move |(_, cell)| cell.chapter == chapter).map(|(at, _)| at)
    }

    /// Returns a cell's public name.
    pub(crate) fn id(&self, cell: usize) -> FactId {
        self.layout.cells[cell].id.clone()
    }

    /// Returns the public names of cells.
    pub(crate) fn ids(&self, cells: impl IntoIterator<Item = usize>) -> Vec<FactId> {
        cells.into_iter().map(|cell| self.id(cell)).collect()
    }
}
