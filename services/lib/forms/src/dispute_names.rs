//! The names of the blocks and columns of chapter 四, and what rows and heads they name.

use crate::{
    columns::{Header, Heading},
    form::Form,
    label::norm,
    read_cell::ReadCell,
    rows::Row,
    value::CellValue,
    years,
};

/// The names of blocks and columns, normalised for comparison.
pub(crate) struct DisputeNames {
    pub(crate) blocks: Vec<String>,
    pub(crate) columns: Vec<String>,
}

impl DisputeNames {
    pub(crate) fn of(form: &Form) -> Self {
        let blocks = form.disputes.blocks.iter().map(|block| norm(&block.label.text));
        let columns = form.disputes.columns.iter().map(|column| norm(&column.label.text));
        Self { blocks: blocks.collect(), columns: columns.collect() }
    }

    pub(crate) fn cells(&self) -> usize {
        self.blocks.len() * self.columns.len()
    }

    pub(crate) fn column(&self, label: &str) -> Option<usize> {
        self.columns.iter().position(|name| name == label)
    }

    /// Returns the one column whose name begins with a label that a narrow column cut.
    fn cut_column(&self, label: &str) -> Option<usize> {
        let begins = |name: &String| label.chars().count() > 2 && name.starts_with(label);
        let mut found = self.columns.iter().enumerate().filter(|(_, name)| begins(name)).map(|(at, _)| at);
        found.next().filter(|_| found.next().is_none())
    }

    /// Returns the block with this title, which may have 行政诉讼 before or behind: 行政诉讼（复议后起诉）.
    pub(crate) fn block(&self, label: &str) -> Option<usize> {
        let exact = |label: &str| self.blocks.iter().position(|name| name == label);
        let bare = || label.strip_prefix("行政诉讼").or_else(|| label.strip_suffix("行政诉讼"));
        exact(label).or_else(|| exact(bare()?.trim_end_matches('的')))
    }

    /// Returns the block that a line above a table names: （一）行政复议情况.
    pub(crate) fn block_of_line(&self, line: &str) -> Option<usize> {
        let is_named = |name: &String| {
            line.contains(name.as_str()) && !(line.contains("诉讼") && name.as_str() == "行政复议")
        };
        let mut named = self.blocks.iter().enumerate().filter(|(_, name)| is_named(name)).map(|(at, _)| at);
        named.next().filter(|_| named.next().is_none())
    }

