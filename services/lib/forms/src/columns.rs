//! Which of a row's cells are the values of which columns.
//!
//! Two readings. By position: the cells behind the label, in order, as many as the form has columns; blanks beyond that
//! at either end are filling. By label and geometry: the header names the columns, and where the document has geometry
//! a value must stand under its name. Where a row's filling can be cut off in several ways, its neighbours of the same
//! shape decide, then its sum; else nobody does.

use std::collections::HashMap;

use crate::{
    rows::{Piece, Row},
    value::Value,
};

/// A header's column: which column of the form it names and what part of the grid it covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Heading {
    /// Ordinal of the column in the form.
    pub column: usize,
    /// First grid column.
    pub start: u32,
    /// One past the last grid column.
    pub end: u32,
}

/// The columns as a header names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Header {
    /// Too little is left of it to tell, and nothing speaks against the form's order.
    Silent,
    /// Names every column; with geometry if the document has it.
    Named(Vec<usize>),
    /// Names some columns, in an order that is not the form's: nobody can say which column is which.
    Conflict,
}

impl Header {
    /// The header that names columns in this order; `wanted` is how many there must be.
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

    /// The form's column of each value, left to right; absent if nobody can say.
    pub(crate) fn order(&self, wanted: usize) -> Option<Vec<usize>> {
        match self {
            Self::Silent => Some((0..wanted).collect()),
            Self::Named(order) => Some(order.clone()),
            Self::Conflict => None,
        }
    }
}

/// The offsets at which `wanted` values can begin: all other cells are blank.
pub(crate) fn offsets(values: &[Piece<'_>], wanted: usize) -> Vec<usize> {
    let Some(spare) = values.len().checked_sub(wanted) else { return Vec::new() };
    let filled = |piece: &Piece<'_>| piece.value != Value::Blank;
    let first = values.iter().position(filled).unwrap_or(values.len());
    let last = values.iter().rposition(filled).map_or(0, |at| at + 1);
    (0..=spare).filter(|offset| *offset <= first && last <= offset + wanted).collect()
}

/// How rows of one table are filled up: learnt from the rows that leave no choice.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filling {
    /// Shape (cells behind the label, labels) and the one offset it had.
    seen: Vec<((usize, usize), usize)>,
    /// Where labels stand, how many columns follow, and how many cells their rows have: the number of such rows.
    widths: HashMap<(u32, usize, usize), usize>,
    /// How many cells the rows have whose values fill all behind the label.
    full: Vec<usize>,
    /// True if rows are filled up behind their values.
    padded: bool,
    /// True if the rows without a choice add up, but for a few: then a sum is evidence for other rows.
    adds_up: bool,
    /// True if most rows without a choice end with a blank: then nothing is missing from a row that does.
    ends_blank: bool,
}

