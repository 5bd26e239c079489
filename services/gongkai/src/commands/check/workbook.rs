//! The workbook of `--format xlsx`: a cover, an overview, all findings, the officer's own sheet, and a 整改清单 for each
//! agency.
//!
//! Every cell is written as text or as a number, never as a formula. Invisible characters are escaped.

use std::collections::BTreeSet;

use gongkai_model::Severity;
use gongkai_worker::inert;
use rust_xlsxwriter::{Workbook, Worksheet, XlsxError};

use super::{
    lang::Lang,
    letter::{self, LetterArgs},
    sheet::{CellLook, SheetTable, height, lines_in, set_page, write_table},
    standings,
    tables::{ActionList, FINDING_HEADS, FindingTables, LIST_HEADS, OFFICER_HEADS, OVERVIEW_HEADS},
    text::name,
};

/// Excel's limit on a sheet's name, in UTF-16 units.
const LONGEST_NAME: usize = 31;

/// Widths of the cover's columns, in characters.
const COVER_WIDTHS: [f64; 2] = [20.0, 100.0];

/// Number of bodies on the cover.
const ON_COVER: usize = 10;

/// Returns the workbook's bytes.
///
/// # Errors
/// There are more rows than a sheet can contain (1,048,576).
pub(super) fn bytes(tables: &FindingTables, letter: &LetterArgs) -> Result<Vec<u8>, XlsxError> {
    let look = CellLook::new();
    let mut workbook = Workbook::new();
    let mut names = BTreeSet::new();
    write_cover(named(&mut workbook, "封面", &mut names)?, &cover(tables, letter), &look)?;
    let mut sheet = |title: &str, heads: &[&str], rows: &[Vec<String>]| {
        let table = SheetTable { heads, rows, has_filter: true };
        write_table(named(&mut workbook, title, &mut names)?, 0, &table, &look)
    };
    sheet("汇总", &OVERVIEW_HEADS, &tables.overview())?;
    sheet("疑点", &FINDING_HEADS, &tables.findings())?;
    sheet("经办人核对", &OFFICER_HEADS, &tables.officer())?;
    for list in tables.lists(letter) {
        write_list(named(&mut workbook, &list.agency, &mut names)?, &list, &look)?;
    }
    workbook.save_to_buffer()
}

/// Returns the workbook of one agency's list alone.
///
/// # Errors
/// As for [`fn@bytes`].
pub(super) fn list_bytes(list: &ActionList) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    write_list(named(&mut workbook, "整改清单", &mut BTreeSet::new())?, list, &CellLook::new())?;
    workbook.save_to_buffer()
}

/// Returns the lines of the cover: a name and its value.
fn cover(tables: &FindingTables, letter: &LetterArgs) -> Vec<[String; 2]> {
    let totals = standings::totals(tables.documents());
    let mut lines = Vec::new();
    let mut line = |name: &str, value: String| lines.push([name.to_owned(), value]);
    for (label, value) in
        [("地区", &totals.county), ("发文单位", letter.office.as_ref().unwrap_or(&String::new()))]
    {
        if !value.is_empty() {
            line(label, value.clone());
        }
    }
    line("年度", totals.years.join("、"));
    line("核查日期", letter::in_words(letter::today()));
    line("文件", format!("{} 份", totals.files));
    line("已核查", format!("{} 份", totals.files - totals.rejected));
    line("退回", format!("{} 份", totals.rejected));
    for severity in Severity::ALL.iter().rev() {
        line(name(Lang::Zh, *severity), format!("{} 处", tables.count(*severity)));
    }
    let standings = standings::standings(tables.documents());
    let clean = standings.iter().filter(|standing| standing.is_clean()).count();
    line("未发现问题", format!("{clean} 个单位"));
    let worst = standings.iter().rev().filter(|standing| !standing.is_clean()).take(ON_COVER);
    for (standing, label) in worst.zip(std::iter::once("问题较多的单位").chain(std::iter::repeat("")))
    {
        let (errors, warnings, reviews) = (standing.errors, standing.warnings, standing.reviews);
        let counts = format!("必须整改 {errors} 处，建议整改 {warnings} 处，请核实 {reviews} 处");
        line(label, format!("{}：{counts}", standing.agency));
    }
    for (fault, label) in standings::faults(tables.documents())
        .iter()
        .zip(std::iter::once("常见问题").chain(std::iter::repeat("")))
    {
        let counts = format!("{} 个单位，{} 处", fault.agencies, fault.findings);
        line(label, format!("不符合「{}」（{}）：{counts}", fault.condition, fault.rule));
    }
    lines
}

fn write_cover(sheet: &mut Worksheet, lines: &[[String; 2]], look: &CellLook) -> Result<(), XlsxError> {
    sheet.merge_range(0, 0, 0, 1, "政府信息公开工作年度报告核查情况", &look.title)?;
    sheet.set_row_height(0, 30)?;
    for (column, width) in (0_u16..).zip(COVER_WIDTHS) {
        sheet.set_column_width(column, width)?;
    }
    for (row, [name, value]) in (1_u32..).zip(lines) {
        sheet.write_string_with_format(row, 0, name, &look.head)?;
        sheet.write_string_with_format(row, 1, inert::escape(value), &look.cell)?;
        sheet.set_row_height(row, height(lines_in(COVER_WIDTHS[1], value)))?;
    }
    set_page(sheet);
    // The cover is one page.
    sheet.set_print_fit_to_pages(1, 1);
    Ok(())
}

/// Writes a 整改清单: the title, whom it addresses, until when, and the table.
fn write_list(sheet: &mut Worksheet, list: &ActionList, look: &CellLook) -> Result<(), XlsxError> {
    let last = u16::try_from(LIST_HEADS.len() - 1).unwrap_or(u16::MAX);
    sheet.merge_range(0, 0, 0, last, &inert::escape(&list.title), &look.title)?;
    sheet.set_row_height(0, 30)?;
    for (row, text) in (1_u32..).zip(&list.address) {
        sheet.merge_range(row, 0, row, last, &inert::escape(text), &look.plain)?;
        sheet.set_row_height(row, 20)?;
    }
    let top = u32::try_from(list.address.len()).unwrap_or(u32::MAX) + 1;
    let table = SheetTable { heads: &LIST_HEADS, rows: &list.rows, has_filter: false };
    write_table(sheet, top, &table, look)
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
