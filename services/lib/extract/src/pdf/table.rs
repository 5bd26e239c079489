//! The part of a table on one page: the cells of a lattice, and the glyphs inside them.

use gongkai_model::Area;

use super::{
    drawn_page::Glyph,
    lines::{self, TextLine},
    rulings::{Groups, Lattice},
};

/// A table, or the part of it on one page.
#[derive(Debug)]
pub(super) struct TablePart {
    /// Upright edges.
    pub(super) xs: Vec<f64>,
    pub(super) bottom: f64,
    pub(super) rows: usize,
    pub(super) cells: Vec<PartCell>,
    /// True if no line closes the part at the top or the bottom: its row continues from the previous page or on the
    /// next.
    pub(super) is_open_above: bool,
    pub(super) is_open_below: bool,
}

/// A cell, given by the edges around it.
#[derive(Debug, Clone)]
pub(super) struct PartCell {
    pub(super) row: usize,
    pub(super) row_span: usize,
    pub(super) x0: f64,
    pub(super) x1: f64,
    pub(super) page: u32,
    /// Box of the cell. For a cell that a page break cut, the box of the upper part.
    pub(super) area: Option<Area>,
    pub(super) text: String,
    /// True if its last line fills the whole width, so that the text may continue.
    pub(super) is_full: bool,
}

/// Reads a lattice and marks its glyphs in `taken`. Returns `None` if the table has only one cell per row.
pub(super) fn read(lattice: &Lattice, glyphs: &[Glyph], taken: &mut [bool], page: u32) -> Option<TablePart> {
    let regions = regions(lattice);
    // If no lines separate the cells of a row, the cells are found by the positions of the numbers instead.
    if regions.len() < 2 || lattice.xs.len() < 3 {
        return None;
    }
    let columns = lattice.xs.len() - 1;
    let rows = lattice.ys.len() - 1;
    let mut region_at = vec![0; rows * columns];
    for (index, region) in regions.iter().enumerate() {
        for row in region.rows.clone() {
            for column in region.columns.clone() {
                if let Some(slot) = region_at.get_mut(row * columns + column) {
                    *slot = index;
                }
            }
        }
    }
    let mut inside: Vec<Vec<&Glyph>> = vec![Vec::new(); regions.len()];
    for (glyph, taken) in glyphs.iter().zip(taken) {
        let (x, y) = glyph.middle();
        let place = between(&lattice.xs, x).zip(between(&lattice.ys, y));
        if let (Some((column, row)), false) = (place, *taken) {
            let index = region_at.get(row * columns + column).copied().unwrap_or(0);
            inside.get_mut(index)?.push(glyph);
            *taken = true;
        }
    }
    // If some rows end with a line, an empty box without that line is the space that a short row leaves free.
    let ends = lattice
        .ys
        .windows(2)
        .any(|row| row.first().zip(row.last()).is_some_and(|(y0, y1)| lattice.ends(*y0, *y1)));
    let is_cell = |(region, glyphs): &(&LatticeBox, Vec<&Glyph>)| {
        !ends || !glyphs.is_empty() || region.columns.end < columns || region.ends(lattice)
    };
    let cells = regions.iter().zip(inside).filter(is_cell);
    let cells = cells.map(|(region, glyphs)| region.cell(lattice, glyphs, page)).collect();
    let is_open = |y: f64| {
        let (left, right) = (lattice.xs.first().copied(), lattice.xs.last().copied());
        !lattice.is_drawn(true, y, left.unwrap_or(0.0), right.unwrap_or(0.0))
    };
    Some(TablePart {
        bottom: lattice.bottom(),
        rows,
        cells,
        is_open_above: is_open(lattice.top()),
        is_open_below: is_open(lattice.bottom()),
        xs: lattice.xs.clone(),
    })
}