impl Filling {
    /// Learns from all rows with their number of columns; `holds` as for [`values`].
    pub(crate) fn learn<'r, 'a: 'r>(
        rows: impl Iterator<Item = (&'r Row<'a>, usize)>,
        holds: impl Fn(&[Piece<'a>]) -> Option<bool>,
    ) -> Self {
        let mut filling = Self::default();
        let (mut sums, mut no_sums) = (0usize, 0usize);
        let (mut sure, mut sure_blank) = (0usize, 0usize);
        let mut ends_unsure = false;
        for (row, wanted) in rows {
            ends_unsure |= row.ends_unsure;
            if let Some((column, width)) = row.shape {
                *filling.widths.entry((column, wanted, width)).or_default() += 1;
            }
            if row.values.len() == wanted {
                filling.full.extend(row.shape.map(|(_, width)| width));
            }
            let feasible = offsets(&row.values, wanted);
            let cut = |offset: usize| row.values.get(offset..offset + wanted).unwrap_or_default();
            if let [one] = feasible.as_slice() {
                let cut = cut(*one);
                let whole = cut.iter().all(|piece| piece.value != Value::Blank);
                let telling = whole && !cut.iter().all(is_zero);
                sure += 1;
                sure_blank += usize::from(cut.last().is_some_and(|last| last.value == Value::Blank));
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
        filling.adds_up = no_sums * 8 <= sums;
        filling.ends_blank = sure_blank * 2 > sure;
        filling
    }

    /// True if rows are filled up behind their values, so that a blank at the end may be one cell too few.
    pub(crate) fn is_padded(&self) -> bool {
        self.padded
    }

    /// True if rows of `wanted` columns end with their values: what fills them up stands before.
    pub(crate) fn ends_with_values(&self, wanted: usize) -> bool {
        !self.seen.is_empty() && self.seen.iter().all(|((values, _), offset)| offset + wanted == *values)
    }

    /// True if the row has as many cells as others whose labels stand where its label does.
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

    /// The offset that all rows of this shape had; else the end that all rows kept clear.
    fn offset(&self, row: &Row<'_>, wanted: usize) -> Option<usize> {
        let alike: Vec<usize> =
            self.seen.iter().filter(|(other, _)| *other == shape(row)).map(|(_, offset)| *offset).collect();
        if let Some(first) = alike.first() {
            return alike.iter().all(|offset| offset == first).then_some(*first);
        }
        let spare = row.values.len().checked_sub(wanted)?;
        // Rows as wide as this one end with their values: so does this one.
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

fn is_zero(piece: &Piece<'_>) -> bool {
    matches!(piece.value, Value::Number(number, _) if number.is_zero())
}

/// True for a number with a space inside: thousands set apart, or two cells run together.
fn is_spaced(piece: &Piece<'_>) -> bool {
    matches!(piece.value, Value::Number(..)) && {
        let parts = piece.cell.text.split_whitespace();
        parts.filter(|part| part.starts_with(|c: char| c.is_ascii_digit())).nth(1).is_some()
    }
}

/// Behind a blank last column nobody sees whether a cell before it is gone and all others have moved up: then the last
/// number is the total, and not less than the others together if the table's sums can be relied on.
fn may_have_moved_up(cut: &[Piece<'_>], filling: &Filling) -> bool {
    let Some((_, rest)) = cut.split_last().filter(|(last, _)| last.value == Value::Blank) else {
        return false;
    };
    let Some(at) = rest.iter().rposition(|piece| piece.value != Value::Blank) else { return false };
    let (parts, last) = rest.split_at(at);
    let Some(Value::Number(total, _)) = last.first().map(|piece| piece.value) else { return true };
    let mut sum = rust_decimal::Decimal::ZERO;
    for part in parts {
        if let Value::Number(number, _) = part.value {
            sum = sum.saturating_add(number);
        }
    }
    sum <= total || !(filling.adds_up || filling.ends_blank)
}

fn shape(row: &Row<'_>) -> (usize, usize) {
    (row.values.len(), row.labels.len())
}

/// The row with each blank cell that covers several columns counted as often; absent if it has none.
pub(crate) fn spread<'a>(row: &Row<'a>, headings: &[Heading]) -> Option<Row<'a>> {
    let covered = |piece: &Piece<'_>| {
        let inside = |heading: &&Heading| piece.cell.column <= heading.start && heading.end <= piece.end();
        if piece.value == Value::Blank { headings.iter().filter(inside).count().max(1) } else { 1 }
    };
    if row.values.iter().all(|piece| covered(piece) == 1) {
        return None;
    }
    let values = row.values.iter().flat_map(|piece| {
        let copies = covered(piece);
        (0..copies).map(move |copy| (piece, copy, copies))
    });
    let values = values.map(|(piece, copy, copies)| {
        match (copies > 1).then(|| place(piece, copy, headings)).flatten() {
            Some(heading) => Piece { over: Some((heading.start, heading.end)), ..piece.clone() },
            None => piece.clone(),
        }
    });
    Some(Row { labels: row.labels.clone(), values: values.collect(), ..*row })
}

/// The heading that the n-th copy of a wide blank cell stands under.
fn place<'h>(piece: &Piece<'_>, copy: usize, headings: &'h [Heading]) -> Option<&'h Heading> {
    headings.iter().filter(|h| piece.cell.column <= h.start && h.end <= piece.end()).nth(copy)
}

/// The values of a row's columns, left to right.
#[derive(Debug)]
pub(crate) enum Values<'r, 'a> {
    /// Exactly the values of the columns.
    These(&'r [Piece<'a>]),
    /// Several choices of values fit, one of which is right.
    OneOf(Vec<&'r [Piece<'a>]>),
    /// Too few or too many cells, and no choice fits.
    Unclear,
}

/// Cuts the filling off a row; `holds` says whether a choice satisfies the row's sum, if it can be computed.
pub(crate) fn values<'r, 'a>(
    row: &'r Row<'a>,
    wanted: usize,
    filling: &Filling,
    headings: &[Heading],
    holds: impl Fn(&[Piece<'a>]) -> Option<bool>,
) -> Values<'r, 'a> {
    let feasible = offsets(&row.values, wanted);
    let cut = |offset: usize| row.values.get(offset..offset + wanted).unwrap_or_default();
    let mut cuts: Vec<&[Piece<'a>]> = feasible.iter().map(|offset| cut(*offset)).collect();
    if !headings.is_empty() && row.spans_known {
        let fitting: Vec<&[Piece<'a>]> =
            cuts.iter().copied().filter(|cut| stands_under(cut, headings)).collect();
        match (fitting.is_empty(), cuts.as_slice()) {
            (false, _) => cuts = fitting,
            (true, []) => return Values::Unclear,
            // By geometry another column, by order this one: the sum chooses.
            (true, [one]) if holds(one) == Some(true) => return Values::These(one),
            (true, _) => return Values::OneOf(cuts),
        }
    }
    let all_blank = row.values.iter().all(|piece| piece.value == Value::Blank);
    match cuts.as_slice() {
        [] => return Values::Unclear,
        [first, ..] if all_blank => return Values::These(first),
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

/// A cut with blanks at its ends is sure only if those cannot be filling that stands in for a lost cell.
fn sure<'r, 'a>(cut: &'r [Piece<'a>], row: &Row<'a>, filling: &Filling) -> Values<'r, 'a> {
    let blank = |piece: Option<&Piece<'a>>| piece.is_some_and(|piece| piece.value == Value::Blank);
    let short = (blank(cut.first()) || blank(cut.last())) && !filling.is_whole(row, cut.len());
    let moved = filling.is_padded() && may_have_moved_up(cut, filling);
    let glued = blank(cut.last()) && cut.iter().any(is_spaced);
    if !row.spans_known && (short || moved || glued) { Values::OneOf(vec![cut]) } else { Values::These(cut) }
}

/// True if every value stands, at least in part, under its heading, left to right.
fn stands_under(values: &[Piece<'_>], headings: &[Heading]) -> bool {
    values.len() == headings.len()
        && values
            .iter()
            .zip(headings)
            .all(|(piece, heading)| piece.start() < heading.end && heading.start < piece.end())
}
