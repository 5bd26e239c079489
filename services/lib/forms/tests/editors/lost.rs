//! Labels, totals and merged cells that were lost: their rows are read by their places, or unreadable.

use gongkai_model::{FormId, State, Variant};

use super::{check_whole, sample, scored, with_column};
use crate::support::{Cell, Sample, Table, head, layout::Layout, read};

/// Returns the row of chapter 三 with a label.
fn row(table: &Table, label: &str) -> usize {
    table.iter().position(|row| row.iter().any(|cell| cell.text.contains(label))).unwrap()
}

/// Checks that every cell is read or unreadable.
#[track_caller]
fn check_open_cells(text: &str, filename: &str, sample: &Sample) {
    let score = scored(text, filename, sample);
    assert!(score.wrong.is_empty(), "{:#?}\n{text}", score.wrong);
    let report = read(text, filename);
    let lost: Vec<String> = report
        .facts
        .iter()
        .filter(|fact| matches!(fact.state, State::Missing | State::Blank))
        .map(|fact| fact.id.to_string())
        .collect();
    assert_eq!(lost, Vec::<String>::new(), "{text}");
}

#[test]
fn children_of_the_last_group_without_labels_do_not_change_the_variant() {
    let mut sample = sample();
    for label in ["逾期不补正", "逾期未按"] {
        sample.tables[1]
            .iter_mut()
            .flatten()
            .filter(|cell| cell.text.contains(label))
            .for_each(|cell| cell.text.clear());
    }
    let report = read(&Layout::Html.render(&sample), "a.html");
    assert_eq!(report.variant, Variant::Standard);
    check_open_cells(&Layout::Html.render(&sample), "a.html", &sample);
    let single = Sample::filled(FormId::Form2021, Variant::SingleRowOther, 3);
    check_whole(&Layout::Html.render(&single), "a.html", &single);
}

#[test]
fn an_inserted_column_that_took_the_place_of_the_total_leaves_the_rows_open() {
    for at in [1, 7] {
        let mut sample = sample();
        // The numbers do not add up, so that only the blanks under 总计 tell.
        for (n, row) in sample.tables[1].iter_mut().enumerate().skip(3) {
            for cell in row.iter_mut().filter(|cell| cell.fact.is_some()).take(1) {
                cell.text = (n * 13 + 70_001).to_string();
                sample.truth.insert(cell.fact.as_ref().unwrap().to_string(), Some(cell.text.clone()));
            }
        }
        with_column(&mut sample, at, "占比", |n| format!("{n}.5%"));
        // The titles cover two columns each. The inserted column has one.
        let table = &mut sample.tables[1];
        table[0][1].columns = 14;
        table[1].iter_mut().for_each(|cell| cell.columns *= 2);
        table[2].iter_mut().for_each(|cell| cell.columns *= 2);
        for row in table.iter_mut().skip(3) {
            for place in (0..row.len()).rev() {
                if row[place].fact.is_some() {
                    row.insert(place + 1, head("", 1, 1));
                }
            }
        }
        check_open_cells(&Layout::Html.render(&sample), "a.html", &sample);
    }
}

/// Splits a row into its label beside blanks and its numbers, in two rows: the first `count` of them and the others.
fn tear(table: &mut Table, label: &str, count: usize, above: bool) {
    let at = row(table, label);
    let own = table[at].clone();
    let labels = own.iter().filter(|cell| cell.fact.is_none()).count();
    let blank = |cell: &Cell| head("", cell.columns, 1);
    let half = |keep: &dyn Fn(usize) -> bool, with_label: bool| {
        let cell = |(n, cell): (usize, &Cell)| {
            if n < labels && with_label || n >= labels && keep(n - labels) {
                cell.clone()
            } else {
                blank(cell)
            }
        };
        own.iter().enumerate().map(cell).collect::<Vec<_>>()
    };
    let labelled = half(&|_| false, true);
    let halves = [half(&|n| n < count, false), half(&|n| n >= count, false)];
    let rows: Vec<_> = if above {
        halves.into_iter().chain([labelled]).collect()
    } else {
        [labelled].into_iter().chain(halves).collect()
    };
    table.splice(at..=at, rows);
    for cell in table[..at].iter_mut().flatten() {
        if ["三、本年度办理结果", "（三）不予公开"].contains(&cell.text.as_str()) {
            cell.rows += 2;
        }
    }
}

