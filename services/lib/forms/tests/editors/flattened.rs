//! Tables that an editor changed and a program then wrote as text.

use gongkai_model::State;

use super::{check_honest, check_whole, html, redrawn, sample, scored, torn::markdown, with_column};
use crate::support::{Sample, head, layout::Layout, read};

const ROWS: [Layout; 5] = [Layout::Bars, Layout::OpenBars, Layout::TabRows, Layout::Markdown, Layout::Lines];

/// Returns the report with each row of its tables as a line of text.
fn lined(sample: &Sample, row: impl Fn(&[&str]) -> String) -> String {
    redrawn(sample, |cells| {
        let filled: Vec<&str> = cells.iter().copied().filter(|cell| !cell.is_empty()).collect();
        format!("{}\n", row(&filled))
    })
}

#[track_caller]
fn check_not_wrong(text: &str, filename: &str, sample: &Sample) {
    let score = scored(text, filename, sample);
    assert!(score.wrong.is_empty(), "{:#?}\n{text}", score.wrong);
}

#[test]
fn a_column_of_whole_numbers_in_text_is_passed_over() {
    for (at, title) in [(0, "上年总计"), (1, "去年同期"), (0, "2022年总计"), (1, "占比（%）")]
    {
        let mut sample = sample();
        with_column(&mut sample, at, title, |n| (n * 37 + 9000).to_string());
        for layout in ROWS {
            check_whole(&layout.render(&sample), layout.filename(), &sample);
        }
        check_not_wrong(&Layout::Words.render(&sample), "a.txt", &sample);
    }
}

/// Prints each number of chapter 三 beside one of the year before.
fn with_years(sample: &mut Sample) {
    let table = &mut sample.tables[1];
    table[0][0].rows += 1;
    table[0][1].columns *= 2;
    table[1].iter_mut().for_each(|cell| cell.columns *= 2);
    table[2].iter_mut().for_each(|cell| cell.columns = 2);
    let years = (0..14).map(|at| head(if at % 2 == 0 { "2022年" } else { "2023年" }, 1, 1)).collect();
    table.insert(3, years);
    for row in table.iter_mut().skip(4) {
        let first = row.len() - 7;
        for at in (first..first + 7).rev() {
            let last_year = head(&(9000 + at * 31).to_string(), 1, 1);
            row.insert(at, last_year);
        }
    }
}

#[test]
fn numbers_of_two_years_are_told_apart() {
    let mut sample = sample();
    with_years(&mut sample);
    for layout in [Layout::Bars, Layout::TabRows, Layout::Markdown, Layout::Lines] {
        check_whole(&layout.render(&sample), layout.filename(), &sample);
    }
    for size in [1, 3, 30] {
        for labels_first in [true, false] {
            check_not_wrong(&markdown(&sample, size, labels_first, None), "a.md", &sample);
        }
    }
}

#[test]
fn a_number_in_words_is_never_blank() {
    let sample = sample();
    let fee = sample.truth.get("proactive.fees.amount").unwrap().clone().unwrap();
    for layout in [Layout::Lines, Layout::Bars, Layout::TabRows, Layout::Html] {
        let text = layout.render(&sample);
        for new in ["约29.50", "人民币29.50", "见附表2", "29.50左右", "计29.5万多元"] {
            let parts = text.rsplit_once("行政事业性收费").unwrap();
            let text = format!("{}行政事业性收费{}", parts.0, parts.1.replacen(&fee, new, 1));
            let report = read(&text, layout.filename());
            let fact =
                report.facts.iter().find(|fact| fact.id.to_string() == "proactive.fees.amount").unwrap();
            assert_eq!(fact.state, State::Unreadable, "{layout:?} {new}\n{text}");
        }
    }
}

#[test]
fn a_number_in_words_before_padding_is_never_missing() {
    let sample = sample();
    let concept = "proactive.coercion.decisions";
    let own = sample.truth.get(concept).unwrap().clone().unwrap();
    let text = Layout::Bars.render(&sample);
    let line = text.lines().find(|line| line.contains("行政强制")).unwrap();
    for new in ["第57", "57年", "<del>54</del><ins>57</ins>", "54（上年）/57"] {
        let padded = format!("{}|  |  |", line.replacen(&own, new, 1).trim_end().trim_end_matches('|'));
        assert!(padded.contains(new), "{padded}");
        let report = read(&text.replacen(line, &padded, 1), Layout::Bars.filename());
        let fact = report.facts.iter().find(|fact| fact.id.to_string() == concept).unwrap();
        assert_eq!(fact.state, State::Unreadable, "{padded}");
    }
}

#[test]
fn blanks_of_a_merged_zero_are_no_blanks() {
    let mut sample = sample();
    for (table, row, first, count) in [(1, 5, 1, 5), (1, 8, 0, 7), (2, 3, 5, 5)] {
        let row = &mut sample.tables[table][row];
        let start = row.iter().position(|cell| cell.fact.is_some()).unwrap() + first;
        for cell in &row[start..start + count] {
            sample.truth.insert(cell.fact.as_ref().unwrap().to_string(), Some("0".to_owned()));
        }
        row[start].text = "0".to_owned();
        row[start].columns = count;
        row.drain(start + 1..start + count);
    }
    for layout in [Layout::Bars, Layout::Markdown, Layout::GridTable, Layout::Semicolons] {
        check_not_wrong(&layout.render(&sample), layout.filename(), &sample);
    }
}

