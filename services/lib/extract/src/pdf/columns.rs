//! Columns of tables without rulings. A blank cell is found by the positions of the numbers in other rows.
//!
//! A group is the set of rows under one header. Its columns are the horizontal ranges of its numbers and of the names
//! of its header. A row that has nothing in one of them has a blank there. If two columns cannot be distinguished, or
//! two numbers of a row fall into one column, no blanks are inserted and the row stays as short as it is.

use std::{collections::HashMap, ops::Range};

use super::{
    canvas::UNREADABLE,
    column::{ColumnRange, TOUCH},
    lines::{CELL_MARGINS, LinePiece, TextLine},
    page_line::PageLine,
    table_header::{self, MOST_COLUMNS, ONE_NAME},
};
use crate::text::lines::{is_item, is_mark, is_number, is_title};

/// Maximum distance between lines of one row, as a multiple of their size. Such lines contain numbers that are too
/// long for their cells.
const ONE_ROW: f64 = 1.0;

/// The same maximum if most lines in the table are further apart.
const WRAPPED: f64 = 1.35;

/// Minimum number of numbered labels (`（三）`, `2.`) that are needed to find where labels begin.
const FEWEST_NUMBERED: usize = 3;

/// Maximum number of lines of one number.
const MOST_LINES: usize = 4;

/// The changes to the lines of a text.
#[derive(Debug, Default)]
pub(super) struct SpacedLines {
    /// The lines that change, each with its new text.
    pub(super) texts: HashMap<usize, String>,
    /// True if a blank was inserted somewhere.
    pub(super) has_blanks: bool,
}

/// Returns true for a row of a table of numbers: a name and three numbers, or many numbers.
pub(super) fn is_row(line: &TextLine) -> bool {
    first_value(line).is_some_and(|first| {
        let values = line.pieces.len() - first;
        values > 6 || (values > 2 && first > 0)
    })
}

/// Finds the columns of all tables in the lines.
pub(super) fn align(lines: &[PageLine]) -> SpacedLines {
    let mut placed = SpacedLines::default();
    let mut end = 0;
    while let Some(first) = (end..lines.len()).find(|at| first_value(&lines[*at].line).is_some()) {
        let body = body(lines, first);
        let header = table_header::above(lines, end..first);
        end = body.end;
        if let Some(group) = RowGroup::of(lines, body, header) {
            group.align(&mut placed);
        }
    }
    placed
}

/// Returns the ordinal of the first piece of a row's values. The line is a row if more than half of its pieces from
/// the first number or mark on are numbers or marks; otherwise returns `None`.
fn first_value(line: &TextLine) -> Option<usize> {
    let is_value = |piece: &LinePiece| {
        let text = line.text_of(piece).trim();
        is_number(text) || is_mark(text)
    };
    let first = line.pieces.iter().position(is_value)?;
    let rest = line.pieces.get(first..)?;
    (rest.iter().filter(|piece| is_value(piece)).count() * 2 > rest.len()).then_some(first)
}

/// Returns the lines of the rows from `first` on that are under one header, including lines that only continue their
/// labels.
fn body(lines: &[PageLine], first: usize) -> Range<usize> {
    let (mut left, mut right) = (f64::MAX, f64::MIN);
    let mut end = first;
    for PageLine { line, .. } in lines.get(first..).unwrap_or_default() {
        match first_value(line) {
            Some(at) => {
                left = line.pieces.get(at).map_or(left, |piece| left.min(piece.x0));
                right = label_end(line, at).map_or(right, |x| right.max(x));
            }
            // A text above the numbers or beside the labels is a name, so another header begins.
            None if is_title(&line.text)
                || line.x1 > left
                || line.runs.iter().any(|run| right > f64::MIN && run.x0 >= right) =>
            {
                break;
            }
            None => {}
        }
        end += 1;
    }
    first..end
}

fn label_end(line: &TextLine, first: usize) -> Option<f64> {
    first.checked_sub(1).and_then(|last| line.pieces.get(last)).map(|piece| piece.x1)
}

