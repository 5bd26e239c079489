//! Assigns the cells of a row to the columns of the form.
//!
//! There are two readings. By position, the cells after the label are assigned in order, as many as the form has
//! columns; further blank cells at either end are filling. By label and geometry, the header names the columns, and
//! in a document with geometry a value must be under the name of its column. If the filling of a row can be cut off
//! in several ways, the rows of the same shape decide, then the row's sum. If neither decides, the row stays unclear.

use std::collections::HashMap;

use gongkai_model::UnreadReason;

use crate::{cell_assignment::CellAssignment, read_cell::ReadCell, rows::Row, value::CellValue};

/// A column of a header: the column of the form that it names, and the part of the grid that it covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Heading {
    /// Ordinal of the column in the form.
    pub column: usize,
    /// First grid column.
    pub start: u32,
    /// One past the last grid column.
    pub end: u32,
}

impl Heading {
    /// Returns true if the cell is at least partly under the heading.
    pub(crate) fn is_over(&self, piece: &ReadCell<'_>) -> bool {
        piece.start() < self.end && self.start < piece.end()
    }
}

/// The columns that a header names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Header {
    /// The header names too few columns to determine their order. Nothing contradicts the order of the form.
    Silent,
    /// The header names every column. Its geometry is included if the document has any.
    Named(Vec<usize>),
    /// The header names some columns, in an order other than the form's. The columns cannot be determined.
    Conflict,
}

impl Header {
    /// Creates a header that names columns in this order. `wanted` is the number of columns of the form.
    pub(crate) fn of(order: Vec<usize>, wanted: usize) -> Self {
        let mut sorted = order.clone();
        sorted.sort_unstable();
        sorted.dedup();
        if order.len() == wanted && sorted.len() == wanted {
            Self::Named(order)
        } else if order.windows(2).all(|pair| pair.first() < pair.last()) {
            Self::Silent
        } else {
            Self::Conflict
        }
    }

    /// Returns the form's column of each value, left to right, or `None` if the order cannot be determined.
    pub(crate) fn order(&self, wanted: usize) -> Option<Vec<usize>> {
        match self {
            Self::Silent => Some((0..wanted).collect()),
            Self::Named(order) => Some(order.clone()),
            Self::Conflict => None,
        }
    }
}

/// Returns the offsets at which `wanted` values can begin such that all other cells are blank.
pub(crate) fn offsets(values: &[ReadCell<'_>], wanted: usize) -> Vec<usize> {
    let Some(spare) = values.len().checked_sub(wanted) else { return Vec::new() };
    let filled = |piece: &ReadCell<'_>| piece.value != CellValue::Blank;
    let first = values.iter().position(filled).unwrap_or(values.len());
    let last = values.iter().rposition(filled).map_or(0, |at| at + 1);
    (0..=spare).filter(|offset| *offset <= first && last <= offset + wanted).collect()
}

/// Number of rows with too many numbers that may just be damaged. More of them are a column.
const FEWEST_OVERFULL: usize = 2;

/// Minimum number of rows that add up for sums to be evidence against a row.
const FEWEST_SUMS: usize = 3;

/// How the rows of one table are padded with blanks, learnt from the rows that can be read in only one way.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filling {
    /// The shape of such a row (number of cells after the label, number of labels) and its offset.
    seen: Vec<((usize, usize), usize)>,
    /// The number of such rows, by label position, number of columns and number of cells.
    widths: HashMap<(u32, usize, usize), usize>,
    /// The number of rows with geometry, by number of columns and number of cells after the label.
    sizes: HashMap<(usize, usize), usize>,
    /// For each row whose values occupy all cells after the label, its number of cells.
    full: Vec<usize>,
    /// True if rows are padded after their values.
    padded: bool,
    /// True if the rows that can be read in one way add up, with few exceptions. In that case a sum is evidence for
    /// other rows.
    adds_up: bool,
    /// True if some rows that can be read in one way add up.
    has_some_sums: bool,
    /// True if most rows without geometry have more numbers than the form has columns: the document has another column.
    overfull: bool,
    /// True if most rows that can be read in one way end with a blank. In that case a blank at the end does not mean
    /// a lost cell.
    ends_blank: bool,
}

