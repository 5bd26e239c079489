//! Chapter 二 (proactive disclosure): bands of rows under the items of article 20. Each band has its own column
//! titles.
//!
//! A row is identified by its label, and bands may be in any order. The values of a row are assigned by their order
//! after the label and, if the band's header is complete, by the titles above them.

use gongkai_model::{AlteredLabel, UnreadReason};

use crate::{
    band_names::BandNames,
    band_rows::{self, BandHit, BandRows, LoneLabel},
    cell_assignment::CellAssignment,
    columns::{
        Filling, Header, Heading, Values, ends_blank, has_other_columns, spread, under_headings, values,
    },
    displaced_cells::{self, Completed},
    foreign_titles,
    form::{Band, Form},
    read_cell::ReadCell,
    rows::{Item, Row},
    stated_units::{self, Stated},
    value::{CellValue, PrintedUnit},
    years,
};

/// Reads all ranges that contain the tables of chapter 二. `padded` is true if the document pads rows at their ends.
pub(crate) fn read<'a>(
    items: &[Item<'a>],
    (form, names): (&Form, &BandNames),
    padded: bool,
    assignment: &mut CellAssignment<'a>,
) {
    let BandRows { hits, lone, out_of_step } = band_rows::find(items, names, assignment);
    let width = |hit: &BandHit<'_, 'a>| form.bands.get(hit.band).map_or(0, |band| band.columns.len());
    let filling = Filling::learn(hits.iter().map(|hit| (hit.row, width(hit))), |_| None);
    let padded = padded || may_have_lost_a_cell(&hits, width);
    let displaced = displaced_cells::find(items, |row| hits.iter().any(|hit| std::ptr::eq(hit.row, row)))
        .unwrap_or_default();
    let short: Vec<usize> =
        (0..hits.len()).filter(|at| hits.get(*at).is_some_and(|hit| is_short(hit, width(hit)))).collect();
    let units = stated_units::of_chapter(items);
    let is_wider = |hit: &BandHit<'_, '_>| hit.row.stream && wider_columns(hit, names).is_some();
    let is_stream_unclear = out_of_step || hits.iter().any(is_wider);
    for (at, hit) in hits.iter().enumerate() {
        if let Some(band) = form.bands.get(hit.band) {
            if is_stream_unclear && hit.row.stream {
                assignment.unsure_row(hit.first, width(hit), &hit.row.filled());
                continue;
            }
            if let Some((column, own)) = stated_units::money(band) {
                let around = hit.head.iter().copied().chain(&hit.row.labels).chain(&hit.row.unit);
                let stated = stated_units::of(around.clone(), &units, own);
                if let Stated::Unit(_) = stated
                    && let Some(label) = around.clone().find(|piece| states_other(piece, own))
                    && let Some(cell) = form.cells.get(hit.first + column)
                {
                    assignment.note_label(AlteredLabel {
                        concept: cell.id.concept.clone(),
                        source: label.source(),
                    });
                }
                assignment.state_unit(hit.first + column, stated);
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
    for LoneLabel { band, first, is_torn } in lone {
        let cells = first..first + names.width(band);
        if is_torn {
            assignment.doubt_open(cells, &[]);
        } else {
            cells.for_each(|cell| assignment.empty(cell));
        }
    }
}

/// Returns true if rows without geometry are as wide as each other, so that blanks fill them up, and only one of them has a
/// blank among its values: if it is at the end, a cell before it may be lost.
fn may_have_lost_a_cell<'a>(hits: &[BandHit<'_, 'a>], width: impl Fn(&BandHit<'_, 'a>) -> usize) -> bool {
    let rows = || hits.iter().filter(|hit| !hit.row.spans_known);
    let mut sizes: Vec<usize> = rows().filter_map(|hit| hit.row.shape).map(|(_, cells)| cells).collect();
    sizes.dedup();
    let has_blank = |hit: &&BandHit<'_, 'a>| {
        let own = hit.row.values.get(..width(hit)).unwrap_or_default();
        own.iter().any(|piece| piece.value == CellValue::Blank)
    };
    sizes.len() == 1 && rows().filter(has_blank).count() == 1
}

/// Returns true for a label that states another unit than the form's.
fn states_other(piece: &ReadCell<'_>, own: PrintedUnit) -> bool {
    PrintedUnit::stated(&piece.cell.text).is_some_and(|unit| unit != own)
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
    if !hit.row.spans_known
        && let Some(columns) = wider_columns(hit, names)
    {
        return read_wider(hit, &columns, wanted, assignment);
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

/// Returns the columns of a header without geometry that has titles of other columns than the band's, left to right.
fn wider_columns(hit: &BandHit<'_, '_>, names: &BandNames) -> Option<Vec<Option<usize>>> {
    if hit.row.stream && hit.head.iter().any(|piece| foreign_titles::is_ordinal(&piece.label)) {
        return Some(Vec::new());
    }
    let first = hit.head.iter().rposition(|piece| piece.label == "信息内容").map_or(0, |at| at + 1);
    let titles = hit.head.get(first..).unwrap_or_default();
    let column = |label: &str| names.column(hit.band, label);
    let is_foreign = |label: &str| {
        let rest = names.without_columns(label);
        foreign_titles::is_one(&rest) || foreign_titles::are_joined_in(&rest)
    };
    titles.iter().any(|piece| is_foreign(&piece.label)).then(|| {
        let of_values = titles.iter().filter(|piece| !foreign_titles::is_ordinal(&piece.label));
        of_values.map(|piece| column(&piece.label)).collect()
    })
}

/// Reads a row under a wider header. It must be a row of the layout with a number for each of the header's columns.
fn read_wider<'a>(
    hit: &BandHit<'_, 'a>,
    columns: &[Option<usize>],
    wanted: usize,
    assignment: &mut CellAssignment<'a>,
) {
    let mut known: Vec<usize> = columns.iter().flatten().copied().collect();
    known.sort_unstable();
    let values: Vec<&ReadCell<'a>> = hit.row.filled().collect();
    if hit.row.stream || !known.into_iter().eq(0..wanted) || values.len() != columns.len() {
        return assignment.unsure_row(hit.first, wanted, &hit.row.filled());
    }
    for (piece, column) in values.into_iter().zip(columns) {
        column.iter().for_each(|column| assignment.assign(hit.first + column, piece));
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
