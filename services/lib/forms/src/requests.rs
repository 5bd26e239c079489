//! Chapter 三 (requests): matches the rows of the document with the rows of the form, and reads their seven columns.
//!
//! There are two readings. By label, a row is identified by its own label, or by the parts of the label that page
//! breaks and broken layouts left around the row. By position, a row is identified by the order of the form. A row is
//! read if its label names it and it is in order. It is also read if it is between two such rows, together with as
//! many unnamed rows as the form has there, and no label contradicts.

use gongkai_model::{AlteredLabel, UnreadReason};

use crate::{
    cell_assignment::CellAssignment,
    column_sums::{ColumnSums, is_fraction},
    columns::{Filling, Header, Values, has_other_columns, spread, under_headings, values},
    form::Form,
    header::{RequestHeader, applicants},
    index::RequestIndex,
    label_match::LabelEvidence,
    out_of_step,
    read_cell::ReadCell,
    request_headings::NamedColumns,
    request_sums,
    rows::{self, Item, Row},
    subtotals,
    torn_labels::{self, TornLabels},
    value::CellValue,
};

/// Columns of chapter 三.
const COLUMNS: usize = 7;

/// Minimum number of numbers outside of tables for rows to be torn.
const FEWEST_LINES: usize = 3;

/// A row with values, and the evidence for its position in the form.
struct FilledRow<'r, 'a> {
    row: &'r Row<'a>,
    /// The label, as far as its lines are known.
    label: String,
    evidence: LabelEvidence,
    /// The row of the form, set once both readings agree.
    at: Option<usize>,
    /// True if numbers without a label follow, so that a line break may have cut the row's last number.
    has_rest: bool,
}

/// How a document pads its rows, as seen in chapter 三.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Padding {
    /// True if rows are padded after their values. A blank at the end may then replace a lost cell.
    pub behind: bool,
    /// True if some rows have more cells than the form has columns, and not only before their values.
    pub any: bool,
}

/// Reads one range of the document that contains the table of chapter 三. Returns how its rows are padded.
pub(crate) fn read<'a>(
    items: &[Item<'a>],
    form: &Form,
    index: &RequestIndex,
    assignment: &mut CellAssignment<'a>,
) -> Padding {
    let mut entries = entries(items, index);
    drop_empty_copies(&mut entries);
    drop_lines_of_labels(&mut entries);
    let rows: Vec<&Row<'a>> = entries.iter().map(|entry| entry.row).collect();
    let mut is_subtotal = subtotals::among(&rows, items, COLUMNS).into_iter();
    entries.retain(|_| !is_subtotal.next().unwrap_or_default());
    let rest = align(&mut entries, form.rows.len());
    let mut head = applicants(items, index);
    if request_sums::are_turned(&entries.iter().map(|entry| entry.row), &head.header) {
        head.header = Header::Conflict;
    }
    note_sums(&entries, &mut head);
    let order = head.header.order(COLUMNS).unwrap_or_default();
    let filling = Filling::learn(entries.iter().map(|entry| (entry.row, COLUMNS)), |cut| {
        request_sums::hold(cut, &order)
    });
    for entry in &entries {
        let Some(at) = entry.at else { continue };
        if let Some(label) = altered_label(entry, form, index) {
            assignment.note_label(label);
        }
        let first = index.first_cell + at * COLUMNS;
        let is_sure = request_sums::hold(&entry.row.values, &order) == Some(true);
        if torn_labels::is_unlabelled(entry.row)
            && !entry.row.spans_known
            && filling.has_some_sums()
            && !is_sure
        {
            assignment.unsure_row(first, COLUMNS, &entry.row.values.iter());
            continue;
        }
        read_row(entry.row, first, &head, &filling, assignment);
        if let Some(last) = order.last().filter(|_| entry.has_rest && !is_sure) {
            assignment.unsure(first + last, UnreadReason::RowUnclear, entry.row.values.last());
        }
    }
    doubt_before_loose(&entries, index, assignment);
    let loose = loose_rows(&entries, items);
    for gap in rest {
        settle_gap(&gap, &entries, (items, &loose), index, assignment);
    }
    let wide = |entry: &FilledRow<'_, 'a>| entry.row.values.len() > COLUMNS && !entry.row.spans_known;
    Padding {
        behind: filling.is_padded(),
        any: entries.iter().any(wide) && !filling.ends_with_values(COLUMNS),
    }
}

// === Rows ===

