//! Matches a document's tables with the statutory forms.

use gongkai_model::{AlteredLabel, Document, Fact, FormId, Variant};

use crate::{
    band_names::BandNames,
    cell_assignment::CellAssignment,
    chapter_ranges::{self, ChapterRanges},
    column_numbers, disputes,
    form::Form,
    glued_rows,
    index::RequestIndex,
    load::Forms,
    merged_right, merged_zeros, percentages, proactive,
    requests::{self, Padding},
    rows::{self, Item},
    single_row_other, torn_rows, unit_column, unlabelled_rows, unread_layout,
    vocabulary::Vocabulary,
    wider_headers, year_rows,
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
    let mut ranges = chapter_ranges::cut(items, index);
    drop_foreign(&mut ranges, standard, index, forms.vocabulary());
    let single = forms.get(id, Variant::SingleRowOther);
    let single =
        single.filter(|single| single_row_other::is_in(document, &ranges, index, forms.index(single)));
    let form = single.unwrap_or(standard);
    let (index, names) = (forms.index(form), forms.proactive(form));
    let glued = settle_rows(&mut ranges, index, names);
    let mut assignment = CellAssignment::new(form);
    let mut padding = Padding::default();
    for range in &ranges.requests {
        let own = requests::read(range, form, index, &mut assignment);
        padding.behind |= own.behind;
        padding.any |= own.any;
    }
    proactive::read(&ranges.proactive, (form, names), padding.behind, &mut assignment);
    ranges.disputes.iter().for_each(|range| disputes::read(range, form, padding, &mut assignment));
    let none = assignment.is_empty();
    glued.into_iter().for_each(|(first, width)| assignment.unsure_row(first, width, &[]));
    let disputes = index.first_cell + form.rows.len() * form.applicants.len();
    let chapters = [0..index.first_cell, index.first_cell..disputes, disputes..form.cells.len()];
    unread_layout::doubt(&ranges, chapters, form, forms.vocabulary(), &mut assignment);
    if unread_layout::has_pages_side_by_side(document) {
        assignment.doubt_open(0..form.cells.len(), &[]);
    }
    let labels = assignment.take_labels();
    Some(MatchedTables { form, facts: assignment.into_facts(form), labels, none })
}

/// Removes the rows and columns that the form does not have: those of earlier years, numbers of columns, units and
/// percentages. Splits rows that lost their labels.
fn drop_foreign(ranges: &mut ChapterRanges<'_>, form: &Form, index: &RequestIndex, vocabulary: &Vocabulary) {
    year_rows::keep_latest(&mut ranges.proactive);
    unit_column::take(&mut ranges.proactive);
    for range in &mut ranges.requests {
        year_rows::keep_latest(range);
        column_numbers::drop(range, vocabulary);
        unit_column::take(range);
        wider_headers::take(range, index);
        percentages::drop(range);
        unlabelled_rows::split(range, form);
    }
    for range in &mut ranges.disputes {
        year_rows::keep_latest(range);
        column_numbers::drop(range, vocabulary);
    }
}

/// Joins torn rows, and doubts rows that were put into one and blanks of merged zeros. Returns the first cell and the number of cells of the latter.
fn settle_rows(
    ranges: &mut ChapterRanges<'_>,
    index: &RequestIndex,
    names: &BandNames,
) -> Vec<(usize, usize)> {
    let of_band = |label: &str| names.exact(label).map(|(band, first)| (first, names.width(band)));
    let mut glued = glued_rows::doubt(&mut ranges.proactive, of_band);
    torn_rows::join(&mut ranges.proactive, |items| names.are_all_in(&rows::labels(items)));
    for range in &mut ranges.requests {
        glued.extend(glued_rows::doubt(range, |label| index.exact(label).map(|row| index.cells_of(row))));
        torn_rows::join(range, |items| index.are_all_in(&rows::labels(items)));
        merged_right::doubt(range);
        merged_zeros::doubt(range, |label| index.exact(label).is_some());
    }
    ranges.disputes.iter_mut().for_each(|range| merged_right::doubt(range));
    glued
}

/// Returns the form that the labels indicate.
fn form_by_evidence(items: &[Item<'_>], forms: &Forms) -> Option<FormId> {
    forms.marks().form(&rows::labels(items))
}
