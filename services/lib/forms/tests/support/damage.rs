//! The kinds of damage to test reports before they are read.

use super::{Cell, Sample};

/// The damage of a test report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Damage {
    /// No damage.
    None,
    /// A value cell is missing.
    DropCell,
    /// A value cell is missing, and no total is the sum of its parts.
    DropCellUnsummed,
    /// A row has one number too many.
    AddCell,
    /// A value cell is empty.
    BlankCell,
    /// Several value cells are empty.
    BlankCells,
    /// All cells of one applicant are empty.
    BlankColumn,
    /// The first and last columns are empty.
    BlankEnds,
    /// A cell has the mark `/` instead of its number.
    Mark,
    /// Two applicants' columns are swapped, titles included.
    SwapColumns,
    /// Two columns of the first band are swapped, titles included.
    SwapBandColumns,
    /// Two columns of a block of chapter 四 are swapped, titles included.
    SwapDisputeColumns,
    /// Two rows of chapter 三 are swapped, labels included.
    SwapRows,
    /// A row of chapter 三 is missing.
    DropRow,
    /// A title 第二十条… is missing.
    DropBand,
    /// A row's label is missing.
    DropLabel,
    /// A label with a misprint.
    Misprint,
    /// A note in brackets after a number.
    Note,
    /// A stray blank cell at the end of a row.
    StrayBlank,
    /// A row is repeated.
    DoubleRow,
    /// A value that is not a number.
    Garbage,
}

pub(crate) const ALL: [Damage; 21] = [
    Damage::None,
    Damage::DropCell,
    Damage::DropCellUnsummed,
    Damage::AddCell,
    Damage::BlankCell,
    Damage::BlankCells,
    Damage::BlankColumn,
    Damage::BlankEnds,
    Damage::Mark,
    Damage::SwapColumns,
    Damage::SwapBandColumns,
    Damage::SwapDisputeColumns,
    Damage::SwapRows,
    Damage::DropRow,
    Damage::DropBand,
    Damage::DropLabel,
    Damage::Misprint,
    Damage::Note,
    Damage::StrayBlank,
    Damage::DoubleRow,
    Damage::Garbage,
];

impl Damage {
    /// Damages a report at a place that the seed chooses, and adjusts the expected values.
    pub(crate) fn apply(self, sample: &mut Sample, seed: u32) {
        let all = sample.values();
        let pick = |salt: u32| {
            all[(seed.wrapping_mul(2_654_435_761).wrapping_add(salt * 97) as usize >> 4) % all.len()]
        };
        let (t, r, c) = pick(1);
        let rows = &mut sample.tables[t];
        match self {
            Self::None => {}
            Self::DropCell => {
                let cell = rows[r].remove(c);
                forget(sample, &cell);
            }
            Self::DropCellUnsummed => {
                unsum(sample);
                let cell = sample.tables[t][r].remove(c);
                forget(sample, &cell);
            }
            Self::AddCell => rows[r].insert(c, super::head("99991", 1, 1)),
            Self::BlankCell => sample.blank((t, r, c)),
            Self::BlankCells => (0..30).for_each(|at| sample.blank(pick(at))),
            Self::BlankColumn => blank_columns(sample, &[seed as usize % 7]),
            Self::BlankEnds => blank_columns(sample, &[0, 6]),
            Self::Mark => {
                rows[r][c].text = "/".to_owned();
                let id = rows[r][c].fact.as_ref().unwrap().to_string();
                sample.truth.insert(id, Some("/".to_owned()));
            }
            Self::SwapColumns => swap_applicants(sample, seed),
            Self::SwapBandColumns => swap_in(&mut sample.tables[0], 1..4, seed, 2),
            Self::SwapDisputeColumns => {
                let (a, b) = two(5, seed);
                let table = &mut sample.tables[2];
                table[1].swap(a, b);
                table[3].swap(a, b);
            }
            Self::SwapRows => {
                let (a, b) = two(sample.tables[1].len() - 3, seed);
                swap_rows(&mut sample.tables[1], 3 + a, 3 + b);
            }
            Self::DropRow => {
                let at = 3 + seed as usize % (sample.tables[1].len() - 3);
                let gone = sample.tables[1].remove(at);
                gone.iter().for_each(|cell| forget(sample, cell));
            }
            Self::DropBand => {
                let bands: Vec<usize> =
                    (0..sample.tables[0].len()).filter(|at| sample.tables[0][*at].len() == 1).collect();
                sample.tables[0].remove(bands[seed as usize % bands.len()]);
            }
            Self::DropLabel => label(&mut rows[r]).into_iter().for_each(|cell| cell.text.clear()),
            Self::Misprint => label(&mut rows[r]).into_iter().for_each(misprint),
            Self::Note => rows[r][c].text += "（其中修订 16 件）",
            Self::StrayBlank => rows[r].push(super::head("", 1, 1)),
            Self::DoubleRow => {
                let again = rows[r].clone();
                rows.insert(r, again);
            }
            Self::Garbage => {
                rows[r][c].text = "1 2".to_owned();
                let cell = rows[r][c].clone();
                forget(sample, &cell);
            }
        }
    }
}