fn entries<'r, 'a>(items: &'r [Item<'a>], index: &RequestIndex) -> Vec<FilledRow<'r, 'a>> {
    let mut entries: Vec<FilledRow<'r, 'a>> = Vec::new();
    let mut before: Vec<&str> = Vec::new();
    let tables = tables(items);
    let torn = TornLabels::of(items, index);
    let out_of_step = out_of_step::requests(items, index, COLUMNS);
    for (at, item) in items.iter().enumerate() {
        let row = match item {
            Item::Line(text) => {
                before.push(text);
                continue;
            }
            Item::Chapter(_) => continue,
            Item::Row(row) if is_beside(row, &tables) => continue,
            Item::Row(row) => row,
        };
        let labels: Vec<&str> = row.labels.iter().map(|piece| piece.label.as_str()).collect();
        if row.values.is_empty() || index.is_header(row) {
            if labels.len() == 1 || row.stream {
                before.extend(labels);
            }
            continue;
        }
        let all_blank = row.values.iter().all(|piece| piece.value == CellValue::Blank);
        if all_blank && entries.last_mut().is_some_and(|last| last.take_rest(&labels, index)) {
            continue;
        }
        if all_blank && goes_on(&labels, items.get(at + 1), index) {
            before.extend(labels);
            continue;
        }
        let (label, evidence) = if torn_labels::is_unlabelled(row) {
            (String::new(), torn.evidence(at, index))
        } else if out_of_step && row.stream {
            (String::new(), LabelEvidence::None)
        } else if !row.spans_known && labels.last().is_some_and(|own| subtotals::is_name(own)) {
            (String::new(), LabelEvidence::Few(Vec::new()))
        } else {
            // Lines before a row of blanks may be those of a label whose numbers are elsewhere.
            let before: &[&str] = if all_blank && !row.stream { &[] } else { &before };
            let label = index.grown(before, &labels);
            let named = index.exact(&label).map(LabelEvidence::Named);
            (label, named.unwrap_or_else(|| index.evidence(row, before)))
        };
        if all_blank && torn.has_numbers() {
            before.extend(labels);
            continue;
        }
        // The rest of a row whose line was too long.
        if torn_labels::is_unlabelled(row) && row.values.len() < COLUMNS && before.is_empty() {
            entries.last_mut().into_iter().for_each(|last| last.has_rest = !last.row.spans_known);
        }
        let unnamed = matches!(evidence, LabelEvidence::None | LabelEvidence::Few(_));
        if evidence == LabelEvidence::Group || (unnamed && (all_blank || row.values.len() < COLUMNS)) {
            before.extend(labels);
            continue;
        }
        before.clear();
        entries.push(FilledRow { row, label, evidence, at: None, has_rest: false });
    }
    entries
}