#[test]
fn a_cell_lost_before_the_padding_shifts_nothing() {
    for (table, row) in [(0, 3), (1, 4), (1, 9), (2, 3)] {
        let mut sample = sample();
        let own = &mut sample.tables[table][row];
        let last = own.len() - 1;
        let at = if table == 0 { 1 } else { last - 2 };
        let lost = own.remove(at);
        own.push(head("", 1, 1));
        sample.truth.insert(lost.fact.unwrap().to_string(), None);
        for layout in [Layout::Bars, Layout::Markdown, Layout::TabRows] {
            check_not_wrong(&layout.render(&sample), layout.filename(), &sample);
        }
    }
}

#[test]
fn torn_rows_that_changed_places_are_not_read_in_order() {
    let mut sample = sample();
    sample.tables[1].swap(3, 4);
    for size in [1, 2, 30] {
        for labels_first in [true, false] {
            check_not_wrong(&markdown(&sample, size, labels_first, None), "a.md", &sample);
        }
    }
    check_whole(&Layout::Bars.render(&self::sample()), "a.txt", &self::sample());
}

#[test]
fn values_between_signs_are_read() {
    let sample = sample();
    for sign in [" / ", "；", " ; ", " · ", "\\", "、"] {
        check_whole(&lined(&sample, |row| row.join(sign)), "a.txt", &sample);
    }
    let is_value = |cell: &&&str| cell.parse::<f64>().is_ok();
    for (lead, between) in [("=", " "), ("：", "、"), (" -> ", ", ")] {
        let text = lined(&sample, |row| {
            let values = row.iter().rev().take_while(is_value).count();
            let (labels, values) = row.split_at(row.len() - values);
            if values.is_empty() || labels.is_empty() {
                return row.join(" ");
            }
            format!("{}{lead}{}", labels.join(" "), values.join(between))
        });
        check_honest(&text, "a.txt", &sample, 14);
    }
}

#[test]
fn tables_of_other_markup_are_read() {
    let sample = sample();
    let latex = redrawn(&sample, |row| format!("{} \\\\ \\hline\n", row.join(" & ")));
    check_whole(&format!("\\begin{{tabular}}{{llll}}\n{latex}"), "a.txt", &sample);
    let forum = redrawn(&sample, |row| {
        format!("[tr]{}[/tr]\n", row.iter().map(|cell| format!("[td]{cell}[/td]")).collect::<String>())
    });
    check_whole(&forum, "a.txt", &sample);
    let wiki = redrawn(&sample, |row| format!("|-\n| {}\n", row.join(" || ")));
    check_whole(&wiki.replacen("|-", "{|\n|-", 1), "a.txt", &sample);
}

#[test]
fn marks_before_every_line_are_no_part_of_it() {
    let sample = sample();
    for layout in [Layout::Lines, Layout::OpenBars, Layout::Words, Layout::Markdown] {
        let text = layout.render(&sample);
        let quoted: String = text.lines().map(|line| format!("> {line}\n")).collect();
        let numbered: String =
            text.lines().enumerate().map(|(at, line)| format!("{:3}: {line}\n", at + 1)).collect();
        for text in [quoted, numbered] {
            check_whole(&text, layout.filename(), &sample);
            let report = read(&text, layout.filename());
            let chapters: Vec<u32> = report.sections.iter().map(|section| section.number).collect();
            assert_eq!(chapters, [1, 2, 3, 4, 5, 6], "{text}");
        }
    }
}

#[test]
fn lines_cut_at_a_width_are_whole_again() {
    let sample = sample();
    for width in [40, 60] {
        let text = Layout::Words.render(&sample);
        let cut: String = text.lines().map(|line| wrapped(line, width)).collect();
        check_not_wrong(&cut, "a.txt", &sample);
    }
}

/// Returns a line in pieces as wide as a page, with wide characters counted twice.
fn wrapped(line: &str, width: usize) -> String {
    let (mut out, mut used) = (String::new(), 0);
    for c in line.chars() {
        let size = if c.is_ascii() { 1 } else { 2 };
        if used + size > width {
            out.push('\n');
            used = 0;
        }
        out.push(c);
        used += size;
    }
    out + "\n"
}

#[test]
fn marks_between_small_numbers_are_values_of_a_whole_row() {
    let mut sample = sample();
    let row = &mut sample.tables[0][2];
    for (cell, text) in row.iter_mut().skip(1).zip(["3", "/", "5"]) {
        text.clone_into(&mut cell.text);
        sample.truth.insert(cell.fact.as_ref().unwrap().to_string(), Some(text.to_owned()));
    }
    check_whole(&Layout::OneLine.render(&sample), "a.txt", &sample);
}

#[test]
fn a_title_of_another_column_does_not_hide_a_table_with_geometry() {
    let mut sample = sample();
    with_years(&mut sample);
    check_whole(&Layout::Html.render(&sample), "a.html", &sample);
    assert!(html(&sample.tables[1]).contains("2022年"));
}
