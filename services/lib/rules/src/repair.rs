//! The smallest change that satisfies the equations again: one cell, two cells exchanged, or a row moved by a column.
//!
//! A repair is a suggestion in a finding and is never applied. Broken equations are repaired suspect by suspect:
//! equations with another suspect stay broken, but no satisfied equation may break.

use rust_decimal::Decimal;

use gongkai_model::State;

use crate::{
    equation::{Broken, EquationResult, test_with},
    table::Table,
};

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Repair {
    /// One cell gets another number.
    Set { cell: usize, to: Decimal },
    /// Two cells exchange their numbers.
    Swap { cells: (usize, usize) },
    /// The cells of a row get the numbers of the cells beside them.
    Shift {
        /// The row's cells, first to last.
        cells: Vec<usize>,
        /// The numbers of the cells after the change.
        to: Vec<Decimal>,
    },
}

impl Repair {
    /// Returns the change in words, in Chinese and English.
    pub(crate) fn words(&self, table: &Table<'_>) -> (String, String) {
        let place = |cell: usize| table.layout.cells[cell].position.as_str();
        let name = |cell: usize| table.id(cell).to_string();
        let printed = |cell: usize| table.value(cell).map_or_else(|| "空".to_owned(), number);
        match self {
            Self::Set { cell, to } => (
                format!("将{}由 {} 改为 {}", place(*cell), printed(*cell), number(*to)),
                format!("change {} from {} to {}", name(*cell), printed(*cell), number(*to)),
            ),
            Self::Swap { cells: (a, b) } => (
                format!("将{}（{}）与{}（{}）互换", place(*a), printed(*a), place(*b), printed(*b)),
                format!("exchange {} ({}) and {} ({})", name(*a), printed(*a), name(*b), printed(*b)),
            ),
            Self::Shift { cells, to } => {
                let first = cells.first().copied().unwrap_or_default();
                let list: Vec<String> = to.iter().map(|value| number(*value)).collect();
                (
                    format!("将{}起的整行数字移位，改为 {}", place(first), list.join("、")),
                    format!("move the numbers of the row of {}: {}", name(first), list.join(", ")),
                )
            }
        }
    }

    /// Returns true if whole numbers moved, which `T3-TRANS` reports.
    pub(crate) fn is_move(&self) -> bool {
        matches!(self, Self::Swap { .. } | Self::Shift { .. })
    }

    /// Returns the changed cells with their new numbers.
    pub(crate) fn changes(&self, table: &Table<'_>) -> Vec<(usize, Decimal)> {
        match self {
            Self::Set { cell, to } => vec![(*cell, *to)],
            Self::Swap { cells: (a, b) } => match (table.value(*a), table.value(*b)) {
                (Some(of_a), Some(of_b)) => vec![(*a, of_b), (*b, of_a)],
                _ => Vec::new(),
            },
            Self::Shift { cells, to } => cells.iter().copied().zip(to.iter().copied()).collect(),
        }
    }
}

fn number(value: Decimal) -> String {
    value.normalize().to_string()
}

/// Returns, for each suspect, the repairs of its broken equations, the smallest first.
pub(crate) fn repairs(table: &Table<'_>, broken: &[Broken]) -> Vec<(usize, Vec<Repair>)> {
    let mut suspects: Vec<usize> = broken.iter().map(|broken| broken.cause).collect();
    suspects.sort_unstable();
    suspects.dedup();
    let all_broken: Vec<usize> = broken.iter().map(|broken| broken.equation).collect();
    let of_suspect = suspects.into_iter().map(|suspect| {
        let own: Vec<usize> = broken.iter().filter(|b| b.cause == suspect).map(|b| b.equation).collect();
        let search = Search { table, own, all_broken: &all_broken };
        (suspect, search.run(suspect, broken))
    });
    of_suspect.collect()
}

struct Search<'a> {
    table: &'a Table<'a>,
    /// The equations to repair.
    own: Vec<usize>,
    /// All broken equations.
    all_broken: &'a [usize],
}

