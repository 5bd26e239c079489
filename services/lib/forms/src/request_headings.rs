//! The names above the columns of chapter 三 in tables with geometry.

use crate::{
    columns::Heading,
    index::RequestIndex,
    read_cell::ReadCell,
    rows::{Item, Row},
    value::CellValue,
    years,
};

/// Number of columns of chapter 三.
const COLUMNS: usize = 7;

/// What the header of a table says about its columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NamedColumns {
    /// Each column has one name.
    All,
    /// Some columns have a name, or one has several.
    Some,
    /// There are columns of several years, and it is unknown which name covers which.
    Unclear,
}

/// The names in the header of one table.
#[derive(Debug)]
pub(crate) struct TableHeadings {
    pub table: u32,
    /// The columns that each name covers, left to right.
    pub headings: Vec<Heading>,
    /// The columns of other titles, but for the corner and the rows' labels.
    others: Vec<(u32, u32)>,
    /// Right end of the header.
    pub end: u32,
    pub named: NamedColumns,
    /// True if the rows add up, so that one that does not has cells in other places.
    pub adds_up: bool,
}

impl TableHeadings {
    /// Returns true if each filled cell that is under no name is under another title. A cell under the corner shows that the
    /// header has moved.
    pub(crate) fn explain(&self, row: &Row<'_>) -> bool {
        let is_titled = |piece: &ReadCell<'_>| {
            self.headings.iter().any(|heading| heading.is_over(piece))
                || self.others.iter().any(|(start, end)| piece.start() < *end && *start < piece.end())
        };
        row.filled().all(is_titled)
    }

    /// Returns true if no cell is under the name of another column, or behind all names. `order` has the column of each
    /// cell.
    pub(crate) fn allow(&self, cells: &[ReadCell<'_>], order: &[usize]) -> bool {
        let is_behind = |piece: &ReadCell<'_>| !self.headings.is_empty() && piece.start() >= self.end;
        !cells.iter().any(is_behind)
            && cells.iter().zip(order).all(|(piece, column)| {
                let mut own = self.headings.iter().filter(|heading| heading.column == *column).peekable();
                own.peek().is_none() || own.any(|heading| heading.is_over(piece))
            })
    }
}

/// Returns the headings of each table with geometry.
pub(crate) fn of_tables(items: &[Item<'_>], index: &RequestIndex) -> Vec<TableHeadings> {
    let mut tables: Vec<(TableHeadings, Vec<&ReadCell<'_>>, bool)> = Vec::new();
    for item in items {
        let Item::Row(row) = item else { continue };
        let Some(first) = row.labels.iter().chain(&row.values).next().filter(|_| row.spans_known) else {
            continue;
        };
        let at = tables.iter().position(|(table, _, _)| table.table == first.table).unwrap_or(tables.len());
        if at == tables.len() {
            let new = TableHeadings {
                table: first.table,
                headings: Vec::new(),
                others: Vec::new(),
                end: 0,
                named: NamedColumns::Some,
                adds_up: false,
            };
            tables.push((new, Vec::new(), false));
        }
        let Some((table, titles, has_values)) = tables.get_mut(at) else { continue };
        if row.filled().next().is_some() {
            *has_values = true;
        } else {
            table.end = row.labels.iter().map(ReadCell::end).max().unwrap_or_default().max(table.end);
            titles.extend(&row.labels);
            if !*has_values || index.is_header(row) {
                collect(&mut table.headings, row, index);
            }
        }
    }
    tables.into_iter().map(|(table, titles, _)| settle(table, &titles, items)).collect()
}

/// Narrows each heading above several columns without titles of their own to the one that has numbers. The others are
/// blank in every row.
fn narrow_to_numbers(headings: &mut [Heading], table: u32, titles: &[&ReadCell<'_>], items: &[Item<'_>]) {
    if headings.iter().all(|heading| heading.end - heading.start == 1) {
        return;
    }
    let is_value = |piece: &&ReadCell<'_>| !matches!(piece.value, CellValue::Blank | CellValue::Text);
    let rows = items.iter().filter_map(|item| match item {
        Item::Row(row) => Some(row.values.iter().filter(|piece| piece.table == table).filter(is_value)),
        Item::Line(_) | Item::Chapter(_) => None,
    });
    let mut columns: Vec<(u32, u32)> = rows.flatten().map(|piece| (piece.start(), piece.end())).collect();
    columns.sort_unstable();
    columns.dedup();
    let is_titled = |heading: &Heading| {
        let is_inside = |piece: &&&ReadCell<'_>| {
            heading.start <= piece.start()
                && piece.end() <= heading.end
                && piece.end() - piece.start() < heading.end - heading.start
        };
        titles.iter().any(|piece| is_inside(&piece))
    };
    for heading in headings.iter_mut().filter(|heading| !is_titled(heading)) {
        let mut own = columns.iter().filter(|(start, end)| *start < heading.end && heading.start < *end);
        if let (Some((start, end)), None) = (own.next(), own.next())
            && heading.start <= *start
            && *end <= heading.end
        {
            (heading.start, heading.end) = (*start, *end);
        }
    }
}

/// Adds the names of a header row. A repeated header adds nothing.
fn collect(headings: &mut Vec<Heading>, row: &Row<'_>, index: &RequestIndex) {
    for piece in &row.labels {
        let Some(column) = index.applicant(&piece.label) else { continue };
        let heading = Heading { column, start: piece.cell.column, end: piece.end() };
        if !headings.contains(&heading) {
            headings.push(heading);
        }
    }
}

fn settle(mut table: TableHeadings, titles: &[&ReadCell<'_>], items: &[Item<'_>]) -> TableHeadings {
    let headings = &mut table.headings;
    headings.sort_by_key(|heading| heading.start);
    // A name that a converter printed into each cell of a merged one.
    headings.dedup_by(|next, last| {
        let is_same = next.column == last.column && next.start <= last.end;
        last.end = if is_same { last.end.max(next.end) } else { last.end };
        is_same
    });
    let other = |piece: &&&ReadCell<'_>| piece.start() > 0 && !piece.label.is_empty();
    table.others = titles.iter().filter(other).map(|piece| (piece.start(), piece.end())).collect();
    let is_unclear = years::are_apart(headings, titles.iter().copied());
    years::narrow(headings, titles.iter().copied());
    narrow_to_numbers(headings, table.table, titles, items);
    let mut columns: Vec<usize> = headings.iter().map(|heading| heading.column).collect();
    columns.sort_unstable();
    let apart = headings.windows(2).all(|pair| pair.first().map(|h| h.end) <= pair.last().map(|h| h.start));
    table.named = match (is_unclear, apart && columns.into_iter().eq(0..COLUMNS)) {
        (true, _) => NamedColumns::Unclear,
        (false, true) => NamedColumns::All,
        (false, false) => NamedColumns::Some,
    };
    table
}
