//! The workbook of `--format xlsx`: a cover, an overview, all findings, the officer's own sheet, and a 整改清单 for each
//! agency. Every sheet prints on A4 across, one page wide, with its head on each page.
//!
//! Every cell is written as text or as a number, never as a formula. Invisible characters are escaped.

use std::collections::BTreeSet;

use gongkai_worker::inert;
use rust_xlsxwriter::{Color, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError};

use super::{
    tables::{ActionList, FINDING_HEADS, FindingTables, LIST_HEADS, OFFICER_HEADS, OVERVIEW_HEADS},
    wrap,
};

/// Returns the width of a column in characters, by its head.
fn width(head: &str) -> f64 {
    match head {
        "问题" | "整改建议" | "依据" | "结果" | "情况" | "处理建议" => 48.0,
        "文件" | "机关" | "位置" | "填报（原文）" | "整改情况" => 26.0,
        "核算（应为）" => 16.0,
        _ => 8.0,
    }
}

/// Excel's number of the paper.
const A4: u8 = 9;

/// Height of a line of text, in points.
const LINE: f64 = 15.0;

/// Excel's limit on the height of a row, in points.
const HIGHEST: f64 = 409.0;

/// Returns the height of a row in which every cell is shown whole.
fn height(heads: &[&str], cells: &[String]) -> f64 {
    let lines = heads.iter().zip(cells).map(|(head, cell)| {
        let columns = wrap::width(cell);
        // A line holds a little less than the column's width, because it breaks between characters.
        (f64::from(u32::try_from(columns).unwrap_or(u32::MAX)) / (width(head) - 2.0)).ceil().max(1.0)
    });
    (lines.fold(1.0, f64::max) * LINE).min(HIGHEST)
}

/// Excel's limit on a sheet's name, in UTF-16 units.
const LONGEST_NAME: usize = 31;

struct CellLook {
    title: Format,
    head: Format,
    cell: Format,
}

/// Returns the workbook's bytes.
///
/// # Errors
/// There are more rows than a sheet can contain (1,048,576).
pub(super) fn bytes(tables: &FindingTables) -> Result<Vec<u8>, XlsxError> {
    let look = CellLook::new();
    let mut workbook = Workbook::new();
    let mut names = BTreeSet::new();
    cover(named(&mut workbook, "封面", &mut names)?, &tables.cover(), &look)?;
    table(named(&mut workbook, "汇总", &mut names)?, 0, &OVERVIEW_HEADS, &tables.overview(), &look)?;
    table(named(&mut workbook, "疑点", &mut names)?, 0, &FINDING_HEADS, &tables.findings(), &look)?;
    let officer = tables.officer();
    table(named(&mut workbook, "经办人核对", &mut names)?, 0, &OFFICER_HEADS, &officer, &look)?;
    for list in tables.lists() {
        rectification(named(&mut workbook, &list.agency, &mut names)?, &list, &look)?;
    }
    workbook.save_to_buffer()
}

/// Returns the workbook of one agency's list alone.
///
/// # Errors
/// As for [`fn@bytes`].
pub(super) fn list_bytes(list: &ActionList) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    rectification(named(&mut workbook, "整改清单", &mut BTreeSet::new())?, list, &CellLook::new())?;
    workbook.save_to_buffer()
}

/// Writes the cover: names and values below a title.
fn cover(sheet: &mut Worksheet, lines: &[[String; 2]], look: &CellLook) -> Result<(), XlsxError> {
    sheet.merge_range(0, 0, 0, 1, "政府信息公开工作年度报告核查情况", &look.title)?;
    sheet.set_column_width(0, 16)?.set_column_width(1, 64)?;
    for (row, [name, value]) in (1_u32..).zip(lines) {
        sheet.write_string_with_format(row, 0, name, &look.head)?;
        sheet.write_string_with_format(row, 1, inert::escape(value), &look.cell)?;
    }
    sheet.set_paper_size(A4).set_landscape().set_print_fit_to_pages(1, 0);
    Ok(())
}

fn rectification(sheet: &mut Worksheet, list: &ActionList, look: &CellLook) -> Result<(), XlsxError> {
    let last = u16::try_from(LIST_HEADS.len() - 1).unwrap_or(u16::MAX);
    sheet.merge_range(0, 0, 0, last, &inert::escape(&list.title), &look.title)?;
    table(sheet, 1, &LIST_HEADS, &list.rows, look)
}

/// Writes column heads at `top` and rows below; the heads are frozen and have filters.
fn table(
    sheet: &mut Worksheet,
    top: u32,
    heads: &[&str],
    rows: &[Vec<String>],
    look: &CellLook,
) -> Result<(), XlsxError> {
    for (column, head) in (0_u16..).zip(heads) {
        sheet.write_string_with_format(top, column, *head, &look.head)?;
        sheet.set_column_width(column, width(head))?;
    }
    for (row, cells) in (top + 1..).zip(rows) {
        for (column, cell) in (0_u16..).zip(cells) {
            write(sheet, row, column, cell, look)?;
        }
        sheet.set_row_height(row, height(heads, cells))?;
    }
    sheet.set_paper_size(A4).set_landscape().set_print_fit_to_pages(1, 0);
    sheet.set_repeat_rows(0, top)?;
    sheet.set_freeze_panes(top + 1, 0)?;
    let last = u32::try_from(rows.len()).unwrap_or(u32::MAX);
    sheet.autofilter(top, 0, top.saturating_add(last), u16::try_from(heads.len() - 1).unwrap_or(u16::MAX))?;
    Ok(())
}

/// Writes whole numbers as numbers, so that they sort, and everything else as text.
fn write(sheet: &mut Worksheet, row: u32, column: u16, cell: &str, look: &CellLook) -> Result<(), XlsxError> {
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

/// Adds a sheet under a name that Excel accepts: short enough, without forbidden characters, unique.
fn named<'a>(
    workbook: &'a mut Workbook,
    wanted: &str,
    names: &mut BTreeSet<String>,
) -> Result<&'a mut Worksheet, XlsxError> {
    let plain: String =
        wanted.chars().filter(|c| !inert::is_active(*c) && !"[]:*?/\\'".contains(*c)).collect();
    let plain = if plain.is_empty() { "未识别机关".to_owned() } else { plain };
    let numbered = |n: u32| {
        let suffix = if n == 1 { String::new() } else { format!("（{n}）") };
        let mut name = plain.clone();
        while name.encode_utf16().count() + suffix.encode_utf16().count() > LONGEST_NAME {
            name.pop();
        }
        name + &suffix
    };
    let free = (1..).map(numbered).find(|name| names.insert(name.to_lowercase()));
    let sheet = workbook.add_worksheet();
    sheet.set_name(free.unwrap_or_default())?;
    Ok(sheet)
}

// === impl CellLook ===

impl CellLook {
    fn new() -> Self {
        let cell = Format::new().set_text_wrap().set_align(FormatAlign::Top).set_border(FormatBorder::Thin);
        Self {
            title: Format::new().set_bold().set_font_size(14).set_align(FormatAlign::Center),
            head: cell.clone().set_bold().set_background_color(Color::RGB(0x00DD_EBF7)),
            cell,
        }
    }
}