#[test]
fn a_row_torn_in_three_is_put_together() {
    for above in [true, false] {
        for count in [1, 6] {
            let mut sample = sample();
            tear(&mut sample.tables[1], "保护第三方合法权益", count, above);
            check_whole(&Layout::Html.render(&sample), "a.html", &sample);
        }
    }
}

#[test]
fn rows_of_blanks_below_merged_zeros_are_open() {
    let mut sample = sample();
    let first = row(&sample.tables[1], "保护第三方合法权益");
    for (at, text) in [(first, "0"), (first + 1, "")] {
        for cell in sample.tables[1][at].iter_mut().filter(|cell| cell.fact.is_some()) {
            cell.text = text.to_owned();
            sample.truth.insert(cell.fact.as_ref().unwrap().to_string(), Some("0".to_owned()));
        }
    }
    check_open_cells(&Layout::Markdown.render(&sample), "a.md", &sample);
}

#[test]
fn blanks_beside_the_second_line_of_a_label_leave_the_zeros_above_it() {
    let mut sample = sample();
    let at = row(&sample.tables[1], "部分公开");
    for cell in sample.tables[1][at].iter_mut().filter(|cell| cell.fact.is_some()) {
        "0".clone_into(&mut cell.text);
        sample.truth.insert(cell.fact.as_ref().unwrap().to_string(), Some("0".to_owned()));
    }
    let page = Layout::TabRows.render(&sample);
    let line = page.lines().find(|line| line.contains("部分公开")).unwrap();
    let blanks = "\t".repeat(8);
    let torn = line.replace("只计这一情形", "只计这");
    let (own, values) = torn.split_once("只计这").unwrap();
    let (rest, values) = values.split_once('\t').unwrap();
    let values = values.trim_start();
    let text = page.replace(line, &format!("{own}只计这\t{values}\n\n理结果\t一情形{rest}\t{blanks}"));
    check_whole(&text, "a.txt", &sample);
}

#[test]
fn a_zero_for_all_cells_of_chapter_four_leaves_them_open() {
    let mut sample = sample();
    for cell in sample.tables[2].iter_mut().flatten().filter(|cell| cell.fact.is_some()) {
        cell.text.clear();
        sample.truth.insert(cell.fact.as_ref().unwrap().to_string(), Some("0".to_owned()));
    }
    let page = Layout::Bars.render(&sample);
    let (before, four) = page.rsplit_once("未经复议直接起诉").unwrap();
    let (_, behind) = four.rsplit_once("总计").unwrap();
    let (before, _) = before.rsplit_once("行政复议").unwrap();
    let titles = "结果维持；  结果纠正；  其他结果；  尚未审结；  总计";
    let behind = behind.trim_start_matches([' ', '|', '\n']);
    let text =
        format!("{before}{titles}；  未经复议直接起诉；  复议后起诉\n{titles}；  {titles}\n0\n{behind}");
    check_open_cells(&text, "a.txt", &sample);
}

#[test]
fn a_cell_too_many_in_a_row_with_a_blank_at_its_end_leaves_it_open() {
    for label in ["重复申请", "信访举报投诉类申请"] {
        let mut sample = sample();
        let at = row(&sample.tables[1], label);
        let total = sample.tables[1][at].len() - 1;
        sample.blank((1, at, total));
        sample.tables[1][at].insert(total - 3, head("9314", 1, 1));
        let score = scored(&Layout::Html.render(&sample), "a.html", &sample);
        assert!(score.wrong.is_empty(), "{:#?}", score.wrong);
        assert!(score.open.len() <= 7, "{:#?}", score.open);
    }
}
