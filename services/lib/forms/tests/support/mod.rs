//! Generated reports: a form filled with numbers, in any layout, intact or damaged.

pub(crate) mod damage;
mod doc;
mod docx;
mod drawn;
pub(crate) mod layout;
mod pdf;
mod placed;

use std::collections::BTreeMap;

use gongkai_extract::{Hints, Limits};
use gongkai_forms::{Form, Forms, RowKind, read_report};
use gongkai_model::{FactId, FormId, Report, State, Variant};

/// A cell of a table with its spans, as HTML would have it.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    pub(crate) text: String,
    pub(crate) columns: usize,
    pub(crate) rows: usize,
    /// The fact of the cell.
    pub(crate) fact: Option<FactId>,
}

pub(crate) type Table = Vec<Vec<Cell>>;

/// A report's content before it is laid out.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    /// The tables of chapters 二, 三 and 四.
    pub(crate) tables: [Table; 3],
    /// The text of each cell; a blank cell has none.
    pub(crate) truth: BTreeMap<String, Option<String>>,
}

pub(crate) fn head(text: &str, columns: usize, rows: usize) -> Cell {
    Cell { text: text.to_owned(), columns, rows, fact: None }
}

impl Sample {
    /// Creates a form filled with distinct numbers.
    pub(crate) fn filled(id: FormId, variant: Variant, seed: u32) -> Self {
        let forms = Forms::embedded();
        let form = forms.get(id, variant).unwrap();
        let numbers = distinct(form, seed);
        let value = |id: FactId, columns: usize| Cell {
            text: numbers.get(&id.to_string()).unwrap().clone(),
            columns,
            rows: 1,
            fact: Some(id),
        };
        let tables = [proactive(form, &value), requests(form, &value), disputes(form, &value)];
        let truth = numbers.into_iter().map(|(id, number)| (id, Some(number))).collect();
        Self { tables, truth }
    }

    /// Returns all value cells: table, row, cell.
    pub(crate) fn values(&self) -> Vec<(usize, usize, usize)> {
        let mut all = Vec::new();
        for (t, table) in self.tables.iter().enumerate() {
            for (r, row) in table.iter().enumerate() {
                all.extend(row.iter().enumerate().filter(|(_, c)| c.fact.is_some()).map(|(c, _)| (t, r, c)));
            }
        }
        all
    }

    /// Empties a cell.
    pub(crate) fn blank(&mut self, (t, r, c): (usize, usize, usize)) {
        let cell = &mut self.tables[t][r][c];
        cell.text.clear();
        self.truth.insert(cell.fact.as_ref().unwrap().to_string(), None);
    }
}

/// Returns distinct numbers, one for each cell. Rows of chapter 三 and blocks of chapter 四 add up, so that sums
/// reveal nothing.
fn distinct(form: &Form, seed: u32) -> BTreeMap<String, String> {
    let mut next = 11 + u64::from(seed % 89) * 7;
    let mut numbers = BTreeMap::new();
    let mut sum = 0;
    for cell in &form.cells {
        let name = cell.id.to_string();
        next += 3 + u64::from(seed % 5);
        let total = name.ends_with("[total]") || (name.starts_with("disputes") && name.ends_with(".total"));
        let number = if total { std::mem::take(&mut sum) } else { next };
        sum += if cell.chapter > 2 && !total { next } else { 0 };
        numbers.insert(name, number.to_string());
    }
    numbers
}

fn proactive(form: &Form, value: &dyn Fn(FactId, usize) -> Cell) -> Table {
    let width = form.bands.iter().map(|band| band.columns.len()).max().unwrap();
    let mut table = Vec::new();
    for band in &form.bands {
        let wide = |at: usize| if at + 1 == band.columns.len() { width - at } else { 1 };
        table.push(vec![head(&band.item, width + 1, 1)]);
        let titles =
            band.columns.iter().enumerate().map(|(at, column)| head(&column.label.text, wide(at), 1));
        table.push(std::iter::once(head("信息内容", 1, 1)).chain(titles).collect());
        for row in &band.rows {
            let cells = band
                .columns
                .iter()
                .enumerate()
                .map(|(at, column)| value(Form::band_cell(row, column), wide(at)));
            table.push(std::iter::once(head(&row.label.text, 1, 1)).chain(cells).collect());
        }
    }
    table
}

