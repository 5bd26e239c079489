//! Several edits of an editor in one report, and the report as a page or flattened: every number is read right or not at
//! all, and none that is in the document is missing.
//!
//! An ordinary run tells the same reports each time. `GONGKAI_EDITS` sets the number of reports, which are then others.

mod columns;
mod disputes;
mod rows;

use gongkai_model::{Report, State};
use proptest::{prelude::*, test_runner::RngSeed};

use crate::{
    FORMS,
    support::{Cell, Sample, head, layout::Layout, read},
};

/// Number of reports in an ordinary run of the tests.
const REPORTS: u32 = 120;

/// An edit of a report's tables.
type Edit = fn(&mut Sample, &mut Choices);

/// All edits, by name.
const EDITS: [(&str, Edit); 26] = [
    ("labels no longer merged", rows::unmerge),
    ("labels repeated", rows::repeat_labels),
    ("blank rows", rows::add_blank_rows),
    ("a note below", rows::add_note),
    ("a title above", rows::add_title),
    ("the header again", rows::repeat_header),
    ("a row torn in two", rows::tear),
    ("two rows in one", rows::glue),
    ("a label lost", rows::lose_label),
    ("a cell lost", rows::lose_cell),
    ("a cell twice", rows::double_cell),
    ("a sum of all rows", rows::add_sum),
    ("a row of the numbers of columns", rows::number_columns),
    ("percentages", columns::add_percentages),
    ("percentages without a sign", columns::add_bare_percentages),
    ("last year's numbers", columns::add_last_year),
    ("two years in each column", columns::pair_years),
    ("ordinals", columns::add_ordinals),
    ("a blank column", columns::add_blank),
    ("spaces between columns", columns::space_out),
    ("remarks", columns::add_remarks),
    ("labels on both sides", columns::repeat_labels),
    ("blocks below each other", disputes::stack),
    ("blocks side by side", disputes::turn),
    ("earlier years", disputes::add_years),
    ("a total of all blocks", disputes::add_total),
];

/// How a report is written.
#[derive(Debug, Clone, Copy)]
enum Written {
    As(Layout),
    /// `规章：1，2，3`.
    KeyValues,
    /// `- 规章⏎  - 1⏎  - 2`.
    Items,
    /// Two pages side by side.
    TwoUp,
}

const WRITTEN: [Written; 15] = [
    Written::As(Layout::Html),
    Written::As(Layout::Html),
    Written::As(Layout::Html),
    Written::As(Layout::Html),
    Written::As(Layout::Bars),
    Written::As(Layout::OpenBars),
    Written::As(Layout::Markdown),
    Written::As(Layout::TabRows),
    Written::As(Layout::Lines),
    Written::As(Layout::Words),
    Written::As(Layout::Semicolons),
    Written::As(Layout::Boxes),
    Written::KeyValues,
    Written::Items,
    Written::TwoUp,
];

/// Choices that a seed determines.
struct Choices(u64);

