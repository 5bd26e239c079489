//! `headings.*`: the titles of the chapters, and whether the preamble and the tables agree with them.

use gongkai_model::{CellRef, Section, State};

use crate::{
    check::Check,
    draft::{Draft, Value, chapter_name},
    fingerprint::Key,
    input::Input,
    table::Table,
};

pub(crate) const CHECKS: &[Check] = &[
    Check {
        name: "headings.titles",
        cases: &[
            ("variant", &["chapter", "actual", "expected"]),
            ("differs", &["chapter", "actual", "expected"]),
        ],
        params: &[],
        run: |_, input| titles(input),
    },
    Check {
        name: "headings.preamble",
        cases: &[("differs", &["titles"])],
        params: &[],
        run: |_, input| preamble(input),
    },
    Check {
        name: "headings.tables",
        cases: &[("missing", &["chapter", "table"]), ("order", &["columns", "table"])],
        params: &[],
        run: |_, input| tables(input),
    },
];

/// For each chapter: its number, its title in the form, and words that a title of the same meaning contains.
const TITLES: [(u32, &str, &[&str]); 6] = [
    (1, "总体情况", &["总体", "概述", "基本情况", "工作情况"]),
    (2, "主动公开政府信息情况", &["主动公开"]),
    (3, "收到和处理政府信息公开申请情况", &["申请"]),
    (4, "政府信息公开行政复议、行政诉讼情况", &["复议", "诉讼"]),
    (5, "存在的主要问题及改进情况", &["问题", "改进", "整改", "不足"]),
    (6, "其他需要报告的事项", &["其他", "其它"]),
];

fn titles(input: &Input<'_>) -> Vec<Draft> {
    input.report.sections.iter().filter_map(title).collect()
}

fn title(section: &Section) -> Option<Draft> {
    let (number, expected, words) = TITLES.iter().find(|(number, _, _)| *number == section.number)?;
    let actual = bare(&section.title);
    if actual.is_empty() || actual == bare(expected) {
        return None;
    }
    let case = if words.iter().any(|word| actual.contains(word)) { "variant" } else { "differs" };
    Some(Draft {
        expected: Some((*expected).to_owned()),
        actual: Some(section.title.clone()),
        values: vec![
            chapter_name(*number),
            Value::same("actual", &section.title),
            Value::same("expected", *expected),
        ],
        source: Some(gongkai_model::Source {
            text: section.title.clone(),
            span: section.title_span,
            ..gongkai_model::Source::default()
        }),
        ..Draft::new(case, Key::Part(format!("title-{number}")))
    })
}

/// Returns a title without its numeral, marks and white space.
fn bare(title: &str) -> String {
    let title: String = title.split(|c: char| c.is_whitespace() || c == '#' || c == '*').collect();
    let numbered = title.trim_start_matches(['（', '(', '第']);
    let rest = numbered.trim_start_matches(|c: char| {
        c.is_ascii_digit() || matches!(c, '一' | '二' | '三' | '四' | '五' | '六')
    });
    let words = if rest.len() < numbered.len() {
        rest.trim_start_matches(['）', ')', '、', '.', '．', '，', ',', ':', '：', '章', '部', '分'])
    } else {
        title.as_str()
    };
    let is_mark =
        |c| matches!(c, '、' | '，' | ',' | '。' | '.' | '：' | ':' | '；' | ';' | '（' | '）' | '(' | ')');
    words.split(is_mark).collect()
}

/// Checks that the preamble's list of chapters, if there is one, names each chapter as its heading does.
fn preamble(input: &Input<'_>) -> Vec<Draft> {
    let text: String = input.report.preamble_text();
    if !text.contains("总体情况") || !(text.contains("其他需要") || text.contains("其它需要")) {
        return Vec::new();
    }
    let told = bare(&text);
    let sections = input.report.sections.iter();
    let others: Vec<String> = sections
        .map(|section| bare(&section.title))
        .filter(|title| !title.is_empty() && !told.contains(title.as_str()))
        .collect();
    if others.is_empty() {
        return Vec::new();
    }
    let titles: Vec<String> = others.iter().map(|title| format!("「{title}」")).collect();
    vec![Draft {
        actual: Some(others.join("，")),
        values: vec![Value::same("titles", titles.concat())],
        ..Draft::new("differs", Key::Part("preamble".to_owned()))
    }]
}

