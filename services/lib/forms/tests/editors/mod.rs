//! What editors and converters do to tables: each kind with numbers of its own, in HTML unless it says otherwise.

mod flattened;
mod lost;
mod mixed;
mod shapes;
mod shifted;
mod torn;
mod unseen;

use proptest::prelude::*;

use crate::support::{
    Cell, Sample, Score,
    damage::Damage,
    head,
    layout::{self, Layout},
    read, score,
};
use gongkai_model::{FormId, Variant};

fn sample() -> Sample {
    Sample::filled(FormId::Form2021, Variant::Standard, 3)
}

fn scored(text: &str, filename: &str, sample: &Sample) -> Score {
    score(&read(text, filename), &sample.truth)
}

/// Checks that every cell is read.
fn check_whole(text: &str, filename: &str, sample: &Sample) {
    let score = scored(text, filename, sample);
    assert!(score.wrong.is_empty() && score.open.is_empty(), "{score:#?}\n{text}");
}

/// Checks that no cell is wrong and that at most `open` are not read.
fn check_honest(text: &str, filename: &str, sample: &Sample, open: usize) {
    let score = scored(text, filename, sample);
    assert!(score.wrong.is_empty() && score.open.len() <= open, "{score:#?}\n{text}");
}

/// Returns the text of a value that occurs once: 行政许可's.
fn licensing(sample: &Sample) -> String {
    sample.truth.get("proactive.licensing.decisions").unwrap().clone().unwrap()
}

/// Rewrites the cell of 行政许可 in a page.
fn with_cell(sample: &Sample, new: impl Fn(&str) -> String) -> String {
    let number = licensing(sample);
    let old = format!(">{number}</td>");
    let page = Layout::Html.render(sample);
    assert!(page.contains(&old));
    page.replacen(&old, &format!(">{}</td>", new(&number)), 1)
}

#[test]
fn markup_in_markdown_is_no_part_of_a_number() {
    let sample = self::sample();
    let number = licensing(&sample);
    let text = Layout::Markdown.render(&sample);
    let old = format!("| {number} |");
    for new in ["`N`", "**N**", "~~41~~N", "<del>41</del>N", "N<sup>2</sup>", "N[^1]", "N①", "&nbsp;N"] {
        let text = text.replacen(&old, &format!("| {} |", new.replace('N', &number)), 1);
        check_whole(&text, "a.md", &sample);
    }
    let broken = text.replace("处理决定", "处理<br>决定").replace("予以公开", "予以<br/>公开");
    check_whole(&broken.replace("|  |", "| &nbsp; |"), "a.md", &sample);
}

#[test]
fn words_counters_and_signs_are_what_they_mean() {
    let mut sample = self::sample();
    for counter in ["份", "户", "宗"] {
        check_whole(&with_cell(&sample, |number| format!("{number}{counter}")), "a.html", &sample);
    }
    sample.truth.insert("proactive.licensing.decisions".to_owned(), Some("/".to_owned()));
    for word in ["不涉及", "无此项", "·", "——"] {
        check_whole(&with_cell(&self::sample(), |_| word.to_owned()), "a.html", &sample);
    }
    for sign in ["●", "√", "<sup>7</sup>"] {
        let text = with_cell(&self::sample(), |_| sign.to_owned());
        let report = read(&text, "a.html");
        let fact = report.facts.iter().find(|f| f.id.to_string() == "proactive.licensing.decisions").unwrap();
        assert_eq!(fact.state, gongkai_model::State::Unreadable, "{sign}");
    }
}

