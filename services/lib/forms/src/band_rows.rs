//! The rows of chapter 二 in a document: labels with their values, and labels without.

use crate::{
    band_names::BandNames,
    cell_assignment::CellAssignment,
    read_cell::ReadCell,
    rows::{self, Item, Row},
    torn_labels,
    value::CellValue,
};

/// Maximum number of titles kept for a header. The nearest are kept; a band has four of its own.
const LONGEST_HEAD: usize = 64;

/// Minimum number of rows with numbers behind them that belong to no label for these to be their own. One can be the number
/// of a page.
const FEWEST_FOLLOWED: usize = 2;

/// A band row found in the document.
pub(crate) struct BandHit<'r, 'a> {
    pub row: &'r Row<'a>,
    pub band: usize,
    /// Ordinal of the row's first cell in the form.
    pub first: usize,
    /// The column titles above the row.
    pub head: Vec<&'r ReadCell<'a>>,
}

/// What a document has of the rows of chapter 二.
pub(crate) struct BandRows<'r, 'a> {
    pub hits: Vec<BandHit<'r, 'a>>,
    pub lone: Vec<LoneLabel>,
    /// True if numbers may belong to the label behind them.
    pub out_of_step: bool,
}

/// A label without values.
pub(crate) struct LoneLabel {
    pub band: usize,
    /// Ordinal of the row's first cell in the form.
    pub first: usize,
    /// True if there are values without a label, which may be its own.
    pub is_torn: bool,
}

/// Finds the rows of a range. Rows that may have the values of others are unsure.
pub(crate) fn find<'r, 'a>(
    items: &'r [Item<'a>],
    names: &BandNames,
    assignment: &mut CellAssignment<'a>,
) -> BandRows<'r, 'a> {
    let torn = torn_rows(items, names);
    let out_of_step = has_unlabelled(items, &torn) || names.labels_follow(items);
    let is_torn = out_of_step || !torn.is_empty() || rows::lines_of_numbers(items) > 0;
    let mut found = BandRows { hits: Vec::new(), lone: Vec::new(), out_of_step };
    let mut head: Vec<&ReadCell<'a>> = Vec::new();
    let mut followed: Vec<(usize, usize, &Row<'a>, &Row<'a>)> = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let row = match item {
            Item::Row(row) => row,
            Item::Line(text) => {
                let is_torn = is_torn || rows::has_digits_behind(items, |label| label == text);
                found.lone.extend(names.exact(text).map(|(band, first)| LoneLabel { band, first, is_torn }));
                continue;
            }
            Item::Chapter(_) => continue,
        };
        if let Some((_, band, first)) = torn.iter().find(|(values, _, _)| *values == at) {
            found.hits.push(BandHit { row, band: *band, first: *first, head: head.clone() });
            continue;
        }
        let wrapped = names.wrapped(items, at);
        if wrapped.is_some() && row.filled().next().is_none() {
            continue;
        }
        let own = wrapped.or_else(|| names.row_of(row));
        let loose =
            loose_values(items.get(at + 1)).filter(|_| torn.iter().all(|(values, _, _)| *values != at + 1));
        if row.values.is_empty() {
            let is_torn = is_torn || loose.is_some();
            let labels = row.labels.iter().filter_map(|piece| names.exact(&piece.label));
            for (band, first) in labels.chain(own) {
                found.lone.push(LoneLabel { band, first, is_torn });
            }
        }
        if row.filled().next().is_none() {
            for (band, first, written) in written_behind(row, names) {
                assignment.unsure_row(first, names.width(band), &std::iter::once(written));
            }
        }
        match own {
            None => note_head(&mut head, &row.labels, names),
            Some((band, first)) if !row.values.is_empty() => {
                if row.stream {
                    let titles = row.labels.split_last().map_or(&[][..], |(_, titles)| titles);
                    note_head(&mut head, titles, names);
                }
                found.hits.push(BandHit { row, band, first, head: head.clone() });
                passed_over(row, names, assignment);
                followed.extend(loose.filter(|_| !row.spans_known).map(|loose| (band, first, row, loose)));
            }
            Some((band, first)) => {
                if let Some(loose) = loose {
                    assignment.unsure_row(first, names.width(band), &loose.filled());
                }
            }
        }
    }
    for (band, first, row, loose) in followed.iter().filter(|_| followed.len() >= FEWEST_FOLLOWED) {
        assignment.unsure_row(*first, names.width(*band), &row.filled().chain(loose.filled()));
    }
    found
}

