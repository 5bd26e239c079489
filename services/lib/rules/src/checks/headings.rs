//! `headings.*`: the titles of the chapters, and whether the preamble and the tables agree with them.

use gongkai_model::{CellRef, Section, Source, State};

use crate::{
    check::{Cases, Check},
    draft::Draft,
    input::Input,
    params::Params,
    table::Table,
};

const TITLE: &[&str] = &["titles"];
const TABLES: Cases = &[("missing", &["chapter", "table"]), ("order", &["columns", "table"])];

pub(crate) const CHECKS: &[Check] = &[
    Check::one("headings.titles", &[("variant", TITLE), ("differs", TITLE)], titles),
    Check::one("headings.preamble", &[("differs", &["titles"])], preamble),
    Check::many("headings.tables", TABLES, tables),
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

/// The chapters with a table.
const CHAPTERS: [(u32, &str); 3] = [(2, "第二部分表格"), (3, "第三部分表格"), (4, "第四部分表格")];

/// Finds titles that are neither the form's nor those of article 50 of the regulations. One finding names them all.
fn titles(_: &Params, input: &Input<'_>) -> Option<Draft> {
    let others: Vec<OtherTitle<'_>> = input.report.sections.iter().filter_map(title).collect();
    let first = others.iter().find(|title| !title.is_variant).or(others.first())?;
    let case = if first.is_variant { "variant" } else { "differs" };
    let source =
        Source { text: first.section.title.clone(), span: first.section.title_span, ..Source::default() };
    let list = |of: fn(&OtherTitle<'_>) -> String| others.iter().map(of).collect::<Vec<_>>();
    let pair = |title: &OtherTitle<'_>| format!("「{}」应为「{}」", title.section.title, title.expected);
    let pair_en = |title: &OtherTitle<'_>| format!("{} for {}", title.section.title, title.expected);
    let draft =
        Draft::of_part(case, "titles").with_both("titles", list(pair).join("；"), list(pair_en).join("; "));
    Some(Draft {
        source: Some(source),
        actual: Some(list(|title| title.section.title.clone()).join("；")),
        expected: Some(list(|title| title.expected.to_owned()).join("；")),
        ..draft
    })
}

/// A chapter's title that is not the form's.
struct OtherTitle<'a> {
    section: &'a Section,
    expected: &'static str,
    /// True if the title has the meaning of the form's.
    is_variant: bool,
}

fn title(section: &Section) -> Option<OtherTitle<'_>> {
    let (_, expected, words) = TITLES.iter().find(|(number, _, _)| *number == section.number)?;
    let actual = canonical(&section.title);
    if actual.is_empty() || actual == canonical(expected) {
        return None;
    }
    let is_variant = words.iter().any(|word| actual.contains(word));
    Some(OtherTitle { section, expected, is_variant })
}

/// Words by which the titles of article 50 differ from the form's.
const OF_ARTICLE_50: [(&str, &str); 8] = [
    ("本行政机关", ""),
    ("行政机关", ""),
    ("因政府信息公开工作", "政府信息公开"),
    ("政府信息公开工作存在", "存在"),
    ("被申请", ""),
    ("被提起", ""),
    ("申请行政复议", "行政复议"),
    ("提起行政诉讼", "行政诉讼"),
];

/// Returns a title without its numeral and marks, and without the words in which equivalent titles differ.
fn canonical(title: &str) -> String {
    let title: String = bare(title).chars().filter(|c| !matches!(c, '的' | '和' | '及' | '与')).collect();
    let title = OF_ARTICLE_50.iter().fold(title, |title, (words, instead)| title.replace(words, instead));
    title.strip_suffix("情况").map_or(title.clone(), str::to_owned)
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
fn preamble(_: &Params, input: &Input<'_>) -> Option<Draft> {
    let text: String = input.report.preamble_text();
    if !text.contains("总体情况") || !(text.contains("其他需要") || text.contains("其它需要")) {
        return None;
    }
    let told = canonical(&text);
    let sections = input.report.sections.iter();
    let others: Vec<String> = sections
        .map(|section| (canonical(&section.title), bare(&section.title)))
        .filter(|(title, _)| !title.is_empty() && !told.contains(title.as_str()))
        .map(|(_, title)| title)
        .collect();
    let titles: Vec<String> = others.iter().map(|title| format!("「{title}」")).collect();
    let draft = Draft::of_part("differs", "preamble").with("titles", titles.concat());
    (!others.is_empty()).then(|| Draft { actual: Some(others.join("，")), ..draft })
}

/// Finds chapters without their table, and tables whose columns are in another order.
fn tables(_: &Params, input: &Input<'_>) -> Vec<Draft> {
    let Some(table) = &input.table else { return Vec::new() };
    let missing = CHAPTERS.into_iter().filter_map(|(number, name)| {
        let section = input.report.section(number)?;
        let is_gone = table.chapter(number).all(|cell| table.state(cell) == State::Missing);
        let draft = Draft::of_part("missing", format!("table-{number}")).chapter(number);
        let draft = draft.with_both("table", name, format!("table {number}"));
        (is_gone && !section.has_table).then_some(draft)
    });
    missing.chain(order(input, table)).collect()
}

/// Finds tables whose header names the columns in another order than the form's. The cells were read by that header,
/// so their positions on the grid show the printed order.
fn order(input: &Input<'_>, table: &Table<'_>) -> Vec<Draft> {
    // Facts are in the order of the form, so the number of a fact is the number of its cell.
    let facts = input.report.facts.iter().zip(table.layout.cells.iter()).enumerate();
    let aligned = facts.filter(|(_, (fact, cell))| fact.id == cell.id);
    let places: Vec<(usize, CellRef)> =
        aligned.filter_map(|(at, (fact, _))| Some((at, fact.source.as_ref()?.cell?))).collect();
    let of_chapter = CHAPTERS.into_iter().filter_map(|(number, name)| {
        let of_chapter = places.iter().filter(|(at, _)| table.layout.cells[*at].chapter == number);
        let mut cells: Vec<&(usize, CellRef)> = of_chapter.collect();
        cells.sort_by_key(|(_, cell)| (cell.table, cell.row));
        let rows = || cells.chunk_by(|(_, a), (_, b)| (a.table, a.row) == (b.table, b.row));
        let whole = || rows().filter(|cells| cells.len() >= 3);
        let mut mixed = whole().filter_map(in_print).peekable();
        let first = mixed.peek().cloned();
        let printed = first.filter(|_| mixed.count() * 2 > whole().count())?;
        let titles: Vec<String> = printed.iter().map(|(_, at)| column_title(table, *at)).collect();
        let draft = Draft::of_part("order", format!("order-{number}"))
            .with("columns", titles.join("、"))
            .with_both("table", name, format!("table {number}"));
        let facts = table.ids(printed.iter().map(|(_, at)| *at));
        Some(Draft { actual: Some(titles.join("、")), facts, ..draft })
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