/// Returns a box in whole points, rounded outwards, or `None` if it is far outside of any page.
fn area([left, top, right, bottom]: [f64; 4]) -> Option<Area> {
    // The values are whole numbers, and their range is checked.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole, and within the bounds"
    )]
    let whole = |place: f64| (0.0..1e6).contains(&place).then_some(place as u32);
    let (left, top) = (whole(left.max(0.0).floor())?, whole(top.max(0.0).floor())?);
    Some(Area { left, top, right: whole(right.ceil())?, bottom: whole(bottom.ceil())? })
}

/// Returns the index of the interval between two edges that contains a position.
fn between(edges: &[f64], place: f64) -> Option<usize> {
    let index = edges.partition_point(|edge| *edge <= place);
    (index > 0 && index < edges.len()).then(|| index - 1)
}

/// A box of the lattice that no line divides.
struct LatticeBox {
    rows: std::ops::Range<usize>,
    columns: std::ops::Range<usize>,
}

impl LatticeBox {
    /// Returns true if the right side of the lattice is drawn beside it.
    fn ends(&self, lattice: &Lattice) -> bool {
        let y = |edge: usize| lattice.ys.get(edge).copied().unwrap_or(0.0);
        lattice.ends(y(self.rows.start), y(self.rows.end))
    }

    fn cell(&self, lattice: &Lattice, glyphs: Vec<&Glyph>, page: u32) -> PartCell {
        let x = |edge: usize| lattice.xs.get(edge).copied().unwrap_or(0.0);
        let (x0, x1) = (x(self.columns.start), x(self.columns.end));
        let lines: Vec<TextLine> = lines::lines(glyphs);
        let text = lines::cell_text(&lines, x1 - x0);
        let is_full = lines.last().is_some_and(|line| line.fills(x1 - x0));
        let y = |edge: usize| lattice.ys.get(edge).copied().unwrap_or(0.0);
        let area = area([x0, y(self.rows.start), x1, y(self.rows.end)]);
        let (row, row_span) = (self.rows.start, self.rows.len());
        PartCell { row, row_span, x0, x1, page, area, text, is_full }
    }
}

fn regions(lattice: &Lattice) -> Vec<LatticeBox> {
    let (columns, rows) = (lattice.xs.len() - 1, lattice.ys.len() - 1);
    let mut groups = Groups::new(columns * rows);
    let beside = |row: usize, column: usize| {
        let (Some(x), Some([from, to])) = (lattice.xs.get(column + 1), lattice.ys.get(row..row + 2)) else {
            return true;
        };
        lattice.is_drawn(false, *x, *from, *to)
    };
    let below = |row: usize, column: usize| {
        let (Some(y), Some([from, to])) = (lattice.ys.get(row + 1), lattice.xs.get(column..column + 2))
        else {
            return true;
        };
        lattice.is_drawn(true, *y, *from, *to)
    };
    for row in 0..rows {
        for column in 0..columns {
            let at = row * columns + column;
            if column + 1 < columns && !beside(row, column) {
                groups.unite(at, at + 1);
            }
            if row + 1 < rows && !below(row, column) {
                groups.unite(at, at + columns);
            }
        }
    }
    groups.members().into_iter().flat_map(|members| boxes(&members, columns)).collect()
}

/// Turns a group into one box, or into one box per row if the group is not a rectangle.
fn boxes(members: &[usize], columns: usize) -> Vec<LatticeBox> {
    let row = |member: &usize| member / columns;
    let column = |member: &usize| member % columns;
    let bound = |members: &[usize]| LatticeBox {
        rows: members.iter().map(row).min().unwrap_or(0)..members.iter().map(row).max().unwrap_or(0) + 1,
        columns: members.iter().map(column).min().unwrap_or(0)
            ..members.iter().map(column).max().unwrap_or(0) + 1,
    };
    let whole = bound(members);
    if whole.rows.len() * whole.columns.len() == members.len() {
        return vec![whole];
    }
    let parts = members.chunk_by(|a, b| *b == a + 1 && row(a) == row(b));
    parts.map(bound).collect()
}