/// The rows under one header, and their columns.
struct RowGroup<'l> {
    lines: &'l [PageLine],
    rows: Vec<Vec<RowLine>>,
    columns: Vec<ColumnRange>,
    /// The lines of the header, nearest first. Empty if the header does not name the columns.
    header: Vec<usize>,
    /// The lines of the rows, including those that continue their labels.
    body: Range<usize>,
    labels: Labels,
}

/// The side of the line with the values on which the other lines of a label are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Labels {
    Above,
    Below,
    /// The lines are on both sides, or it is unknown where they are. They are not joined.
    Apart,
}

/// A line of a row. Most rows have one.
struct RowLine {
    line: usize,
    /// The ordinal of the first value among the pieces of the line.
    first: usize,
    /// The column of each value.
    columns: Vec<usize>,
}

impl<'l> RowGroup<'l> {
    /// Creates a group of the rows. Returns `None` if their columns cannot be distinguished.
    fn of(lines: &'l [PageLine], body: Range<usize>, mut header: Vec<usize>) -> Option<Self> {
        let labels = labels_end(lines, body.clone());
        let mut rows: Vec<RowLine> = body.clone().filter_map(|at| RowLine::of(lines, at, labels)).collect();
        let mut columns = under_each_other(rows.iter().flat_map(|row| row.values(lines)))?;
        let is_named = table_header::name(&mut columns, lines, &header, labels);
        for row in &mut rows {
            let own = row.values(lines).iter().map(|piece| column_of(&columns, piece));
            row.columns = own.collect::<Option<_>>()?;
            if row.columns.windows(2).any(|two| two.first() >= two.last()) {
                return None;
            }
        }
        let side = Labels::of(&rows, body.clone(), lines);
        let first = rows.first()?;
        let body = if side == Labels::Above { first.label_begin(lines, &header)..body.end } else { body };
        header.retain(|at| is_named && *at < body.start);
        let group = Self { lines, rows: joined(rows, lines)?, columns, header, body, labels: side };
        (group.columns.len() > 1 && group.is_told_apart()).then_some(group)
    }

    /// Returns true if a row leaves a column empty, has several lines of values, or has values that its text does not
    /// separate.
    fn has_gaps(&self) -> bool {
        let filled = |row: &[RowLine]| (0..self.columns.len()).all(|column| has(row, column));
        let parted = |line: &RowLine| line.is_parted(self.lines);
        self.rows.iter().any(|row| row.len() > 1 || !filled(row) || !row.iter().all(parted))
    }

    /// Returns true if all neighbouring columns are distinct: a row has numbers in both, or each has its own name.
    fn is_told_apart(&self) -> bool {
        (1..self.columns.len()).all(|right| {
            let two = self.columns.get(right - 1..=right).unwrap_or_default();
            two.iter().all(|column| !column.name.is_empty())
                || self.rows.iter().any(|row| has(row, right - 1) && has(row, right))
        })
    }

    fn align(&self, placed: &mut SpacedLines) {
        if self.has_gaps() || self.labels != Labels::Apart {
            self.place_rows(placed);
        }
        let lines = || self.columns.iter().flat_map(|column| &column.name).map(|(line, _)| *line);
        if lines().any(|line| Some(line) != lines().next()) {
            self.place_names(placed);
        }
    }

    fn place_rows(&self, placed: &mut SpacedLines) {
        for row in &self.rows {
            let cells: Vec<String> = (0..self.columns.len()).map(|column| self.cell(row, column)).collect();
            placed.has_blanks |= cells.iter().any(String::is_empty);
            if self.labels != Labels::Apart {
                self.place_whole(row, &cells, placed);
                continue;
            }
            let labelled = |line: &&RowLine| !line.label(self.lines).is_empty();
            let main = row.iter().filter(labelled).chain(row).next().map_or(0, |line| line.line);
            for line in row {
                let label = line.label(self.lines);
                let text = match (line.line == main, label.is_empty()) {
                    (true, true) => cells.join("\t"),
                    (true, false) => format!("{label}\t{}", cells.join("\t")),
                    (false, _) => label.to_owned(),
                };
                placed.texts.insert(line.line, text);
            }
        }
    }

