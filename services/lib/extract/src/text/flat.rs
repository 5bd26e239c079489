//! Reads tables from flattened text: bars, TABs, or one cell per line.
//!
//! Nothing is guessed. Cells keep their order, and their rows if the layout has rows. A single line becomes a row of
//! one cell; the matcher, which knows the form, joins such rows.

use gongkai_model::Grid;

use super::{
    bracketed_notes,
    lines::{self, Line, LineKind},
    lone_bars,
    open_rows::OpenRows,
    opened_cells, ruled_rows,
};
use crate::source_text::SourceText;

/// Builds one grid from the lines of a table, without headings and prose. Of the cells beyond `most`, only the first
/// is kept, so that the caller detects the excess.
pub(crate) fn grid(source: &SourceText, lines: &[Line<'_>], most: usize) -> Grid {
    let mut table = OpenRows::new(source, most.saturating_add(1));
    let bars = |line: &Line<'_>| matches!(line.kind, LineKind::Bars | LineKind::Separator);
    let first = lines.iter().position(bars).unwrap_or(lines.len());
    let last = lines.iter().rposition(bars).map_or(first, |at| at + 1);
    let (before, rest) = lines.split_at(first);
    let (of_bars, after) = rest.split_at(last - first);
    read_plain(&mut table, before);
    read_bars(&mut table, of_bars);
    read_plain(&mut table, after);
    table.finish()
}

// === Bars ===

fn read_bars(table: &mut OpenRows<'_>, lines: &[Line<'_>]) {
    let mut whole_rows = 0;
    let mut cells = 0;
    for line in lines.iter().filter(|line| line.kind == LineKind::Bars) {
        let inner = line.text.trim().trim_matches('|');
        if inner.contains('|') { whole_rows += 1 } else { cells += 1 }
    }
    if opened_cells::are_in(lines) {
        opened_cells::read(table, lines);
    } else if ruled_rows::are_in(lines) {
        ruled_rows::read(table, lines);
    } else if lone_bars::are_in(lines) {
        lone_bars::read(table, lines);
    } else if cells > 2 * whole_rows {
        read_closed_cells(table, lines);
    } else {
        read_bar_rows(table, lines);
    }
}

/// Reads rows such as `| a | b |`, with or without the outer bars.
fn read_bar_rows(table: &mut OpenRows<'_>, lines: &[Line<'_>]) {
    let bars = || lines.iter().filter(|line| line.kind == LineKind::Bars);
    let open_first = bars().filter(|line| !line.text.trim_start().starts_with('|')).count();
    let open_last = bars().filter(|line| !line.text.trim_end().ends_with('|')).count();
    // Without outer bars, a bar at either end belongs to a blank cell. If outer bars are used, few lines begin
    // without one.
    let opened = open_first * 10 <= bars().count();
    let closed = if opened { open_last * 2 < bars().count() } else { open_last == 0 };
    // A row that is opened but not closed continues on the next line, in the middle of a cell.
    let mut goes_on = false;
    let mut next = 0;
    while let Some(line) = lines.get(next) {
        let rest = lines.get(next..).unwrap_or_default();
        let of_row = if goes_on { 1 } else { bracketed_notes::lines_of_row(rest) };
        next += of_row;
        match line.kind {
            _ if of_row > 1 => {
                table.end_row();
                ruled_rows::joined(table, rest.get(..of_row).unwrap_or_default());
            }
            LineKind::Bars => {
                let starts = line.text.trim_start().starts_with('|');
                let ends = line.text.trim_end().ends_with('|');
                if !goes_on || starts {
                    table.end_row();
                    goes_on = false;
                }
                bar_row(table, line, opened && starts, closed && ends, goes_on);
                goes_on = opened && closed && !ends && (starts || goes_on);
            }
            LineKind::Short | LineKind::Number | LineKind::Spaced | LineKind::Mark if goes_on => {
                table.continue_cell(line.first, line.text);
            }
            LineKind::Blank | LineKind::PageNumber => {}
            _ => {
                table.end_row();
                goes_on = false;
                read_plain(table, std::slice::from_ref(line));
            }
        }
    }
    table.end_row();
}

