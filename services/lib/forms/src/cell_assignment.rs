//! The assignment of a document's cells to the cells of a form, and the facts that follow from it.

use gongkai_model::{Fact, Source, State};

use crate::{
    form::{Form, FormCell},
    rows::ReadCell,
    value::CellValue,
};

/// Maximum number of candidates kept for one cell of the form.
const MOST_CANDIDATES: usize = 64;

/// The state of one cell of the form.
#[derive(Debug, Clone)]
enum CellSlot<'a> {
    /// No cell of the document is assigned.
    Open,
    /// A cell of the document is assigned.
    Read(ReadCell<'a>),
    /// The row has a label and no values.
    Empty,
    /// The readings assign different cells.
    Unsure(Vec<Source>),
}

/// The state of each cell of a form, in the form's order.
#[derive(Debug, Clone)]
pub(crate) struct CellAssignment<'a> {
    slots: Vec<CellSlot<'a>>,
}

impl<'a> CellAssignment<'a> {
    /// Starts with no cell assigned.
    pub(crate) fn new(form: &Form) -> Self {
        Self { slots: vec![CellSlot::Open; form.cells.len()] }
    }

    /// Assigns a cell on which both readings agree. A second cell with another value makes the assignment unsure.
    pub(crate) fn assign(&mut self, at: usize, piece: &ReadCell<'a>) {
        let Some(slot) = self.slots.get_mut(at) else { return };
        *slot = match std::mem::replace(slot, CellSlot::Open) {
            CellSlot::Open | CellSlot::Empty => CellSlot::Read(piece.clone()),
            CellSlot::Read(other) if other.value == piece.value && piece.is_value() => CellSlot::Read(other),
            CellSlot::Read(other) => CellSlot::Unsure(vec![other.source(), piece.source()]),
            CellSlot::Unsure(mut candidates) => {
                candidates.push(piece.source());
                CellSlot::Unsure(candidates)
            }
        };
    }

    /// Records the candidates of readings that differ.
    pub(crate) fn unsure<'p>(&mut self, at: usize, candidates: impl IntoIterator<Item = &'p ReadCell<'a>>)
    where
        'a: 'p,
    {
        let Some(slot) = self.slots.get_mut(at) else { return };
        let mut all = match std::mem::replace(slot, CellSlot::Open) {
            CellSlot::Open | CellSlot::Empty => Vec::new(),
            CellSlot::Read(other) => vec![other.source()],
            CellSlot::Unsure(all) => all,
        };
        for piece in candidates {
            let source = piece.source();
            if all.len() < MOST_CANDIDATES && !all.contains(&source) {
                all.push(source);
            }
        }
        *slot = CellSlot::Unsure(all);
    }

    /// Records that these pieces may belong to any of a row's cells, of which `first` is the first.
    pub(crate) fn unsure_row<'p, P>(&mut self, first: usize, cells: usize, candidates: &P)
    where
        'a: 'p,
        P: IntoIterator<Item = &'p ReadCell<'a>> + Clone,
    {
        (first..first + cells).for_each(|at| self.unsure(at, candidates.clone()));
    }

    /// Records that the cell's row has a label and no values.
    pub(crate) fn empty(&mut self, at: usize) {
        if let Some(slot @ CellSlot::Open) = self.slots.get_mut(at) {
            *slot = CellSlot::Empty;
        }
    }

    /// Returns true if no cell of the form was found.
    pub(crate) fn is_empty(&self) -> bool {
        self.slots.iter().all(|slot| matches!(slot, CellSlot::Open))
    }

    /// Returns the fact of every cell, in the form's order.
    pub(crate) fn into_facts(self, form: &Form) -> Vec<Fact> {
        form.cells.iter().zip(self.slots).map(|(cell, slot)| fact(cell, slot)).collect()
    }
}

fn fact(cell: &FormCell, slot: CellSlot<'_>) -> Fact {
    let (state, source, candidates) = match slot {
        CellSlot::Open => (State::Missing, None, Vec::new()),
        CellSlot::Empty => (State::Blank, None, Vec::new()),
        CellSlot::Unsure(candidates) => (State::Unreadable, None, candidates),
        CellSlot::Read(piece) => {
            let source = piece.source();
            match (piece.value, piece.value.in_unit(cell.unit)) {
                (CellValue::Blank, _) => (State::Blank, Some(source), Vec::new()),
                (CellValue::NotApplicable, _) => (State::NotApplicable, Some(source), Vec::new()),
                (_, Some(number)) => (State::Reported(number), Some(source), Vec::new()),
                // The text is not a number, or in a unit that this cell cannot have.
                (_, None) => (State::Unreadable, Some(source.clone()), vec![source]),
            }
        }
    };
    Fact { id: cell.id.clone(), state, source, candidates }
}
