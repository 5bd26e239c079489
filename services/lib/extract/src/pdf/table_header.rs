//! The header of a table without rulings: the names over its columns, which may wrap over several lines.

use std::ops::Range;

use super::{
    column::{ColumnRange, TOUCH},
    lines::LinePiece,
    page_line::PageLine,
};
use crate::text::lines::is_title;

/// Maximum number of lines above a group's rows that can belong to its header.
const MOST_HEADER_LINES: usize = 12;

/// Maximum distance between lines of a header, as a multiple of their size.
const HEADER_GAP: f64 = 3.0;

/// Maximum distance between lines of one name, as a multiple of their size.
pub(super) const ONE_NAME: f64 = 1.5;

/// Maximum number of columns of a table of figures.
pub(super) const MOST_COLUMNS: usize = 64;

/// Returns the lines directly above the rows, nearest first.
pub(super) fn above(lines: &[PageLine], above: Range<usize>) -> Vec<usize> {
    let mut header = Vec::new();
    let mut below = above.end;
    for at in above.rev().take(MOST_HEADER_LINES) {
        let Some((PageLine { line, page }, next)) = lines.get(at).zip(lines.get(below)) else { break };
        if *page != next.page
            || next.line.y - line.y > HEADER_GAP * line.size
            || is_title(&line.text)
            || line.text.contains('。')
        {
            break;
        }
        header.push(at);
        below = at;
    }
    header
}

/// A name in a header: its lines from bottom to top, each with the ordinal of its run.
#[derive(Debug)]
struct HeaderName {
    runs: Vec<(usize, usize)>,
    x0: f64,
    x1: f64,
    top: f64,
    bottom: f64,
}

impl HeaderName {
    fn is_over(&self, x0: f64, x1: f64) -> bool {
        self.x0 < x1 - TOUCH && x0 < self.x1 - TOUCH
    }

    fn is_beside(&self, other: &Self) -> bool {
        self.top <= other.bottom && other.top <= self.bottom
    }
}

/// Returns the names in a header, lowest first. Runs that are close below each other form one name.
fn names(lines: &[PageLine], header: &[usize], labels: f64) -> Vec<HeaderName> {
    let mut names: Vec<HeaderName> = Vec::new();
    for (at, line) in header.iter().filter_map(|at| Some((*at, &lines.get(*at)?.line))) {
        if line.runs.len() > MOST_COLUMNS {
            continue;
        }
        let runs = line.runs.iter().enumerate().filter(|(_, run)| run.x0 >= labels - TOUCH);
        let is_under = |name: &HeaderName, run: &LinePiece| {
            name.is_over(run.x0, run.x1) && (0.0..=ONE_NAME * line.size).contains(&(name.top - run.y))
        };
        let under: Vec<(usize, &LinePiece, Vec<usize>)> = runs
            .map(|(ordinal, run)| {
                (ordinal, run, (0..names.len()).filter(|name| is_under(&names[*name], run)).collect())
            })
            .collect();
        for (ordinal, run, below) in &under {
            let own = below.first().filter(|name| {
                below.len() == 1 && under.iter().filter(|(_, _, below)| below.contains(name)).count() == 1
            });
            match own.and_then(|name| names.get_mut(*name)) {
                Some(name) => {
                    name.runs.push((at, *ordinal));
                    (name.x0, name.x1, name.top) = (name.x0.min(run.x0), name.x1.max(run.x1), run.y);
                }
                None => names.push(HeaderName {
                    runs: vec![(at, *ordinal)],
                    x0: run.x0,
                    x1: run.x1,
                    top: run.y,
                    bottom: run.y,
                }),
            }
        }
    }
    names
}

/// Names the columns. A column's name is the lowest one that is above it and above no other. A name above no column
/// that is beside other names adds a blank column.
///
/// Returns true if every column has a name. Otherwise the columns stay unchanged, because the names are not above
/// their numbers.
pub(super) fn name(
    columns: &mut Vec<ColumnRange>,
    lines: &[PageLine],
    header: &[usize],
    labels: f64,
) -> bool {
    let mut named = columns.clone();
    let names = names(lines, header, labels);
    for (at, name) in names.iter().enumerate() {
        let mut over = named.iter_mut().filter(|column| name.is_over(column.x0, column.x1));
        match (over.next(), over.next()) {
            (Some(column), None) if column.name.is_empty() => {
                (column.x0, column.x1) = (column.x0.min(name.x0), column.x1.max(name.x1));
                column.name.clone_from(&name.runs);
            }
            (None, _) if names.iter().enumerate().any(|(b, other)| b != at && name.is_beside(other)) => {
                let (x0, x1, name) = (name.x0, name.x1, name.runs.clone());
                let place = named.partition_point(|column| column.x0 < x0);
                named.insert(place, ColumnRange { x0, x1, has_numbers: false, name });
            }
            _ => {}
        }
    }
    let is_sure = named.iter().all(|column| !column.name.is_empty()) && named.len() <= MOST_COLUMNS;
    if is_sure {
        *columns = named;
    }
    is_sure
}
