//! Names for many cells of one chapter: whole columns, whole rows, and the rest one by one.

use crate::{layout::LayoutCell, table::Table};

/// Maximum number of rows, and of single cells, that are named. Further ones are only counted.
const NAMED: usize = 5;

/// The words for some cells, in Chinese and English. The Chinese ones leave out the chapter.
pub(crate) struct CellWords {
    pub(crate) zh: String,
    pub(crate) en: String,
}

impl CellWords {
    /// Names cells of one chapter, which are in the form's order.
    pub(crate) fn of(table: &Table<'_>, chapter: u32, cells: &[usize]) -> Self {
        let all: Vec<usize> = table.chapter(chapter).collect();
        if !cells.is_empty() && cells.len() == all.len() {
            return Self { zh: "全部各格".to_owned(), en: "all of them".to_owned() };
        }
        let place = |cell: &usize| Place::of(&table.layout.cells[*cell]);
        let mut words = Words::default();
        let mut rest: Vec<usize> = cells.to_vec();
        let columns = if chapter == 3 { whole(&all, &rest, |cell| place(cell).column) } else { Vec::new() };
        rest.retain(|cell| !columns.contains(&place(cell).column));
        words.columns(&columns);
        let rows = whole(&all, &rest, |cell| place(cell).row);
        rest.retain(|cell| !rows.contains(&place(cell).row));
        words.rows(&rows, chapter);
        let single: Vec<&LayoutCell> = rest.iter().map(|cell| &table.layout.cells[*cell]).collect();
        words.single(&single);
        Self { zh: words.zh.join("，"), en: words.en.join("; ") }
    }
}

/// The row and column of a cell as the form prints them; in chapter 四 its block and column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place<'a> {
    row: &'a str,
    column: &'a str,
}

impl<'a> Place<'a> {
    fn of(cell: &'a LayoutCell) -> Self {
        let mut quoted = cell.position.split('「').skip(1).filter_map(|rest| rest.split('」').next());
        let (row, column) = (quoted.next().unwrap_or_default(), quoted.next().unwrap_or_default());
        Self { row, column }
    }
}

/// Returns the rows or columns of which every cell is among `cells`, and which have more than one.
fn whole<'a>(all: &[usize], cells: &[usize], line: impl Fn(&usize) -> &'a str) -> Vec<&'a str> {
    let mut lines: Vec<&str> = Vec::new();
    for own in cells.iter().map(&line) {
        if !lines.contains(&own) {
            lines.push(own);
        }
    }
    lines.retain(|name| {
        let of_line = |cell: &&usize| line(cell) == *name;
        let count = all.iter().filter(of_line).count();
        count > 1 && cells.iter().filter(of_line).count() == count
    });
    lines
}

#[derive(Debug, Default)]
struct Words {
    zh: Vec<String>,
    en: Vec<String>,
}

impl Words {
    fn columns(&mut self, columns: &[&str]) {
        if columns.is_empty() {
            return;
        }
        let names: Vec<String> = columns.iter().map(|column| format!("「{column}」")).collect();
        self.zh.push(whole_lines(&names.concat(), columns.len(), "列"));
        self.en.push(format!("columns {}", columns.join(", ")));
    }

    fn rows(&mut self, rows: &[&str], chapter: u32) {
        if rows.is_empty() {
            return;
        }
        let line = if chapter == 4 { "栏" } else { "行" };
        let short: Vec<String> = rows.iter().take(NAMED).map(|row| short(row)).collect();
        let more = if rows.len() > NAMED { "等" } else { "" };
        self.zh.push(whole_lines(&format!("{}{more}", short.join("、")), rows.len(), line));
        self.en.push(format!("rows {}{}", short.join(", "), if more.is_empty() { "" } else { ", …" }));
    }

    fn single(&mut self, cells: &[&LayoutCell]) {
        if cells.is_empty() {
            return;
        }
        let position = |cell: &&LayoutCell| {
            let named = cell.position.find('「').and_then(|at| cell.position.get(at..));
            named.unwrap_or(&cell.position).to_owned()
        };
        let (zh, en): (Vec<String>, Vec<String>) =
            cells.iter().take(NAMED).map(|cell| (position(cell), cell.id.to_string())).unzip();
        let more = if cells.len() > NAMED { format!("等 {} 格", cells.len()) } else { String::new() };
        self.zh.push(zh.join("、") + &more);
        self.en.push(en.join(", ") + if more.is_empty() { "" } else { ", …" });
    }
}

/// Returns the words for rows or columns that are whole: （五）4、（六）1 两行全部.
fn whole_lines(names: &str, count: usize, line: &str) -> String {
    let names =
        if names.ends_with(|c: char| c.is_ascii_digit()) { format!("{names} ") } else { names.to_owned() };
    match count {
        1 => format!("{names}整{line}"),
        2 => format!("{names}两{line}全部"),
        count => format!("{} {count} {line}全部", names.trim_end()),
    }
}

/// Returns the short name of a row of a group: （五）4 for （五）不予处理 4.无正当理由大量反复申请.
fn short(row: &str) -> String {
    let numbers = || {
        let (group, item) = row.split_once(' ')?;
        let (numeral, _) = group.split_once('）')?;
        let (number, _) = item.split_once('.')?;
        Some(format!("{numeral}）{number}"))
    };
    numbers()
        .unwrap_or_else(|| format!("「{}」", row.split('（').next().filter(|s| !s.is_empty()).unwrap_or(row)))
}
