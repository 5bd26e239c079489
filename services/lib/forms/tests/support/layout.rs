//! The layouts in which tables arrive as text, HTML, DOCX, PDF and DOC.

use super::{Cell, Sample, Table, doc, docx, drawn, pdf};

/// A piece of a report, in order.
pub(crate) enum Part<'s> {
    Line(&'static str),
    Table(&'s Table),
}

/// A layout of a report's text and tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// `| a | b |`, merged cells as blanks.
    Bars,
    /// `a | b`.
    OpenBars,
    /// `| a | b |||`: merged cells as filling at the end of the row.
    FilledBars,
    /// One cell per line.
    Lines,
    /// One cell per line, with blank lines between.
    SpacedLines,
    /// `a |⏎b |`.
    ClosedCells,
    /// `|⏎a |⏎b |⏎||`: a bar opens each row, padding closes it.
    MarkedRows,
    /// `⇥a⏎⇥b`, with a blank line after each row.
    WordPaste,
    /// `a⇥b`.
    TabRows,
    /// `a   b`.
    Columns,
    /// `a b`: one space.
    Words,
    /// The whole report on one line, a space between cells.
    OneLine,
    /// Markdown's pipe table.
    Markdown,
    /// Labels as lines, with their values as small Markdown tables.
    TornMarkdown,
    /// A small Markdown table for each row, under column names that a vision model invented.
    RowTables,
    /// `| a | a | b |`: merged cells printed over each of their columns.
    RepeatedBars,
    /// Box drawing with a rule below each row.
    Boxes,
    /// Box drawing with rules only around the table.
    OpenBoxes,
    /// Pandoc's grid table.
    GridTable,
    /// Values in quotes between semicolons.
    Semicolons,
    /// HTML with a `<div>` for each cell, and no table.
    Divs,
    /// HTML with spans.
    Html,
    /// HTML whose chapters have no headings in own paragraphs, with the text fragments of Word.
    WordHtml,
    /// Word's package.
    Docx,
    /// Ruled tables over several pages.
    Pdf,
    /// Tables over several pages without lines.
    BarePdf,
    /// Word's binary file.
    Doc,
}

/// The layouts of binary formats.
pub(crate) const FILES: [Layout; 4] = [Layout::Docx, Layout::Pdf, Layout::BarePdf, Layout::Doc];

/// The layouts that are text.
pub(crate) const ALL: [Layout; 22] = [
    Layout::Bars,
    Layout::OpenBars,
    Layout::FilledBars,
    Layout::Lines,
    Layout::SpacedLines,
    Layout::ClosedCells,
    Layout::MarkedRows,
    Layout::WordPaste,
    Layout::TabRows,
    Layout::Columns,
    Layout::Words,
    Layout::OneLine,
    Layout::Markdown,
    Layout::TornMarkdown,
    Layout::RepeatedBars,
    Layout::Boxes,
    Layout::OpenBoxes,
    Layout::GridTable,
    Layout::Semicolons,
    Layout::Divs,
    Layout::Html,
    Layout::WordHtml,
];