    /// Places a row with all lines of its label on one line.
    fn place_whole(&self, row: &[RowLine], cells: &[String], placed: &mut SpacedLines) {
        let (Some(first), Some(last)) = (row.first(), row.last()) else { return };
        let is_other = |at: &usize| *at >= self.body.start && !self.is_row(*at);
        let above = (self.body.start..first.line).rev().take_while(|at| is_other(at));
        let below = (last.line + 1..self.body.end).take_while(|at| is_other(at));
        let mut own: Vec<usize> = match self.labels {
            Labels::Above => above.collect(),
            Labels::Below | Labels::Apart => below.collect(),
        };
        own.extend(first.line..=last.line);
        own.sort_unstable();
        let mut label: Vec<(f64, f64, String)> = Vec::new();
        for at in own {
            placed.texts.insert(at, String::new());
            let Some(PageLine { line, .. }) = self.lines.get(at) else { continue };
            let end = row.iter().find(|row| row.line == at).map_or(line.pieces.len(), |row| row.first);
            for piece in line.pieces.get(..end).unwrap_or_default() {
                let over = |(x0, x1, _): &&mut (f64, f64, String)| piece.x0 < *x1 && *x0 < piece.x1;
                match label.iter_mut().find(over) {
                    Some((_, _, text)) => text.push_str(line.text_of(piece)),
                    None => label.push((piece.x0, piece.x1, line.text_of(piece).to_owned())),
                }
            }
        }
        label.sort_by(|a, b| a.0.total_cmp(&b.0));
        let label = label.into_iter().map(|(_, _, text)| text);
        let text: Vec<String> = label.chain(cells.iter().cloned()).collect();
        placed.texts.insert(first.line, text.join("\t"));
    }

    fn is_row(&self, at: usize) -> bool {
        let after = self.rows.partition_point(|row| row.first().is_some_and(|first| first.line <= at));
        after
            .checked_sub(1)
            .and_then(|own| self.rows.get(own))
            .is_some_and(|own| own.iter().any(|l| l.line == at))
    }

    /// Places the names of the columns, which the header breaks over several lines, on its lowest line. The rest of
    /// the header stays above them.
    fn place_names(&self, placed: &mut SpacedLines) {
        let Some(lowest) = self.header.first() else { return };
        let run = |(line, run): &(usize, usize)| {
            let PageLine { line, .. } = self.lines.get(*line)?;
            line.runs.get(*run).map(|run| line.text_of(run))
        };
        let name = |column: &ColumnRange| column.name.iter().rev().filter_map(run).collect::<String>();
        let names: Vec<String> = self.columns.iter().map(name).collect();
        for at in &self.header {
            let Some(PageLine { line, .. }) = self.lines.get(*at) else { continue };
            let is_name = |run: usize| self.columns.iter().any(|column| column.name.contains(&(*at, run)));
            let mut rest = String::new();
            let mut end = 0;
            for (_, run) in line.runs.iter().enumerate().filter(|(run, _)| !is_name(*run)) {
                let is_next = !rest.is_empty() && line.text.get(end..run.place.start) == Some("");
                rest.push_str(if rest.is_empty() || is_next { "" } else { "\t" });
                rest.push_str(line.text_of(run));
                end = run.place.end;
            }
            if at == lowest {
                let above = if rest.is_empty() { "" } else { "\n" };
                rest = format!("{rest}{above}{}", names.join("\t"));
            }
            placed.texts.insert(*at, rest);
        }
    }

