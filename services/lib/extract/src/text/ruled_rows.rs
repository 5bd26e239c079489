//! Tables with a rule between any two rows, as box drawing and Pandoc's grid tables have it. The lines between two rules are
//! one row, and a cell may be on several of them.

use super::{
    lines::{Line, LineKind},
    open_rows::OpenRows,
};

/// Minimum number of rules of such a table.
const FEWEST_RULES: usize = 4;

/// Returns true if the lines are such a table: some rows have several lines, each with all bars.
pub(super) fn are_in(lines: &[Line<'_>]) -> bool {
    let rules = lines.iter().filter(|line| line.kind == LineKind::Separator).count();
    let mut rows = rows(lines).filter(|row| !row.is_empty());
    rules >= FEWEST_RULES
        && rows.clone().any(|row| row.len() > 1)
        && rows.clone().count() + 2 >= rules
        && rows.all(|row| row.iter().all(|line| is_whole(line) && bars(line) == bars(&row[0])))
}

/// Reads the lines between two rules as one row.
pub(super) fn read(table: &mut OpenRows<'_>, lines: &[Line<'_>]) {
    for row in rows(lines) {
        joined(table, row);
    }
}

/// Reads lines as one row.
pub(super) fn joined(table: &mut OpenRows<'_>, lines: &[Line<'_>]) {
    let Some((first, rest)) = lines.split_first() else { return };
    cells(first).for_each(|(start, text)| table.cell(start, text));
    for line in rest {
        cells(line).enumerate().for_each(|(column, (start, text))| table.add_to_cell(column, start, text));
    }
    table.end_row();
}

/// Returns the lines between rules.
fn rows<'l, 'a>(lines: &'l [Line<'a>]) -> impl Iterator<Item = &'l [Line<'a>]> + Clone {
    lines.split(|line| line.kind == LineKind::Separator)
}

/// Returns the number of bars.
pub(super) fn bars(line: &Line<'_>) -> usize {
    line.text.matches('|').count()
}

/// Returns true for a line with bars at both ends.
pub(super) fn is_whole(line: &Line<'_>) -> bool {
    let text = line.text.trim();
    line.kind == LineKind::Bars && text.len() > 1 && text.starts_with('|') && text.ends_with('|')
}

/// Returns the cells of a line, each with its first scalar.
pub(super) fn cells<'a>(line: &Line<'a>) -> impl Iterator<Item = (usize, &'a str)> + use<'a> {
    let mut next = line.first;
    let parts = line.text.matches('|').count();
    let placed = line.text.split('|').map(move |part| {
        let first = next;
        next += part.chars().count() + 1;
        (first, part)
    });
    placed.skip(1).take(parts.saturating_sub(1))
}