fn bar_row(table: &mut OpenRows<'_>, line: &Line<'_>, drop_first: bool, drop_last: bool, mut goes_on: bool) {
    let mut first = line.first;
    let parts: Vec<&str> = line.text.split('|').collect();
    let last = parts.len().saturating_sub(1);
    for (at, part) in parts.iter().enumerate() {
        let outside = (at == 0 && drop_first) || (at == last && drop_last);
        if !(outside && part.trim().is_empty()) {
            if goes_on {
                table.continue_cell(first, part);
                goes_on = false;
            } else {
                table.cell(first, part);
            }
        }
        first += part.chars().count() + 1;
    }
}

/// Reads cells such as `规章 |⏎0 |⏎0 |`: one cell per line, closed by a bar. In some documents a bar alone opens each
/// row.
fn read_closed_cells(table: &mut OpenRows<'_>, lines: &[Line<'_>]) {
    let marked = lines.first().is_some_and(|line| line.text.trim() == "|");
    // True while a cell has begun that no bar has closed yet.
    let mut open = false;
    let mut after_filler = false;
    for (at, line) in lines.iter().enumerate() {
        let text = line.text.trim();
        let filler = !text.is_empty() && text.chars().all(|c| c == '|' || c.is_whitespace());
        match line.kind {
            LineKind::Separator | LineKind::Blank | LineKind::PageNumber => continue,
            LineKind::Bars if filler => {
                let bars = text.chars().filter(|c| *c == '|').count();
                open = false;
                if marked
                    && bars == 1
                    && (after_filler || next_is_label(lines.get(at + 1..).unwrap_or_default()))
                {
                    table.end_row();
                } else {
                    (0..bars).for_each(|_| closed_piece(table, marked, line.first, ""));
                }
                after_filler = bars > 1;
                continue;
            }
            LineKind::Bars => {
                closed_cell(table, line, open, marked);
                open = !text.ends_with('|');
            }
            _ if open => table.continue_cell(line.first, line.text),
            _ => {
                closed_piece(table, marked, line.first, line.text);
                open = true;
            }
        }
        after_filler = false;
    }
    table.end_row();
}

/// Adds a cell to a marked row, or as a row of its own if rows are not marked.
fn closed_piece(table: &mut OpenRows<'_>, marked: bool, first: usize, text: &str) {
    if !marked {
        table.end_row();
    }
    table.cell(first, text);
}

fn closed_cell(table: &mut OpenRows<'_>, line: &Line<'_>, open: bool, marked: bool) {
    let body = line.text.trim_end();
    let fillers = body.chars().rev().take_while(|c| *c == '|').count().saturating_sub(1);
    let body = body.trim_end_matches('|');
    if open {
        table.continue_cell(line.first, body);
    } else {
        let lead = body.chars().take_while(|c| c.is_whitespace() || *c == '|').count();
        let inner = body.trim_start_matches(|c: char| c.is_whitespace() || c == '|');
        closed_piece(table, marked, line.first + lead, inner);
    }
    (0..fillers).for_each(|_| closed_piece(table, marked, line.first, ""));
}

fn next_is_label(lines: &[Line<'_>]) -> bool {
    let next = lines.iter().find(|line| !matches!(line.kind, LineKind::Blank | LineKind::PageNumber));
    next.is_some_and(|line| {
        let text = line.text.trim().trim_end_matches('|').trim();
        !text.is_empty() && !lines::is_number(text) && !lines::is_mark(text)
    })
}

// === TABs and single lines ===

fn read_plain(table: &mut OpenRows<'_>, lines: &[Line<'_>]) {
    let tabs = || lines.iter().filter(|line| line.kind == LineKind::Tabs);
    let leading = tabs().filter(|line| leads(line.text)).count();
    if leading > 0 && leading * 10 >= tabs().count() * 6 {
        read_tab_cells(table, lines);
    } else {
        read_lines(table, lines);
    }
}

/// Returns true for `⇥0`: one TAB, before the text.
fn leads(text: &str) -> bool {
    text.trim_start_matches(' ').starts_with('\t') && text.matches('\t').count() == 1
}