    /// Returns the text of a row in a column. A number on two lines is one number only if its upper line fills the
    /// column; otherwise it is made unreadable.
    fn cell(&self, row: &[RowLine], column: usize) -> String {
        let mut text = String::new();
        let mut above: Option<&LinePiece> = None;
        for line in row {
            let Some(at) = line.columns.iter().position(|own| *own == column) else { continue };
            let Some((PageLine { line: on, .. }, piece)) =
                self.lines.get(line.line).zip(line.values(self.lines).get(at))
            else {
                continue;
            };
            if above.is_some_and(|above| !self.fills(above, column)) {
                text.push_str(UNREADABLE);
            }
            text.push_str(on.text_of(piece).trim());
            above = Some(piece);
        }
        text
    }

    /// Returns true if one more digit might not have fitted beside a number.
    fn fills(&self, piece: &LinePiece, column: usize) -> bool {
        let middle = |at: usize| self.columns.get(at).map(|column| f64::midpoint(column.x0, column.x1));
        let step = |a: Option<usize>, b: usize| Some((middle(b)? - middle(a?)?).abs());
        let steps = [step(column.checked_sub(1), column), step(Some(column + 1), column)];
        let step = steps.into_iter().flatten().fold(f64::MAX, f64::min);
        let digits = u32::try_from(piece.place.len()).map_or(1.0, f64::from).max(1.0);
        let width = piece.x1 - piece.x0;
        // A full-width digit occupies three bytes, so the next digit is at least a third of its width.
        width + width / digits + CELL_MARGINS > step
    }
}

impl Labels {
    /// Finds on which side of the values the other lines of a label are printed, by the labels that begin with a
    /// number such as `（三）` or `2.`. They are below if no line without values begins a label. They are above if
    /// each row has a part of its label beside its values and no row below such a line begins a label there.
    fn of(rows: &[RowLine], body: Range<usize>, lines: &[PageLine]) -> Self {
        let own = |row: &RowLine| {
            let line = &lines.get(row.line)?.line;
            row.first.checked_sub(1).and_then(|last| line.pieces.get(last)).map(|piece| line.text_of(piece))
        };
        let begins = |row: &RowLine| own(row).is_some_and(is_item);
        let is_row = |at: usize| rows.binary_search_by_key(&at, |row| row.line).is_ok();
        let mut others = body.clone().filter(|at| !is_row(*at)).peekable();
        let begins_one = |at: &usize| {
            let pieces = lines
                .get(*at)
                .map(|PageLine { line, .. }| line.pieces.iter().map(|piece| line.text_of(piece)));
            pieces.is_some_and(|mut texts| texts.any(is_item))
        };
        let numbered =
            rows.iter().filter(|row| begins(row)).count() + others.clone().filter(begins_one).count();
        if others.peek().is_none() || numbered < FEWEST_NUMBERED {
            return Self::Apart;
        }
        if !others.any(|at| begins_one(&at)) {
            return Self::Below;
        }
        let is_under = |row: &RowLine| row.line > body.start && !is_row(row.line - 1);
        let is_apart = |row: &RowLine| own(row).is_none() || (is_under(row) && begins(row));
        if rows.iter().any(is_apart) { Self::Apart } else { Self::Above }
    }
}

impl RowLine {
    fn of(lines: &[PageLine], at: usize, labels: f64) -> Option<Self> {
        let line = &lines.get(at)?.line;
        let first = first_value(line)?;
        let inside = line.pieces.get(first..)?.iter().position(|piece| piece.x0 > labels - TOUCH)?;
        Some(Self { line: at, first: first + inside, columns: Vec::new() })
    }

