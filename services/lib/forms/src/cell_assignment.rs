//! The assignment of a document's cells to the cells of a form, and the facts that follow from it.

use gongkai_model::{AlteredLabel, Fact, Source, State, UnreadReason};

use crate::{
    form::{Form, FormCell},
    read_cell::ReadCell,
    stated_units::Stated,
    value::CellValue,
};

/// Maximum number of candidates kept for one cell of the form.
const MOST_CANDIDATES: usize = 64;

/// Maximum number of unassigned numbers kept as candidates for a cell of a layout that could not be read.
const MOST_LOOSE: usize = 4;

/// The state of one cell of the form.
#[derive(Debug, Clone)]
enum CellSlot<'a> {
    /// No cell of the document is assigned.
    Open,
    /// A cell of the document is assigned.
    Read(ReadCell<'a>),
    /// The row has a label and no values.
    Empty,
    /// The cell is unreadable. These cells of the document may be it.
    Unsure(UnreadReason, Vec<Source>),
}

/// What some cells of the form use of the document.
#[derive(Debug, Default)]
pub(crate) struct Used {
    /// The places of the cells that are assigned, or are candidates: table, row, column.
    pub places: std::collections::HashSet<(u32, u32, u32)>,
    /// Number of cells of the form that have such a cell.
    pub cells: usize,
    /// Number of cells of the form that have a number.
    pub numbers: usize,
    /// Number of cells of the form that have two.
    pub twice: usize,
}

/// The state of each cell of a form, in the form's order.
#[derive(Debug, Clone)]
pub(crate) struct CellAssignment<'a> {
    slots: Vec<CellSlot<'a>>,
    /// What the document states about the units of some cells, by ordinal.
    units: Vec<(usize, Stated)>,
    /// Labels that are not the form's, one for each row or column.
    labels: Vec<AlteredLabel>,
}

impl<'a> CellAssignment<'a> {
    /// Starts with no cell assigned.
    pub(crate) fn new(form: &Form) -> Self {
        Self { slots: vec![CellSlot::Open; form.cells.len()], units: Vec::new(), labels: Vec::new() }
    }

    /// Assigns a cell on which both readings agree. A second cell with another value makes the assignment unsure.
    pub(crate) fn assign(&mut self, at: usize, piece: &ReadCell<'a>) {
        let Some(slot) = self.slots.get_mut(at) else { return };
        *slot = match std::mem::replace(slot, CellSlot::Open) {
            CellSlot::Open | CellSlot::Empty => CellSlot::Read(piece.clone()),
            CellSlot::Read(other) if other.value == piece.value && piece.is_value() => CellSlot::Read(other),
            CellSlot::Read(other) => {
                CellSlot::Unsure(UnreadReason::TwoCells, vec![other.source(), piece.source()])
            }
            CellSlot::Unsure(reason, mut candidates) => {
                candidates.push(piece.source());
                CellSlot::Unsure(reason, candidates)
            }
        };
    }