#[test]
fn money_is_in_the_unit_that_the_document_states() {
    let mut sample = self::sample();
    let fees = sample.truth.get("proactive.fees.amount").unwrap().clone().unwrap();
    let page = Layout::Html.render(&sample);
    let old = format!(">{fees}</td>");
    assert_eq!(page.matches(&old).count(), 1);
    sample.truth.insert("proactive.fees.amount".to_owned(), Some("0.73".to_owned()));
    check_whole(&page.replace(&old, ">7300（元）</td>"), "a.html", &sample);
    check_whole(&page.replace(&old, ">7300元</td>"), "a.html", &sample);
    check_whole(&page.replace(&old, ">7300</td>").replace("单位：万元", "单位：元"), "a.html", &sample);
    let in_row = page.replace(&old, ">7300</td>").replace("（单位：万元）", "");
    let in_row = in_row.replacen("<table>", "<table><tr><td colspan=4>单位：元</td></tr>", 1);
    check_whole(&in_row, "a.html", &sample);
    for (unit, number) in [("千元", "7.3"), ("百万元", "0.0073"), ("十万元", "0.073"), ("千万元", "0.00073")]
    {
        check_whole(&page.replace(&old, &format!(">{number}{unit}</td>")), "a.html", &sample);
        let head = page.replace(&old, &format!(">{number}</td>")).replace("单位：万元", unit);
        check_whole(&head, "a.html", &sample);
    }
    let above = page.replace(&old, ">7300</td>").replace("（单位：万元）", "");
    for line in ["（单位：件、元）", "单位：元", "金额单位：人民币元"] {
        let above = above.replacen("<table>", &format!("<p>{line}</p><table>"), 1);
        check_whole(&above, "a.html", &sample);
    }
    let both = page.replace(&old, ">7300</td>");
    let both = both.replacen("<table>", "<table><tr><td colspan=4>单位：元</td></tr>", 1);
    check_honest(&both, "a.html", &sample, 1);
    sample.truth.insert("proactive.fees.amount".to_owned(), Some("10731".to_owned()));
    check_whole(&page.replace(&old, ">1.0731亿元</td>"), "a.html", &sample);
}

/// Adds a column to chapter 三, `at` cells before the end of each row that is as long. `text` is given the row's number.
fn with_column(sample: &mut Sample, at: usize, title: &str, mut text: impl FnMut(usize) -> String) {
    let table = &mut sample.tables[1];
    table[0][1].columns += 1;
    let place = match at {
        0 => 3,
        7 => 0,
        _ => 2,
    };
    table[1].insert(place, head(title, 1, 2));
    for (n, row) in table.iter_mut().enumerate().skip(3) {
        if row.iter().any(mixed::is_value) && row.len() >= at {
            row.insert(row.len() - at, head(&text(n), 1, 1));
        }
    }
}

#[test]
fn a_column_that_the_form_does_not_have_is_passed_over() {
    for at in [0, 1, 7] {
        let mut percent = sample();
        with_column(&mut percent, at, "占比", |n| format!("{n}.5%"));
        check_whole(&Layout::Html.render(&percent), "a.html", &percent);
        let mut last_year = sample();
        with_column(&mut last_year, at, "上年数", |n| (n + 9000).to_string());
        check_whole(&Layout::Html.render(&last_year), "a.html", &last_year);
    }
}

#[test]
fn a_column_of_percentages_in_text_is_passed_over() {
    let mut sample = self::sample();
    with_column(&mut sample, 0, "占比", |n| format!("{n}.5%"));
    for layout in [Layout::Bars, Layout::Markdown, Layout::TabRows, Layout::FilledBars, Layout::Lines] {
        check_whole(&layout.render(&sample), layout.filename(), &sample);
    }
    check_honest(&Layout::Words.render(&sample), "a.txt", &sample, 175);
}

#[test]
fn a_table_of_fees_in_the_last_chapter_is_passed_over() {
    let sample = self::sample();
    let fees = "<table><tr><td>项目</td><td>件数</td><td>金额（元）</td></tr>\
        <tr><td>行政事业性收费</td><td>93</td><td>9100</td></tr><tr><td>合计</td><td>93</td><td>9100</td></tr></table>";
    check_whole(&format!("{}{fees}", Layout::Html.render(&sample)), "a.html", &sample);
}

#[test]
fn beside_another_column_a_lost_cell_shifts_nothing() {
    for at in [0, 1, 7] {
        for lost in 1..=8 {
            let mut sample = self::sample();
            with_column(&mut sample, at, "上年数", |n| (n + 9000).to_string());
            let row = &mut sample.tables[1][6];
            let place = row.len() - lost;
            let gone = row.remove(place);
            if let Some(id) = gone.fact {
                sample.truth.insert(id.to_string(), None);
            }
            check_honest(&Layout::Html.render(&sample), "a.html", &sample, 7);
        }
    }
}