impl Choices {
    fn new(seed: u32) -> Self {
        Self(u64::from(seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// Returns a number below `end`.
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end.max(1)
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    /// Returns a number that no cell of the form has.
    fn foreign(&mut self) -> String {
        (900_000 + self.below(90_000)).to_string()
    }
}

pub(super) fn is_value(cell: &Cell) -> bool {
    cell.fact.is_some()
}

/// Returns the report as text, and the name of its file.
fn write(sample: &Sample, written: Written) -> (String, &'static str) {
    match written {
        Written::As(Layout::Html) => (Layout::Html.render(sample), "a.html"),
        Written::As(layout) => (layout.render(sample).replace("<br>", " / "), layout.filename()),
        Written::KeyValues => {
            (by_rows(sample, |labels, values| format!("{labels}：{}", values.join("，"))), "a.txt")
        }
        Written::Items => {
            let items = |labels: &str, values: &[&str]| {
                let values: String = values.iter().map(|value| format!("\n  - {value}")).collect();
                format!("- {labels}{values}")
            };
            (by_rows(sample, items), "a.md")
        }
        Written::TwoUp => (two_up(&Layout::Words.render(sample)), "a.txt"),
    }
}

/// Writes each row with values by a rule, and the labels of the others as they are.
fn by_rows(sample: &Sample, row: impl Fn(&str, &[&str]) -> String) -> String {
    let text = Layout::Bars.render(sample);
    let mut tables = sample.tables.iter().map(|table| {
        let line = |cells: &Vec<Cell>| {
            let (values, labels): (Vec<&Cell>, Vec<&Cell>) =
                cells.iter().partition(|cell| is_value(cell) || cell.text.starts_with('9'));
            let labels: Vec<&str> = labels.iter().map(|cell| cell.text.as_str()).collect();
            let values: Vec<&str> = values.iter().map(|cell| cell.text.as_str()).collect();
            if values.is_empty() { labels.join("\n") } else { row(&labels.join(" "), &values) }
        };
        table.iter().map(line).collect::<Vec<_>>().join("\n")
    });
    let mut out = String::new();
    let mut is_table = false;
    for line in text.lines() {
        if !line.starts_with('|') {
            out += &format!("{line}\n");
        } else if !is_table {
            out += &format!("{}\n", tables.next().unwrap_or_default());
        }
        is_table = line.starts_with('|');
    }
    out
}

/// Prints the second half of a text beside the first.
fn two_up(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let (left, right) = lines.split_at(lines.len().div_ceil(2));
    let width = |line: &str| line.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum::<usize>();
    let column = left.iter().map(|line| width(line)).max().unwrap_or_default() + 4;
    let line = |(at, left): (usize, &&str)| {
        let gap = " ".repeat(column - width(left));
        format!("{left}{gap}{}\n", right.get(at).unwrap_or(&""))
    };
    left.iter().enumerate().map(line).collect()
}

/// Returns what is wrong: numbers that are not those of the report, and cells that are in it and said to be missing.
fn faults(report: &Report, sample: &Sample) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, expect) in &sample.truth {
        let state = report.facts.iter().find(|fact| fact.id.to_string() == *name).map(|fact| fact.state);
        let is_fault = match (state, expect) {
            (Some(State::Reported(number)), Some(expect)) => number.to_string() != *expect,
            (Some(State::Reported(_)), None) => true,
            (Some(State::Unreadable), _) | (_, None) => false,
            _ => true,
        };
        if is_fault {
            faults.push(format!("{name}: {state:?}, {expect:?} expected"));
        }
    }
    let unknown = report.facts.iter().filter(|fact| !sample.truth.contains_key(&fact.id.to_string()));
    let reported = unknown.filter(|fact| matches!(fact.state, State::Reported(_)));
    faults.extend(reported.map(|fact| format!("{}: not in the form", fact.id)));
    faults
}

/// Returns the first faults, which tell the kind.
fn first(faults: &[String]) -> &[String] {
    faults.get(..6).unwrap_or(faults)
}

/// Edits a report, reads it, and returns its faults and its text.
fn run(form: usize, edits: &[usize], written: usize, seed: u32) -> (Vec<String>, String) {
    let (id, variant) = FORMS[form];
    let mut sample = Sample::filled(id, variant, seed);
    let mut choices = Choices::new(seed);
    edits.iter().for_each(|edit| EDITS[*edit].1(&mut sample, &mut choices));
    let (text, filename) = write(&sample, WRITTEN[written]);
    (faults(&read(&text, filename), &sample), text)
}

/// Returns how many reports are told: `GONGKAI_EDITS`, or the same few of an ordinary run.
#[expect(clippy::disallowed_methods, reason = "a test has no config")]
fn reports() -> ProptestConfig {
    let told = std::env::var("GONGKAI_EDITS").ok().and_then(|count| count.parse().ok());
    ProptestConfig {
        cases: told.unwrap_or(REPORTS),
        rng_seed: if told.is_some() { RngSeed::Random } else { RngSeed::Fixed(7) },
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(reports())]

    #[test]
    fn edits_together_leave_every_number_right_or_unread(
        form in 0..FORMS.len(),
        edits in prop::collection::vec(0..EDITS.len(), 1..4),
        written in 0..WRITTEN.len(),
        seed in any::<u32>(),
    ) {
        let (faults, text) = run(form, &edits, written, seed);
        let names: Vec<&str> = edits.iter().map(|edit| EDITS[*edit].0).collect();
        prop_assert!(faults.is_empty(), "{names:?} {:?} {:#?}\n{text}", WRITTEN[written], first(&faults));
    }
}

/// Checks edits that were read wrong once.
#[track_caller]
fn check(edits: &[&str], written: Written) {
    let edit = |name: &&str| EDITS.iter().position(|(own, _)| own == name).unwrap();
    let numbers: Vec<usize> = edits.iter().map(edit).collect();
    let written = WRITTEN.iter().position(|own| format!("{own:?}") == format!("{written:?}")).unwrap();
    for form in 0..FORMS.len() {
        for seed in 0..3 {
            let (faults, text) = run(form, &numbers, written, seed);
            assert!(faults.is_empty(), "{edits:?} {form} {seed} {:#?}\n{text}", first(&faults));
        }
    }
}

#[test]
fn edits_that_were_read_wrong_once_are_right_or_unread() {
    let html = Written::As(Layout::Html);
    for edits in [
        &["labels no longer merged", "percentages without a sign"][..],
        &["labels repeated", "last year's numbers"],
        &["percentages", "last year's numbers"],
        &["earlier years", "blocks below each other"],
        &["blank rows", "blocks below each other"],
        &["percentages", "spaces between columns"],
        &["a row torn in two"],
        &["two rows in one", "the header again"],
        &["two years in each column", "a row torn in two"],
        &["a row of the numbers of columns", "two rows in one"],
    ] {
        check(edits, html);
    }
    check(&["two years in each column"], Written::Items);
    check(&["last year's numbers"], Written::TwoUp);
    check(&["blocks below each other"], Written::KeyValues);
    check(&["a cell lost"], Written::KeyValues);
    check(&["blank rows", "a row of the numbers of columns", "two rows in one"], Written::As(Layout::Bars));
}