    /// Records why a cell is unreadable, and its candidates. The first reason is kept.
    pub(crate) fn unsure<'p>(
        &mut self,
        at: usize,
        reason: UnreadReason,
        candidates: impl IntoIterator<Item = &'p ReadCell<'a>>,
    ) where
        'a: 'p,
    {
        let Some(slot) = self.slots.get_mut(at) else { return };
        let (reason, mut all) = match std::mem::replace(slot, CellSlot::Open) {
            CellSlot::Open | CellSlot::Empty => (reason, Vec::new()),
            CellSlot::Read(other) => (reason, vec![other.source()]),
            CellSlot::Unsure(first, all) => (first, all),
        };
        for piece in candidates {
            let source = piece.source();
            if all.len() < MOST_CANDIDATES && !all.contains(&source) {
                all.push(source);
            }
        }
        *slot = CellSlot::Unsure(reason, all);
    }

    /// Records that these pieces may belong to any of a row's cells, of which `first` is the first.
    pub(crate) fn unsure_row<'p, P>(&mut self, first: usize, cells: usize, candidates: &P)
    where
        'a: 'p,
        P: IntoIterator<Item = &'p ReadCell<'a>> + Clone,
    {
        (first..first + cells).for_each(|at| self.unsure(at, UnreadReason::RowUnclear, candidates.clone()));
    }

    /// Records that the cell's row has a label and no values.
    pub(crate) fn empty(&mut self, at: usize) {
        if let Some(slot @ CellSlot::Open) = self.slots.get_mut(at) {
            *slot = CellSlot::Empty;
        }
    }

    /// Records what the document states about the unit of a cell.
    pub(crate) fn state_unit(&mut self, at: usize, stated: Stated) {
        if stated != Stated::Nothing {
            self.units.push((at, stated));
        }
    }

    /// Records a row's label that is not the form's. The first one of a row is kept.
    pub(crate) fn note_label(&mut self, label: AlteredLabel) {
        if self.labels.iter().all(|known| known.concept != label.concept) {
            self.labels.push(label);
        }
    }

    /// Returns the labels that are not the form's.
    pub(crate) fn take_labels(&mut self) -> Vec<AlteredLabel> {
        std::mem::take(&mut self.labels)
    }

    /// Makes all cells of a range that no cell of the document is assigned to unreadable instead of missing: the
    /// document has numbers there, in a layout that could not be read.
    pub(crate) fn doubt_open<'p>(&mut self, range: std::ops::Range<usize>, loose: &[&'p ReadCell<'a>])
    where
        'a: 'p,
    {
        for at in range {
            if matches!(self.slots.get(at), Some(CellSlot::Open)) {
                self.unsure(at, UnreadReason::LayoutUnknown, loose.iter().copied().take(MOST_LOOSE));
            }
        }
    }

    /// Makes all blank cells of a range open: the numbers of the document may be theirs.
    pub(crate) fn open_blanks(&mut self, range: std::ops::Range<usize>) {
        let is_blank = |slot: &&mut CellSlot<'_>| match slot {
            CellSlot::Read(piece) => piece.value == CellValue::Blank,
            CellSlot::Empty => true,
            CellSlot::Open | CellSlot::Unsure(..) => false,
        };
        let slots = self.slots.get_mut(range).unwrap_or_default();
        slots.iter_mut().filter(is_blank).for_each(|slot| *slot = CellSlot::Open);
    }

    /// Makes all cells of a range unreadable to which a cell of the document is assigned: it may be another table's.
    pub(crate) fn doubt_read(&mut self, range: std::ops::Range<usize>) {
        for slot in self.slots.get_mut(range).unwrap_or_default() {
            if let CellSlot::Read(piece) = slot {
                *slot = CellSlot::Unsure(UnreadReason::LayoutUnknown, vec![piece.source()]);
            }
        }
    }

    /// Returns true if some cells of a range are not found, or blank.
    pub(crate) fn is_open(&self, range: std::ops::Range<usize>) -> bool {
        let is_open = |slot: &CellSlot<'_>| match slot {
            CellSlot::Read(piece) => piece.value == CellValue::Blank,
            CellSlot::Open | CellSlot::Empty => true,
            CellSlot::Unsure(..) => false,
        };
        self.slots.get(range).unwrap_or_default().iter().any(is_open)
    }

    /// Returns true if most cells of a range are unreadable.
    pub(crate) fn is_mostly_unsure(&self, range: std::ops::Range<usize>) -> bool {
        let slots = self.slots.get(range).unwrap_or_default();
        let unsure = slots.iter().filter(|slot| matches!(slot, CellSlot::Unsure(..))).count();
        unsure * 2 > slots.len()
    }

    /// Returns what the cells of a range use of the document.
    pub(crate) fn uses(&self, range: std::ops::Range<usize>) -> Used {
        let place = |source: &Source| source.cell.map(|cell| (cell.table, cell.row, cell.column));
        let mut used = Used::default();
        for slot in self.slots.get(range).unwrap_or_default() {
            match slot {
                CellSlot::Read(piece) => {
                    used.places.insert(piece.place());
                    used.numbers += usize::from(matches!(piece.value, CellValue::Number(..)));
                }
                CellSlot::Unsure(reason, candidates) => {
                    used.places.extend(candidates.iter().filter_map(place));
                    used.twice += usize::from(*reason == UnreadReason::TwoCells);
                }
                CellSlot::Open | CellSlot::Empty => continue,
            }
            used.cells += 1;
        }
        used
    }

    /// Returns true if no cell of the form was found.
    pub(crate) fn is_empty(&self) -> bool {
        self.slots.iter().all(|slot| matches!(slot, CellSlot::Open))
    }

    /// Returns the fact of every cell, in the form's order.
    pub(crate) fn into_facts(self, form: &Form) -> Vec<Fact> {
        let units = self.units;
        let stated =
            |at: usize| units.iter().find(|(cell, _)| *cell == at).map_or(Stated::Nothing, |(_, unit)| *unit);
        let slots = form.cells.iter().zip(self.slots).enumerate();
        slots.map(|(at, (cell, slot))| fact(cell, slot, stated(at))).collect()
    }
}

fn fact(cell: &FormCell, slot: CellSlot<'_>, stated: Stated) -> Fact {
    let of = |state, source, candidates| Fact {
        id: cell.id.clone(),
        state,
        unread_reason: None,
        source,
        candidates,
    };
    let unreadable = |reason, source, candidates| Fact {
        unread_reason: Some(reason),
        ..of(State::Unreadable, source, candidates)
    };
    let piece = match slot {
        CellSlot::Open => return of(State::Missing, None, Vec::new()),
        CellSlot::Empty => return of(State::Blank, None, Vec::new()),
        CellSlot::Unsure(reason, candidates) => return unreadable(reason, None, candidates),
        CellSlot::Read(piece) => piece,
    };
    let source = piece.source();
    let number = match stated {
        Stated::Nothing => piece.value.in_unit(cell.unit),
        Stated::Unit(unit) => piece.value.stated_in(unit).in_unit(cell.unit),
        Stated::Contradiction => piece.value.in_unit(cell.unit).filter(|_| piece.value.has_unit()),
    };
    match (piece.value, number) {
        (CellValue::Blank, _) => of(State::Blank, Some(source), Vec::new()),
        (CellValue::NotApplicable, _) => of(State::NotApplicable, Some(source), Vec::new()),
        (_, Some(number)) => of(State::Reported(number), Some(source), Vec::new()),
        (_, None) => unreadable(UnreadReason::NoNumber, Some(source.clone()), vec![source]),
    }
}
