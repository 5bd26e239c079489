//! Chapter 二 (proactive disclosure): bands of rows under the items of article 20. Each band has its own column
//! titles.
//!
//! A row is identified by its label, and bands may be in any order. The values of a row are assigned by their order
//! after the label and, if the band's header is complete, by the titles above them.

use crate::{
    cell_assignment::CellAssignment,
    columns::{
        Filling, Header, Heading, Values, ends_blank, has_other_columns, spread, under_headings, values,
    },
    displaced_cells::{self, Completed},
    form::{Band, Form},
    label::{Spelling, norm},
    out_of_step,
    read_cell::ReadCell,
    rows::{self, Item, Row},
    stated_units, torn_labels,
    unread_reason::UnreadReason,
    value::{CellValue, PrintedUnit},
    years,
};

/// Minimum likeness of a misprinted label to the label that it is matched with.
const LIKE: f64 = 0.8;

/// Maximum number of titles kept for a header. The nearest are kept; a band has four of its own.
const LONGEST_HEAD: usize = 64;

/// Maximum number of lines over which a label is wrapped, less one.
const MOST_LINES: usize = 3;

/// A band row found in the document.
struct BandHit<'r, 'a> {
    row: &'r Row<'a>,
    band: usize,
    /// Ordinal of the row's first cell in the form.
    first: usize,
    /// The column titles above the row.
    head: Vec<&'r ReadCell<'a>>,
}

