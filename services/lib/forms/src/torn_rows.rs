//! Rows of tables with geometry that are torn in two: a label beside blank cells, and its numbers in a row without a
//! label right above or below.
//!
//! The halves are joined if the document has every label of the chapter and all its rows without a label are such
//! halves. Otherwise a half can be the row of a lost label, and the blank cells beside it are unreadable.

use crate::{
    read_cell::ReadCell,
    rows::{Item, Row},
    torn_labels::is_unlabelled,
    value::CellValue,
};

/// Joins the halves of the torn rows of a range. `is_complete` returns whether the range has all labels of its chapter.
pub(crate) fn join(range: &mut Vec<Item<'_>>, is_complete: impl Fn(&[Item<'_>]) -> bool) {
    let halves: Vec<usize> = (0..range.len()).filter(|at| row(range, *at).is_some_and(is_half)).collect();
    let pairs: Vec<(usize, Vec<usize>)> = halves.iter().map(|at| (*at, partners(range, *at))).collect();
    for (half, _) in pairs.iter().filter(|(_, partners)| partners.is_empty()) {
        doubt_blanks_beside(range, *half);
    }
    if pairs.iter().all(|(_, partners)| partners.is_empty()) {
        return;
    }
    let is_sure = pairs.iter().all(|(_, partners)| partners.len() == 1)
        && !are_two_in_one_place(range, &pairs)
        && is_complete(range);
    for (half, partners) in &pairs {
        let Some(numbers) = row(range, *half).map(|half| half.values.clone()) else { continue };
        for partner in partners {
            let Some(Item::Row(own)) = range.get_mut(*partner) else { continue };
            fill(own, &numbers, is_sure);
        }
    }
    // The places of the partners hold until all rows are filled.
    for (half, _) in pairs.iter().rev().filter(|_| is_sure) {
        range.remove(*half);
    }
}

/// Returns true if two halves of one row have numbers in the same place.
fn are_two_in_one_place(range: &[Item<'_>], pairs: &[(usize, Vec<usize>)]) -> bool {
    let numbers = |half: usize| row(range, half).into_iter().flat_map(Row::filled);
    pairs.windows(2).any(|two| match two {
        [(one, own), (other, others)] if own == others => {
            numbers(*one).any(|number| numbers(*other).any(|below| overlap(number, below)))
        }
        _ => false,
    })
}

fn row<'r, 'a>(range: &'r [Item<'a>], at: usize) -> Option<&'r Row<'a>> {
    match range.get(at) {
        Some(Item::Row(row)) => Some(row),
        _ => None,
    }
}

fn is_half(row: &Row<'_>) -> bool {
    row.spans_known && is_unlabelled(row)
}

/// Returns the next rows with a label above and below a half, if its numbers fill their blank cells.
fn partners(range: &[Item<'_>], half: usize) -> Vec<usize> {
    let Some(numbers) = row(range, half) else { return Vec::new() };
    let is_filled = |at: &usize| row(range, *at).is_some_and(|own| is_filled_by(own, numbers));
    beside(range, half).into_iter().filter(is_filled).collect()
}

/// Returns the next rows above and below a half that are none.
fn beside(range: &[Item<'_>], half: usize) -> Vec<usize> {
    let is_other = |at: &usize| !row(range, *at).is_some_and(is_half);
    let beside = [(0..half).rev().find(is_other), (half + 1..range.len()).find(is_other)];
    beside.into_iter().flatten().collect()
}

/// Makes the blank cells of the rows beside a half unreadable: its numbers may be theirs, and have moved sideways.
fn doubt_blanks_beside(range: &mut [Item<'_>], half: usize) {
    for at in beside(range, half) {
        let Some(Item::Row(own)) = range.get_mut(at) else { continue };
        if own.spans_known && !own.labels.is_empty() {
            let blanks = own.values.iter_mut().filter(|piece| piece.value == CellValue::Blank);
            blanks.for_each(|piece| piece.value = CellValue::Text);
        }
    }
}

/// Returns true if each number stands above or below a blank cell of the row.
fn is_filled_by(own: &Row<'_>, numbers: &Row<'_>) -> bool {
    let table = |row: &Row<'_>| row.values.first().map(|piece| piece.table);
    own.spans_known
        && !own.labels.is_empty()
        && table(own) == table(numbers)
        && beside_label(own, numbers).next().is_some()
        && beside_label(own, numbers).all(|number| {
            let mut across = own.values.iter().filter(|piece| overlap(piece, number)).peekable();
            across.peek().is_some() && across.all(|piece| piece.value == CellValue::Blank)
        })
}

/// Returns the numbers of a half that are not above or below the labels of a row, as its ordinal is.
fn beside_label<'r, 'a>(own: &Row<'a>, numbers: &'r Row<'a>) -> impl Iterator<Item = &'r ReadCell<'a>> {
    let first = own.values.first().map_or(0, ReadCell::start);
    numbers.filled().filter(move |number| number.end() > first)
}

fn overlap(a: &ReadCell<'_>, b: &ReadCell<'_>) -> bool {
    a.start() < b.end() && b.start() < a.end()
}

/// Puts numbers in the place of the blank cells above or below them. Unless the join `is_sure`, all blank cells of the row
/// are unreadable.
fn fill<'a>(own: &mut Row<'a>, numbers: &[ReadCell<'a>], is_sure: bool) {
    let label_reaches = own.labels.last().is_some_and(|label| label.cell.row_span > 1);
    let filled = || numbers.iter().filter(|number| number.value != CellValue::Blank);
    for piece in own.values.iter_mut().filter(|piece| piece.value == CellValue::Blank) {
        let number = filled().find(|number| overlap(piece, number));
        match number {
            Some(number) if is_sure && !label_reaches => *piece = number.clone(),
            Some(number) => *piece = ReadCell { value: CellValue::Text, ..number.clone() },
            None if !is_sure => piece.value = CellValue::Text,
            None => {}
        }
    }
}
