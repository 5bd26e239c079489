//! Sums of the rows of chapter 三 as evidence about their columns.

use rust_decimal::Decimal;

use crate::{columns::Header, read_cell::ReadCell, rows::Row, value::CellValue};

/// Columns of chapter 三.
const COLUMNS: usize = 7;

/// Minimum number of rows whose sums show another order of the columns.
const FEWEST_TURNED: usize = 4;

/// Returns true if the first cells of the rows are the sums of the others, and the cells that the header's words make the
/// total are not: the header has lost a name, or its names are not in the order of the columns.
pub(crate) fn are_turned<'r, 'a: 'r>(
    rows: &(impl Iterator<Item = &'r Row<'a>> + Clone),
    header: &Header,
) -> bool {
    let Some(order) = header.order(COLUMNS) else { return false };
    let total_first: Vec<usize> = std::iter::once(COLUMNS - 1).chain(0..COLUMNS - 1).collect();
    let rows = || rows.clone().map(|row| &row.values).filter(|values| values.len() == COLUMNS);
    let is_zero = |values: &Vec<ReadCell<'_>>| {
        values.iter().all(|piece| matches!(piece.value, CellValue::Number(number, _) if number.is_zero()))
    };
    let holding = |order: &[usize]| {
        rows().filter(|values| !is_zero(values) && hold(values, order) == Some(true)).count()
    };
    let turned = holding(&total_first);
    turned >= FEWEST_TURNED && holding(&order) * 4 < turned
}

/// Number above those of pages.
const HIGHEST_PAGE: Decimal = Decimal::ONE_HUNDRED;

/// Returns true if the sum of a row stands before its last cell, and that cell is blank or not the sum: a cell is lost, and
/// a page number or a blank is at its end. In a `stream` of lines a blank may be lost with its number, so that the sum is
/// greater than what is left.
pub(crate) fn have_total_before_end(cells: &[ReadCell<'_>], stream: bool) -> bool {
    let number = |piece: &ReadCell<'_>| match piece.value {
        CellValue::Number(number, _) => number,
        _ => Decimal::ZERO,
    };
    let Some((last, [parts @ .., total])) = cells.split_last() else { return false };
    let filled = parts.iter().filter(|piece| !number(piece).is_zero()).count();
    let sum = parts.iter().map(number).try_fold(Decimal::ZERO, Decimal::checked_add);
    let (last, total) = (number(last), number(total));
    let is_sum = sum.is_some_and(|sum| sum == total || stream && sum < total && last < HIGHEST_PAGE);
    filled > 1 && is_sum && last < total
}

/// Returns whether the applicants' numbers add up to the total; `None` if the total or an addend is not a number.
pub(crate) fn hold(cells: &[ReadCell<'_>], order: &[usize]) -> Option<bool> {
    let mut sum = Decimal::ZERO;
    let mut total = None;
    for (piece, column) in cells.iter().zip(order) {
        let number = match piece.value {
            CellValue::Number(number, _) => number,
            CellValue::Blank | CellValue::NotApplicable if *column + 1 < COLUMNS => Decimal::ZERO,
            _ => return None,
        };
        if column + 1 == COLUMNS { total = Some(number) } else { sum = sum.checked_add(number)? }
    }
    total.map(|total| total == sum)
}
