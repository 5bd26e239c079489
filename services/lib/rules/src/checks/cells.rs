//! `cells.*`: cells without a number. There is one finding per chapter, and its `facts` list the cells.

use gongkai_model::State;

use crate::{
    check::{Cases, Check},
    draft::Draft,
    input::Input,
    named_cells::CellWords,
    params::{ParamKind, Params},
    table::Table,
};

const LISTED: &[&str] = &["chapter", "count", "cells"];

pub(crate) const CHECKS: &[Check] = &[
    Check::many("cells.empty", EMPTY_CASES, empty).with(&[("error_above", ParamKind::Whole)]),
    Check::many("cells.missing", CASES, |_, input| listed(input, State::Missing)),
    Check::many("cells.unreadable", CASES, |_, input| listed(input, State::Unreadable)),
    Check::many("cells.not_applicable", CASES, |_, input| listed(input, State::NotApplicable)),
];

const CASES: Cases = &[("cells", LISTED)];

const EMPTY_CASES: Cases = &[
    ("few", LISTED),
    ("many", LISTED),
    ("columns", &["chapter", "count", "cells", "columns"]),
    ("no_zero", LISTED),
    ("chapter", LISTED),
];

const CHAPTERS: [(u32, &str); 3] = [(2, "第二部分表格"), (3, "第三部分表格"), (4, "第四部分表格")];

fn listed(input: &Input<'_>, state: State) -> Vec<Draft> {
    let Some(table) = &input.table else { return Vec::new() };
    let per_chapter = CHAPTERS.iter().filter_map(|(number, name)| {
        let cells: Vec<usize> = table.chapter(*number).filter(|cell| table.state(*cell) == state).collect();
        (!cells.is_empty()).then(|| draft(table, "cells", *number, name, &cells))
    });
    per_chapter.collect()
}

fn empty(params: &Params, input: &Input<'_>) -> Vec<Draft> {
    let Some(table) = &input.table else { return Vec::new() };
    let error_above = params.whole("error_above");
    let has_blank = |number: u32| table.chapter(number).any(|cell| table.state(cell) == State::Blank);
    let per_chapter =
        CHAPTERS.iter().filter(|(number, _)| has_blank(*number)).filter_map(|(number, name)| {
            let chapter = ChapterCells::of(table, *number);
            if chapter.is_unread() {
                return None;
            }
            let case = chapter.case(error_above);
            let draft = draft(table, case, *number, name, &chapter.blank);
            if case != "columns" {
                return Some(draft);
            }
            let names: Vec<String> = chapter.blank_columns.iter().map(|c| format!("「{c}」")).collect();
            Some(draft.with("columns", names.concat()))
        });
    per_chapter.collect()
}

/// How the cells of a chapter are filled in.
struct ChapterCells<'a> {
    blank: Vec<usize>,
    reported: usize,
    /// Number of cells whose reading is uncertain.
    unread: usize,
    zeros: usize,
    /// Columns of chapter 三 or blocks of chapter 四 in which nothing is printed.
    blank_columns: Vec<&'a str>,
    /// Number of blank cells outside those columns or blocks.
    loose: usize,
}

impl<'a> ChapterCells<'a> {
    fn of(table: &'a Table<'_>, number: u32) -> Self {
        let cells: Vec<usize> = table.chapter(number).collect();
        let is_blank = |cell: &usize| table.state(*cell) == State::Blank;
        let column = |cell: &usize| table.layout.cells[*cell].column.as_str();
        let mut columns: Vec<&str> = cells.iter().map(column).filter(|name| !name.is_empty()).collect();
        columns.dedup();
        columns.sort_unstable();
        columns.dedup();
        let in_form_order = |name: &&str| cells.iter().position(|cell| column(cell) == *name);
        let mut blank_columns: Vec<&str> = columns
            .into_iter()
            .filter(|name| cells.iter().filter(|cell| column(cell) == *name).all(is_blank))
            .collect();
        blank_columns.sort_by_key(in_form_order);
        let blank: Vec<usize> = cells.iter().copied().filter(is_blank).collect();
        let loose = blank.iter().filter(|cell| !blank_columns.contains(&column(cell))).count();
        let values = || cells.iter().filter_map(|cell| table.value(*cell));
        Self {
            reported: values().count(),
            unread: cells.iter().filter(|cell| table.state(**cell) == State::Unreadable).count(),
            zeros: values().filter(rust_decimal::Decimal::is_zero).count(),
            blank,
            blank_columns,
            loose,
        }
    }

    /// Returns true if more cells are unread than read, so that a blank cell may have a number that was not found.
    fn is_unread(&self) -> bool {
        self.unread > self.reported
    }

    /// Chooses the message. A blank column, or a chapter that leaves every zero blank, is a habit and not a series of
    /// separate mistakes.
    fn case(&self, error_above: i64) -> &'static str {
        let many = i64::try_from(self.loose).is_ok_and(|loose| loose > error_above);
        if self.reported == 0 {
            "chapter"
        } else if self.zeros == 0 && many {
            "no_zero"
        } else if many && self.reported > self.loose {
            "many"
        } else if self.blank_columns.is_empty() {
            "few"
        } else {
            "columns"
        }
    }
}

fn draft(table: &Table<'_>, case: &'static str, number: u32, name: &str, cells: &[usize]) -> Draft {
    let words = CellWords::of(table, number, cells);
    Draft::of_cells(case, table.ids(cells.iter().copied()))
        .with_both("chapter", name, format!("table {number}"))
        .with("count", cells.len().to_string())
        .with_both("cells", words.zh, words.en)
}