/// Reads text pasted from Word: a TAB before each cell, a blank line after each row.
fn read_tab_cells(table: &mut OpenRows<'_>, lines: &[Line<'_>]) {
    let leading = || lines.iter().filter(|line| line.kind == LineKind::Tabs && leads(line.text));
    let indented = leading().filter(|line| line.text.starts_with(' ')).count() * 2 > leading().count();
    let mut page_break = false;
    for (at, line) in lines.iter().enumerate() {
        match line.kind {
            LineKind::Tabs => tab_cells(table, line, indented),
            LineKind::Blank => {
                let next = lines.get(at + 1..).unwrap_or_default().iter().find(|l| l.kind != LineKind::Blank);
                // A page number inside a row does not end the row.
                if !page_break && next.is_none_or(|l| l.kind != LineKind::PageNumber) {
                    table.end_row();
                }
                continue;
            }
            LineKind::PageNumber => {
                page_break = true;
                continue;
            }
            _ if table.row().is_empty() => table.alone(line.first, line.text),
            _ => table.continue_cell(line.first, line.text),
        }
        page_break = false;
    }
    table.end_row();
}

fn tab_cells(table: &mut OpenRows<'_>, line: &Line<'_>, indented: bool) {
    let mut first = line.first;
    for (at, part) in line.text.split('\t').enumerate() {
        // Text before the first TAB is the end of a cell, or, where lines are not indented, a blank cell that lost
        // its TAB.
        if at > 0 || (!indented && !part.is_empty() && !table.row().is_empty()) {
            if at == 0 && !part.trim().is_empty() {
                table.continue_cell(first, part);
            } else {
                table.cell(first, part);
            }
        } else if !part.trim().is_empty() {
            table.cell(first, part);
        }
        first += part.chars().count() + 1;
    }
}

/// Reads rows of cells separated by TABs or spaces, and lines of one cell each.
fn read_lines(table: &mut OpenRows<'_>, lines: &[Line<'_>]) {
    let blanks = BlankLines::of(lines);
    let mut previous: Option<&Line<'_>> = None;
    let mut gap = 0;
    for line in lines {
        match line.kind {
            LineKind::Blank => {
                gap += 1;
                continue;
            }
            LineKind::PageNumber | LineKind::Separator => {
                // A row of blanks before a page break. After values, the blank lines may belong to the break.
                if let Some(label) = previous.filter(|line| !is_value(line.kind)) {
                    (0..blanks.cells(label, label, gap)).for_each(|_| table.alone(line.first, ""));
                }
                gap = 0;
                previous = None;
                continue;
            }
            _ => {}
        }
        if let Some(before) = previous {
            for _ in 0..blanks.cells(before, line, gap) {
                table.alone(line.first, "");
            }
        }
        match line.kind {
            LineKind::Tabs => split_tabs(table, line),
            LineKind::Spaced if !has_wide_space(line.text.trim()) => split_numbers(table, line),
            LineKind::Number if !lines::is_number(line.text.trim()) => split_words(table, line),
            _ => split_wide(table, line),
        }
        gap = 0;
        previous = Some(line);
    }
    table.end_row();
}

/// Adds the cells between TABs.
fn split_tabs(table: &mut OpenRows<'_>, line: &Line<'_>) {
    table.end_row();
    let mut first = line.first;
    for part in line.text.split('\t') {
        table.cell(first, part);
        first += part.chars().count() + 1;
    }
    table.end_row();
}

/// Adds each word as a cell.
fn split_words(table: &mut OpenRows<'_>, line: &Line<'_>) {
    table.end_row();
    let (mut first, mut byte) = (line.first, 0);
    for (at, word) in lines::words(line.text) {
        first += line.text.get(byte..at).unwrap_or_default().chars().count();
        byte = at;
        table.cell(first, word);
    }
    table.end_row();
}

/// Splits `行政许可 0` into the label and each number. Where a label follows numbers, another row begins.
fn split_numbers(table: &mut OpenRows<'_>, line: &Line<'_>) {
    table.end_row();
    let (mut from, mut passed) = (0, 0);
    for at in next_labels(line.text).into_iter().chain([line.text.len()]) {
        let row = line.text.get(from..at).unwrap_or_default();
        add_numbers(table, line.first + passed, row);
        table.end_row();
        passed += row.chars().count();
        from = at;
    }
}

