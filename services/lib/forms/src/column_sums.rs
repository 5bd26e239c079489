//! Sums as evidence about the columns of chapter 三 in tables with more columns than the form.
//!
//! The header tells which columns are the form's. An editor who inserts a column may put its name in another place than
//! its numbers; then the rows add up with other columns than those that the header names.

use rust_decimal::Decimal;

use crate::{read_cell::ReadCell, value::CellValue};

/// Columns of chapter 三.
const COLUMNS: usize = 7;

/// Maximum number of further columns for which other choices of seven are tried.
const MOST_FURTHER: usize = 2;

/// Minimum number of rows that contradict the header.
const FEWEST: usize = 3;

/// Minimum number of rows with a fraction, which no count of requests has.
const FEWEST_FRACTIONS: usize = 2;

/// The sums and fractions of one table's rows.
#[derive(Debug, Default)]
pub(crate) struct ColumnSums<'r, 'a> {
    /// Rows that do not add up with the columns of the header, or have no total there: all their cells.
    failing: Vec<&'r [ReadCell<'a>]>,
    /// Number of rows that add up.
    holding: usize,
    /// Number of rows without a total under its name, but with a number under no name of the form's.
    without_total: usize,
    fractions: usize,
}

impl<'r, 'a> ColumnSums<'r, 'a> {
    /// Notes a row, the cells that the header chooses of it, and whether they add up.
    pub(crate) fn add(&mut self, all: &'r [ReadCell<'a>], chosen: &[ReadCell<'a>], holds: Option<bool>) {
        self.fractions += usize::from(chosen.iter().any(is_fraction));
        let filled =
            |cells: &[ReadCell<'_>]| cells.iter().filter(|piece| piece.value != CellValue::Blank).count();
        let is_telling = chosen.iter().filter(|piece| !number(piece).is_zero()).nth(1).is_some();
        match holds {
            _ if !is_telling => {}
            Some(true) => self.holding += 1,
            Some(false) | None => self.failing.push(all),
        }
        self.without_total += usize::from(is_telling && holds.is_none() && filled(all) > filled(chosen));
    }

    /// Returns true if the rows contradict the header.
    pub(crate) fn contradict(&self) -> bool {
        self.fractions >= FEWEST_FRACTIONS
            || self.allow_failing() && (self.hold_otherwise() || self.lack_totals())
    }

    /// Returns true if no row has a total under its name: a column was inserted without moving the names.
    fn lack_totals(&self) -> bool {
        self.holding == 0 && self.without_total == self.failing.len()
    }

    /// Returns true if a row that does not add up is not different from the others: hardly any does.
    pub(crate) fn allow_failing(&self) -> bool {
        self.failing.len() >= FEWEST && self.failing.len() > self.holding
    }

    /// Returns true if most of the failing rows add up with one other choice of columns.
    fn hold_otherwise(&self) -> bool {
        let width = self.failing.first().map_or(0, |row| row.len());
        let has_numbers = |at: &usize| {
            self.failing.iter().any(|row| row.get(*at).is_some_and(|piece| !number(piece).is_zero()))
        };
        let places: Vec<usize> = (0..width).filter(has_numbers).collect();
        choices(places.len()).into_iter().any(|choice| {
            let chosen = |row: &[ReadCell<'a>]| -> Vec<Decimal> {
                choice.iter().filter_map(|at| row.get(*places.get(*at)?)).map(number).collect()
            };
            let holding = self.failing.iter().filter(|row| row.len() == width && adds_up(&chosen(row)));
            holding.count() * 2 > self.failing.len()
        })
    }
}

/// Returns choices of seven columns: all if there are few further ones, and otherwise those at equal distances and those
/// beside each other.
fn choices(width: usize) -> Vec<Vec<usize>> {
    let Some(further) = width.checked_sub(COLUMNS) else { return Vec::new() };
    if further == 0 {
        return vec![(0..width).collect()];
    }
    if further <= MOST_FURTHER {
        let dropped = (0..width).flat_map(|a| (a..width).map(move |b| (a, b)));
        let dropped = dropped.filter(|(a, b)| (a == b) == (further < MOST_FURTHER));
        return dropped.map(|(a, b)| (0..width).filter(|at| *at != a && *at != b).collect()).collect();
    }
    let beside = (0..=further).map(|first| (first..first + COLUMNS).collect());
    let step = width / COLUMNS;
    beside.chain((0..step).map(|first| (0..COLUMNS).map(|at| first + at * step).collect())).collect()
}

/// Returns true for a number that counts nothing whole, and for a percentage.
pub(crate) fn is_fraction(piece: &ReadCell<'_>) -> bool {
    !number(piece).fract().is_zero() || piece.cell.text.ends_with(['%', '％'])
}

fn number(piece: &ReadCell<'_>) -> Decimal {
    match piece.value {
        CellValue::Number(number, _) => number,
        _ => Decimal::ZERO,
    }
}

/// Returns true if the last or the first number is the sum of the others.
fn adds_up(numbers: &[Decimal]) -> bool {
    let total: Option<Decimal> =
        numbers.iter().try_fold(Decimal::ZERO, |sum, number| sum.checked_add(*number));
    let is_total = |own: Option<&Decimal>| {
        own.zip(total).is_some_and(|(own, total)| own.checked_add(*own) == Some(total))
    };
    is_total(numbers.last()) || is_total(numbers.first())
}
