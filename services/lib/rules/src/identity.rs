//! Does an identity hold, could it hold, and which cell is to blame if it cannot?
//!
//! A blank or `/` may stand for any number from 0 up, so an identity is broken only if no such filling satisfies it.
//! A missing or unreadable operand says nothing at all. Sums that overflow a decimal are treated like those.

use rust_decimal::Decimal;

use gongkai_model::State;

use crate::{layout::Identity, table::Table};

/// What an identity says about a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// An operand is missing or unreadable.
    Silent,
    /// It has blanks, and some filling satisfies it.
    Open,
    /// Both sides are equal as printed.
    Holds,
    /// No filling satisfies it.
    Broken {
        /// Sum of the printed parts.
        left: Decimal,
        /// Sum of the printed side.
        right: Decimal,
    },
}

/// A broken identity with its suspect.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Broken {
    /// Number of the identity in the layout.
    pub(crate) identity: usize,
    pub(crate) left: Decimal,
    pub(crate) right: Decimal,
    /// The cell whose change would repair the most.
    pub(crate) cause: usize,
}

/// Sum of one side and whether a blank stands on it; `None` if an operand is missing, unreadable, or overflows.
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

/// Tests one identity.
pub(crate) fn test(table: &Table<'_>, identity: &Identity) -> Outcome {
    test_with(identity, &|cell| table.state(cell))
}

/// Tests one identity over cells that may stand otherwise than printed.
pub(crate) fn test_with(identity: &Identity, state: &impl Fn(usize) -> State) -> Outcome {
    let (Some((left, left_blank)), Some((right, right_blank))) =
        (side(state, &identity.left), side(state, &identity.right))
    else {
        return Outcome::Silent;
    };
    let can_hold = left == right || (left < right && left_blank) || (right < left && right_blank);
    match (can_hold, left_blank || right_blank) {
        (false, _) => Outcome::Broken { left, right },
        (true, true) => Outcome::Open,
        (true, false) => Outcome::Holds,
    }
}

/// All broken identities of a report, in the layout's order, each with its suspect.
pub(crate) fn broken(table: &Table<'_>) -> Vec<Broken> {
    let outcomes: Vec<Outcome> = table.layout.identities.iter().map(|i| test(table, i)).collect();
    let mut found = Vec::new();
    for (identity, outcome) in outcomes.iter().enumerate() {
        if let Outcome::Broken { left, right } = *outcome {
            let cause = suspect(table, &outcomes, identity);
            found.push(Broken { identity, left, right, cause });
        }
    }
    found
}

/// How well a change of one cell explains a broken identity; the greatest explains best.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Plausibility {
    /// The cell holds no number that a count can be.
    impossible_value: bool,
    /// One change of the cell repairs every broken identity it stands in and breaks none.
    repairs_all: bool,
    /// Broken identities it stands in.
    broken: usize,
    /// Unbroken identities it stands in, negated.
    unharmed: std::cmp::Reverse<usize>,
}

/// The cell to blame: the best explanation; of equals, the one an editor looks at first.
fn suspect(table: &Table<'_>, outcomes: &[Outcome], identity: usize) -> usize {
    let identity = &table.layout.identities[identity];
    let mut best: Option<(Plausibility, usize)> = None;
    for cell in identity.cells() {
        let Some(value) = table.value(cell) else { continue };
        let score = plausibility(table, outcomes, cell, value);
        if best.as_ref().is_none_or(|(top, _)| score > *top) {
            best = Some((score, cell));
        }
    }
    best.map_or(identity.right[0], |(_, cell)| cell)
}

fn plausibility(table: &Table<'_>, outcomes: &[Outcome], cell: usize, value: Decimal) -> Plausibility {
    let mut changes = Vec::new();
    let mut unharmed = 0;
    for at in &table.layout.member_of[cell] {
        match outcomes[*at] {
            Outcome::Broken { left, right } => {
                let on_left = table.layout.identities[*at].left.contains(&cell);
                changes.push(if on_left { right.checked_sub(left) } else { left.checked_sub(right) });
            }
            Outcome::Holds => unharmed += 1,
            Outcome::Open | Outcome::Silent => {}
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
