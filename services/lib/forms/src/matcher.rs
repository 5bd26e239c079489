//! Matches a document's tables with the statutory forms.

use gongkai_model::{AlteredLabel, Document, Fact, FormId, Variant};

use crate::{
    cell_assignment::CellAssignment,
    chapter_ranges::{self, ChapterRanges},
    disputes,
    form::Form,
    index::RequestIndex,
    load::Forms,
    percentages, proactive,
    read_cell::ReadCell,
    requests::{self, Padding},
    rows::{self, Item, Row},
    torn_labels, unit_column, unlabelled_rows,
    value::CellValue,
    vocabulary::Vocabulary,
};

/// The result of matching the tables.
#[derive(Debug)]
pub(crate) struct MatchedTables<'f> {
    /// The form that the tables follow.
    pub form: &'f Form,
    /// Every cell of the form.
    pub facts: Vec<Fact>,
    /// The labels that are not the form's.
    pub labels: Vec<AlteredLabel>,
    /// True if no cell of any form was found.
    pub none: bool,
}

/// Reads a document's tables. `fallback` is the form to use if the tables do not indicate one.
pub(crate) fn read<'f>(document: &Document, forms: &'f Forms, fallback: FormId) -> Option<MatchedTables<'f>> {
    let items = rows::items(document, forms.chapter_titles(), forms.vocabulary());
    let id = form_by_evidence(&items, forms).unwrap_or(fallback);
    let standard = forms.get(id, Variant::Standard).or_else(|| forms.iter().next())?;
    let index = forms.index(standard);
    let is_joined = joins_labels_and_numbers(&items, forms.vocabulary());
    let mut ranges = chapter_ranges::cut(items, index);
    unit_column::take(&mut ranges.proactive);
    ranges.requests.iter_mut().for_each(|range| unit_column::take(range));
    ranges.requests.iter_mut().for_each(|range| percentages::drop(range));
    ranges.requests.iter_mut().for_each(|range| unlabelled_rows::split(range, standard));
    let (form, index) = match forms.get(id, Variant::SingleRowOther) {
        Some(single) if is_single(&ranges, index, forms.index(single)) => (single, forms.index(single)),
        _ => (standard, index),
    };
    let mut assignment = CellAssignment::new(form);
    let mut padding = Padding::default();
    for range in &ranges.requests {
        let own = requests::read(range, form, index, &mut assignment);
        padding.behind |= own.behind;
        padding.any |= own.any;
    }
    proactive::read(&ranges.proactive, (form, forms.proactive(form)), padding.behind, &mut assignment);
    ranges.disputes.iter().for_each(|range| disputes::read(range, form, padding, &mut assignment));
    let none = assignment.is_empty();
    doubt_unread(&ranges, form, (index, is_joined), &mut assignment);
    let labels = assignment.take_labels();
    Some(MatchedTables { form, facts: assignment.into_facts(form), labels, none })
}

/// Minimum number of numbers in a chapter's tables that belong to no cell for the layout to count as unknown. Where no
/// cell of the chapter is read, one is enough.
const FEWEST_LOOSE: usize = 3;

/// Minimum number of labels with numbers behind them for the layout to count as unknown.
const FEWEST_JOINED: usize = 6;

/// Makes the cells that were not found unreadable where a chapter has numbers that could not be assigned.
fn doubt_unread<'a>(
    ranges: &ChapterRanges<'a>,
    form: &Form,
    (index, is_joined): (&RequestIndex, bool),
    assignment: &mut CellAssignment<'a>,
) {
    let disputes = index.first_cell + form.rows.len() * form.applicants.len();
    let chapters = [
        (0..index.first_cell, vec![&ranges.proactive]),
        (index.first_cell..disputes, ranges.requests.iter().collect()),
        (disputes..form.cells.len(), ranges.disputes.iter().collect()),
    ];
    for (cells, items) in chapters {
        let lines: usize = items.iter().map(|items| rows::lines_of_numbers(items)).sum();
        let rows: Vec<&Row<'a>> = items
            .into_iter()
            .flatten()
            .filter_map(|item| match item {
                Item::Row(row) => Some(row),
                Item::Line(_) | Item::Chapter(_) => None,
            })
            .collect();
        let used = assignment.uses(cells.clone());
        let is_loose = |piece: &&ReadCell<'a>| !used.places.contains(&piece.place());
        let numbers: Vec<&ReadCell<'a>> = rows.iter().flat_map(|row| numbers(row)).collect();
        let loose: Vec<&ReadCell<'a>> = numbers.iter().copied().filter(is_loose).collect();
        let unlabelled = rows.iter().filter(|row| row.spans_known && torn_labels::is_unlabelled(row));
        let fewest = if used.cells == 0 { 1 } else { FEWEST_LOOSE };
        let is_unread = is_joined
            || lines >= FEWEST_LOOSE
            || loose.len() >= fewest
            || numbers.len() >= used.cells + FEWEST_LOOSE
            || unlabelled.flat_map(|row| self::numbers(row)).any(|piece| is_loose(&piece));
        if is_unread {
            assignment.doubt_open(cells, if loose.is_empty() { &numbers } else { &loose });
        }
    }
}