impl Layout {
    pub(crate) fn filename(self) -> &'static str {
        match self {
            Self::Markdown | Self::TornMarkdown | Self::RowTables | Self::GridTable => "a.md",
            Self::Html | Self::WordHtml | Self::Divs => "a.html",
            Self::Docx => "a.docx",
            Self::Pdf | Self::BarePdf => "a.pdf",
            Self::Doc => "a.doc",
            _ => "a.txt",
        }
    }

    /// Returns the whole report as a file.
    pub(crate) fn file(self, sample: &Sample) -> Vec<u8> {
        match self {
            Self::Docx => docx::write(&parts(sample)),
            Self::Pdf => pdf::write(&parts(sample), true),
            Self::BarePdf => pdf::write(&parts(sample), false),
            Self::Doc => doc::write(&parts(sample)),
            _ => self.render(sample).into_bytes(),
        }
    }

    /// Returns the whole report as text.
    pub(crate) fn render(self, sample: &Sample) -> String {
        let html = matches!(self, Self::Html | Self::WordHtml | Self::Divs);
        let part = |part: &Part<'_>| match part {
            Part::Line(text) if html => format!("<p>{text}</p>\n"),
            Part::Line(text) => format!("{text}\n\n"),
            Part::Table(table) => self.table(table),
        };
        let out: String = parts(sample).iter().map(part).collect();
        if self == Self::OneLine { out.split_whitespace().collect::<Vec<_>>().join(" ") } else { out }
    }

    fn table(self, table: &Table) -> String {
        let grid = expanded(table);
        let width = grid.first().map_or(0, Vec::len);
        match self {
            Self::Html | Self::WordHtml => self.html(table),
            Self::Docx | Self::Pdf | Self::BarePdf | Self::Doc => panic!("{self:?} is no text"),
            Self::Bars => rows(&grid, |row| format!("| {} |\n", row.join(" | "))),
            Self::OpenBars => rows(&grid, |row| format!("{}\n", row.join(" | "))),
            Self::TabRows => rows(&grid, |row| format!("{}\n", row.join("\t"))),
            Self::Markdown => {
                let mut out = String::new();
                for (at, row) in grid.iter().enumerate() {
                    out += &format!("| {} |\n", row.join(" | "));
                    if at == 0 {
                        out += &format!("|{}\n", "---|".repeat(width));
                    }
                }
                out + "\n"
            }
            Self::FilledBars => origins(table, |row| {
                format!("| {} {}\n", row.join(" | "), "|".repeat(1 + width.saturating_sub(row.len())))
            }),
            Self::Lines => origins(table, |row| format!("{}\n", row.join("\n"))),
            Self::SpacedLines => origins(table, |row| format!("{}\n\n", row.join("\n\n"))),
            Self::ClosedCells => origins(table, |row| row.iter().map(|cell| format!("{cell} |\n")).collect()),
            Self::MarkedRows => origins(table, |row| {
                let cells: String = row.iter().map(|cell| format!("{cell} |\n")).collect();
                let filling = width.saturating_sub(row.len());
                let filling = if filling > 0 { format!("{}\n", "|".repeat(filling)) } else { String::new() };
                format!("|\n{cells}{filling}")
            }),
            Self::WordPaste => rows(&grid_with_lead(table), |row| {
                let cells: String = row.iter().map(|cell| format!("\t{cell}\n")).collect();
                format!("{cells}\n")
            }),
            Self::Columns => origins(table, |row| format!("{}\n", filled(row).join("    "))),
            Self::Words | Self::OneLine => origins(table, |row| format!("{}\n", filled(row).join(" "))),
            Self::RepeatedBars => {
                let repeat = |cell: &Cell| std::iter::repeat_n(cell.text.clone(), cell.columns);
                let row = |row: &Vec<Cell>| row.iter().flat_map(repeat).collect::<Vec<_>>().join(" | ");
                table.iter().map(|cells| format!("| {} |\n", row(cells))).collect::<String>() + "\n"
            }
            Self::Boxes => drawn::table(&grid, drawn::BOX, true),
            Self::OpenBoxes => drawn::table(&grid, drawn::BOX, false),
            Self::GridTable => drawn::table(&grid, drawn::GRID, true),
            Self::Semicolons => rows(&grid, |row| format!("\"{}\"\n", row.join("\";\""))),
            Self::TornMarkdown => table.iter().map(|row| torn(row)).collect(),
            Self::RowTables => table.iter().enumerate().map(|(at, row)| row_table(at, row)).collect(),
            Self::Divs => origins(table, |row| {
                let cells: String = row.iter().map(|cell| format!("<div>{cell}</div>\n")).collect();
                format!("<div class=\"row\">{cells}</div>\n")
            }),
        }
    }

    fn html(self, table: &Table) -> String {
        let cell = |cell: &Cell| {
            let text = match self {
                Self::WordHtml => {
                    let middle =
                        cell.text.char_indices().nth(cell.text.chars().count() / 2).map_or(0, |(at, _)| at);
                    let number = cell.text.chars().all(|c| c.is_ascii_digit());
                    let (a, b) = cell.text.split_at(if number { 0 } else { middle });
                    format!(
                        "<p class=\"MsoNormal\"><span>{a}</span><span style=\"color:red\">{b}<o:p></o:p></span></p>"
                    )
                }
                _ => cell.text.clone(),
            };
            format!("<td colspan=\"{}\" rowspan=\"{}\">{text}</td>", cell.columns, cell.rows)
        };
        let body: String = table
            .iter()
            .map(|row| format!("<tr>{}</tr>\n", row.iter().map(cell).collect::<String>()))
            .collect();
        format!("<table>{body}</table>\n")
    }
}

/// Returns two reports side by side in a PDF.
pub(crate) fn beside(left: &Sample, right: &Sample, is_ruled: bool) -> Vec<u8> {
    pdf::write_beside(&parts(left), &parts(right), is_ruled)
}

/// Returns a report as a PDF with two of its pages on each sheet.
pub(crate) fn two_up(sample: &Sample) -> Vec<u8> {
    pdf::write_two_up(&parts(sample))
}

fn filled(row: &[String]) -> Vec<&str> {
    row.iter().map(String::as_str).filter(|cell| !cell.is_empty()).collect()
}

