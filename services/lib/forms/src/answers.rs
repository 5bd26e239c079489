//! What the readings agreed on, cell by cell, until every cell of the form has its fact.

use gongkai_model::{Fact, Source, State};

use crate::{
    form::{Form, FormCell},
    rows::Piece,
    value::Value,
};

/// Most cells of a document that are kept as candidates for one cell of the form.
const MOST_CANDIDATES: usize = 64;

/// What is known of one cell of the form.
#[derive(Debug, Clone)]
enum Slot<'a> {
    /// Nothing: the document does not have it.
    Open,
    /// This cell of the document is it.
    Read(Piece<'a>),
    /// Its row stands there with nothing behind the label.
    Empty,
    /// The readings differ.
    Unsure(Vec<Source>),
}

/// The cells of a form, by their ordinal.
#[derive(Debug, Clone)]
pub(crate) struct Answers<'a> {
    slots: Vec<Slot<'a>>,
}

impl<'a> Answers<'a> {
    /// Nothing known yet.
    pub(crate) fn new(form: &Form) -> Self {
        Self { slots: vec![Slot::Open; form.cells.len()] }
    }

    /// Both readings assign this cell. A second, different cell makes it unsure.
    pub(crate) fn read(&mut self, at: usize, piece: &Piece<'a>) {
        let Some(slot) = self.slots.get_mut(at) else { return };
        *slot = match std::mem::replace(slot, Slot::Open) {
            Slot::Open | Slot::Empty => Slot::Read(piece.clone()),
            Slot::Read(other) if other.value == piece.value && piece.is_value() => Slot::Read(other),
            Slot::Read(other) => Slot::Unsure(vec![other.source(), piece.source()]),
            Slot::Unsure(mut candidates) => {
                candidates.push(piece.source());
                Slot::Unsure(candidates)
            }
        };
    }

    /// The readings differ: these are the cells they propose.
    pub(crate) fn unsure<'p>(&mut self, at: usize, candidates: impl IntoIterator<Item = &'p Piece<'a>>)
    where
        'a: 'p,
    {
        let Some(slot) = self.slots.get_mut(at) else { return };
        let mut all = match std::mem::replace(slot, Slot::Open) {
            Slot::Open | Slot::Empty => Vec::new(),
            Slot::Read(other) => vec![other.source()],
            Slot::Unsure(all) => all,
        };
        for piece in candidates {
            let source = piece.source();
            if all.len() < MOST_CANDIDATES && !all.contains(&source) {
                all.push(source);
            }
        }
        *slot = Slot::Unsure(all);
    }

    /// The row's label stands there, and nothing behind it.
    pub(crate) fn empty(&mut self, at: usize) {
        if let Some(slot @ Slot::Open) = self.slots.get_mut(at) {
            *slot = Slot::Empty;
        }
    }

    /// True if nothing at all was found.
    pub(crate) fn is_empty(&self) -> bool {
        self.slots.iter().all(|slot| matches!(slot, Slot::Open))
    }

    /// The facts, in the form's order.
    pub(crate) fn into_facts(self, form: &Form) -> Vec<Fact> {
        form.cells.iter().zip(self.slots).map(|(cell, slot)| fact(cell, slot)).collect()
    }
}

fn fact(cell: &FormCell, slot: Slot<'_>) -> Fact {
    let (state, source, candidates) = match slot {
        Slot::Open => (State::Missing, None, Vec::new()),
        Slot::Empty => (State::Blank, None, Vec::new()),
        Slot::Unsure(candidates) => (State::Unreadable, None, candidates),
        Slot::Read(piece) => {
            let source = piece.source();
            match (piece.value, piece.value.in_unit(cell.unit)) {
                (Value::Blank, _) => (State::Blank, Some(source), Vec::new()),
                (Value::NotApplicable, _) => (State::NotApplicable, Some(source), Vec::new()),
                (_, Some(number)) => (State::Reported(number), Some(source), Vec::new()),
                // Not a number, or in a unit that this cell cannot have.
                (_, None) => (State::Unreadable, Some(source.clone()), vec![source]),
            }
        }
    };
    Fact { id: cell.id.clone(), state, source, candidates }
}
