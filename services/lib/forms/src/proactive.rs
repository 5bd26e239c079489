//! Chapter 二: bands of rows under the items of article 20, each band with column titles of its own.
//!
//! A row is known by its label; bands may come in any order. Its values are known by their order behind the label and,
//! where the band's head is whole, by the names over them.

use crate::{
    answers::Answers,
    columns::{Filling, Header, Heading, Values, spread, values},
    form::{Band, Form},
    label::{likeness, norm},
    rows::{Item, Piece, Row},
    value::Value,
};

/// A band row found in the document.
struct Hit<'r, 'a> {
    row: &'r Row<'a>,
    band: usize,
    /// Ordinal of the band row's first cell.
    first: usize,
    /// The head that stood above it.
    head: Vec<&'r Piece<'a>>,
}

/// Reads all stretches that hold chapter 二's tables; `padded` if the document fills rows up at their ends.
pub(crate) fn read<'a>(items: &[Item<'a>], form: &Form, padded: bool, answers: &mut Answers<'a>) {
    let names = Names::of(form);
    let mut hits: Vec<Hit<'_, 'a>> = Vec::new();
    let mut head: Vec<&Piece<'a>> = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let Item::Row(row) = item else { continue };
        let own = row.labels.last();
        let Some((band, first)) = own.and_then(|own| names.row(&own.label)) else {
            note_head(&mut head, &row.labels, &names);
            continue;
        };
        if !row.values.is_empty() {
            if row.stream {
                let titles = row.labels.split_last().map_or(&[][..], |(_, titles)| titles);
                note_head(&mut head, titles, &names);
            }
            hits.push(Hit { row, band, first, head: head.clone() });
        } else if !has_loose_values(items.get(at + 1)) {
            let columns = form.bands.get(band).map_or(0, |band| band.columns.len());
            (0..columns).for_each(|column| answers.empty(first + column));
        }
    }
    let width = |hit: &Hit<'_, 'a>| form.bands.get(hit.band).map_or(0, |band| band.columns.len());
    let filling = Filling::learn(hits.iter().map(|hit| (hit.row, width(hit))), |_| None);
    for hit in &hits {
        if let Some(band) = form.bands.get(hit.band) {
            read_hit(hit, band, &names, (&filling, padded), answers);
        }
    }
}

/// True for values without a label: they may be the row's before them.
fn has_loose_values(item: Option<&Item<'_>>) -> bool {
    matches!(item, Some(Item::Row(row)) if row.labels.is_empty())
}

/// Remembers titles over columns; a band's own title begins a new head.
fn note_head<'r, 'a>(head: &mut Vec<&'r Piece<'a>>, labels: &'r [Piece<'a>], names: &Names) {
    for piece in labels {
        if piece.label.starts_with("第二十条")
            || piece.label == "信息内容"
            || names.row(&piece.label).is_some()
        {
            head.clear();
        }
        head.push(piece);
    }
}

fn read_hit<'a>(
    hit: &Hit<'_, 'a>,
    band: &Band,
    names: &Names,
    (filling, padded): (&Filling, bool),
    answers: &mut Answers<'a>,
) {
    let wanted = band.columns.len();
    let named: Vec<(usize, &Piece<'a>)> = hit
        .head
        .iter()
        .filter_map(|piece| names.column(hit.band, &piece.label).map(|at| (at, *piece)))
        .collect();
    let header = Header::of(named.iter().map(|(at, _)| *at).collect(), wanted);
    let Some(order) = header.order(wanted) else {
        (0..wanted).for_each(|column| answers.unsure(hit.first + column, &hit.row.values));
        return;
    };
    let mut headings = Vec::new();
    if hit.row.spans_known && matches!(header, Header::Named(_)) {
        let heading = |(column, piece): &(usize, &Piece<'a>)| Heading {
            column: *column,
            start: piece.start(),
            end: piece.end(),
        };
        headings = named.iter().map(heading).collect();
    }
    let spread = spread(hit.row, &headings);
    let row = spread.as_ref().unwrap_or(hit.row);
    match values(row, wanted, filling, &headings, |_| None) {
        // A filled-up row may have lost a cell before the blank at its end.
        Values::These(cells) if padded && some_blank_at_end(cells) => {
            (0..wanted).for_each(|column| answers.unsure(hit.first + column, cells));
        }
        Values::These(cells) => {
            for (piece, column) in cells.iter().zip(&order) {
                answers.read(hit.first + column, piece);
            }
        }
        Values::OneOf(cuts) => {
            for (at, column) in order.iter().enumerate() {
                answers.unsure(hit.first + column, cuts.iter().filter_map(|cut| cut.get(at)));
            }
        }
        Values::Unclear => {
            let filled = || row.values.iter().filter(|piece| piece.value != Value::Blank);
            (0..wanted).for_each(|column| answers.unsure(hit.first + column, filled()));
        }
    }
}

fn some_blank_at_end(cells: &[Piece<'_>]) -> bool {
    let blank = |piece: &Piece<'_>| piece.value == Value::Blank;
    cells.last().is_some_and(blank) && !cells.iter().all(blank)
}

/// The labels of the band rows, with their bands and first cells.
struct Names {
    rows: Vec<(String, usize, usize)>,
    /// The titles over columns: title, band, column.
    columns: Vec<(String, usize, usize)>,
}

impl Names {
    fn of(form: &Form) -> Self {
        let (mut rows, mut columns) = (Vec::new(), Vec::new());
        let mut first = 0;
        for (at, band) in form.bands.iter().enumerate() {
            for (place, column) in band.columns.iter().enumerate() {
                columns.extend(column.label.all().map(|name| (norm(name), at, place)));
            }
            for row in &band.rows {
                rows.extend(row.label.all().map(|name| (norm(name), at, first)));
                first += band.columns.len();
            }
        }
        Self { rows, columns }
    }

    /// The band's column of a title.
    fn column(&self, band: usize, label: &str) -> Option<usize> {
        self.columns.iter().find(|(name, of, _)| *of == band && name == label).map(|(_, _, column)| *column)
    }

    /// The band and first cell of a label; a misprint is taken if it is nearly one label and no other.
    fn row(&self, label: &str) -> Option<(usize, usize)> {
        if let Some((_, band, first)) = self.rows.iter().find(|(name, _, _)| name == label) {
            return Some((*band, *first));
        }
        let length = label.chars().count();
        if !(4..=12).contains(&length) {
            return None;
        }
        let mut alike = self.rows.iter().filter(|(name, _, _)| {
            let glued = name.chars().count() >= 4 && label.ends_with(name.as_str());
            glued || likeness(name, label) >= 0.8
        });
        let (_, band, first) = alike.next()?;
        alike.all(|(_, _, other)| other == first).then_some((*band, *first))
    }
}