    fn values<'l>(&self, lines: &'l [PageLine]) -> &'l [LinePiece] {
        lines
            .get(self.line)
            .and_then(|PageLine { line, .. }| line.pieces.get(self.first..))
            .unwrap_or_default()
    }

    /// Returns the line above the row in which its label begins.
    fn label_begin(&self, lines: &[PageLine], header: &[usize]) -> usize {
        let mut begin = self.line;
        let end = self.values(lines).first().map_or(f64::MAX, |piece| piece.x0);
        for at in header {
            let Some((line, below)) = lines.get(*at).zip(lines.get(begin)) else { break };
            let (line, below) = (&line.line, &below.line);
            if is_item(&below.text) || line.x1 > end || below.y - line.y > ONE_NAME * line.size {
                break;
            }
            begin = *at;
        }
        begin
    }

    /// Returns true if tabs in the line's text already separate its values.
    fn is_parted(&self, lines: &[PageLine]) -> bool {
        let text = lines.get(self.line).map_or("", |PageLine { line, .. }| line.text.as_str());
        self.values(lines).windows(2).all(|two| {
            let between = two.first().zip(two.last()).map(|(a, b)| a.place.end..b.place.start);
            between.and_then(|between| text.get(between)).is_some_and(|between| between.contains('\t'))
        })
    }

    fn label<'l>(&self, lines: &'l [PageLine]) -> &'l str {
        let begin = self.values(lines).first().map_or(0, |piece| piece.place.start);
        lines
            .get(self.line)
            .and_then(|PageLine { line, .. }| line.text.get(..begin))
            .unwrap_or_default()
            .trim_end()
    }
}

fn has(row: &[RowLine], column: usize) -> bool {
    row.iter().any(|line| line.columns.contains(&column))
}

/// Returns where the labels of the rows end.
fn labels_end(lines: &[PageLine], body: Range<usize>) -> f64 {
    let end = |PageLine { line, .. }: &PageLine| match first_value(line) {
        Some(first) => label_end(line, first),
        None => Some(line.x1),
    };
    lines.get(body).unwrap_or_default().iter().filter_map(end).fold(f64::MIN, f64::max)
}

/// Returns the columns of numbers that are printed below each other, left to right.
fn under_each_other<'p>(pieces: impl Iterator<Item = &'p LinePiece>) -> Option<Vec<ColumnRange>> {
    let mut places: Vec<(f64, f64)> = pieces.map(|piece| (piece.x0, piece.x1)).collect();
    places.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut columns: Vec<ColumnRange> = Vec::new();
    for (x0, x1) in places {
        match columns.last_mut() {
            Some(last) if x0 < last.x1 - TOUCH => last.x1 = last.x1.max(x1),
            _ => columns.push(ColumnRange { x0, x1, has_numbers: true, name: Vec::new() }),
        }
    }
    (columns.len() <= MOST_COLUMNS).then_some(columns)
}

fn column_of(columns: &[ColumnRange], piece: &LinePiece) -> Option<usize> {
    let middle = f64::midpoint(piece.x0, piece.x1);
    columns.iter().position(|column| column.has_numbers && column.x0 <= middle && middle <= column.x1)
}

/// Joins lines that are too close together to be separate rows; `None` if a row would have too many lines.
fn joined(lines: Vec<RowLine>, on: &[PageLine]) -> Option<Vec<Vec<RowLine>>> {
    let distance = |above: &RowLine, below: &RowLine| {
        let (above, below) = on.get(above.line).zip(on.get(below.line))?;
        let size = above.line.size.max(below.line.size);
        (above.page == below.page).then(|| (below.line.y - above.line.y) / size)
    };
    let mut all: Vec<f64> = lines.windows(2).filter_map(|two| distance(&two[0], &two[1])).collect();
    all.sort_by(f64::total_cmp);
    let usual = all.get(all.len() / 2).copied().unwrap_or(0.0);
    let limit = if usual * 0.8 > ONE_ROW { WRAPPED.min(usual * 0.8) } else { ONE_ROW };
    let mut rows: Vec<Vec<RowLine>> = Vec::new();
    for line in lines {
        match rows.last_mut() {
            Some(row) if row.last().and_then(|last| distance(last, &line)).is_some_and(|d| d < limit) => {
                row.push(line);
            }
            _ => rows.push(vec![line]),
        }
    }
    rows.iter().all(|row| row.len() <= MOST_LINES).then_some(rows)
}