fn requests(form: &Form, value: &dyn Fn(FactId, usize) -> Cell) -> Table {
    let corner = "（本列数据的勾稽关系为：第一项加第二项之和，等于第三项加第四项之和）";
    let mut table = vec![
        vec![head(corner, 3, 3), head("申请人情况", 7, 1)],
        vec![head("自然人", 1, 2), head("法人或其他组织", 5, 1), head("总计", 1, 2)],
        ["商业企业", "科研机构", "社会公益组织", "法律服务机构", "其他"]
            .iter()
            .map(|t| head(t, 1, 1))
            .collect(),
    ];
    let results = form.rows.iter().filter(|r| matches!(r.kind, RowKind::Result | RowKind::Total)).count();
    let mut group: Option<&str> = None;
    for row in &form.rows {
        let mut cells = Vec::new();
        match row.kind {
            RowKind::Received | RowKind::CarriedIn | RowKind::CarriedOut => {
                cells.push(head(&row.label.text, 3, 1));
            }
            RowKind::Result | RowKind::Total => {
                if row.concept.as_str() == "requests.outcome.granted" {
                    cells.push(head("三、本年度办理结果", 1, results));
                }
                match row.group.as_deref() {
                    Some(own) => {
                        if group != Some(own) {
                            let size = form.rows.iter().filter(|r| r.group.as_deref() == Some(own)).count();
                            cells.push(head(own, 1, size));
                        }
                        cells.push(head(&row.label.text, 1, 1));
                    }
                    None => cells.push(head(&row.label.text, 2, 1)),
                }
                group = row.group.as_deref();
            }
        }
        cells
            .extend(form.applicants.iter().map(|column| value(Form::request_cell(row, column.applicant), 1)));
        table.push(cells);
    }
    table
}

fn disputes(form: &Form, value: &dyn Fn(FactId, usize) -> Cell) -> Table {
    let form = &form.disputes;
    let names = |rows: usize| form.columns.iter().map(move |column| head(&column.label.text, 1, rows));
    let mut second: Vec<Cell> = names(2).collect();
    second.extend(form.blocks.iter().skip(1).map(|block| head(&block.label.text, 5, 1)));
    let third = form.blocks.iter().skip(1).flat_map(|_| names(1)).collect();
    let cells = form
        .blocks
        .iter()
        .flat_map(|block| form.columns.iter().map(move |column| value(Form::dispute_cell(block, column), 1)));
    vec![vec![head("行政复议", 5, 1), head("行政诉讼", 10, 1)], second, third, cells.collect()]
}

/// Reads a laid-out report.
pub(crate) fn read(text: &(impl AsRef<[u8]> + ?Sized), filename: &str) -> Report {
    let text = text.as_ref();
    let hints = Hints { filename: Some(filename), ..Hints::default() };
    let document = gongkai_extract::read(text, &hints, &Limits::default()).unwrap();
    read_report(&document, &Forms::embedded())
        .unwrap_or_else(|e| panic!("{e}\n{}", String::from_utf8_lossy(text)))
}

/// The numbers of right, wrong and open facts of a reading.
#[derive(Debug, Default)]
pub(crate) struct Score {
    pub(crate) right: usize,
    pub(crate) open: Vec<String>,
    pub(crate) wrong: Vec<String>,
}

/// Compares every fact with the expected value: a number must be the right one, and a blank must be read as blank or
/// stay open.
pub(crate) fn score(report: &Report, truth: &BTreeMap<String, Option<String>>) -> Score {
    let mut score = Score::default();
    for fact in &report.facts {
        let name = fact.id.to_string();
        let expect = truth.get(&name).and_then(Option::as_deref);
        let seen = format!(
            "{name}: {:?}, {expect:?} expected, {:?}",
            fact.state,
            fact.source.as_ref().map(|s| &s.text)
        );
        match (fact.state, expect) {
            (State::Reported(number), Some(expect)) if number.to_string() == expect => score.right += 1,
            (State::Blank, None) => score.right += 1,
            (State::NotApplicable, Some("/" | "—")) => score.right += 1,
            (State::Reported(_), _) | (State::Blank, Some(_)) | (State::NotApplicable, _) => {
                score.wrong.push(seen);
            }
            _ => score.open.push(seen),
        }
    }
    score
}