/// Removes the cell's fact, which is not in the document any more.
fn forget(sample: &mut Sample, cell: &Cell) {
    if let Some(id) = &cell.fact {
        sample.truth.insert(id.to_string(), None);
    }
}

fn two(count: usize, seed: u32) -> (usize, usize) {
    let a = seed as usize % count;
    (a, (a + 1 + (seed as usize / 7) % (count - 1)) % count)
}

fn blank_columns(sample: &mut Sample, columns: &[usize]) {
    for (t, r, c) in sample.values() {
        let first = sample.tables[t][r].len().saturating_sub(7);
        if t == 1 && columns.iter().any(|column| first + column == c) {
            sample.blank((t, r, c));
        }
    }
}

/// Swaps two of the five organisations, or 自然人 and 总计.
fn swap_applicants(sample: &mut Sample, seed: u32) {
    let table = &mut sample.tables[1];
    let (a, b) = if seed.is_multiple_of(4) {
        table[1].swap(0, 2);
        (0, 6)
    } else {
        let (a, b) = two(5, seed);
        table[2].swap(a, b);
        (a + 1, b + 1)
    };
    for row in table.iter_mut().skip(3) {
        let first = row.len() - 7;
        row.swap(first + a, first + b);
    }
}

fn swap_in(table: &mut [Vec<Cell>], rows: std::ops::Range<usize>, seed: u32, count: usize) {
    let (a, b) = two(count, seed);
    rows.for_each(|row| table[row].swap(1 + a, 1 + b));
}

/// Swaps labels and values of two rows; the cells of groups stay.
fn swap_rows(table: &mut [Vec<Cell>], a: usize, b: usize) {
    for back in 1..=8 {
        let (x, y) = (table[a].len() - back, table[b].len() - back);
        let (columns_x, columns_y) = (table[a][x].columns, table[b][y].columns);
        let left = table[a][x].clone();
        table[a][x] = Cell { columns: columns_x, ..table[b][y].clone() };
        table[b][y] = Cell { columns: columns_y, ..left };
    }
}

/// Returns the row's own label, if it has one.
fn label(row: &mut [Cell]) -> Option<&mut Cell> {
    row.iter_mut().rev().find(|cell| cell.fact.is_none())
}

fn misprint(cell: &mut Cell) {
    if cell.text.chars().count() > 6 {
        let middle = cell.text.chars().count() - 3;
        cell.text = cell.text.chars().enumerate().filter(|(at, _)| *at != middle).map(|(_, c)| c).collect();
    }
}

/// Sets every total of chapter 三 to a number of its own, far below the sum of its parts.
fn unsum(sample: &mut Sample) {
    for (at, row) in sample.tables[1].iter_mut().enumerate().skip(3) {
        let total = row.last_mut().unwrap();
        total.text = (at * 2 + 1).to_string();
        sample.truth.insert(total.fact.as_ref().unwrap().to_string(), Some(total.text.clone()));
    }
}