/// Reads all ranges that contain the tables of chapter 二. `padded` is true if the document pads rows at their ends.
pub(crate) fn read<'a>(
    items: &[Item<'a>],
    (form, names): (&Form, &BandNames),
    padded: bool,
    assignment: &mut CellAssignment<'a>,
) {
    let mut hits: Vec<BandHit<'_, 'a>> = Vec::new();
    let mut head: Vec<&ReadCell<'a>> = Vec::new();
    let torn = torn_rows(items, names);
    let has_lines = rows::lines_of_numbers(items) > 0;
    for (at, item) in items.iter().enumerate() {
        let Item::Row(row) = item else { continue };
        if let Some((_, band, first)) = torn.iter().find(|(values, _, _)| *values == at) {
            hits.push(BandHit { row, band: *band, first: *first, head: head.clone() });
            continue;
        }
        let wrapped = names.wrapped(items, at);
        if wrapped.is_some() && row.filled().next().is_none() {
            continue;
        }
        let Some((band, first)) = wrapped.or_else(|| names.row_of(row)) else {
            note_head(&mut head, &row.labels, names);
            continue;
        };
        if !row.values.is_empty() {
            if row.stream {
                let titles = row.labels.split_last().map_or(&[][..], |(_, titles)| titles);
                note_head(&mut head, titles, names);
            }
            hits.push(BandHit { row, band, first, head: head.clone() });
            passed_over(row, names, assignment);
        } else if let Some(loose) = loose_values(items.get(at + 1)) {
            if torn.iter().any(|(values, _, _)| *values == at + 1) {
                continue;
            }
            assignment.unsure_row(first, names.width(band), &loose.filled());
        } else if !has_lines {
            (0..names.width(band)).for_each(|column| assignment.empty(first + column));
        }
    }
    let width = |hit: &BandHit<'_, 'a>| form.bands.get(hit.band).map_or(0, |band| band.columns.len());
    let filling = Filling::learn(hits.iter().map(|hit| (hit.row, width(hit))), |_| None);
    let displaced = displaced_cells::find(items, |row| hits.iter().any(|hit| std::ptr::eq(hit.row, row)))
        .unwrap_or_default();
    let short: Vec<usize> =
        (0..hits.len()).filter(|at| hits.get(*at).is_some_and(|hit| is_short(hit, width(hit)))).collect();
    let units = stated_units::of_chapter(items);
    let out_of_step = has_unlabelled(items, &torn) || names.labels_follow(items);
    for (at, hit) in hits.iter().enumerate() {
        if let Some(band) = form.bands.get(hit.band) {
            if out_of_step && hit.row.stream {
                assignment.unsure_row(hit.first, width(hit), &hit.row.filled());
                continue;
            }
            if let Some((column, own)) = stated_units::money(band) {
                let around = hit.head.iter().copied().chain(&hit.row.labels).chain(&hit.row.unit);
                assignment.state_unit(hit.first + column, stated_units::of(around, &units, own));
            }
            let in_order =
                named(hit, names).windows(2).all(|pair| pair.first().map(|n| n.0) < pair.last().map(|n| n.0));
            let own = short.iter().position(|short| *short == at);
            let own = own.filter(|_| in_order && short.len() == displaced.len());
            if let Some(displaced) = own.and_then(|own| displaced.get(own)) {
                complete(hit, displaced, band, assignment);
                continue;
            }
            read_hit(hit, band, names, (&filling, padded), assignment);
        }
    }
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

/// Returns true for a row of numbers with one cell too few.
fn is_short(hit: &BandHit<'_, '_>, width: usize) -> bool {
    let number = |piece: &ReadCell<'_>| matches!(piece.value, CellValue::Number(..));
    width > 1 && hit.row.values.len() + 1 == width && hit.row.values.iter().all(number)
}

/// Reads a row with one cell too few, together with the cell that was displaced from it.
fn complete<'a>(
    hit: &BandHit<'_, 'a>,
    displaced: &ReadCell<'a>,
    band: &Band,
    assignment: &mut CellAssignment<'a>,
) {
    for (column, cell) in displaced_cells::complete(hit.row, displaced, band).into_iter().enumerate() {
        match cell {
            Completed::Sure(piece) => assignment.assign(hit.first + column, piece),
            Completed::OneOf(pieces) => {
                assignment.unsure(hit.first + column, UnreadReason::CutsDiffer, pieces);
            }
        }
    }
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

fn read_hit<'a>(
    hit: &BandHit<'_, 'a>,
    band: &Band,
    names: &BandNames,
    (filling, padded): (&Filling, bool),
    assignment: &mut CellAssignment<'a>,
) {
    let wanted = band.columns.len();
    let named = named(hit, names);
    if let Some(cells) = printed_over(&named, hit.row, wanted) {
        for (column, piece) in cells.into_iter().enumerate() {
            assignment.assign(hit.first + column, piece);
        }
        return;
    }
    let header = Header::of(named.iter().map(|(at, _)| *at).collect(), wanted);
    let Some(order) = header.order(wanted) else {
        return assignment.unsure_row(hit.first, wanted, &hit.row.values.iter());
    };
    let mut headings = Vec::new();
    if hit.row.spans_known && matches!(header, Header::Named(_)) {
        let heading = |(column, piece): &(usize, &ReadCell<'a>)| Heading {
            column: *column,
            start: piece.start(),
            end: piece.end(),
        };
        headings = named.iter().map(heading).collect();
        years::narrow(&mut headings, hit.head.iter().copied());
    }
    let table = hit.row.values.first().map_or(0, |piece| piece.table);
    let titles = hit.head.iter().filter(|piece| piece.table == table);
    let end = titles.map(|piece| piece.end()).max().unwrap_or_default();
    let under = under_headings(hit.row, &headings, end);
    if under.is_none() && has_other_columns(&headings, end) {
        return assignment.unsure_row(hit.first, wanted, &hit.row.values.iter());
    }
    let row = under.as_ref().unwrap_or(hit.row);
    let spread = spread(row, &headings);
    let row = spread.as_ref().unwrap_or(row);
    match values(row, wanted, filling, &headings, |_| None) {
        // In a document with padded rows, a cell before the blank at the end may be lost.
        Values::These(cells) if padded && ends_blank(cells) => {
            assignment.unsure_row(hit.first, wanted, &cells.iter());
        }
        choice => choice.assign((hit.first, &order), &row.filled(), assignment),
    }
}

/// Returns the columns of the band that the titles above a row name, in reading order.
fn named<'r, 'a>(hit: &BandHit<'r, 'a>, names: &BandNames) -> Vec<(usize, &'r ReadCell<'a>)> {
    hit.head.iter().filter_map(|piece| names.column(hit.band, &piece.label).map(|at| (at, *piece))).collect()
}