impl Filling {
    /// Learns from all rows, each with its number of columns. `holds` is the same as in [`values`].
    pub(crate) fn learn<'r, 'a: 'r>(
        rows: impl Iterator<Item = (&'r Row<'a>, usize)>,
        holds: impl Fn(&[ReadCell<'a>]) -> Option<bool>,
    ) -> Self {
        let mut filling = Self::default();
        let (mut sums, mut no_sums) = (0usize, 0usize);
        let (mut sure, mut sure_blank) = (0usize, 0usize);
        let mut ends_unsure = false;
        let (mut plain, mut overfull) = (0usize, 0usize);
        for (row, wanted) in rows {
            plain += usize::from(!row.spans_known && row.filled().next().is_some());
            ends_unsure |= row.ends_unsure;
            if row.spans_known {
                *filling.sizes.entry((wanted, row.values.len())).or_default() += 1;
            }
            if let Some((column, width)) = row.shape {
                *filling.widths.entry((column, wanted, width)).or_default() += 1;
            }
            if row.values.len() == wanted {
                filling.full.extend(row.shape.map(|(_, width)| width));
            }
            let feasible = offsets(&row.values, wanted);
            overfull += usize::from(!row.spans_known && row.values.len() > wanted && feasible.is_empty());
            let cut = |offset: usize| row.values.get(offset..offset + wanted).unwrap_or_default();
            if let [one] = feasible.as_slice() {
                let cut = cut(*one);
                let whole = cut.iter().all(|piece| piece.value != CellValue::Blank);
                let telling = whole && !cut.iter().all(is_zero);
                sure += 1;
                sure_blank += usize::from(cut.last().is_some_and(|last| last.value == CellValue::Blank));
                match holds(cut).filter(|_| telling) {
                    Some(true) => sums += 1,
                    Some(false) => no_sums += 1,
                    None => {}
                }
            }
            let holding = |offset: &&usize| {
                let cut = cut(**offset);
                holds(cut) == Some(true) && cut.last().is_some_and(|total| !is_zero(total))
            };
            let mut holding = feasible.iter().filter(holding);
            let offset = match (feasible.as_slice(), holding.next(), holding.next()) {
                ([one], _, _) => *one,
                (_, Some(one), None) => *one,
                _ => continue,
            };
            if row.values.len() > wanted {
                filling.seen.push((shape(row), offset));
            }
        }
        let behind = filling.seen.iter().filter(|(_, offset)| *offset == 0).count();
        filling.padded = ends_unsure || (behind * 2 > filling.seen.len() && behind > 3);
        filling.overfull = overfull > FEWEST_OVERFULL && overfull * 2 > plain;
        filling.adds_up = no_sums * 8 <= sums;
        filling.has_some_sums = sums >= FEWEST_SUMS;
        filling.ends_blank = sure_blank * 2 > sure;
        filling
    }

    /// Returns true if the document has a column that the form does not have, and no geometry.
    pub(crate) fn is_overfull(&self) -> bool {
        self.overfull
    }

    /// Returns true if some rows that can be read in one way add up, so that a row that may be damaged should too.
    pub(crate) fn has_some_sums(&self) -> bool {
        self.has_some_sums
    }

    /// Returns true if rows are padded after their values. A blank at the end may then replace a lost cell.
    pub(crate) fn is_padded(&self) -> bool {
        self.padded
    }

    /// Returns true if rows of `wanted` columns end with their values, so that any padding is before them.
    pub(crate) fn ends_with_values(&self, wanted: usize) -> bool {
        !self.seen.is_empty() && self.seen.iter().all(|((values, _), offset)| offset + wanted == *values)
    }

    /// Returns true if the row has the usual number of cells, so that none is lost: no other number is as frequent
    /// among rows with a label in the same place, and most full rows are not wider.
    fn is_whole(&self, row: &Row<'_>, wanted: usize) -> bool {
        let Some((column, own)) = row.shape else { return true };
        let wider = self.full.iter().filter(|full| **full > own).count();
        if wider * 2 > self.full.len() && wider > 2 {
            return false;
        }
        let like = self.widths.get(&(column, wanted, own)).copied().unwrap_or_default();
        let others =
            self.widths.iter().filter(|((c, w, width), _)| (*c, *w) == (column, wanted) && *width != own);
        others.map(|(_, count)| *count).max().unwrap_or_default() < like.max(1)
    }

    /// Returns true if another row has as many cells after the label or, without geometry, as many cells and its label in
    /// the same place.
    fn is_usual(&self, row: &Row<'_>, wanted: usize) -> bool {
        let like = if row.spans_known {
            self.sizes.get(&(wanted, row.values.len()))
        } else {
            row.shape.and_then(|(column, own)| self.widths.get(&(column, wanted, own)))
        };
        like.is_some_and(|count| *count > 1)
    }

    /// Returns the offset that all rows of this shape have. If no such row is known, the rows of the same width
    /// decide, then the end at which every known row is padded. Returns `None` if the rows disagree.
    fn offset(&self, row: &Row<'_>, wanted: usize) -> Option<usize> {
        let alike: Vec<usize> =
            self.seen.iter().filter(|(other, _)| *other == shape(row)).map(|(_, offset)| *offset).collect();
        if let Some(first) = alike.first() {
            return alike.iter().all(|offset| offset == first).then_some(*first);
        }
        let spare = row.values.len().checked_sub(wanted)?;
        // Rows of this width end with their values, so this one does too.
        let as_wide = |(_, width): (u32, usize)| self.full.iter().filter(|full| **full == width).count() > 2;
        if row.shape.is_some_and(as_wide) && !self.padded {
            return Some(spare);
        }
        let left = self.seen.iter().all(|(_, offset)| *offset == 0);
        let right = self.seen.iter().all(|((values, _), offset)| offset + wanted == *values);
        match (self.seen.is_empty(), left, right) {
            (false, true, false) => Some(0),
            (false, false, true) => Some(spare),
            _ => None,
        }
    }
}

/// Returns the row without the cells of columns that the form does not have (last year's numbers, percentages, a sum
/// over all blocks); `None` if it has none, or if a cell may be lost: then the cells after it stand under wrong names.
///
/// `end` is the right end of the table's header. Each heading must be above exactly one cell, and each further cell
/// beside all headings.
pub(crate) fn under_headings<'a>(row: &Row<'a>, headings: &[Heading], end: u32) -> Option<Row<'a>> {
    let gapless =
        row.values.windows(2).all(|pair| pair.first().map(ReadCell::end) == pair.last().map(ReadCell::start));
    let values_end = row.values.last().map_or(0, ReadCell::end);
    // A label behind the numbers ends the row.
    let is_behind = row.labels.last().is_some_and(|own| own.start() == values_end && own.end() == end);
    let whole = gapless && (values_end == end || is_behind);
    let has_enough = row.values.len() > headings.len() || is_behind && row.values.len() == headings.len();
    if !row.spans_known || headings.is_empty() || !has_enough || !whole {
        return None;
    }
    let over = |piece: &ReadCell<'_>| headings.iter().filter(|heading| heading.is_over(piece)).count();
    let values: Vec<ReadCell<'a>> = row.values.iter().filter(|piece| over(piece) > 0).cloned().collect();
    let one_each = values.iter().all(|piece| over(piece) == 1);
    (one_each && stands_under(&values, headings)).then(|| row.with_values(values))
}