/// Finds chapters without their table, and tables whose columns are in another order.
fn tables(input: &Input<'_>) -> Vec<Draft> {
    let Some(table) = &input.table else { return Vec::new() };
    let mut drafts = Vec::new();
    for (number, name) in [(2, "表二"), (3, "表三"), (4, "表四")] {
        let section = input.report.section(number);
        let is_gone = table.chapter(number).all(|cell| table.state(cell) == State::Missing);
        if is_gone && section.is_some_and(|section| !section.has_table) {
            drafts.push(Draft {
                values: vec![chapter_name(number), Value::new("table", name, format!("table {number}"))],
                ..Draft::new("missing", Key::Part(format!("table-{number}")))
            });
        }
    }
    drafts.extend(order(input, table));
    drafts
}

/// Finds tables whose header names the columns in another order than the form's. The cells were read by that header,
/// so their places on the grid show the printed order.
fn order(input: &Input<'_>, table: &Table<'_>) -> Vec<Draft> {
    let names = [(2, "表二"), (3, "表三"), (4, "表四")];
    // Facts are in the order of the form, so the number of a fact is the number of its cell.
    let facts = input.report.facts.iter().zip(table.layout.cells.iter()).enumerate();
    let aligned = facts.filter(|(_, (fact, cell))| fact.id == cell.id);
    let places: Vec<(usize, CellRef)> =
        aligned.filter_map(|(at, (fact, _))| Some((at, fact.source.as_ref()?.cell?))).collect();
    let of_chapter = names.into_iter().filter_map(|(number, name)| {
        let of_chapter = places.iter().filter(|(at, _)| table.layout.cells[*at].chapter == number);
        let mut cells: Vec<&(usize, CellRef)> = of_chapter.collect();
        cells.sort_by_key(|(_, cell)| (cell.table, cell.row));
        let rows = || cells.chunk_by(|(_, a), (_, b)| (a.table, a.row) == (b.table, b.row));
        let whole = || rows().filter(|cells| cells.len() >= 3);
        let mut mixed = whole().filter_map(in_print).peekable();
        let first = mixed.peek().cloned();
        let printed = first.filter(|_| mixed.count() * 2 > whole().count())?;
        let titles: Vec<String> = printed.iter().map(|(_, at)| column_title(table, *at)).collect();
        Some(Draft {
            actual: Some(titles.join("、")),
            facts: table.ids(printed.iter().map(|(_, at)| *at)),
            values: vec![
                Value::same("columns", titles.join("、")),
                Value::new("table", name, format!("table {number}")),
            ],
            ..Draft::new("order", Key::Part(format!("order-{number}")))
        })
    });
    of_chapter.collect()
}

/// Returns the cells of a row sorted by their grid columns, each with its column. Returns `None` if they are in the
/// order of the form, or if several share a column, which leaves the order unknown.
fn in_print(cells: &[&(usize, CellRef)]) -> Option<Vec<(u32, usize)>> {
    if cells.windows(2).all(|pair| pair[0].1.column < pair[1].1.column) {
        return None;
    }
    let mut printed: Vec<(u32, usize)> = cells.iter().map(|(at, cell)| (cell.column, *at)).collect();
    printed.sort_unstable();
    printed.windows(2).all(|pair| pair[0].0 < pair[1].0).then_some(printed)
}

/// Returns the title of a cell's column as the header prints it.
fn column_title(table: &Table<'_>, at: usize) -> String {
    let cell = &table.layout.cells[at];
    let of_position =
        || cell.position.rsplit('「').next().and_then(|rest| rest.split('」').next()).unwrap_or_default();
    if cell.chapter == 3 { cell.column.clone() } else { of_position().to_owned() }
}