/// Returns the labels of rows with a text that has a digit behind them, and that text: 17[A1] or 17见附表 is no number, and no
/// blank either.
fn written_behind<'r, 'a>(row: &'r Row<'a>, names: &BandNames) -> Vec<(usize, usize, &'r ReadCell<'a>)> {
    let has_digit = |piece: &ReadCell<'_>| piece.label.contains(|c: char| c.is_ascii_digit());
    let pairs = row.labels.iter().zip(row.labels.iter().skip(1)).filter(|(_, behind)| has_digit(behind));
    let of_row = |(own, behind): (&ReadCell<'a>, &'r ReadCell<'a>)| {
        let (band, first) = names.exact(&own.label)?;
        (names.row(&behind.label).is_none()).then_some((band, first, behind))
    };
    pairs.filter_map(of_row).collect()
}

/// Returns true if numbers without a label are left over. In a document of one cell per line, the numbers of every row may
/// then belong to the label behind them.
fn has_unlabelled(items: &[Item<'_>], torn: &[(usize, usize, usize)]) -> bool {
    items.iter().enumerate().any(|(at, item)| match item {
        Item::Row(row) => {
            torn_labels::is_unlabelled(row)
                && row.values.iter().any(|piece| piece.note.is_none())
                && torn.iter().all(|(values, _, _)| *values != at)
        }
        Item::Line(_) | Item::Chapter(_) => false,
    })
}

/// Finds values that were separated from their labels. Returns the position of each, with the band and the first cell
/// of its label, which is the item right before it. Returns nothing unless this is possible for all loose values,
/// each group has as many values as its band has columns, and no label is left over.
fn torn_rows(items: &[Item<'_>], names: &BandNames) -> Vec<(usize, usize, usize)> {
    let mut torn = Vec::new();
    let mut open: Option<(usize, usize)> = None;
    for (at, item) in items.iter().enumerate() {
        let found = match item {
            Item::Row(row) if row.labels.is_empty() => {
                if row.values.iter().all(|piece| piece.value == CellValue::Blank) {
                    continue;
                }
                let Some((band, first)) =
                    open.take().filter(|(band, _)| names.width(*band) == row.values.len())
                else {
                    return Vec::new();
                };
                torn.push((at, band, first));
                continue;
            }
            Item::Row(row) if row.values.is_empty() => names.row_of(row),
            Item::Line(text) => names.row(text),
            Item::Row(_) | Item::Chapter(_) => None,
        };
        if open.is_some() && found.is_some() {
            return Vec::new();
        }
        // An item between a label and its values, such as a page number or a title, is not a row.
        open = found;
    }
    if open.is_some() { Vec::new() } else { torn }
}

/// Makes the rows unsure whose labels stand above a row's own without values. The values may be theirs.
fn passed_over<'a>(row: &Row<'a>, names: &BandNames, assignment: &mut CellAssignment<'a>) {
    let above = row.labels.split_last().map_or(&[][..], |(_, above)| above);
    for (band, first) in above.iter().filter_map(|piece| names.exact(&piece.label)) {
        assignment.unsure_row(first, names.width(band), &row.filled());
    }
}

/// Returns values without a label. They may belong to the row before them.
fn loose_values<'r, 'a>(item: Option<&'r Item<'a>>) -> Option<&'r Row<'a>> {
    match item {
        Some(Item::Row(row)) if row.labels.is_empty() => Some(row),
        _ => None,
    }
}

/// Adds column titles to the current header. The title of a band begins a new header.
fn note_head<'r, 'a>(head: &mut Vec<&'r ReadCell<'a>>, labels: &'r [ReadCell<'a>], names: &BandNames) {
    for piece in labels {
        if piece.label.starts_with("第二十条")
            || piece.label == "信息内容"
            || names.row(&piece.label).is_some()
        {
            head.clear();
        }
        if head.len() == LONGEST_HEAD {
            head.remove(0);
        }
        head.push(piece);
    }
}