impl Search<'_> {
    fn run(&self, suspect: usize, broken: &[Broken]) -> Vec<Repair> {
        let mut found = self.single(suspect, broken);
        if found.is_empty() {
            found.extend(self.shifts());
            found.extend(self.swaps());
        }
        found
    }

    /// Returns the changes of one cell that is in every equation to repair: the suspect first, then those that alter
    /// the fewest digits.
    fn single(&self, suspect: usize, broken: &[Broken]) -> Vec<Repair> {
        let Some(first) = broken.iter().find(|b| self.own.first() == Some(&b.equation)) else {
            return Vec::new();
        };
        let equation = &self.table.layout.equations[first.equation];
        let mut found: Vec<(bool, usize, usize, Repair)> = Vec::new();
        for cell in equation.cells() {
            let Some(value) = self.table.value(cell) else { continue };
            let is_left = equation.left.contains(&cell);
            let change = if is_left {
                first.right.checked_sub(first.left)
            } else {
                first.left.checked_sub(first.right)
            };
            let to = change.and_then(|change| value.checked_add(change));
            let Some(to) = to.filter(|to| *to >= Decimal::ZERO && to.fract().is_zero()) else { continue };
            let repair = Repair::Set { cell, to };
            if self.mends(&repair) {
                found.push((cell != suspect, distance(value, to), cell, repair));
            }
        }
        found.sort_by_key(|(other, digits, cell, _)| (*other, *digits, *cell));
        found.into_iter().map(|(_, _, _, repair)| repair).collect()
    }

    /// Returns the exchanges of two cells of the equations to repair.
    fn swaps(&self) -> Vec<Repair> {
        let mut cells: Vec<usize> =
            self.own.iter().flat_map(|at| self.table.layout.equations[*at].cells()).collect();
        cells.sort_unstable();
        cells.dedup();
        let mut found = Vec::new();
        for (at, a) in cells.iter().enumerate() {
            for b in &cells[at + 1..] {
                let same = self.table.value(*a) == self.table.value(*b);
                let repair = Repair::Swap { cells: (*a, *b) };
                if !same && self.mends(&repair) {
                    found.push((b - a, repair));
                }
            }
        }
        found.sort_by_key(|(apart, _)| *apart);
        found.into_iter().map(|(_, repair)| repair).collect()
    }

    /// Returns the rows of chapter 三 with their numbers rotated by one column, to the left or to the right.
    fn shifts(&self) -> Vec<Repair> {
        let mut found = Vec::new();
        for row in &self.table.layout.rows {
            let cells: Vec<usize> = row.parts.iter().copied().chain([row.total]).collect();
            let is_touched = cells.iter().any(|cell| {
                self.table.layout.member_of[*cell].iter().any(|equation| self.own.contains(equation))
            });
            let values: Option<Vec<Decimal>> = cells.iter().map(|cell| self.table.value(*cell)).collect();
            let Some(values) =
                values.filter(|values| is_touched && values.windows(2).any(|pair| pair[0] != pair[1]))
            else {
                continue;
            };
            for turn in [1, values.len() - 1] {
                let mut to = values.clone();
                to.rotate_left(turn);
                let repair = Repair::Shift { cells: cells.clone(), to };
                if self.mends(&repair) {
                    found.push(repair);
                }
            }
        }
        found
    }

    /// Returns true if a change satisfies all equations to repair and breaks no other.
    fn mends(&self, repair: &Repair) -> bool {
        let changes = repair.changes(self.table);
        let layout = self.table.layout;
        let state = |cell: usize| match changes.iter().find(|(changed, _)| *changed == cell) {
            Some((_, to)) => State::Reported(*to),
            None => self.table.state(cell),
        };
        let holds =
            |at: usize| !matches!(test_with(&layout.equations[at], &state), EquationResult::Broken { .. });
        let touches = |at: usize| changes.iter().any(|(cell, _)| layout.member_of[*cell].contains(&at));
        let touched = changes.iter().flat_map(|(cell, _)| layout.member_of[*cell].iter().copied());
        !changes.is_empty()
            && self.own.iter().all(|at| touches(*at) && holds(*at))
            && touched.into_iter().all(|at| self.all_broken.contains(&at) || holds(at))
    }
}

/// Returns the number of digits that differ between two numbers, aligned at the right; a different length counts too.
fn distance(a: Decimal, b: Decimal) -> usize {
    let (a, b) = (number(a), number(b));
    let differing = a.chars().rev().zip(b.chars().rev()).filter(|(a, b)| a != b).count();
    differing + a.len().abs_diff(b.len())
}