#[test]
fn a_column_of_last_year_in_chapter_two_is_passed_over() {
    let mut sample = self::sample();
    for row in &mut sample.tables[0] {
        if let Some(own) = row.get_mut(1).filter(|cell| cell.columns == 3) {
            own.columns = 2;
            let text = if own.fact.is_some() { "9077" } else { "上年处理决定数量" };
            row.insert(1, head(text, 1, 1));
        }
    }
    check_whole(&Layout::Html.render(&sample), "a.html", &sample);
}

#[test]
fn sums_of_groups_are_passed_over() {
    for name in ["合计", "小计"] {
        let mut sample = self::sample();
        let table = &mut sample.tables[1];
        let first = table.iter().position(|row| row.iter().any(|c| c.text == "（三）不予公开")).unwrap();
        let sum = |column: usize| -> u64 {
            (first..first + 8)
                .map(|r| table[r][table[r].len() - 7 + column].text.parse::<u64>().unwrap())
                .sum()
        };
        let mut row = vec![head(name, 1, 1)];
        row.extend((0..7).map(|column| head(&sum(column).to_string(), 1, 1)));
        table[first].iter_mut().find(|c| c.text == "（三）不予公开").unwrap().rows += 1;
        let all = table.iter_mut().flatten().find(|c| c.text == "三、本年度办理结果").unwrap();
        all.rows += 1;
        table.insert(first + 8, row);
        check_whole(&Layout::Html.render(&sample), "a.html", &sample);
    }
}

#[test]
fn a_table_beside_the_forms_is_passed_over() {
    let sample = self::sample();
    let page = Layout::Html.render(&sample);
    let channels = "<table><tr><td>渠道</td><td>网络</td><td>信函</td><td>当面</td><td>总计</td></tr>\
        <tr><td>本年新收政府信息公开申请数量</td><td>913</td><td>92</td><td>91</td><td>1096</td></tr></table>";
    let before = page.replacen("申请情况</p>\n<table>", &format!("申请情况</p>\n{channels}<table>"), 1);
    check_whole(&before, "a.html", &sample);
    let years = "<p>近三年行政复议情况</p><table><tr><td>年度</td><td>结果维持</td><td>结果纠正</td><td>其他结果</td>\
        <td>尚未审结</td><td>总计</td></tr><tr><td>2021</td><td>91</td><td>92</td><td>93</td><td>94</td><td>370</td></tr></table>";
    let behind = page.replacen("<p>五、存在", &format!("{years}<p>五、存在"), 1);
    check_whole(&behind, "a.html", &sample);
}

fn html(rows: &[Vec<Cell>]) -> String {
    let cell = |cell: &Cell| format!("<td colspan={} rowspan={}>{}</td>", cell.columns, cell.rows, cell.text);
    let row = |row: &Vec<Cell>| format!("<tr>{}</tr>", row.iter().map(cell).collect::<String>());
    rows.iter().map(row).collect()
}

/// Replaces the table of chapter 四.
fn with_disputes(sample: &Sample, new: &str) -> String {
    let page = Layout::Html.render(sample);
    let start = page.find("<p>四、").unwrap();
    let table = start + page[start..].find("<table>").unwrap();
    let end = table + page[table..].find("</table>").unwrap() + "</table>".len();
    format!("{}{new}{}", &page[..table], &page[end..])
}

const COLUMNS: [&str; 5] = ["结果维持", "结果纠正", "其他结果", "尚未审结", "总计"];

fn names() -> Vec<Cell> {
    COLUMNS.iter().map(|name| head(name, 1, 1)).collect()
}

