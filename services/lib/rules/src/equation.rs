//! The test of the form's equations (勾稽关系), and the suspect cell of each broken one.
//!
//! A blank or `/` may be any number from 0 up, so an equation is broken only if no filling of its blanks satisfies
//! it. An equation with a missing or unreadable operand, or with a sum that overflows a decimal, is not tested.

use rust_decimal::Decimal;

use gongkai_model::State;

use crate::{layout::Equation, table::Table};

/// The result of testing an equation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EquationResult {
    /// An operand is missing or unreadable.
    Silent,
    /// The equation has blanks, and some filling satisfies it.
    Open,
    /// Both sides are equal as printed.
    Holds,
    /// No filling satisfies the equation.
    Broken {
        /// Sum of the printed parts.
        left: Decimal,
        /// Sum of the printed side.
        right: Decimal,
    },
}

/// A broken equation and its suspect cell.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Broken {
    /// Index of the equation in the layout.
    pub(crate) equation: usize,
    pub(crate) left: Decimal,
    pub(crate) right: Decimal,
    /// The suspect: the cell whose change would repair the most equations.
    pub(crate) cause: usize,
}

/// Returns the sum of one side and whether it has a blank, or `None` if an operand is missing or unreadable or the
/// sum overflows.
fn side(state: &impl Fn(usize) -> State, cells: &[usize]) -> Option<(Decimal, bool)> {
    let mut sum = Decimal::ZERO;
    let mut blank = false;
    for cell in cells {
        match state(*cell) {
            State::Reported(value) => sum = sum.checked_add(value)?,
            State::Blank | State::NotApplicable => blank = true,
            State::Missing | State::Unreadable => return None,
        }
    }
    Some((sum, blank))
}

/// Tests an equation with the cells as printed.
pub(crate) fn test(table: &Table<'_>, equation: &Equation) -> EquationResult {
    test_with(equation, &|cell| table.state(cell))
}

/// Tests one equation over cell states that may differ from the printed ones.
pub(crate) fn test_with(equation: &Equation, state: &impl Fn(usize) -> State) -> EquationResult {
    let (Some((left, left_blank)), Some((right, right_blank))) =
        (side(state, &equation.left), side(state, &equation.right))
    else {
        return EquationResult::Silent;
    };
    let can_hold = left == right || (left < right && left_blank) || (right < left && right_blank);
    match (can_hold, left_blank || right_blank) {
        (false, _) => EquationResult::Broken { left, right },
        (true, true) => EquationResult::Open,
        (true, false) => EquationResult::Holds,
    }
}

/// Returns all broken equations of a report, in the layout's order, each with its suspect.
pub(crate) fn broken(table: &Table<'_>) -> Vec<Broken> {
    let outcomes: Vec<EquationResult> = table.layout.equations.iter().map(|i| test(table, i)).collect();
    let mut found = Vec::new();
    for (equation, outcome) in outcomes.iter().enumerate() {
        if let EquationResult::Broken { left, right } = *outcome {
            let cause = suspect(table, &outcomes, equation);
            found.push(Broken { equation, left, right, cause });
        }
    }
    found
}

/// How well a change of one cell explains a broken equation. The greatest value explains it best.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Plausibility {
    /// The cell's value is negative or not whole, so it cannot be a count.
    impossible_value: bool,
    /// A single change of the cell repairs all its broken equations and breaks none.
    repairs_all: bool,
    /// Number of broken equations that contain the cell.
    broken: usize,
    /// Number of satisfied equations that contain the cell, negated.
    unharmed: std::cmp::Reverse<usize>,
}

/// Returns the most plausible cell, or the first in the equation among equals.
fn suspect(table: &Table<'_>, outcomes: &[EquationResult], equation: usize) -> usize {
    let equation = &table.layout.equations[equation];
    let mut best: Option<(Plausibility, usize)> = None;
    for cell in equation.cells() {
        let Some(value) = table.value(cell) else { continue };
        let score = plausibility(table, outcomes, cell, value);
        if best.as_ref().is_none_or(|(top, _)| score > *top) {
            best = Some((score, cell));
        }
    }
    best.map_or(equation.right[0], |(_, cell)| cell)
}

fn plausibility(table: &Table<'_>, outcomes: &[EquationResult], cell: usize, value: Decimal) -> Plausibility {
    let mut changes = Vec::new();
    let mut unharmed = 0;
    for at in &table.layout.member_of[cell] {
        match outcomes[*at] {
            EquationResult::Broken { left, right } => {
                let on_left = table.layout.equations[*at].left.contains(&cell);
                changes.push(if on_left { right.checked_sub(left) } else { left.checked_sub(right) });
            }
            EquationResult::Holds => unharmed += 1,
            EquationResult::Open | EquationResult::Silent => {}
        }
    }
    let change = changes.first().copied().flatten();
    let agreed = change.is_some() && changes.iter().all(|other| *other == change);
    let repaired = change.and_then(|change| value.checked_add(change));
    Plausibility {
        impossible_value: value < Decimal::ZERO || !value.fract().is_zero(),
        repairs_all: agreed && unharmed == 0 && repaired.is_some_and(|value| value >= Decimal::ZERO),
        broken: changes.len(),
        unharmed: std::cmp::Reverse(unharmed),
    }
}