    /// Returns the columns that each name covers in a table of one block, which a line above it names.
    pub(crate) fn headings_below(&self, line: &str, head: &[Vec<&ReadCell<'_>>]) -> Vec<Heading> {
        let Some(block) = self.block_of_line(line) else { return Vec::new() };
        let named = head.iter().flatten().filter_map(|piece| {
            let column = block * self.columns.len() + self.column(&piece.label)?;
            Some(Heading { column, start: piece.start(), end: piece.end() })
        });
        let mut headings: Vec<Heading> = named.collect();
        headings.sort_by_key(|heading| heading.start);
        let mut columns: Vec<usize> = headings.iter().map(|heading| heading.column).collect();
        columns.sort_unstable();
        let first = block * self.columns.len();
        if columns.into_iter().eq(first..first + self.columns.len()) { headings } else { Vec::new() }
    }

    /// Returns the values of a list of one value a row, each with its cell. Empty unless the list has every cell once.
    pub(crate) fn listed<'r, 'a>(
        &self,
        rows: impl Iterator<Item = &'r Row<'a>>,
    ) -> Vec<(usize, &'r ReadCell<'a>)>
    where
        'a: 'r,
    {
        let (mut block, mut found) = (None, Vec::new());
        for row in rows {
            block = row.labels.iter().rev().find_map(|piece| self.block(&piece.label)).or(block);
            let column = row.labels.last().and_then(|own| self.column(&own.label));
            if let (Some(block), Some(column), [value]) = (block, column, row.values.as_slice()) {
                found.push((block * self.columns.len() + column, value));
            }
        }
        let mut cells: Vec<usize> = found.iter().map(|(cell, _)| *cell).collect();
        cells.sort_unstable();
        if cells.into_iter().eq(0..self.cells()) { found } else { Vec::new() }
    }

    /// Returns the column that the row belongs to, if the row has one value for each block.
    pub(crate) fn turned_row(&self, row: &Row<'_>) -> Option<usize> {
        let own = row.labels.last().filter(|_| row.values.len() == self.blocks.len())?;
        self.column(&own.label)
    }

    /// Returns the blocks in the order of their titles, if each has exactly one.
    pub(crate) fn blocks_in(&self, head: &[Vec<&ReadCell<'_>>]) -> Option<Vec<usize>> {
        let order: Vec<usize> = head.iter().flatten().filter_map(|piece| self.block(&piece.label)).collect();
        let mut sorted = order.clone();
        sorted.sort_unstable();
        sorted.into_iter().eq(0..self.blocks.len()).then_some(order)
    }

    /// Returns the block that the row belongs to.
    pub(crate) fn block_row(&self, row: &Row<'_>) -> Option<usize> {
        let few = (self.columns.len()..2 * self.columns.len()).contains(&row.values.len());
        let number = row.values.iter().any(|piece| piece.value != CellValue::Blank);
        row.labels.last().filter(|_| few && number).and_then(|own| self.block(&own.label))
    }

    /// Returns the order of the fifteen columns, by the reading order of their names.
    pub(crate) fn in_words(&self, head: &[Vec<&str>]) -> Header {
        let labels = || head.iter().flatten().copied();
        let mut titles: Vec<&str> = labels().filter(|l| matches!(*l, "行政复议" | "行政诉讼")).collect();
        titles.dedup();
        if matches!(titles.as_slice(), ["行政诉讼", "行政复议", ..]) {
            return Header::Conflict;
        }
        // Where 行政复议 stands behind all columns' names, it is the title of a row.
        let place =
            |is: &dyn Fn(&str) -> bool| labels().enumerate().filter(|(_, l)| is(l)).map(|(at, _)| at).last();
        let (title, name) = (place(&|l| l == "行政复议"), place(&|l| self.column(l).is_some()));
        if name.is_some() && title > name {
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
        let in_line = |line: &Vec<&str>| -> Vec<usize> {
            line.iter().filter_map(|piece| self.column(piece).or_else(|| self.cut_column(piece))).collect()
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
    pub(crate) fn broken(&self, names: &[usize], blocks: &[usize]) -> Header {
        let mut form = (0..self.cells()).map(|at| at % self.columns.len());
        let in_order = names.iter().all(|name| form.any(|column| column == *name));
        let blocks_in_order = blocks.windows(2).all(|pair| pair.first() < pair.last());
        if in_order && blocks_in_order { Header::Silent } else { Header::Conflict }
    }

    /// Returns the columns that each name covers if all fifteen are under the titles of their blocks, and otherwise
    /// nothing.
    pub(crate) fn headings(&self, head: &[Vec<&ReadCell<'_>>]) -> Vec<Heading> {
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
        years::narrow(&mut headings, pieces().copied());
        let mut columns: Vec<usize> = headings.iter().map(|heading| heading.column).collect();
        columns.sort_unstable();
        let width = self.columns.len();
        let whole = columns.chunks(width).all(|block| {
            let start = block.first().map_or(0, |first| first / width * width);
            block.iter().copied().eq(start..start + width)
        });
        if whole { headings } else { Vec::new() }
    }

    /// Returns true if a block does not add up.
    pub(crate) fn fails(&self, cells: &[ReadCell<'_>], order: &[usize]) -> bool {
        let width = self.columns.len();
        (0..self.blocks.len()).any(|block| {
            let own = cells.iter().zip(order).filter(|(_, at)| **at / width == block);
            let (cells, order): (Vec<ReadCell<'_>>, Vec<usize>) =
                own.map(|(cell, at)| (cell.clone(), *at)).unzip();
            !order.is_empty() && self.sums_hold(&cells, &order) == Some(false)
        })
    }

    /// Returns true if the last cell is blank and the one before it can be the total of its block: a cell is lost.
    pub(crate) fn end_has_closed_up(&self, cells: &[ReadCell<'_>], order: &[usize]) -> bool {
        let number = |piece: &ReadCell<'_>| match piece.value {
            CellValue::Number(number, _) => Some(number),
            _ => None,
        };
        let in_order = order.iter().copied().eq(0..self.cells());
        let block = cells.get(cells.len().saturating_sub(self.columns.len())..).unwrap_or_default();
        let Some((last, [parts @ .., total])) = block.split_last() else { return false };
        let sum = parts.iter().filter_map(number).fold(rust_decimal::Decimal::ZERO, |sum, part| sum + part);
        in_order && last.value == CellValue::Blank && number(total).is_some_and(|total| sum <= total)
    }

    /// Returns true if the header has each column's name only once, as one with a row for each of them has it.
    pub(crate) fn are_printed_once(&self, head: &[Vec<&str>]) -> bool {
        let mut names: Vec<usize> = head.iter().flatten().filter_map(|title| self.column(title)).collect();
        names.sort_unstable();
        names.into_iter().eq(0..self.columns.len())
    }

    /// Returns true if the blocks add up with their totals first, and not in this order.
    pub(crate) fn are_turned(&self, cells: &[ReadCell<'_>], order: &[usize]) -> bool {
        let width = self.columns.len();
        let total_first: Vec<usize> = (0..self.cells())
            .map(|at| at / width * width + (at % width).checked_sub(1).unwrap_or(width - 1))
            .collect();
        let is_whole = cells.len() == self.cells() && order != total_first;
        is_whole
            && self.sums_hold(cells, order) == Some(false)
            && self.sums_hold(cells, &total_first) == Some(true)
    }

    /// Returns whether every block adds up; `None` if a total is not a number.
    pub(crate) fn sums_hold(&self, cells: &[ReadCell<'_>], order: &[usize]) -> Option<bool> {
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
