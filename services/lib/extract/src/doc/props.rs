//! Properties of characters and paragraphs: pages of runs, each with a list of changes to a default.

use super::bytes::{i16_at, size_at, slice, u8_at, u16_at};

/// Size of a page of properties in bytes.
pub(super) const PAGE: usize = 512;

/// Maximum number of columns of a row.
const MOST_COLUMNS: usize = 64;

/// Properties of the characters or paragraphs from one offset to another.
#[derive(Debug, Clone)]
pub(super) struct PropertyRun<T> {
    from: usize,
    to: usize,
    pub(super) value: T,
}

/// The properties of a run of characters that the reader needs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Character {
    /// Hidden, or deleted by a tracked change.
    pub(super) is_gone: bool,
    /// True for the mark of a footnote.
    pub(super) is_raised: bool,
    /// True if the character has another meaning: a symbol, a picture.
    pub(super) is_special: bool,
    pub(super) symbol: Option<char>,
}

/// The properties of a paragraph that the reader needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ParagraphProps {
    in_table: bool,
    depth: Option<usize>,
    /// True if the paragraph ends a row of a table that is not inside another.
    ends_row: bool,
    ends_inner_cell: bool,
    ends_inner_row: bool,
    /// The cells of the row, for the end of a row.
    pub(super) row: Option<RowShape>,
}

/// The positions of the cells of a row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct RowShape {
    /// Edges of the cells, in twentieths of a point: one more than there are cells.
    pub(super) edges: Vec<i16>,
    pub(super) merges: Vec<CellMerge>,
}

/// How a cell is merged with its neighbours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct CellMerge {
    /// True if the cell belongs to the cell to its left.
    pub(super) left: bool,
    /// True if the cell belongs to the cell above.
    pub(super) above: bool,
    /// True if the cell may continue below.
    pub(super) begins: bool,
}

impl ParagraphProps {
    /// Returns the number of tables around the paragraph.
    pub(super) fn depth(&self) -> usize {
        self.depth.filter(|depth| *depth > 0).unwrap_or(usize::from(self.in_table))
    }

    pub(super) fn ends_row(&self) -> bool {
        if self.depth() > 1 { self.ends_inner_row } else { self.ends_row }
    }

    /// Returns true if the paragraph is the last of its cell; `mark` is the character that ends it.
    pub(super) fn ends_cell(&self, mark: char) -> bool {
        match self.depth() {
            0 => false,
            1 => mark == '\u{7}',
            _ => self.ends_inner_cell,
        }
    }
}

/// Returns the run that contains the offset.
pub(super) fn at<T>(runs: &[PropertyRun<T>], offset: usize) -> Option<&PropertyRun<T>> {
    let index = runs.partition_point(|run| run.from <= offset).checked_sub(1)?;
    runs.get(index).filter(|run| offset < run.to)
}

impl<T> PropertyRun<T> {
    pub(super) fn holds(&self, offset: usize) -> bool {
        (self.from..self.to).contains(&offset)
    }
}

pub(super) fn characters(word: &[u8], pages: &[usize]) -> Vec<PropertyRun<Character>> {
    runs(word, pages, 1, |page, entry| {
        let mut character = Character::default();
        let start = usize::from(u8_at(page, entry)?) * 2;
        if start > 0 {
            let length = usize::from(u8_at(page, start)?);
            for_each_change(slice(page, start + 1, length)?, |code, operand| character.change(code, operand));
        }
        Some(character)
    })
}

pub(super) fn paragraphs(word: &[u8], pages: &[usize], data: &[u8]) -> Vec<PropertyRun<ParagraphProps>> {
    runs(word, pages, 13, |page, entry| {
        let mut paragraph = ParagraphProps::default();
        let start = usize::from(u8_at(page, entry)?) * 2;
        if start > 0 {
            let (at, length) = match usize::from(u8_at(page, start)?) {
                0 => (start + 2, usize::from(u8_at(page, start + 1)?) * 2),
                words => (start + 1, words * 2 - 1),
            };
            // The first two bytes name the style.
            let changes = slice(page, at, length)?.get(2..).unwrap_or_default();
            for_each_change(changes, |code, operand| paragraph.change(code, operand, data));
        }
        Some(paragraph)
    })
}