/// Returns true if a table has columns beside those that its headings cover.
pub(crate) fn has_other_columns(headings: &[Heading], end: u32) -> bool {
    let gap = headings.windows(2).any(|pair| pair.first().map(|h| h.end) < pair.last().map(|h| h.start));
    headings.last().is_some_and(|last| gap || last.end < end)
}

fn is_zero(piece: &ReadCell<'_>) -> bool {
    matches!(piece.value, CellValue::Number(number, _) if number.is_zero())
}

/// Returns true for a number with a space inside. It may be one number with separated thousands, or the text of two
/// cells.
fn is_spaced(piece: &ReadCell<'_>) -> bool {
    matches!(piece.value, CellValue::Number(..)) && {
        let parts = piece.cell.text.split_whitespace();
        parts.filter(|part| part.starts_with(|c: char| c.is_ascii_digit())).nth(1).is_some()
    }
}

/// Returns true if a cell may be lost and the cells after it may have moved to the left. Only a blank last column can
/// hide this. The last number is then in the place of the total: it is at least the sum of the others, or the table's
/// sums and ends are no evidence.
fn may_have_moved_up(cut: &[ReadCell<'_>], filling: &Filling) -> bool {
    let Some((_, rest)) = cut.split_last().filter(|(last, _)| last.value == CellValue::Blank) else {
        return false;
    };
    let Some(at) = rest.iter().rposition(|piece| piece.value != CellValue::Blank) else { return false };
    let (parts, last) = rest.split_at(at);
    let Some(CellValue::Number(total, _)) = last.first().map(|piece| piece.value) else { return true };
    let mut sum = rust_decimal::Decimal::ZERO;
    for part in parts {
        if let CellValue::Number(number, _) = part.value {
            sum = sum.saturating_add(number);
        }
    }
    sum <= total || !(filling.adds_up || filling.ends_blank)
}

/// Returns true if the last cell is blank and the number before it can be the total: a cell is lost, and a blank was added at
/// the end.
fn has_total_before_blank(cut: &[ReadCell<'_>]) -> bool {
    let number = |piece: &ReadCell<'_>| match piece.value {
        CellValue::Number(number, _) => Some(number),
        _ => None,
    };
    let numbers: Vec<rust_decimal::Decimal> = cut.iter().filter_map(number).collect();
    let Some((total, parts)) = numbers.split_last().filter(|_| ends_blank(cut)) else { return false };
    let sum = parts.iter().fold(rust_decimal::Decimal::ZERO, |sum, part| sum.saturating_add(*part));
    !sum.is_zero() && sum <= *total
}

/// Returns true if the last cell is blank and all others are zero: one of them may be lost.
fn has_zeros_before_blank(cut: &[ReadCell<'_>]) -> bool {
    ends_blank(cut) && cut.split_last().is_some_and(|(_, rest)| rest.iter().all(is_zero))
}

fn shape(row: &Row<'_>) -> (usize, usize) {
    (row.values.len(), row.labels.len())
}

/// Returns the row with each blank or zero that covers several columns repeated once per column; `None` if there is no
/// such cell.
pub(crate) fn spread<'a>(row: &Row<'a>, headings: &[Heading]) -> Option<Row<'a>> {
    let covered = |piece: &ReadCell<'_>| {
        let inside = |heading: &&Heading| piece.cell.column <= heading.start && heading.end <= piece.end();
        let merged = is_zero(piece) || matches!(piece.value, CellValue::Blank | CellValue::NotApplicable);
        if merged { headings.iter().filter(inside).count().max(1) } else { 1 }
    };
    if row.values.iter().all(|piece| covered(piece) == 1) {
        return None;
    }
    let values = row.values.iter().flat_map(|piece| {
        let copies = covered(piece);
        (0..copies).map(move |copy| (piece, copy, copies))
    });
    let values = values.map(|(piece, copy, copies)| {
        match (copies > 1).then(|| heading_of_copy(piece, copy, headings)).flatten() {
            Some(heading) => ReadCell { over: Some((heading.start, heading.end)), ..piece.clone() },
            None => piece.clone(),
        }
    });
    Some(row.with_values(values.collect()))
}

