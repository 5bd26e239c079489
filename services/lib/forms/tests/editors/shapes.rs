//! Columns, rows and tables that editors rearrange.

use super::{COLUMNS, check_honest, check_whole, html, names, sample, with_disputes};
use crate::support::{Cell, Sample, head, layout::Layout};

/// Gives each column of chapter 三 from `first` on a second column for another year.
fn with_years(sample: &mut Sample, first: usize, [own, other]: [&str; 2], is_first: bool) {
    let table = &mut sample.tables[1];
    let pair = |own: Cell, other: Cell| if is_first { [own, other] } else { [other, own] };
    table[0][0].rows += 1;
    table[0][1].columns += 7 - first;
    let years = |_| pair(head(own, 1, 1), head(other, 1, 1));
    if first == 0 {
        table[1].iter_mut().for_each(|cell| cell.columns *= 2);
        table[2].iter_mut().for_each(|cell| cell.columns = 2);
        table.insert(3, (0..7).flat_map(years).collect());
    } else {
        table[0][0].rows -= 1;
        (table[1][2].columns, table[1][2].rows) = (2, 1);
        table[2].extend(years(0));
    }
    let rows = if first == 0 { 4 } else { 3 };
    for (n, row) in table.iter_mut().enumerate().skip(rows) {
        let values = row.split_off(row.len() - 7);
        for (column, value) in values.into_iter().enumerate() {
            let other = head(&(9000 + n * 10 + column).to_string(), 1, 1);
            if column < first { row.push(value) } else { row.extend(pair(value, other)) }
        }
    }
}

#[test]
fn of_columns_of_two_years_the_later_is_the_reports() {
    for (first, years, is_first) in [
        (0, ["2023年", "2022年"], true),
        (0, ["2023年", "2022年"], false),
        (0, ["本年", "上年"], false),
        (6, ["2023年度", "2022年度"], false),
        (6, ["本年", "上年"], true),
    ] {
        let mut sample = sample();
        with_years(&mut sample, first, years, is_first);
        check_whole(&Layout::Html.render(&sample), "a.html", &sample);
    }
}

#[test]
fn a_blank_of_this_year_does_not_take_the_number_of_the_last() {
    let mut sample = sample();
    with_years(&mut sample, 6, ["今", "昔"], false);
    let last = sample.tables[1][4].len() - 1;
    sample.blank((1, 4, last));
    check_honest(&Layout::Html.render(&sample), "a.html", &sample, 175);
}

#[test]
fn a_column_of_units_is_passed_over_and_states_the_unit() {
    for is_last in [false, true] {
        let mut sample = sample();
        for row in &mut sample.tables[0] {
            let is_head = row.iter().all(|cell| cell.fact.is_none());
            let is_fee = row.iter().any(|cell| cell.text == "行政事业性收费");
            let text = if is_head {
                "单位"
            } else if is_fee {
                "元"
            } else {
                "件"
            };
            match row.len() {
                1 => row[0].columns += 1,
                length => row.insert(if is_last { length } else { 1 }, head(text, 1, 1)),
            }
        }
        let page = Layout::Html.render(&sample).replace("（单位：万元）", "");
        let fees = sample.truth.get("proactive.fees.amount").unwrap().clone().unwrap();
        let page = page.replace(&format!(">{fees}</td>"), ">7300</td>");
        sample.truth.insert("proactive.fees.amount".to_owned(), Some("0.73".to_owned()));
        check_whole(&page, "a.html", &sample);
    }
}

#[test]
fn tables_of_chapter_four_may_have_their_blocks_above_them() {
    let sample = sample();
    let values: &[Cell] = &sample.tables[2][3];
    let block = |at: usize| html(&[names(), values[at..at + 5].to_vec()]);
    let two = html(&[
        vec![head("未经复议直接起诉", 5, 1), head("复议后起诉", 5, 1)],
        [names(), names()].concat(),
        values[5..].to_vec(),
    ]);
    let one = block(0);
    for [above, below] in [["<p>（一）行政复议</p>", "<p>（二）行政诉讼</p>"], ["<h4>行政复议情况</h4>", ""]]
    {
        let new = format!("{above}<table>{one}</table>{below}<table>{two}</table>");
        check_whole(&with_disputes(&sample, &new), "a.html", &sample);
    }
    let caption = |title: &str, rows: &str| format!("<table><caption>{title}</caption>{rows}</table>");
    let blocks = [("行政复议", 0), ("未经复议直接起诉", 5), ("复议后起诉", 10)];
    let new: String = blocks.iter().map(|(title, at)| caption(title, &block(*at))).collect();
    check_whole(&with_disputes(&sample, &new), "a.html", &sample);
}

