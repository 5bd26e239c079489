//! Tables with a bar before each cell, one cell to a line: `|规章⏎|0⏎|0`. A blank line, or `|-` as in a wiki, ends a row.

use super::{
    lines::{Line, LineKind},
    open_rows::OpenRows,
};

/// Minimum number of such cells.
const FEWEST_CELLS: usize = 20;

/// Returns true if the lines are such a table: nearly all begin with their only bar.
pub(super) fn are_in(lines: &[Line<'_>]) -> bool {
    let bars = || lines.iter().filter(|line| line.kind == LineKind::Bars).map(|line| line.text.trim());
    let opened = bars().filter(|text| is_cell(text)).count();
    let others = bars().count() - opened;
    let ends = || lines.iter().filter(|line| is_end(line));
    opened >= FEWEST_CELLS && others * 10 <= opened && ends().count() > 1
}

pub(super) fn read(table: &mut OpenRows<'_>, lines: &[Line<'_>]) {
    for line in lines {
        let text = line.text.trim();
        match line.kind {
            _ if is_end(line) => table.end_row(),
            LineKind::Bars if is_cell(text) => {
                let bar = line.text.find('|').unwrap_or_default();
                let (before, cell) = line.text.split_at(bar + 1);
                table.cell(line.first + before.chars().count(), cell);
            }
            LineKind::Bars | LineKind::Separator | LineKind::PageNumber => {}
            _ => table.continue_cell(line.first, line.text),
        }
    }
    table.end_row();
}

fn is_cell(text: &str) -> bool {
    text.starts_with('|') && !matches!(text, "|-" | "|}" | "|===") && text.matches('|').count() == 1
}

fn is_end(line: &Line<'_>) -> bool {
    line.kind == LineKind::Blank || line.text.trim() == "|-"
}