/// Returns the tables with geometry that have a row as wide as the form's.
fn tables(items: &[Item<'_>]) -> Vec<u32> {
    let mut tables: Vec<u32> = Vec::new();
    for item in items {
        if let Item::Row(row) = item
            && row.spans_known
            && row.values.len() >= COLUMNS
        {
            tables
                .extend(row.values.first().map(|piece| piece.table).filter(|table| !tables.contains(table)));
        }
    }
    tables
}

/// Returns true for a row of numbers in a table beside those of the form, such as one of the requests by channel.
fn is_beside(row: &Row<'_>, tables: &[u32]) -> bool {
    row.spans_known
        && !tables.is_empty()
        && row.values.first().is_some_and(|piece| !tables.contains(&piece.table))
}

/// Drops rows of blanks whose label names a row that also has values elsewhere: those of the empty form before the report.
fn drop_empty_copies(entries: &mut Vec<FilledRow<'_, '_>>) {
    let named = |entry: &FilledRow<'_, '_>| entry.evidence.row();
    let filled: Vec<usize> =
        entries.iter().filter(|entry| entry.row.filled().next().is_some()).filter_map(named).collect();
    entries.retain(|entry| {
        entry.row.filled().next().is_some() || named(entry).is_none_or(|row| !filled.contains(&row))
    });
}

/// Drops rows of blanks beside a row of values that no label names: they may be lines of its label.
fn drop_lines_of_labels(entries: &mut Vec<FilledRow<'_, '_>>) {
    let is_filled = |entry: &FilledRow<'_, '_>| entry.row.filled().next().is_some();
    let unnamed: Vec<bool> =
        entries.iter().map(|entry| is_filled(entry) && entry.evidence.row().is_none()).collect();
    let is_unnamed = |at: Option<usize>| at.and_then(|at| unnamed.get(at)).is_some_and(|unnamed| *unnamed);
    let mut at = 0_usize..;
    entries.retain(|entry| {
        let at = at.next().unwrap_or_default();
        let is_line = !is_filled(entry) && !entry.row.stream && !entry.row.spans_known;
        !(is_line && (is_unnamed(at.checked_sub(1)) || is_unnamed(Some(at + 1))))
    });
}

impl FilledRow<'_, '_> {
    /// Adds the label of a row without values, if it is the rest of this row's label: a page break or a narrow column cut
    /// it. Returns whether it is.
    fn take_rest(&mut self, labels: &[&str], index: &RequestIndex) -> bool {
        let Some(rest) = labels.last() else { return false };
        let joined = format!("{}{rest}", self.label);
        let is_same = self.evidence.row().is_some_and(|at| index.names(at, &joined));
        if !is_same && (index.exact(rest).is_some() || !index.is_in_name(&joined)) {
            return false;
        }
        if let Some(row) = index.exact(&joined) {
            self.evidence = LabelEvidence::Named(row);
        }
        self.label = joined;
        true
    }
}

/// Returns true if a row without values contains a part of a label that the next row continues: a label over several lines
/// beside the values of one.
fn goes_on(labels: &[&str], next: Option<&Item<'_>>, index: &RequestIndex) -> bool {
    let (Some(own), Some(Item::Row(next))) = (labels.last(), next) else { return false };
    let more = next.labels.last().filter(|more| !more.label.is_empty());
    more.is_some_and(|more| {
        index.exact(&more.label).is_none() && index.is_in_name(&format!("{own}{}", more.label))
    })
}

/// Rows of the form that are not matched yet, and the entries between the same two matched rows.
struct Gap {
    rows: std::ops::Range<usize>,
    entries: std::ops::Range<usize>,
    /// True if a named row in this gap is out of order.
    disordered: bool,
}

/// Assigns each entry its row where both readings agree. Returns the rest as gaps.
fn align(entries: &mut [FilledRow<'_, '_>], rows: usize) -> Vec<Gap> {
    let named = entries.iter().filter(|entry| entry.evidence.row().is_some()).count();
    if entries.len() == rows
        && named * 2 > rows
        && entries.iter().enumerate().all(|(at, e)| e.evidence.allows(at))
    {
        entries.iter_mut().enumerate().for_each(|(at, entry)| entry.at = Some(at));
        return Vec::new();
    }
    let named: Vec<(usize, usize)> =
        entries.iter().enumerate().filter_map(|(at, e)| e.evidence.row().map(|row| (at, row))).collect();
    for at in in_order(&named) {
        if let Some(entry) = entries.get_mut(at) {
            entry.at = entry.evidence.row();
        }
    }
    let mut gaps = Vec::new();
    let (mut next_row, mut next_entry) = (0, 0);
    let anchors: Vec<(usize, usize)> =
        entries.iter().enumerate().filter_map(|(at, entry)| entry.at.map(|row| (at, row))).collect();
    for (at, row) in anchors.into_iter().chain([(entries.len(), rows)]) {
        if row > next_row || at > next_entry {
            let disordered =
                entries.get(next_entry..at).unwrap_or_default().iter().any(|e| e.evidence.row().is_some());
            gaps.push(Gap { rows: next_row..row, entries: next_entry..at, disordered });
        }
        (next_row, next_entry) = (row + 1, at + 1);
    }
    gaps.retain(|gap| !fill(gap, entries));
    gaps
}

/// Fills a gap that has as many entries as rows, if the label of every entry fits its row.
fn fill(gap: &Gap, entries: &mut [FilledRow<'_, '_>]) -> bool {
    if gap.disordered || gap.rows.len() != gap.entries.len() {
        return false;
    }
    let inside = entries.get_mut(gap.entries.clone()).unwrap_or_default();
    let supported = inside.iter().zip(gap.rows.clone()).all(|(entry, row)| entry.evidence.supports(row));
    if supported {
        inside.iter_mut().zip(gap.rows.clone()).for_each(|(entry, row)| entry.at = Some(row));
    }
    supported
}

/// Returns the entries of `(entry, row)` pairs that every longest ordered selection contains.
fn in_order(named: &[(usize, usize)]) -> Vec<usize> {
    let before = |a: usize, b: usize| named.get(a).zip(named.get(b)).is_some_and(|(a, b)| a.1 < b.1);
    let mut up = vec![1usize; named.len()];
    let mut down = vec![1usize; named.len()];
    for at in 0..named.len() {
        let best =
            (0..at).filter(|other| before(*other, at)).filter_map(|other| up.get(other)).max().copied();
        if let (Some(slot), Some(best)) = (up.get_mut(at), best) {
            *slot = best + 1;
        }
    }
    for at in (0..named.len()).rev() {
        let later = (at + 1..named.len()).filter(|other| before(at, *other));
        let best = later.filter_map(|other| down.get(other)).max().copied();
        if let (Some(slot), Some(best)) = (down.get_mut(at), best) {
            *slot = best + 1;
        }
    }
    let longest = up.iter().max().copied().unwrap_or_default();
    let on_path: Vec<bool> = up.iter().zip(&down).map(|(u, d)| u + d == longest + 1).collect();
    let alone = |level: usize| up.iter().zip(&on_path).filter(|(u, on)| **on && **u == level).count() == 1;
    let sure = named.iter().zip(&up).zip(&on_path).filter(|((_, level), on)| **on && alone(**level));
    sure.map(|(((entry, _), _), _)| *entry).collect()
}

/// Returns the label of a matched row if it is not the form's. A label over several cells or lines may be incomplete.
fn altered_label(entry: &FilledRow<'_, '_>, form: &Form, index: &RequestIndex) -> Option<AlteredLabel> {
    let (at, own) = (entry.at?, entry.row.labels.last()?);
    let is_whole = own.label == entry.label && (entry.evidence.row().is_some() || !entry.row.stream);
    let row = form.rows.get(at).filter(|_| is_whole && index.is_altered(at, &own.label))?;
    Some(AlteredLabel { concept: row.concept.clone(), source: own.source() })
}

// === Cells ===

fn read_row<'a>(
    row: &Row<'a>,
    first: usize,
    head: &RequestHeader,
    filling: &Filling,
    assignment: &mut CellAssignment<'a>,
) {
    let table = row.values.first().map_or(0, |piece| piece.table);
    let own = head.table(table).filter(|_| row.spans_known);
    let headings = if row.spans_known { head.over(table) } else { &[] };
    let end = own.map_or(0, |own| own.end);
    let order = head.order(table).filter(|_| row.spans_known || !filling.is_overfull());
    let Some(order) = order else {
        return assignment.unsure_row(first, COLUMNS, &row.values.iter());
    };
    let under = under_headings(row, headings, end);
    let is_explained = under.is_none() || own.is_none_or(|own| own.explain(row));
    if !is_explained || under.is_none() && has_other_columns(headings, end) {
        return assignment.unsure_row(first, COLUMNS, &row.values.iter());
    }
    let fails = |row: &Row<'a>| request_sums::hold(&row.values, &order) == Some(false);
    if under.as_ref().is_some_and(fails) && own.is_some_and(|own| own.adds_up) {
        return assignment.unsure_row(first, COLUMNS, &row.values.iter());
    }
    let row = under.as_ref().unwrap_or(row);
    let spread = spread(row, headings);
    let row = spread.as_ref().unwrap_or(row);
    let holds = |cut: &[ReadCell<'a>]| request_sums::hold(cut, &order);
    match values(row, COLUMNS, filling, headings, holds) {
        Values::These(cells)
            if under.is_some() && cells.iter().any(is_fraction)
                || order.is_sorted() && request_sums::have_total_before_end(cells, row.stream) =>
        {
            assignment.unsure_row(first, COLUMNS, &row.values.iter());
        }
        Values::These(cells)
            if own.is_some_and(|own| own.named == NamedColumns::Some && !own.allow(cells, &order)) =>
        {
            assignment.unsure_row(first, COLUMNS, &row.values.iter());
        }
        choice => choice.assign((first, &order), &row.values.iter(), assignment),
    }
}

/// Notes for each table with other columns than the form's what the sums of its rows say about its header.
fn note_sums(entries: &[FilledRow<'_, '_>], head: &mut RequestHeader) {
    let mut sums: Vec<(u32, ColumnSums<'_, '_>)> = Vec::new();
    for row in entries.iter().filter(|entry| entry.at.is_some()).map(|entry| entry.row) {
        let Some(own) = row.values.first().and_then(|piece| head.table(piece.table)) else { continue };
        let Some(order) = head.order(own.table).filter(|_| row.spans_known) else { continue };
        let Some(under) = under_headings(row, head.over(own.table), own.end) else { continue };
        let at = sums.iter().position(|(table, _)| *table == own.table).unwrap_or(sums.len());
        if at == sums.len() {
            sums.push((own.table, ColumnSums::default()));
        }
        if let Some((_, sums)) = sums.get_mut(at) {
            sums.add(&row.values, &under.values, request_sums::hold(&under.values, &order));
        }
    }
    sums.iter().for_each(|(table, sums)| head.note_sums(*table, sums));
}

/// Doubts a row that does not add up if numbers without a label and a row of the form follow: both may be its own.
fn doubt_before_loose<'a>(
    entries: &[FilledRow<'_, 'a>],
    index: &RequestIndex,
    assignment: &mut CellAssignment<'a>,
) {
    let order: Vec<usize> = (0..COLUMNS).collect();
    for pair in entries.windows(2) {
        let [own, next] = pair else { continue };
        let is_loose = next.at.is_none() && torn_labels::is_unlabelled(next.row) && !next.row.spans_known;
        if let Some(at) =
            own.at.filter(|_| is_loose && request_sums::hold(&own.row.values, &order) != Some(true))
        {
            let numbers = own.row.filled().chain(next.row.filled());
            assignment.unsure_row(index.first_cell + at * COLUMNS, COLUMNS, &numbers);
        }
    }
}