/// Returns the heading above copy number `copy` of a wide cell.
fn heading_of_copy<'h>(piece: &ReadCell<'_>, copy: usize, headings: &'h [Heading]) -> Option<&'h Heading> {
    headings.iter().filter(|h| piece.cell.column <= h.start && h.end <= piece.end()).nth(copy)
}

/// The values of a row's columns, left to right.
#[derive(Debug)]
pub(crate) enum Values<'r, 'a> {
    /// The values of the columns are certain.
    These(&'r [ReadCell<'a>]),
    /// Several selections of cells fit. One of them is right.
    OneOf(Vec<&'r [ReadCell<'a>]>),
    /// There are too few or too many cells, and no selection of them fits.
    Unclear,
}

impl<'a> Values<'_, 'a> {
    /// Assigns the cells of a row, which begin at `first` and are in this order. If it is unclear which pieces are
    /// the row's values, all of these are candidates.
    pub(crate) fn assign<'p, P>(
        self,
        (first, order): (usize, &[usize]),
        all: &P,
        assignment: &mut CellAssignment<'a>,
    ) where
        'a: 'p,
        P: IntoIterator<Item = &'p ReadCell<'a>> + Clone,
    {
        match self {
            Self::These(cells) => {
                for (piece, column) in cells.iter().zip(order) {
                    assignment.assign(first + column, piece);
                }
            }
            Self::OneOf(cuts) => {
                for (at, column) in order.iter().enumerate() {
                    assignment.unsure(
                        first + column,
                        UnreadReason::CutsDiffer,
                        cuts.iter().filter_map(|cut| cut.get(at)),
                    );
                }
            }
            Self::Unclear => assignment.unsure_row(first, order.len(), all),
        }
    }
}

