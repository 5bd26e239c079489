//! Tables whose bars stand on lines of their own: `规章⏎|⏎0⏎|⏎||`.

use super::{
    lines::{Line, LineKind},
    open_rows::OpenRows,
};

/// Minimum number of lines with one bar alone.
const FEWEST_BARS: usize = 10;

/// Returns true if the lines are such a table: no line has bars and text.
pub(super) fn are_in(lines: &[Line<'_>]) -> bool {
    let mut bars = lines.iter().filter(|line| line.kind == LineKind::Bars).map(|line| line.text.trim());
    bars.clone().filter(|text| *text == "|").count() > FEWEST_BARS
        && bars.all(|text| text.chars().all(|c| c == '|' || c.is_whitespace()))
}

/// Reads cells such as `规章⏎|⏎0⏎|⏎||`: a bar on a line of its own closes each cell, and the shortest run of bars closes
/// each row. Further bars of a run are blank cells.
pub(super) fn read(table: &mut OpenRows<'_>, lines: &[Line<'_>]) {
    let run = |line: &Line<'_>| line.text.chars().filter(|c| *c == '|').count();
    let end = lines.iter().map(run).filter(|bars| *bars > 1).min().unwrap_or(2);
    let mut open = false;
    for line in lines {
        match (line.kind, run(line)) {
            (LineKind::Blank | LineKind::PageNumber, _) => {}
            (LineKind::Bars, 1) if open => open = false,
            (LineKind::Bars, 1) => table.cell(line.first, ""),
            (LineKind::Bars | LineKind::Separator, bars) => {
                (end..bars).for_each(|_| table.cell(line.first, ""));
                table.end_row();
                open = false;
            }
            _ if open => table.continue_cell(line.first, line.text),
            _ => {
                table.cell(line.first, line.text);
                open = true;
            }
        }
    }
    table.end_row();
}