/// Returns the rows with numbers that belong to no row of the form: a row whose label is lost, or a row that was not
/// matched. A label without values may be theirs.
fn loose_rows<'r, 'a>(entries: &[FilledRow<'r, 'a>], items: &'r [Item<'a>]) -> Vec<&'r Row<'a>> {
    let matched: Vec<&Row<'a>> =
        entries.iter().filter(|entry| entry.at.is_some()).map(|entry| entry.row).collect();
    let rows = items.iter().filter_map(|item| match item {
        Item::Row(row) => Some(row),
        Item::Line(_) | Item::Chapter(_) => None,
    });
    rows.filter(|row| row.filled().next().is_some() && !matched.iter().any(|own| std::ptr::eq(*own, *row)))
        .collect()
}

/// Assigns the rows of the form for which no entry is certain. They are unsure if there are entries, or their labels and
/// numbers without a row (`loose`), and empty if there are only their labels.
fn settle_gap<'a>(
    gap: &Gap,
    entries: &[FilledRow<'_, 'a>],
    (items, loose): (&[Item<'a>], &[&Row<'a>]),
    index: &RequestIndex,
    assignment: &mut CellAssignment<'a>,
) {
    let inside = entries.get(gap.entries.clone()).unwrap_or_default();
    let named = index.named_in(&rows::labels(items));
    for row in gap.rows.clone() {
        let first = index.first_cell + row * COLUMNS;
        if !inside.is_empty() {
            for column in 0..COLUMNS {
                assignment.unsure(
                    first + column,
                    UnreadReason::RowUnknown,
                    inside.iter().filter_map(|e| e.row.last_values(COLUMNS).get(column)),
                );
            }
        } else if stands_alone(items, row, index) {
            let is_blank = loose.is_empty()
                && rows::lines_of_numbers(items) < FEWEST_LINES
                && !rows::has_digits_behind(items, |label| is_label_of(label, row, index));
            let candidates =
                |column: usize| loose.iter().filter_map(move |row| row.last_values(COLUMNS).get(column));
            for column in 0..COLUMNS {
                if is_blank {
                    assignment.empty(first + column);
                } else {
                    assignment.unsure(first + column, UnreadReason::RowUnknown, candidates(column));
                }
            }
        } else if named.contains(&row) {
            let candidates = || loose.iter().flat_map(|row| row.filled()).take(COLUMNS);
            (0..COLUMNS)
                .for_each(|column| assignment.unsure(first + column, UnreadReason::RowUnknown, candidates()));
        }
    }
    // An entry out of order claims the row of another entry. Both are unsure.
    for entry in inside {
        if let Some(row) = entry.evidence.row().filter(|row| !gap.rows.contains(row)) {
            for (column, piece) in entry.row.last_values(COLUMNS).iter().enumerate() {
                assignment.unsure(
                    index.first_cell + row * COLUMNS + column,
                    UnreadReason::RowUnknown,
                    [piece],
                );
            }
        }
    }
}

/// Returns true for a name of the row. A name as short as that of a column is not evidence.
fn is_label_of(label: &str, row: usize, index: &RequestIndex) -> bool {
    label.chars().count() > 3 && index.names(row, label)
}

/// Returns true if the row's label is in the document without values.
fn stands_alone(items: &[Item<'_>], row: usize, index: &RequestIndex) -> bool {
    let named = |label: &str| is_label_of(label, row, index);
    items.iter().any(|item| match item {
        Item::Row(other) => other.values.is_empty() && other.labels.iter().any(|piece| named(&piece.label)),
        Item::Line(text) => named(text),
        Item::Chapter(_) => false,
    })
}