/// Returns the cells of a row whose merged cells are printed once per column that they cover, like the titles above:
/// three titles `本年处理决定数量` are printed above three copies of the same number.
fn printed_over<'r, 'a>(
    named: &[(usize, &ReadCell<'a>)],
    row: &'r Row<'a>,
    wanted: usize,
) -> Option<Vec<&'r ReadCell<'a>>> {
    if named.len() <= wanted || named.len() != row.values.len() {
        return None;
    }
    let in_order = named.windows(2).all(|pair| pair.first().map(|n| n.0) <= pair.last().map(|n| n.0));
    let under = |column: usize| {
        let mut own =
            named.iter().zip(&row.values).filter(|((at, _), _)| *at == column).map(|(_, piece)| piece);
        let first = own.next()?;
        own.all(|piece| piece.value == first.value && piece.cell.text == first.cell.text).then_some(first)
    };
    if in_order { (0..wanted).map(under).collect() } else { None }
}

/// Returns the label of a row without geometry, and whether the row has values.
fn wrapped_line<'i>(item: &'i Item<'_>) -> Option<(&'i str, bool)> {
    let Item::Row(row) = item else { return None };
    let [label] = row.labels.as_slice() else { return None };
    let is_row = !row.stream && !row.spans_known && !row.values.is_empty();
    is_row.then(|| (label.label.as_str(), row.filled().next().is_some()))
}

/// The labels of the band rows, with their bands and first cells.
#[derive(Debug, Clone)]
pub(crate) struct BandNames {
    /// Number of columns of each band.
    widths: Vec<usize>,
    rows: Vec<(Spelling<String>, usize, usize)>,
    /// The column titles, each with its band and column.
    columns: Vec<(String, usize, usize)>,
}

impl BandNames {
    pub(crate) fn of(form: &Form) -> Self {
        let (mut rows, mut columns) = (Vec::new(), Vec::new());
        let mut first = 0;
        for (at, band) in form.bands.iter().enumerate() {
            for (place, column) in band.columns.iter().enumerate() {
                columns.extend(column.label.all().map(|name| (norm(name), at, place)));
            }
            for row in &band.rows {
                rows.extend(row.label.all().map(|name| (Spelling::of(norm(name)), at, first)));
                first += band.columns.len();
            }
        }
        let widths = form.bands.iter().map(|band| band.columns.len()).collect();
        Self { widths, rows, columns }
    }

    /// Returns true if the labels of a document of one cell per line stand behind their numbers.
    fn labels_follow(&self, items: &[Item<'_>]) -> bool {
        let is_title = |label: &str| self.columns.iter().any(|(name, _, _)| name == label);
        let is_header = |row: &Row<'_>| row.labels.last().is_none_or(|own| is_title(&own.label));
        out_of_step::labels_follow(items, 1, is_header, |label| self.row(label).is_some())
    }

    fn width(&self, band: usize) -> usize {
        self.widths.get(band).copied().unwrap_or_default()
    }

    /// Returns the band and first cell of a row, by its label or, if a break cut the label, by its last two lines.
    fn row_of(&self, row: &Row<'_>) -> Option<(usize, usize)> {
        let (own, others) = row.labels.split_last()?;
        self.row(&own.label).or_else(|| {
            let joined = format!("{}{}", others.last()?.label, own.label);
            self.exact(&joined)
        })
    }

    /// Returns the band and first cell of a label that is wrapped over several rows, of which one has the values. The row
    /// at `at` is one of them.
    fn wrapped(&self, items: &[Item<'_>], at: usize) -> Option<(usize, usize)> {
        let own = wrapped_line(items.get(at)?)?;
        if self.exact(own.0).is_some() {
            return None;
        }
        let spans = (at.saturating_sub(MOST_LINES)..=at)
            .flat_map(|from| (at..=from + MOST_LINES).map(move |to| from..=to));
        spans.filter(|span| span.start() < span.end()).find_map(|span| {
            let lines: Option<Vec<(&str, bool)>> = items.get(span)?.iter().map(wrapped_line).collect();
            let lines = lines?;
            let label: String = lines.iter().map(|(text, _)| *text).collect();
            let filled = lines.iter().filter(|(_, is_filled)| *is_filled).count();
            self.exact(&label).filter(|_| filled == 1)
        })
    }

    fn exact(&self, label: &str) -> Option<(usize, usize)> {
        self.rows.iter().find(|(name, _, _)| name.text == label).map(|(_, band, first)| (*band, *first))
    }

    /// Returns the band's column with this title.
    fn column(&self, band: usize, label: &str) -> Option<usize> {
        self.columns.iter().find(|(name, of, _)| *of == band && name == label).map(|(_, _, column)| *column)
    }

    /// Returns the band and first cell of a label, which may state a unit at its end. A misprint is accepted if it is
    /// close to exactly one label.
    fn row(&self, label: &str) -> Option<(usize, usize)> {
        let without_unit = PrintedUnit::at_last_yuan(label).filter(|_| label.ends_with('元'));
        let label = without_unit.map_or(label, |(_, before)| before.trim_end_matches("单位"));
        if let Some(row) = self.exact(label) {
            return Some(row);
        }
        let label = Spelling::of(label);
        if !(4..=12).contains(&label.scalars) {
            return None;
        }
        let mut alike = self.rows.iter().filter(|(name, _, _)| {
            let glued = name.scalars >= 4 && label.text.ends_with(name.text.as_str());
            glued || name.likeness_from(LIKE, &label) >= LIKE
        });
        let (_, band, first) = alike.next()?;
        alike.all(|(_, _, other)| other == first).then_some((*band, *first))
    }
}
