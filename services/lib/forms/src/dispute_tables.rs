//! The tables of chapter 四 in documents with geometry: one for all blocks, one for each, or several in one grid, one
//! below the other. Tables beside them, such as one of earlier years, have no titles of blocks.

use crate::{
    columns::Heading,
    dispute_names::DisputeNames,
    foreign_titles,
    read_cell::ReadCell,
    rows::{Item, Row},
    value::CellValue,
};

/// Rows of values under the complete headings of some blocks.
pub(crate) struct DisputeTable<'r, 'a> {
    pub headings: Vec<Heading>,
    /// Right end of the header.
    pub end: u32,
    pub rows: Vec<&'r Row<'a>>,
}

/// Rows of a header, and the rows of values below.
#[derive(Default)]
struct Segment<'r, 'a> {
    /// The line above the table.
    title: &'r str,
    head: Vec<Vec<&'r ReadCell<'a>>>,
    rows: Vec<&'r Row<'a>>,
}

/// Returns the tables, if together they have the headings of all blocks, each once.
pub(crate) fn find<'r, 'a>(items: &'r [Item<'a>], names: &DisputeNames) -> Option<Vec<DisputeTable<'r, 'a>>> {
    let segments = segments(items)?;
    let mut tables: Vec<DisputeTable<'r, 'a>> =
        segments.into_iter().filter_map(|segment| table(segment, names)).collect();
    if tables.iter().any(|table| table.headings.len() == names.cells()) {
        tables.retain(|table| table.headings.len() == names.cells());
        return Some(tables);
    }
    let mut columns: Vec<usize> = tables.iter().flat_map(|table| &table.headings).map(|h| h.column).collect();
    columns.sort_unstable();
    columns.into_iter().eq(0..names.cells()).then_some(tables)
}

/// Returns the rows of one block each that stand below its title and the names of its columns in text without geometry, with
/// the columns of their values. `None` unless every block has exactly one.
pub(crate) fn in_words<'r, 'a>(
    items: &'r [Item<'a>],
    names: &DisputeNames,
) -> Option<Vec<(Vec<usize>, &'r Row<'a>)>> {
    let width = names.columns.len();
    let (mut block, mut head, mut found) = (None, Vec::new(), Vec::new());
    for item in items {
        let row = match item {
            Item::Line(text) => {
                (block, head) = (names.block_of_line(text), Vec::new());
                continue;
            }
            Item::Chapter(_) => continue,
            Item::Row(row) => row,
        };
        for piece in &row.labels {
            if let Some(column) = names.column(&piece.label) {
                head.push(column);
            } else {
                (block, head) = (names.block_of_line(&piece.label), Vec::new());
            }
        }
        if row.filled().next().is_none() {
            continue;
        }
        let columns = std::mem::take(&mut head);
        let block = block.take().filter(|_| columns.len() == width && row.values.len() == width)?;
        found.push((block, columns, row));
    }
    let mut cells: Vec<usize> =
        found.iter().flat_map(|(block, columns, _)| columns.iter().map(move |c| block * width + c)).collect();
    cells.sort_unstable();
    let is_whole = cells.into_iter().eq(0..names.cells());
    let row = |(block, columns, row): (usize, Vec<usize>, &'r Row<'a>)| {
        (columns.into_iter().map(|column| block * width + column).collect(), row)
    };
    is_whole.then(|| found.into_iter().map(row).collect())
}

/// Returns the segments of all tables, or `None` if a table has no geometry.
fn segments<'r, 'a>(items: &'r [Item<'a>]) -> Option<Vec<Segment<'r, 'a>>> {
    let mut segments: Vec<(u32, Segment<'r, 'a>)> = Vec::new();
    let mut title = "";
    for item in items {
        let row = match item {
            Item::Row(row) => row,
            Item::Line(text) => {
                title = text;
                continue;
            }
            Item::Chapter(_) => continue,
        };
        if !row.spans_known {
            return None;
        }
        let table = row.labels.iter().chain(&row.values).next().map_or(0, |piece| piece.table);
        let has_values = row.filled().next().is_some() || row.labels.is_empty();
        let goes_on =
            segments.last().is_some_and(|(of, last)| *of == table && (has_values || last.rows.is_empty()));
        if !goes_on {
            segments.push((table, Segment { title: std::mem::take(&mut title), ..Segment::default() }));
        }
        let Some((_, segment)) = segments.last_mut() else { continue };
        if has_values {
            segment.rows.push(row);
        } else {
            segment.head.push(row.labels.iter().collect());
        }
    }
    Some(segments.into_iter().map(|(_, segment)| segment).collect())
}

/// Returns the segment as a table, if its names are those of whole blocks and it has values.
fn table<'r, 'a>(mut segment: Segment<'r, 'a>, names: &DisputeNames) -> Option<DisputeTable<'r, 'a>> {
    let mut headings = names.block_headings(&segment.head);
    if headings.is_empty() {
        headings = names.headings_below(segment.title, &segment.head);
    }
    let end = segment.head.iter().flatten().map(|piece| piece.end()).max()?;
    // Where some rows have numbers, a row without any has nothing to say.
    let number = |row: &&Row<'_>| row.values.iter().any(|piece| piece.value != CellValue::Blank);
    if segment.rows.iter().any(number) {
        segment.rows.retain(number);
    }
    // Beside a row of values, a number on its own is a page number.
    if segment.rows.iter().any(|row| row.values.len() > 1) {
        segment.rows.retain(|row| row.values.len() > 1 || !row.labels.is_empty());
    }
    keep_latest(&mut segment.rows, headings.first().map_or(0, |first| first.start));
    let found = !headings.is_empty() && !segment.rows.is_empty();
    found.then_some(DisputeTable { headings, end, rows: segment.rows })
}

/// Keeps only the row of the latest year, if each row has a year, as its label or in a cell before column `first`.
fn keep_latest(rows: &mut Vec<&Row<'_>>, first: u32) {
    let before =
        |row: &Row<'_>| row.values.first().filter(|piece| piece.end() <= first).and_then(ReadCell::bare_year);
    let year = |row: &&Row<'_>| {
        row.labels.last().and_then(|own| foreign_titles::year(&own.label)).or_else(|| before(row))
    };
    let all: Option<Vec<i32>> = rows.iter().map(year).collect();
    if let Some(latest) = all.and_then(|years| years.into_iter().max()) {
        rows.retain(|row| year(row) == Some(latest));
    }
}