/// Returns true if the document has labels and numbers in one text each, as no form has them: 规章：12，3，40.
fn joins_labels_and_numbers(items: &[Item<'_>], vocabulary: &Vocabulary) -> bool {
    labels(items.iter()).into_iter().filter(|label| vocabulary.has_number_behind(label)).count()
        >= FEWEST_JOINED
}

fn numbers<'r, 'a>(row: &'r Row<'a>) -> impl Iterator<Item = &'r ReadCell<'a>> {
    row.values.iter().filter(|piece| is_number(piece))
}

/// Returns true for a number, also for one that cannot be read, such as the digits of several cells run together.
fn is_number(piece: &ReadCell<'_>) -> bool {
    let is_broken = || piece.cell.text.trim_start().starts_with(|c: char| c.is_ascii_digit());
    match piece.value {
        CellValue::Number(..) => true,
        CellValue::Text => is_broken(),
        CellValue::Blank | CellValue::NotApplicable => false,
    }
}

/// Returns the form that the labels indicate.
fn form_by_evidence(items: &[Item<'_>], forms: &Forms) -> Option<FormId> {
    forms.marks().form(&labels(items.iter()))
}

/// Returns true if no child of （六） occurs, and either （六） has values in a row of its own, or the number of rows
/// or row labels is that of the form without the children.
fn is_single(ranges: &ChapterRanges<'_>, standard: &RequestIndex, single: &RequestIndex) -> bool {
    let with_values = |item: &&Item<'_>| match item {
        Item::Row(row) => row.values.len() >= 7 && !standard.is_header(row),
        _ => false,
    };
    let as_many = |range: &Vec<Item<'_>>| range.iter().filter(with_values).count() == single.rows();
    let mut one_row = ranges.requests.iter().any(as_many);
    for item in ranges.requests.iter().flatten() {
        match item {
            Item::Row(row) => {
                let own = row.labels.last();
                let other = own.is_some_and(|own| {
                    single.exact(&own.label).is_some() && standard.exact(&own.label).is_none()
                });
                let bracketed = own.is_some_and(|own| {
                    own.label == "其他" && own.cell.text.trim_start().starts_with(['（', '('])
                });
                one_row |= (other || bracketed) && !row.values.is_empty();
                let has_values = row.values.iter().any(|piece| piece.value != CellValue::Blank);
                let child = |label: &str| standard.is_only_here(label, single) && !(has_values && bracketed);
                if row.labels.iter().any(|piece| child(&piece.label)) {
                    return false;
                }
            }
            Item::Line(text) if standard.is_only_here(text, single) => return false,
            _ => {}
        }
    }
    one_row || names_all_rows(ranges, single)
}

/// Returns true if the document has the labels of all rows, except for at most one, which may be misprinted.
fn names_all_rows(ranges: &ChapterRanges<'_>, single: &RequestIndex) -> bool {
    let labels = labels(ranges.requests.iter().flatten());
    let named = (0..single.rows()).filter(|row| labels.iter().any(|label| single.names(*row, label)));
    named.count() + 1 >= single.rows()
}

fn labels<'i>(items: impl Iterator<Item = &'i Item<'i>>) -> Vec<&'i str> {
    let of = |item: &'i Item<'i>| match item {
        Item::Row(row) => row.labels.iter().map(|piece| piece.label.as_str()).collect(),
        Item::Line(text) => vec![text.as_str()],
        Item::Chapter(_) => Vec::new(),
    };
    items.flat_map(of).collect()
}