#[test]
fn chapter_four_may_be_a_list() {
    let sample = sample();
    let values: &[Cell] = &sample.tables[2][3];
    let mut rows = vec![vec![head("类别", 1, 1), head("结果", 1, 1), head("数量", 1, 1)]];
    for (at, block) in ["行政复议", "未经复议直接起诉", "复议后起诉"].iter().enumerate() {
        for (column, name) in COLUMNS.iter().enumerate() {
            let title = (column == 0).then(|| head(block, 1, 5));
            let own = [head(name, 1, 1), values[at * 5 + column].clone()];
            rows.push(title.into_iter().chain(own).collect());
        }
    }
    check_whole(&with_disputes(&sample, &format!("<table>{}</table>", html(&rows))), "a.html", &sample);
}

#[test]
fn of_rows_of_several_years_the_latest_is_the_reports() {
    for is_first in [false, true] {
        let mut sample = sample();
        let table = &mut sample.tables[2];
        table[0].insert(0, head("年度", 1, 3));
        table[3].insert(0, head("2023年", 1, 1));
        let mut other: Vec<Cell> = (0..15).map(|n| head(&(9100 + n).to_string(), 1, 1)).collect();
        other.insert(0, head("2022年", 1, 1));
        table.insert(if is_first { 3 } else { 4 }, other);
        check_whole(&Layout::Html.render(&sample), "a.html", &sample);
    }
}

#[test]
fn a_report_in_one_table_is_cut_at_its_chapters() {
    let sample = sample();
    let page = Layout::Html.render(&sample);
    let (front, tables) = page.split_once("<p>二、").unwrap();
    let (tables, behind) = tables.split_once("<p>五、").unwrap();
    let rows = format!("<p>二、{tables}").replace("<table>", "").replace("</table>", "");
    let rows = rows.replace("<p>", "<tr><td colspan=15>").replace("</p>", "</td></tr>");
    check_whole(&format!("{front}<table>{rows}</table><p>五、{behind}"), "a.html", &sample);
}

#[test]
fn a_zero_merged_over_rows_is_the_zero_of_each() {
    let mut sample = sample();
    for (below, row) in [6, 7, 8].into_iter().enumerate() {
        let values = sample.tables[1][row].len() - 7;
        for cell in &mut sample.tables[1][row][values..] {
            sample.truth.insert(cell.fact.clone().unwrap().to_string(), Some("0".to_owned()));
            (cell.text, cell.rows) = ("0".to_owned(), 3);
        }
        if below > 0 {
            sample.tables[1][row].truncate(values);
        }
    }
    check_whole(&Layout::Html.render(&sample), "a.html", &sample);
    let page = Layout::Html.render(&sample).replace("rowspan=\"3\">0</td>", "rowspan=\"3\">7</td>");
    check_honest(&page, "a.html", &sample, 21);
}

#[test]
fn the_empty_form_before_the_report_is_passed_over() {
    let sample = sample();
    let mut empty = sample.tables[1].clone();
    empty.iter_mut().flatten().filter(|cell| cell.fact.is_some()).for_each(|cell| cell.text.clear());
    let page = Layout::Html.render(&sample);
    let empty = format!("申请情况</p>\n<table>{}</table><table>", html(&empty));
    check_whole(&page.replacen("申请情况</p>\n<table>", &empty, 1), "a.html", &sample);
}

#[test]
fn tables_of_markdown_and_of_html_may_be_in_one_text() {
    let sample = sample();
    let markdown = Layout::Markdown.render(&sample);
    let (front, rest) = markdown.split_once("三、收到").unwrap();
    let (_, behind) = rest.split_once("四、政府").unwrap();
    let table = format!("<table>{}</table>", html(&sample.tables[1]));
    let text = format!("{front}三、收到和处理政府信息公开申请情况\n\n{table}\n\n四、政府{behind}");
    check_whole(&text, "a.md", &sample);
}
