//! Chapter 四 (disputes): fifteen values in one row, in three blocks of five, one row per block or per column, or the
//! blocks in tables of their own.
//!
//! There are two readings. By position, the fifteen values are in the order of the form. By label and geometry, each
//! value is under the name of its column and block. If the names are complete they determine the order; if they are
//! incomplete they must not contradict it.

use gongkai_model::UnreadReason;

use crate::{
    cell_assignment::CellAssignment,
    columns::{Filling, Header, Values, ends_blank, has_other_columns, spread, under_headings, values},
    dispute_names::DisputeNames,
    dispute_tables,
    form::Form,
    read_cell::ReadCell,
    requests::Padding,
    rows::{Item, Row},
    value::CellValue,
};

/// Reads one range of the document that contains the table of chapter 四. `padding` is the padding of chapter 三.
pub(crate) fn read<'a>(
    items: &[Item<'a>],
    form: &Form,
    padding: Padding,
    assignment: &mut CellAssignment<'a>,
) {
    let names = DisputeNames::of(form);
    let first = form.cells.len().saturating_sub(names.cells());
    if let Some(tables) = dispute_tables::find(items, &names) {
        for table in tables {
            table.rows.iter().for_each(|row| read_under(row, &table, &names, first, assignment));
        }
        return;
    }
    let mut head: Vec<Vec<&ReadCell<'a>>> = Vec::new();
    let mut words: Vec<Vec<&str>> = Vec::new();
    let mut data: Vec<&Row<'a>> = Vec::new();
    for item in items {
        let row = match item {
            Item::Row(row) => row,
            Item::Line(text) => {
                words.push(vec![text]);
                continue;
            }
            Item::Chapter(_) => continue,
        };
        let number = row.values.iter().any(|piece| piece.value != CellValue::Blank);
        let whole = row.labels.is_empty() && row.values.len() >= names.columns.len();
        if number || whole {
            data.push(row);
        }
        let labels = row.labels.iter().map(|piece| piece.label.as_str());
        if row.stream {
            head.extend(row.labels.iter().map(|piece| vec![piece]));
            words.extend(labels.map(|label| vec![label]));
        } else if !row.labels.is_empty() {
            head.push(row.labels.iter().collect());
            words.push(labels.collect());
        }
    }
    let blocks: Vec<(usize, &Row<'a>)> =
        data.iter().filter_map(|row| Some((names.block_row(row)?, *row))).collect();
    if !blocks.is_empty() {
        return read_blocks(&blocks, &head, &names, first, assignment);
    }
    let turned: Vec<(usize, &Row<'a>)> =
        data.iter().filter_map(|row| Some((names.turned_row(row)?, *row))).collect();
    if turned.len() == names.columns.len() {
        let order = names.blocks_in(&head);
        for (column, row) in turned {
            read_turned(column, row, order.as_deref(), &names, first, assignment);
        }
        return;
    }
    let rows = items.iter().filter_map(|item| match item {
        Item::Row(row) => Some(row),
        Item::Line(_) | Item::Chapter(_) => None,
    });
    let listed = names.listed(rows);
    if !listed.is_empty() {
        return listed.into_iter().for_each(|(cell, value)| assignment.assign(first + cell, value));
    }
    if let Some(rows) = dispute_tables::in_words(items, &names) {
        for (columns, row) in rows {
            let cells = columns.iter().zip(&row.values);
            cells.for_each(|(column, piece)| assignment.assign(first + column, piece));
        }
        return;
    }
    // If a row with all its values exists, a number on its own is a page number.
    let whole = |row: &Row<'_>| {
        row.values.len() == names.cells() && row.values.iter().all(|p| p.value != CellValue::Blank)
    };
    let rows = data.len();
    if data.iter().any(|row| whole(row)) {
        data.retain(|row| row.values.len() > 1 || !row.labels.is_empty());
    }
    // It may also be the rest of a number that a line break cut.
    let has_rest = data.len() < rows;
    let in_order: Vec<usize> = (0..names.cells()).collect();
    for row in data {
        if has_rest && !row.spans_known && names.sums_hold(&row.values, &in_order) == Some(false) {
            assignment.unsure_row(first, names.cells(), &row.filled());
            continue;
        }
        read_whole(row, (&head, &words), &names, first, padding, assignment);
    }
}

fn read_whole<'a>(
    row: &Row<'a>,
    (head, words): (&[Vec<&ReadCell<'a>>], &[Vec<&str>]),
    names: &DisputeNames,
    first: usize,
    padding: Padding,
    assignment: &mut CellAssignment<'a>,
) {
    let wanted = names.cells();
    let headings = if row.spans_known { names.headings(head) } else { Vec::new() };
    let order = match headings.as_slice() {
        [] => names.in_words(words).order(wanted),
        headings => Some(headings.iter().map(|heading| heading.column).collect()),
    };
    let order = order.filter(|order| !(headings.is_empty() && names.are_turned(&row.values, order)));
    let Some(order) = order else { return assignment.unsure_row(first, wanted, &row.values.iter()) };
    let spread = spread(row, &headings);
    let row = spread.as_ref().unwrap_or(row);
    match values(row, wanted, &Filling::default(), &headings, |cut| names.sums_hold(cut, &order)) {
        // In a document with padded rows, a cell before the blank at the end may be lost. If a row with a blank at an
        // end does not add up, that blank may be padding.
        Values::These(cells)
            if (ends_blank(cells) || !row.spans_known && blank_at_an_end(cells))
                && names.fails(cells, &order)
                || !row.spans_known
                    && row.values.len() > wanted
                    && names.sums_hold(cells, &order) != Some(true) =>
        {
            assignment.unsure_row(first, wanted, &row.filled());
        }
        Values::These(cells)
            if !row.spans_known
                && (names.end_has_closed_up(cells, &order)
                    || cells.iter().any(is_text) && names.sums_hold(cells, &order) != Some(true)
                    || names.are_printed_once(words) && names.sums_hold(cells, &order) != Some(true)) =>
        {
            assignment.unsure_row(first, wanted, &row.filled());
        }
        Values::These(cells)
            if !row.spans_known
                && (padding.behind && ends_blank(cells)
                    || (padding.any || row.stream)
                        && blank_at_an_end(cells)
                        && names.sums_hold(cells, &order) != Some(true)) =>
        {
            assignment.unsure_row(first, wanted, &row.filled());
        }
        choice => choice.assign((first, &order), &row.filled(), assignment),
    }
}

/// Reads a row of values under the headings of its table.
fn read_under<'a>(
    row: &Row<'a>,
    table: &dispute_tables::DisputeTable<'_, 'a>,
    names: &DisputeNames,
    first: usize,
    assignment: &mut CellAssignment<'a>,
) {
    let under = under_headings(row, &table.headings, table.end);
    if under.is_none() && has_other_columns(&table.headings, table.end) {
        let columns = table.headings.iter().map(|heading| first + heading.column);
        return columns.for_each(|at| assignment.unsure(at, UnreadReason::RowUnclear, row.filled()));
    }
    let row = under.as_ref().unwrap_or(row);
    let order: Vec<usize> = table.headings.iter().map(|heading| heading.column).collect();
    let spread = spread(row, &table.headings);
    let row = spread.as_ref().unwrap_or(row);
    let choice =
        values(row, order.len(), &Filling::default(), &table.headings, |cut| names.sums_hold(cut, &order));
    match choice {
        Values::These(cells) => {
            for (piece, column) in cells.iter().zip(&order) {
                assignment.assign(first + column, piece);
            }
        }
        Values::OneOf(_) | Values::Unclear => {
            order
                .iter()
                .for_each(|column| assignment.unsure(first + column, UnreadReason::RowUnclear, row.filled()));
        }
    }
}

/// Reads a row of one column: its label, then one value for each block.
fn read_turned<'a>(
    column: usize,
    row: &Row<'a>,
    order: Option<&[usize]>,
    names: &DisputeNames,
    first: usize,
    assignment: &mut CellAssignment<'a>,
) {
    let cell = |block: usize| first + block * names.columns.len() + column;
    match order {
        Some(order) if row.values.len() == order.len() => {
            row.values.iter().zip(order).for_each(|(piece, block)| assignment.assign(cell(*block), piece));
        }
        _ => (0..names.blocks.len())
            .for_each(|block| assignment.unsure(cell(block), UnreadReason::RowUnclear, row.filled())),
    }
}

