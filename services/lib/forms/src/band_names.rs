//! The labels of chapter 二: of its rows and of the columns of each band.

use crate::{
    form::Form,
    label::{Spelling, norm},
    out_of_step,
    rows::{Item, Row},
    value::PrintedUnit,
};

/// Minimum likeness of a misprinted label to the label that it is matched with.
const LIKE: f64 = 0.8;

/// Maximum number of lines over which a label is wrapped, less one.
const MOST_LINES: usize = 3;

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
    pub(crate) fn labels_follow(&self, items: &[Item<'_>]) -> bool {
        let is_title = |label: &str| self.columns.iter().any(|(name, _, _)| name == label);
        let is_header = |row: &Row<'_>| row.labels.last().is_none_or(|own| is_title(&own.label));
        out_of_step::labels_follow(items, 1, is_header, |label| self.row(label).is_some())
    }

    /// Returns true if labels name every row.
    pub(crate) fn are_all_in(&self, labels: &[&str]) -> bool {
        let is_in = |first: usize| {
            let mut names = self.rows.iter().filter(|(_, _, other)| *other == first);
            names.any(|(name, _, _)| labels.contains(&name.text.as_str()))
        };
        self.rows.iter().all(|(_, _, first)| is_in(*first))
    }

    /// Returns the number of columns of a band.
    pub(crate) fn width(&self, band: usize) -> usize {
        self.widths.get(band).copied().unwrap_or_default()
    }

    /// Returns the band and first cell of a row, by its label or, if a break cut the label, by its last two lines.
    pub(crate) fn row_of(&self, row: &Row<'_>) -> Option<(usize, usize)> {
        let (own, others) = row.labels.split_last()?;
        self.row(&own.label).or_else(|| {
            let joined = format!("{}{}", others.last()?.label, own.label);
            self.exact(&joined)
        })
    }

    /// Returns the band and first cell of a label that is wrapped over several rows, of which one has the values. The row
    /// at `at` is one of them.
    pub(crate) fn wrapped(&self, items: &[Item<'_>], at: usize) -> Option<(usize, usize)> {
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

    /// Returns the band and first cell of a row with exactly this label.
    pub(crate) fn exact(&self, label: &str) -> Option<(usize, usize)> {
        self.rows.iter().find(|(name, _, _)| name.text == label).map(|(_, band, first)| (*band, *first))
    }

    /// Returns the band's column with this title.
    pub(crate) fn column(&self, band: usize, label: &str) -> Option<usize> {
        self.columns.iter().find(|(name, of, _)| *of == band && name == label).map(|(_, _, column)| *column)
    }

    /// Returns a text without the titles of columns in it.
    pub(crate) fn without_columns(&self, label: &str) -> String {
        self.columns.iter().fold(label.to_owned(), |rest, (name, _, _)| rest.replace(name.as_str(), ""))
    }

    /// Returns the band and first cell of a label, which may state a unit at its end. A misprint is accepted if it is
    /// close to exactly one label.
    pub(crate) fn row(&self, label: &str) -> Option<(usize, usize)> {
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
