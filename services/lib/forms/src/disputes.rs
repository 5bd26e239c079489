//! Chapter 四 (disputes): fifteen values in one row, in three blocks of five, one row per block or per column, or the
//! blocks in tables of their own.
//!
//! There are two readings. By position, the fifteen values are in the order of the form. By label and geometry, each
//! value is under the name of its column and block. If the names are complete they determine the order; if they are
//! incomplete they must not contradict it.

use crate::{
    cell_assignment::CellAssignment,
    columns::{
        Filling, Header, Heading, Values, ends_blank, has_other_columns, spread, under_headings, values,
    },
    dispute_tables,
    form::Form,
    label::norm,
    requests::Padding,
    rows::{Item, ReadCell, Row},
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
    let mut data: Vec<&Row<'a>> = Vec::new();
    for item in items {
        let Item::Row(row) = item else { continue };
        let number = row.values.iter().any(|piece| piece.value != CellValue::Blank);
        let whole = row.labels.is_empty() && row.values.len() >= names.columns.len();
        if number || whole {
            data.push(row);
        }
        if row.stream {
            head.extend(row.labels.iter().map(|piece| vec![piece]));
        } else if !row.labels.is_empty() {
            head.push(row.labels.iter().collect());
        }
    }
    let blocks: Vec<(usize, &Row<'a>)> =
        data.iter().filter_map(|row| Some((names.block_row(row)?, *row))).collect();
    if !blocks.is_empty() {
        for (block, row) in blocks {
            read_block(block, row, &head, &names, first, assignment);
        }
        return;
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
    // If a row with all its values exists, a number on its own is a page number.
    let whole = |row: &Row<'_>| {
        row.values.len() == names.cells() && row.values.iter().all(|p| p.value != CellValue::Blank)
    };
    if data.iter().any(|row| whole(row)) {
        data.retain(|row| row.values.len() > 1 || !row.labels.is_empty());
    }
    for row in data {
        read_whole(row, &head, &names, first, padding, assignment);
    }
}

fn read_whole<'a>(
    row: &Row<'a>,
    head: &[Vec<&ReadCell<'a>>],
    names: &DisputeNames,
    first: usize,
    padding: Padding,
    assignment: &mut CellAssignment<'a>,
) {
    let wanted = names.cells();
    let headings = if row.spans_known { names.headings(head) } else { Vec::new() };
    let order = match headings.as_slice() {
        [] => names.in_words(head).order(wanted),
        headings => Some(headings.iter().map(|heading| heading.column).collect()),
    };
    let Some(order) = order else { return assignment.unsure_row(first, wanted, &row.values.iter()) };
    let spread = spread(row, &headings);
    let row = spread.as_ref().unwrap_or(row);
    match values(row, wanted, &Filling::default(), &headings, |cut| names.sums_hold(cut, &order)) {
        // In a document with padded rows, a cell before the blank at the end may be lost. If a row with a blank at an
        // end does not add up, that blank may be padding.
        Values::These(cells)
            if !row.spans_known
                && (padding.behind && ends_blank(cells)
                    || padding.any
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
        return columns.for_each(|at| assignment.unsure(at, row.filled()));
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
            order.iter().for_each(|column| assignment.unsure(first + column, row.filled()));
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
        _ => (0..names.blocks.len()).for_each(|block| assignment.unsure(cell(block), row.filled())),
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

fn blank_at_an_end(cells: &[ReadCell<'_>]) -> bool {
    let first = cells.first().is_some_and(|piece| piece.value == CellValue::Blank);
    (first && cells.iter().any(|piece| piece.value != CellValue::Blank)) || ends_blank(cells)
}

/// The names of blocks and columns, normalised for comparison.
pub(crate) struct DisputeNames {
    blocks: Vec<String>,
    columns: Vec<String>,
}

impl DisputeNames {
    fn of(form: &Form) -> Self {
        let blocks = form.disputes.blocks.iter().map(|block| norm(&block.label.text));
        let columns = form.disputes.columns.iter().map(|column| norm(&column.label.text));
        Self { blocks: blocks.collect(), columns: columns.collect() }
    }

    pub(crate) fn cells(&self) -> usize {
        self.blocks.len() * self.columns.len()
    }

    fn column(&self, label: &str) -> Option<usize> {
        self.columns.iter().position(|name| name == label)
    }

    /// Returns the block with this title, which may have 行政诉讼 before or behind: 行政诉讼（复议后起诉）.
    fn block(&self, label: &str) -> Option<usize> {
        let exact = |label: &str| self.blocks.iter().position(|name| name == label);
        let bare = || label.strip_prefix("行政诉讼").or_else(|| label.strip_suffix("行政诉讼"));
        exact(label).or_else(|| exact(bare()?.trim_end_matches('的')))
    }

    /// Returns the column that the row belongs to, if the row has one value for each block.
    fn turned_row(&self, row: &Row<'_>) -> Option<usize> {
        let own = row.labels.last().filter(|_| row.values.len() == self.blocks.len())?;
        self.column(&own.label)
    }

    /// Returns the blocks in the order of their titles, if each has exactly one.
    fn blocks_in(&self, head: &[Vec<&ReadCell<'_>>]) -> Option<Vec<usize>> {
        let order: Vec<usize> = head.iter().flatten().filter_map(|piece| self.block(&piece.label)).collect();
        let mut sorted = order.clone();
        sorted.sort_unstable();
        sorted.into_iter().eq(0..self.blocks.len()).then_some(order)
    }

    /// Returns the block that the row belongs to.
    fn block_row(&self, row: &Row<'_>) -> Option<usize> {
        let few = (self.columns.len()..2 * self.columns.len()).contains(&row.values.len());
        let number = row.values.iter().any(|piece| piece.value != CellValue::Blank);
        row.labels.last().filter(|_| few && number).and_then(|own| self.block(&own.label))
    }

    /// Returns the order of the fifteen columns, by the reading order of their names.
    fn in_words(&self, head: &[Vec<&ReadCell<'_>>]) -> Header {
        let labels = || head.iter().flatten().map(|piece| piece.label.as_str());
        let mut titles: Vec<&str> = labels().filter(|l| matches!(*l, "行政复议" | "行政诉讼")).collect();
        titles.dedup();
        if matches!(titles.as_slice(), ["行政诉讼", "行政复议", ..]) {
            return Header::Conflict;
        }
        // The first block is 行政复议. The others are in the order of their titles.
        let mut blocks = vec![0];
        // A title that a line break cut is complete again once all labels are joined.
        let all: String = labels().collect();
        let mut found: Vec<(usize, usize)> = (0..self.blocks.len())
            .filter_map(|block| Some((all.find(self.blocks.get(block)?.as_str())?, block)))
            .collect();
        found.sort_unstable();
        for (_, block) in found {
            if !blocks.contains(&block) {
                blocks.push(block);
            }
        }
        if blocks.len() < self.blocks.len() {
            blocks = (0..self.blocks.len()).collect();
        }
        let in_line = |line: &Vec<&ReadCell<'_>>| -> Vec<usize> {
            line.iter().filter_map(|piece| self.column(&piece.label)).collect()
        };
        // A converter may print names that span two rows in both of them. The last row then has all names.
        let whole = head.iter().map(in_line).find(|line| line.len() == self.cells());
        let names = whole.unwrap_or_else(|| head.iter().flat_map(in_line).collect());
        if names.len() != self.cells() {
            return self.broken(&names, &blocks);
        }
        let in_blocks = names.iter().enumerate().map(|(at, name)| {
            blocks.get(at / self.columns.len()).map_or(0, |block| block * self.columns.len()) + name
        });
        Header::of(in_blocks.collect(), self.cells())
    }

    /// Interprets incomplete names: the header is silent if they follow the order of the form, block after block.
    fn broken(&self, names: &[usize], blocks: &[usize]) -> Header {
        let mut form = (0..self.cells()).map(|at| at % self.columns.len());
        let in_order = names.iter().all(|name| form.any(|column| column == *name));
        let blocks_in_order = blocks.windows(2).all(|pair| pair.first() < pair.last());
        if in_order && blocks_in_order { Header::Silent } else { Header::Conflict }
    }

    /// Returns the columns that each name covers if all fifteen are under the titles of their blocks, and otherwise
    /// nothing.
    fn headings(&self, head: &[Vec<&ReadCell<'_>>]) -> Vec<Heading> {
        let headings = self.block_headings(head);
        if headings.len() == self.cells() { headings } else { Vec::new() }
    }

    /// Returns the columns that each name covers if all names of some blocks are under the titles of these blocks, and
    /// no others are, and otherwise nothing.
    pub(crate) fn block_headings(&self, head: &[Vec<&ReadCell<'_>>]) -> Vec<Heading> {
        let pieces = || head.iter().flatten();
        let blocks: Vec<(usize, u32, u32)> =
            pieces().filter_map(|p| Some((self.block(&p.label)?, p.start(), p.end()))).collect();
        let mut headings: Vec<Heading> = pieces()
            .filter_map(|piece| {
                let name = self.column(&piece.label)?;
                let over =
                    |(_, start, end): &&(usize, u32, u32)| *start <= piece.start() && piece.end() <= *end;
                let (block, _, _) = blocks.iter().find(over)?;
                let column = block * self.columns.len() + name;
                Some(Heading { column, start: piece.start(), end: piece.end() })
            })
            .collect();
        headings.sort_by_key(|heading| heading.start);
        headings.dedup();
        let mut columns: Vec<usize> = headings.iter().map(|heading| heading.column).collect();
        columns.sort_unstable();
        let width = self.columns.len();
        let whole = columns.chunks(width).all(|block| {
            let start = block.first().map_or(0, |first| first / width * width);
            block.iter().copied().eq(start..start + width)
        });
        if whole { headings } else { Vec::new() }
    }

    /// Returns whether every block adds up; `None` if a total is not a number.
    fn sums_hold(&self, cells: &[ReadCell<'_>], order: &[usize]) -> Option<bool> {
        let mut holds = true;
        for block in 0..self.blocks.len() {
            let mut sum = rust_decimal::Decimal::ZERO;
            let mut total = None;
            if !order.iter().any(|at| at / self.columns.len() == block) {
                continue;
            }
            for (piece, column) in
                cells.iter().zip(order).filter(|(_, at)| **at / self.columns.len() == block)
            {
                let last = column % self.columns.len() + 1 == self.columns.len();
                match (piece.value, last) {
                    (CellValue::Number(number, _), true) => total = Some(number),
                    (CellValue::Number(number, _), false) => sum = sum.checked_add(number)?,
                    (_, true) => return None,
                    (_, false) => {}
                }
            }
            holds &= total? == sum;
        }
        Some(holds)
    }
}