/// Reads rows of one block each.
fn read_blocks<'a>(
    rows: &[(usize, &Row<'a>)],
    head: &[Vec<&ReadCell<'a>>],
    names: &DisputeNames,
    first: usize,
    assignment: &mut CellAssignment<'a>,
) {
    // A block that is not found may have given its label, and its cells, to another.
    let is_whole = (0..names.blocks.len()).all(|own| rows.iter().any(|(block, _)| *block == own));
    for (block, row) in rows {
        if is_whole {
            read_block(*block, row, head, names, first, assignment);
        } else {
            let width = names.columns.len();
            assignment.unsure_row(first + block * width, width, &row.filled());
        }
    }
}

/// Reads a row of one block: its label, then five values.
fn read_block<'a>(
    block: usize,
    row: &Row<'a>,
    head: &[Vec<&ReadCell<'a>>],
    names: &DisputeNames,
    first: usize,
    assignment: &mut CellAssignment<'a>,
) {
    let wanted = names.columns.len();
    let first = first + block * wanted;
    let named =
        head.iter().map(|line| line.iter().filter_map(|p| names.column(&p.label)).collect::<Vec<usize>>());
    let order = match named.into_iter().find(|line| !line.is_empty()) {
        Some(line) => Header::of(line, wanted).order(wanted),
        None => Some((0..wanted).collect()),
    };
    let choice = values(row, wanted, &Filling::default(), &[], |_| None);
    match (order, choice) {
        (Some(order), Values::These(cells)) => {
            for (piece, column) in cells.iter().zip(order) {
                assignment.assign(first + column, piece);
            }
        }
        _ => assignment.unsure_row(first, wanted, &row.filled()),
    }
}

fn is_text(piece: &ReadCell<'_>) -> bool {
    piece.value == CellValue::Text
}

fn blank_at_an_end(cells: &[ReadCell<'_>]) -> bool {
    let first = cells.first().is_some_and(|piece| piece.value == CellValue::Blank);
    (first && cells.iter().any(|piece| piece.value != CellValue::Blank)) || ends_blank(cells)
}