/// Returns the labels of a row with values as lines, with the values as a table of one row; other rows as tables.
fn torn(row: &[Cell]) -> String {
    let bars = |cells: &[&Cell]| {
        let texts: Vec<&str> = cells.iter().map(|cell| cell.text.as_str()).collect();
        format!("| {} |\n|{}\n", texts.join(" | "), "---|".repeat(cells.len()))
    };
    let (values, labels): (Vec<&Cell>, Vec<&Cell>) = row.iter().partition(|cell| cell.fact.is_some());
    if values.is_empty() {
        return bars(&labels);
    }
    let labels: String = labels.iter().map(|label| format!("{}\n", label.text)).collect();
    format!("\n{labels}{}", bars(&values))
}

/// Column names that a vision model prints over any table.
const ELSEWHERE: [&str; 7] =
    ["本年新收件数", "上年结转件数", "予以公开", "部分公开", "不予公开", "无法提供", "其他处理"];

/// Returns a row as a table of its own, with invented column names over its values. From some row on, the names are
/// those of another table.
fn row_table(at: usize, row: &[Cell]) -> String {
    let (values, labels): (Vec<&Cell>, Vec<&Cell>) = row.iter().partition(|cell| cell.fact.is_some());
    let texts = |cells: &[&Cell]| cells.iter().map(|cell| cell.text.as_str()).collect::<Vec<_>>().join(" | ");
    let labels = texts(&labels).replace(" | ", "");
    if values.is_empty() {
        return format!("{labels}\n\n");
    }
    let name = |n: usize| match ELSEWHERE.get(n).filter(|_| at >= 20) {
        Some(name) => (*name).to_owned(),
        None => format!("数据{}", n + 1),
    };
    let names: Vec<String> = (0..values.len()).map(name).collect();
    let rule = "---|".repeat(values.len() + 1);
    format!("| 项目 | {} |\n|{rule}\n| {labels} | {} |\n\n", names.join(" | "), texts(&values))
}

fn parts(sample: &Sample) -> Vec<Part<'_>> {
    let [two, three, four] = &sample.tables;
    vec![
        Part::Line("云川市水务局2023年政府信息公开工作年度报告"),
        Part::Line("本报告由云川市水务局编制，统计期限自2023年1月1日起至2023年12月31日止。"),
        Part::Line("一、总体情况"),
        Part::Line("2023年，本局主动公开政府信息312条，其中部门文件12条。"),
        Part::Line("二、主动公开政府信息情况"),
        Part::Table(two),
        Part::Line("三、收到和处理政府信息公开申请情况"),
        Part::Table(three),
        Part::Line("四、政府信息公开行政复议、行政诉讼情况"),
        Part::Table(four),
        Part::Line("五、存在的主要问题及改进情况"),
        Part::Line("一是公开不够及时。下一步加强培训，完善制度，提高公开的时效。"),
        Part::Line("六、其他需要报告的事项"),
        Part::Line("2023年未收取信息处理费。"),
    ]
}

fn rows(grid: &[Vec<String>], render: impl Fn(&[String]) -> String) -> String {
    grid.iter().map(|row| render(row)).collect::<String>() + "\n"
}

fn origins(table: &Table, render: impl Fn(&[String]) -> String) -> String {
    let texts = |row: &Vec<Cell>| row.iter().map(|cell| cell.text.clone()).collect::<Vec<String>>();
    table.iter().map(|row| render(&texts(row))).collect::<String>() + "\n"
}

/// Returns the grid with merged cells as their text and blanks; damaged rows are as long as their cells.
fn expanded(table: &Table) -> Vec<Vec<String>> {
    spread(table, true)
}

/// Returns text pasted from Word: a merged cell leaves blanks in the rows below it, but none in the columns to its
/// right.
fn grid_with_lead(table: &Table) -> Vec<Vec<String>> {
    spread(table, false)
}

fn spread(table: &Table, across: bool) -> Vec<Vec<String>> {
    let mut covered: Vec<usize> = Vec::new();
    let mut grid = Vec::new();
    for row in table {
        let mut line = Vec::new();
        let mut column = 0;
        let mut new = Vec::new();
        for cell in row {
            while covered.get(column).is_some_and(|rows| *rows > 0) {
                line.push(String::new());
                column += 1;
            }
            line.push(cell.text.clone());
            if across {
                line.extend(std::iter::repeat_n(String::new(), cell.columns - 1));
            }
            new.push((column, cell.columns, cell.rows));
            column += cell.columns;
        }
        while covered.get(column).is_some_and(|rows| *rows > 0) {
            line.push(String::new());
            column += 1;
        }
        covered.iter_mut().for_each(|rows| *rows = rows.saturating_sub(1));
        for (first, columns, rows) in new {
            covered.resize(covered.len().max(first + columns), 0);
            covered[first..first + columns].iter_mut().for_each(|left| *left = rows - 1);
        }
        grid.push(line);
    }
    grid
}