/// Removes the padding from a row. `holds` returns whether a selection of cells satisfies the row's sum, if it can be
/// computed.
pub(crate) fn values<'r, 'a>(
    row: &'r Row<'a>,
    wanted: usize,
    filling: &Filling,
    headings: &[Heading],
    holds: impl Fn(&[ReadCell<'a>]) -> Option<bool>,
) -> Values<'r, 'a> {
    let feasible = offsets(&row.values, wanted);
    let cut = |offset: usize| row.values.get(offset..offset + wanted).unwrap_or_default();
    let mut cuts: Vec<&[ReadCell<'a>]> = feasible.iter().map(|offset| cut(*offset)).collect();
    if !headings.is_empty() && row.spans_known {
        let is_under = |piece: &ReadCell<'_>| headings.iter().any(|heading| heading.is_over(piece));
        // Two cells under one heading: it is unknown which of them is the value.
        let under = row.values.iter().filter(|piece| is_under(piece)).count();
        let fitting: Vec<&[ReadCell<'a>]> =
            cuts.iter().copied().filter(|cut| under <= cut.len() && stands_under(cut, headings)).collect();
        match (fitting.is_empty(), cuts.as_slice()) {
            (false, _) => cuts = fitting,
            (true, []) => return Values::Unclear,
            // Geometry and order disagree about the columns. The sum decides.
            (true, [one]) if holds(one) == Some(true) => return Values::These(one),
            (true, _) => return Values::OneOf(cuts),
        }
    }
    let all_blank = row.values.iter().all(|piece| piece.value == CellValue::Blank);
    // A blank behind the header can be the last value of a row that got a cell too many.
    let end = headings.last().map_or(u32::MAX, |last| last.end);
    let exceeds = |cut: &[ReadCell<'a>]| {
        if row.spans_known {
            row.values.iter().any(|piece| piece.start() >= end) && holds(cut) != Some(true)
        } else {
            row.values.len() > wanted && filling.adds_up && holds(cut) == Some(false)
        }
    };
    match cuts.as_slice() {
        [] => return Values::Unclear,
        [first, ..] if all_blank => return Values::These(first),
        [one] if exceeds(one) && !filling.is_usual(row, wanted) => return Values::OneOf(cuts),
        [one] => return sure(one, row, filling),
        _ => {}
    }
    if let Some(offset) = filling.offset(row, wanted)
        && feasible.contains(&offset)
    {
        return sure(cut(offset), row, filling);
    }
    let verdicts: Vec<Option<bool>> = cuts.iter().map(|cut| holds(cut)).collect();
    let right = verdicts.iter().filter(|verdict| **verdict == Some(true)).count();
    let wrong = verdicts.iter().filter(|verdict| **verdict == Some(false)).count();
    match verdicts.iter().position(|verdict| *verdict == Some(true)) {
        Some(at) if right == 1 && right + wrong == verdicts.len() => {
            cuts.get(at).map_or(Values::Unclear, |cut| Values::These(cut))
        }
        _ => Values::OneOf(cuts),
    }
}

/// Returns a cut as certain only if the blanks at its ends cannot replace a lost cell.
fn sure<'r, 'a>(cut: &'r [ReadCell<'a>], row: &Row<'a>, filling: &Filling) -> Values<'r, 'a> {
    let blank = |piece: Option<&ReadCell<'a>>| piece.is_some_and(|piece| piece.value == CellValue::Blank);
    let short = (blank(cut.first()) || blank(cut.last())) && !filling.is_whole(row, cut.len());

    let is_overfull = filling.overfull && row.values.len() > cut.len();
    let has_closed_up = filling.has_some_sums
        && filling.adds_up
        && !filling.ends_blank
        && (has_total_before_blank(cut) || !row.spans_known && has_zeros_before_blank(cut));
    let moved = filling.is_padded() && may_have_moved_up(cut, filling);
    let glued = blank(cut.last()) && cut.iter().any(is_spaced);
    // Among lines of one cell each, a page number may stand where a cell is expected.
    let page_number = row.stream && row.values.len() > cut.len() && (blank(cut.first()) || blank(cut.last()));
    if has_closed_up || !row.spans_known && (short || moved || glued || page_number || is_overfull) {
        Values::OneOf(vec![cut])
    } else {
        Values::These(cut)
    }
}

/// Returns true if the last cell is blank and another one is not.
pub(crate) fn ends_blank(cells: &[ReadCell<'_>]) -> bool {
    let blank = |piece: &ReadCell<'_>| piece.value == CellValue::Blank;
    cells.last().is_some_and(blank) && !cells.iter().all(blank)
}

/// Returns true if every value is at least partly under its heading, left to right.
fn stands_under(values: &[ReadCell<'_>], headings: &[Heading]) -> bool {
    values.len() == headings.len()
        && values.iter().zip(headings).all(|(piece, heading)| heading.is_over(piece))
}
