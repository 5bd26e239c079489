//! A table on a sheet that prints on A4 across: one page wide, its heads on each page, and every row high enough for its text.

use gongkai_worker::inert;
use rust_xlsxwriter::{Color, Format, FormatAlign, FormatBorder, Worksheet, XlsxError};

use super::wrap;

/// Excel's number of the paper.
const A4: u8 = 9;

/// Height of a line of text, in points.
const LINE: f64 = 15.0;

/// Number of lines in the highest row that Excel has (409 points). A longer cell continues in the next row.
const MOST_LINES: usize = 26;

/// The mark of a row that continues the one above.
const CONTINUED: &str = "续";

/// Heads and rows of a table.
pub(super) struct SheetTable<'a> {
    pub(super) heads: &'a [&'a str],
    pub(super) rows: &'a [Vec<String>],
    /// True for buttons that filter and sort.
    pub(super) has_filter: bool,
}

/// How cells look.
pub(super) struct CellLook {
    pub(super) title: Format,
    pub(super) plain: Format,
    pub(super) head: Format,
    pub(super) cell: Format,
}

/// Returns the width of a column in characters, by its head.
fn width(head: &str) -> f64 {
    match head {
        "问题" | "情况" | "结果" => 34.0,
        "整改建议" | "处理建议" => 26.0,
        "位置" | "文件" => 24.0,
        "依据" | "机关" => 20.0,
        "填报内容" => 15.0,
        "应为" | "整改情况" => 12.0,
        "级别" | "规则" => 10.0,
        _ => 7.0,
    }
}

/// Writes a table below other rows, and sets the page up.
pub(super) fn write_table(
    sheet: &mut Worksheet,
    top: u32,
    table: &SheetTable<'_>,
    look: &CellLook,
) -> Result<(), XlsxError> {
    for (column, head) in (0_u16..).zip(table.heads) {
        sheet.write_string_with_format(top, column, *head, &look.head)?;
        sheet.set_column_width(column, width(head))?;
    }
    sheet.set_row_height(top, LINE + 5.0)?;
    let mut row = top;
    for cells in table.rows {
        for (part, lines) in parts(table.heads, cells) {
            row += 1;
            for (column, cell) in (0_u16..).zip(&part) {
                write_cell(sheet, row, column, cell, look)?;
            }
            sheet.set_row_height(row, height(lines))?;
        }
    }
    set_page(sheet);
    sheet.set_repeat_rows(top, top)?;
    sheet.set_freeze_panes(top + 1, 0)?;
    if table.has_filter {
        let last = u16::try_from(table.heads.len() - 1).unwrap_or(u16::MAX);
        sheet.autofilter(top, 0, row, last)?;
    }
    Ok(())
}

/// Sets the page of a sheet: A4 across, one page wide, with numbers of pages.
pub(super) fn set_page(sheet: &mut Worksheet) {
    sheet.set_paper_size(A4).set_landscape().set_print_fit_to_pages(1, 0);
    sheet.set_margins(0.4, 0.4, 0.5, 0.6, 0.3, 0.3).set_footer("&C第 &P 页，共 &N 页");
}

/// Returns the height of a row of this many lines, in points.
pub(super) fn height(lines: usize) -> f64 {
    f64::from(u32::try_from(lines.clamp(1, MOST_LINES)).unwrap_or(u32::MAX)) * LINE + 4.0
}

/// Returns the number of lines of a text in cells of this width.
pub(super) fn lines_in(width: f64, text: &str) -> usize {
    wrap::cell_lines(columns(width), text).len()
}

/// Returns the number of narrow characters on a line of a cell of this width. It is less than the width, because not every font
/// has the measures of the default font.
fn columns(width: f64) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a width is a small number")]
    let columns = (width - 1.5) as usize;
    columns
}

/// Returns the rows of a table row, each with its number of lines: more than one if a cell does not fit into the highest row.
fn parts(heads: &[&str], cells: &[String]) -> Vec<(Vec<String>, usize)> {
    let lines: Vec<Vec<String>> = heads
        .iter()
        .zip(cells)
        .map(|(head, cell)| wrap::cell_lines(columns(width(head)), &inert::escape(cell)))
        .collect();
    let most = lines.iter().map(Vec::len).max().unwrap_or(0);
    if most <= MOST_LINES {
        return vec![(cells.to_vec(), most)];
    }
    let part = |from: usize| {
        let shown =
            |cell: &Vec<String>| -> String { cell.iter().skip(from).take(MOST_LINES).cloned().collect() };
        let mut part: Vec<String> = lines.iter().map(shown).collect();
        if from > 0
            && let Some(number) = part.first_mut()
        {
            *number = CONTINUED.to_owned();
        }
        (part, (most - from).min(MOST_LINES))
    };
    (0..most).step_by(MOST_LINES).map(part).collect()
}

/// Writes whole numbers as numbers, so that they sort, and everything else as text.
fn write_cell(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    cell: &str,
    look: &CellLook,
) -> Result<(), XlsxError> {
    match cell.parse::<u32>() {
        Ok(number) if number.to_string() == cell => {
            sheet.write_number_with_format(row, column, number, &look.cell)?;
        }
        _ => {
            sheet.write_string_with_format(row, column, inert::escape(cell), &look.cell)?;
        }
    }
    Ok(())
}

// === impl CellLook ===

impl CellLook {
    pub(super) fn new() -> Self {
        let text = || Format::new().set_font_name("宋体").set_font_size(10);
        let cell = text().set_text_wrap().set_align(FormatAlign::Top).set_border(FormatBorder::Thin);
        let head = cell.clone().set_bold().set_background_color(Color::RGB(0x00DD_EBF7));
        Self {
            title: text().set_bold().set_font_size(16).set_align(FormatAlign::Center),
            plain: text().set_text_wrap().set_align(FormatAlign::Left).set_font_size(11),
            head: head.set_align(FormatAlign::VerticalCenter).set_align(FormatAlign::Center),
            cell: cell.set_align(FormatAlign::Left),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_that_no_row_can_hold_continues_in_the_next_row() {
        let long: String = (0..400).map(|n| format!("第{n}处，")).collect();
        let cells = ["7".to_owned(), long.clone(), "短".to_owned()];
        let parts = parts(&["序号", "问题", "应为"], &cells);
        assert!(parts.len() > 2 && parts.iter().all(|(_, lines)| *lines <= MOST_LINES));
        let column = |at: usize| parts.iter().map(|(part, _)| part[at].as_str()).collect::<Vec<_>>();
        assert_eq!(column(1).concat(), long);
        assert_eq!((column(0)[0], column(0)[1], column(2)[0], column(2)[1]), ("7", CONTINUED, "短", ""));
    }
}