/// Returns the bytes at which a label begins behind a label and its numbers.
fn next_labels(text: &str) -> Vec<usize> {
    let mut starts = Vec::new();
    let (mut has_label, mut has_number) = (false, false);
    for (at, word) in lines::words(text) {
        let is_value = lines::is_number(word) || lines::is_mark(word);
        if !is_value && has_number {
            starts.push(at);
            has_number = false;
        }
        has_number |= is_value && has_label;
        has_label |= !is_value;
    }
    starts
}

/// Adds a label and the numbers behind it to the open row.
fn add_numbers(table: &mut OpenRows<'_>, start: usize, text: &str) {
    let mut end = text.trim_end();
    let mut numbers = Vec::new();
    for (at, last) in lines::words(text).rev() {
        let head = text.get(..at).unwrap_or_default();
        if !(lines::is_number(last) || lines::is_mark(last)) || head.trim().is_empty() {
            break;
        }
        numbers.push((start + head.chars().count(), last));
        end = head.trim_end();
    }
    table.cell(start, end);
    for (first, number) in numbers.into_iter().rev() {
        table.cell(first, number);
    }
}

/// Adds a label alone, or titles separated by at least two spaces.
fn split_wide(table: &mut OpenRows<'_>, line: &Line<'_>) {
    let text = line.text.trim_end();
    if !has_wide_space(text) {
        return table.alone(line.first, text);
    }
    table.end_row();
    let mut first = line.first;
    for part in text.split("  ") {
        if line.kind == LineKind::Spaced && lines::ends_in_number(part) {
            add_numbers(table, first, part);
        } else if !part.trim().is_empty() {
            table.cell(first, part);
        }
        first += part.chars().count() + 2;
    }
    table.end_row();
}

fn has_wide_space(text: &str) -> bool {
    text.as_bytes().windows(2).any(|pair| matches!(pair, b"  "))
}

/// The meaning of blank lines where each line is a cell.
///
/// They are cells if some are between two numbers of a row: nothing else puts them there. Before a label they may
/// also just separate rows, which is the case if all labels have them.
struct BlankLines {
    /// Number of blank lines between two consecutive cells.
    step: usize,
    cells: bool,
    cells_before_labels: bool,
}

impl BlankLines {
    fn of(lines: &[Line<'_>]) -> Self {
        let mut gaps = Vec::new();
        let mut gap = 0;
        let mut previous: Option<LineKind> = None;
        for line in lines {
            match line.kind {
                LineKind::Blank => gap += 1,
                LineKind::PageNumber => previous = None,
                kind => {
                    gaps.extend(previous.map(|before| (is_value(before), is_value(kind), gap)));
                    previous = Some(kind);
                    gap = 0;
                }
            }
        }
        let separated = gaps.iter().filter(|(_, _, gap)| *gap > 0).count() * 10 > gaps.len() * 6;
        let step = usize::from(separated);
        let cells = gaps.iter().any(|(before, after, gap)| *before && *after && *gap > step);
        let before_label = || gaps.iter().filter(|(before, after, _)| *before && !*after);
        let set_apart = before_label().filter(|(_, _, gap)| *gap > step).count() * 2 > before_label().count();
        Self { step, cells, cells_before_labels: cells && !set_apart }
    }

    /// Returns the number of blank cells in a gap.
    fn cells(&self, before: &Line<'_>, after: &Line<'_>, gap: usize) -> usize {
        let counts = match (is_value(before.kind), is_value(after.kind)) {
            (_, true) => self.cells,
            (true, false) => self.cells_before_labels,
            // Before a label that follows a label, only whole rows of blanks leave gaps.
            (false, false) => self.cells,
        };
        let extra = gap.saturating_sub(self.step);
        if counts && extra.is_multiple_of(self.step + 1) { extra / (self.step + 1) } else { 0 }
    }
}

fn is_value(kind: LineKind) -> bool {
    matches!(kind, LineKind::Number | LineKind::Mark)
}