/// Reads the runs of all pages, by offset.
fn runs<T>(
    word: &[u8],
    pages: &[usize],
    entry: usize,
    read: impl Fn(&[u8], usize) -> Option<T>,
) -> Vec<PropertyRun<T>> {
    let mut runs = Vec::new();
    for page in pages {
        let Some(page) = page.checked_mul(PAGE).and_then(|at| slice(word, at, PAGE)) else { continue };
        let count = usize::from(page[PAGE - 1]);
        for index in 0..count {
            let bounds = size_at(page, index * 4).zip(size_at(page, index * 4 + 4));
            let value = read(page, (count + 1) * 4 + index * entry);
            if let (Some((from, to)), Some(value)) = (bounds, value) {
                runs.push(PropertyRun { from, to, value });
            }
        }
    }
    runs.sort_by_key(|run| run.from);
    runs
}

/// Calls `change` with the code and operand of each change in a list.
fn for_each_change(list: &[u8], mut change: impl FnMut(u16, &[u8])) {
    let mut rest = list;
    while let Some(code) = u16_at(rest, 0) {
        let length = match (code >> 13, code) {
            (_, 0xd608 | 0xd606) => u16_at(rest, 2).map(|length| usize::from(length) + 1),
            (6, _) => u8_at(rest, 2).map(|length| usize::from(length) + 1),
            (0 | 1, _) => Some(1),
            (2 | 4 | 5, _) => Some(2),
            (3, _) => Some(4),
            _ => Some(3),
        };
        let Some(operand) = length.and_then(|length| slice(rest, 2, length)) else { return };
        change(code, operand);
        rest = &rest[2 + operand.len()..];
    }
}

// === changes ===

impl Character {
    fn change(&mut self, code: u16, operand: &[u8]) {
        let is_on = u8_at(operand, 0) == Some(1);
        match code {
            // Deleted, hidden and struck-out text.
            0x0800 | 0x083c | 0x0837 | 0x2a53 => self.is_gone |= is_on,
            0x2a48 => self.is_raised = is_on,
            0x0855 => self.is_special = is_on,
            0x6a09 => self.symbol = u16_at(operand, 2).and_then(|code| char::from_u32(code.into())),
            _ => {}
        }
    }
}

impl ParagraphProps {
    fn change(&mut self, code: u16, operand: &[u8], data: &[u8]) {
        let is_on = u8_at(operand, 0) == Some(1);
        match code {
            0x2416 => self.in_table = is_on,
            0x2417 => self.ends_row = is_on,
            0x6649 => self.depth = size_at(operand, 0),
            0x244b => self.ends_inner_cell = is_on,
            0x244c => self.ends_inner_row = is_on,
            0xd608 => self.row = RowShape::read(operand),
            0xd62b => self.merge_down(operand),
            0x5624 => self.merge_right(operand),
            // A list that is too long for its page is in a stream of its own, which must not contain such a reference
            // again.
            0x6645 | 0x6646 => {
                let list = size_at(operand, 0).and_then(|at| {
                    let length = usize::from(u16_at(data, at)?);
                    slice(data, at + 2, length)
                });
                for_each_change(list.unwrap_or_default(), |code, operand| self.change(code, operand, &[]));
            }
            _ => {}
        }
    }

    fn merge_down(&mut self, operand: &[u8]) {
        let cell = u8_at(operand, 1).map(usize::from);
        let flags = u8_at(operand, 2).unwrap_or(0);
        let row = self.row.as_mut();
        if let Some(merge) = row.zip(cell).and_then(|(row, cell)| row.merges.get_mut(cell)) {
            (merge.above, merge.begins) = (flags == 1, flags == 3);
        }
    }

    fn merge_right(&mut self, operand: &[u8]) {
        let first = u8_at(operand, 0).map_or(0, usize::from);
        let end = u8_at(operand, 1).map_or(0, usize::from);
        let row = self.row.as_mut();
        if let Some(merges) = row.and_then(|row| row.merges.get_mut(first + 1..end)) {
            merges.iter_mut().for_each(|merge| merge.left = true);
        }
    }
}

impl RowShape {
    fn read(operand: &[u8]) -> Option<Self> {
        let count = usize::from(u8_at(operand, 2)?).min(MOST_COLUMNS);
        let edges: Option<Vec<i16>> = (0..=count).map(|index| i16_at(operand, 3 + index * 2)).collect();
        let cells = 3 + (count + 1) * 2;
        let merge = |index: usize| {
            // Cells without a description have no properties.
            let flags = u16_at(operand, cells + index * 20).unwrap_or(0);
            let down = flags >> 5 & 3;
            CellMerge { left: flags & 3 == 1, above: down == 1, begins: down == 3 }
        };
        Some(Self { edges: edges?, merges: (0..count).map(merge).collect() })
    }
}