#[test]
fn chapter_four_is_read_in_the_shapes_that_editors_give_it() {
    let sample = self::sample();
    let values: Vec<Cell> = sample.tables[2][3].clone();
    let (one, two) = (values[..5].to_vec(), values[5..].to_vec());
    let litigation = vec![
        vec![head("行政诉讼", 10, 1)],
        vec![head("未经复议直接起诉", 5, 1), head("复议后起诉", 5, 1)],
        [names(), names()].concat(),
        two,
    ];
    let reconsideration = vec![vec![head("行政复议", 5, 1)], names(), one];
    let (upper, lower) = (html(&reconsideration), html(&litigation));
    check_whole(
        &with_disputes(&sample, &format!("<table>{upper}</table><p></p><table>{lower}</table>")),
        "a.html",
        &sample,
    );
    check_whole(&with_disputes(&sample, &format!("<table>{upper}{lower}</table>")), "a.html", &sample);

    let block = |title: &str, at: usize| [vec![head(title, 1, 1)], values[at..at + 5].to_vec()].concat();
    let rows = vec![
        [vec![head("类别", 1, 1)], names()].concat(),
        block("行政复议", 0),
        block("行政诉讼（未经复议直接起诉）", 5),
        block("行政诉讼（复议后起诉）", 10),
    ];
    check_whole(&with_disputes(&sample, &format!("<table>{}</table>", html(&rows))), "a.html", &sample);

    let mut turned = vec![
        vec![head("结果", 1, 2), head("行政复议", 1, 2), head("行政诉讼", 2, 1)],
        vec![head("未经复议直接起诉", 1, 1), head("复议后起诉", 1, 1)],
    ];
    for (at, name) in COLUMNS.iter().enumerate() {
        let own = [0, 5, 10].map(|block| values[block + at].clone());
        turned.push([vec![head(name, 1, 1)], own.to_vec()].concat());
    }
    check_whole(&with_disputes(&sample, &format!("<table>{}</table>", html(&turned))), "a.html", &sample);

    let mut total = sample.tables[2].clone();
    total[0].push(head("合计", 1, 3));
    total[3].push(head("9999", 1, 1));
    check_whole(&with_disputes(&sample, &format!("<table>{}</table>", html(&total))), "a.html", &sample);
}

#[test]
fn a_zero_merged_over_a_block_is_each_of_its_zeros() {
    let mut sample = self::sample();
    let gone: Vec<Cell> = sample.tables[2][3].drain(5..).collect();
    for cell in gone {
        sample.truth.insert(cell.fact.unwrap().to_string(), Some("0".to_owned()));
    }
    sample.tables[2][3].push(head("0", 10, 1));
    check_whole(&Layout::Html.render(&sample), "a.html", &sample);
    sample.tables[2][3].last_mut().unwrap().text = "7".to_owned();
    check_honest(&Layout::Html.render(&sample), "a.html", &sample, 15);
}

#[test]
fn fields_and_feet_of_tables_are_read() {
    let sample = self::sample();
    let page = Layout::Html.render(&sample);
    let fields = page.split("</td>").map(|cell| match cell.rsplit_once('>') {
        Some((tag, text)) if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) => {
            format!("{tag}><input type=\"text\" value=\"{text}\" readonly>")
        }
        _ => cell.to_owned(),
    });
    let fields = fields.collect::<Vec<_>>().join("</td>");
    check_whole(&fields, "a.html", &sample);
    let (front, table) = page.rsplit_once("<table>").unwrap();
    let (table, behind) = table.split_once("</table>").unwrap();
    let (body, last) = table.trim_end().rsplit_once("<tr>").unwrap();
    let feet = format!("{front}<table><tfoot><tr>{last}</tfoot><tbody>{body}</tbody></table>{behind}");
    check_whole(&feet, "a.html", &sample);
}

