//! Tables whose labels and numbers are apart: right or unreadable, never shifted.

use proptest::prelude::*;

use super::{check_whole, scored};
use crate::support::{Cell, Sample, Table, layout::Layout};
use gongkai_model::{FormId, Variant};

const FORMS: [(FormId, Variant); 3] = [
    (FormId::Form2021, Variant::Standard),
    (FormId::Form2021, Variant::SingleRowOther),
    (FormId::Form2019, Variant::Standard),
];

fn sample(form: usize, seed: u32) -> Sample {
    let (id, variant) = FORMS[form % FORMS.len()];
    Sample::filled(id, variant, seed)
}

fn labels(row: &[Cell]) -> Vec<Cell> {
    row.iter().filter(|cell| cell.fact.is_none()).cloned().collect()
}

fn numbers(row: &[Cell]) -> Vec<Cell> {
    row.iter().filter(|cell| cell.fact.is_some()).cloned().collect()
}

/// Replaces chapter 三's table of a page by several.
fn with_requests(sample: &Sample, tables: &[Table]) -> String {
    let page = Layout::Html.render(sample);
    let start = page.find("<p>三、").unwrap();
    let table = start + page[start..].find("<table>").unwrap();
    let end = table + page[table..].find("</table>").unwrap() + "</table>".len();
    let new: String = tables.iter().map(|rows| format!("<table>{}</table>", super::html(rows))).collect();
    format!("{}{new}{}", &page[..table], &page[end..])
}

/// Returns chapter 三 as three tables: the rows before `from`, the labels of the rows up to `to`, their numbers and the
/// rest.
fn torn(table: &Table, from: usize, to: usize) -> [Table; 4] {
    let part = |rows: &[Vec<Cell>]| -> Table {
        let cell = |cell: &Cell| Cell { rows: 1, ..cell.clone() };
        rows.iter().map(|row| row.iter().map(cell).collect()).collect()
    };
    let [before, inside, behind] = [&table[..from], &table[from..to], &table[to..]].map(part);
    let apart = |of: fn(&[Cell]) -> Vec<Cell>| inside.iter().map(|row| of(row)).collect();
    let head: Table = table[..3].to_vec();
    let before = if from <= 3 { head } else { [head, before[3..].to_vec()].concat() };
    [before, apart(labels), apart(numbers), behind]
}

#[test]
fn labels_and_numbers_in_tables_of_their_own_belong_together_in_order() {
    for form in 0..3 {
        let sample = sample(form, 5);
        let table = &sample.tables[1];
        for (from, to) in [(3, 4), (3, 5), (table.len() - 1, table.len()), (table.len() - 2, table.len())] {
            check_whole(&with_requests(&sample, &torn(table, from, to)), "a.html", &sample);
        }
    }
}

#[test]
fn a_label_does_not_take_the_first_of_two_rows() {
    for form in 0..3 {
        let sample = sample(form, 8);
        let table = &sample.tables[1];
        for (from, to) in [(3, 5), (table.len() - 2, table.len())] {
            for lost in 0..2 {
                let mut tables = torn(table, from, to);
                tables[1].remove(lost);
                let score = scored(&with_requests(&sample, &tables), "a.html", &sample);
                assert!(score.wrong.is_empty() && score.open.len() <= 14, "{from} {lost} {score:#?}");
            }
        }
    }
}

/// Returns the report as a PDF tool writes it: the labels of `size` rows, and their numbers as a table without labels.
pub(super) fn markdown(
    sample: &Sample,
    size: usize,
    labels_first: bool,
    lost: Option<(usize, bool)>,
) -> String {
    let page = Layout::Markdown.render(sample);
    let mut parts = page.split("\n\n|").map(|part| part.rsplit_once("|\n").map_or(part, |(_, rest)| rest));
    let mut text = parts.next().unwrap_or_default().to_owned();
    for (table, rest) in sample.tables.iter().zip(parts) {
        for (at, rows) in table.chunks(size).enumerate() {
            let is_lost = |of_labels: bool| lost == Some((at, of_labels));
            let names = rows.iter().flat_map(|row| labels(row)).skip(usize::from(is_lost(true)));
            let names: String = names.map(|cell| format!("{}\n", cell.text)).collect();
            let rows = rows.iter().map(|row| numbers(row)).filter(|row| !row.is_empty());
            let rows = rows.skip(usize::from(is_lost(false)));
            let line = |row: Vec<Cell>| {
                let cells: Vec<String> = row.into_iter().map(|cell| cell.text).collect();
                format!("| {} |\n", cells.join(" | "))
            };
            let mut rows: Vec<String> = rows.map(line).collect();
            if !rows.is_empty() {
                rows.insert(1, "|---|---|---|---|---|---|---|\n".to_owned());
            }
            let rows = rows.concat();
            let both = if labels_first { [names, rows] } else { [rows, names] };
            text = format!("{text}\n\n{}", both.join("\n"));
        }
        text = format!("{text}\n\n{rest}");
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn torn_markdown_is_read_right_or_not_at_all(
        form in 0_usize..3,
        size in prop::sample::select(vec![1_usize, 2, 3, 8, 30]),
        labels_first in any::<bool>(),
        lost in prop::option::of((0_usize..20, any::<bool>())),
        seed in any::<u32>(),
    ) {
        let sample = sample(form, seed);
        let text = markdown(&sample, size, labels_first, lost);
        let score = scored(&text, "a.md", &sample);
        prop_assert!(score.wrong.is_empty(), "{:#?}\n{}", score.wrong, text);
    }
}

#[test]
fn lines_whose_labels_stand_behind_the_numbers_are_not_read_one_row_off() {
    for form in 0..3 {
        let mut sample = sample(form, 4);
        for row in sample.tables.iter_mut().flatten() {
            row.sort_by_key(|cell| cell.fact.is_none());
        }
        for layout in [Layout::Lines, Layout::SpacedLines, Layout::Words] {
            let score = scored(&layout.render(&sample), "a.txt", &sample);
            assert!(score.wrong.is_empty(), "{layout:?} {:#?}", score.wrong);
        }
    }
}