/// Returns the report with its tables as text, by a rule for each row of the layout of bars.
fn redrawn(sample: &Sample, row: impl Fn(&[&str]) -> String) -> String {
    let text = Layout::Bars.render(sample);
    let line = |line: &str| match line.strip_prefix("| ").and_then(|line| line.strip_suffix(" |")) {
        Some(inner) => row(&inner.split(" | ").map(str::trim).collect::<Vec<_>>()),
        None => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

#[test]
fn drawn_tables_and_values_between_commas_are_read() {
    let sample = self::sample();
    let boxed = redrawn(&sample, |row| format!("├{}┤\n│{}│\n", "──┼".repeat(row.len()), row.join("│")));
    check_whole(&boxed, "a.txt", &sample);
    let quoted = |cell: &&str| if cell.contains(',') { format!("\"{cell}\"") } else { (*cell).to_owned() };
    let commas =
        redrawn(&sample, |row| format!("{}\n", row.iter().map(quoted).collect::<Vec<_>>().join(",")));
    check_whole(&commas, "a.csv", &sample);
    let alone = redrawn(&sample, |row| {
        let filled = row.iter().rposition(|cell| !cell.is_empty()).map_or(1, |at| at + 1);
        let cells: String = row[..filled]
            .iter()
            .map(|cell| if cell.is_empty() { "|\n".to_owned() } else { format!("{cell}\n|\n") })
            .collect();
        format!("{cells}{}\n", "|".repeat(2 + row.len() - filled))
    });
    check_honest(&alone, "a.txt", &sample, 0);
}

#[test]
fn cells_printed_into_every_merged_cell_are_one() {
    let sample = self::sample();
    let mut text = Layout::Markdown.render(&sample);
    let (front, behind) = text.split_at(text.find("四、").unwrap());
    let rows: Vec<String> = behind.lines().map(str::to_owned).collect();
    let at = rows.iter().position(|row| row.starts_with('|')).unwrap();
    let line = |cells: Vec<&str>| format!("| {} |", cells.join(" | "));
    let mut rows = rows;
    rows[at] = line([["行政复议"; 5].as_slice(), ["行政诉讼"; 10].as_slice()].concat());
    rows[at + 2] =
        line([COLUMNS.as_slice(), ["未经复议直接起诉"; 5].as_slice(), ["复议后起诉"; 5].as_slice()].concat());
    rows[at + 3] = line([COLUMNS.as_slice(), COLUMNS.as_slice(), COLUMNS.as_slice()].concat());
    text = format!("{front}{}\n", rows.join("\n"));
    check_whole(&text, "a.md", &sample);
}

#[test]
fn rows_whose_cells_are_all_blank_lines_are_blank() {
    let mut sample = self::sample();
    for row in 5..9 {
        for cell in 0..sample.tables[1][row].len() {
            if sample.tables[1][row][cell].fact.is_some() {
                sample.blank((1, row, cell));
            }
        }
    }
    // One more blank between numbers shows that blank lines are cells.
    let lone = sample.tables[1][3].len() - 3;
    sample.blank((1, 3, lone));
    check_whole(&Layout::Lines.render(&sample), "a.txt", &sample);
}

#[test]
fn two_pages_on_a_sheet_are_read_one_after_the_other() {
    let sample = self::sample();
    let report = read(&layout::two_up(&sample), "a.pdf");
    let score = score(&report, &sample.truth);
    assert!(score.wrong.is_empty() && score.open.is_empty(), "{score:#?}");
}

/// The kinds of damage that do not depend on the number of columns.
const DAMAGES: [Damage; 11] = [
    Damage::DropCell,
    Damage::AddCell,
    Damage::BlankCell,
    Damage::BlankCells,
    Damage::Mark,
    Damage::DropBand,
    Damage::DropLabel,
    Damage::Misprint,
    Damage::Note,
    Damage::DoubleRow,
    Damage::Garbage,
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_report_with_another_column_is_read_right_or_not_at_all(
        damage in 0..DAMAGES.len(),
        at in prop::sample::select(vec![0_usize, 1, 7]),
        is_percent in any::<bool>(),
        seed in any::<u32>(),
    ) {
        let mut sample = Sample::filled(FormId::Form2021, Variant::Standard, seed);
        if is_percent {
            with_column(&mut sample, at, "占比", |n| format!("{n}.5%"));
        } else {
            with_column(&mut sample, at, "上年数", |n| (n + 9000).to_string());
        }
        let total = head("99990", 1, 1);
        sample.tables[2][0].push(head("合计", 1, 3));
        sample.tables[2][3].push(total);
        DAMAGES[damage].apply(&mut sample, seed);
        let score = scored(&Layout::Html.render(&sample), "a.html", &sample);
        prop_assert!(score.wrong.is_empty(), "{:?} {at} {:#?}", DAMAGES[damage], score.wrong);
    }
}
