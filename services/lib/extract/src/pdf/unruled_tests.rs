//! Tables without rulings: the position of a number determines its column.

use gongkai_model::{Block, Grid};

use super::{
    read,
    tests::{file, line, ruled, text, title},
};
use crate::limits::Limits;

/// Returns a row: its label, and values at their positions.
fn row(y: f64, label: &str, values: &[(f64, &str)]) -> String {
    let values: String = values.iter().map(|(x, value)| text(*x, y, value)).collect();
    if label.is_empty() { values } else { text(20.0, y, label) + &values }
}

fn tables(pages: &[String]) -> Vec<Grid> {
    let blocks = read(&file(pages), &Limits::default()).unwrap();
    let table = |block| if let Block::Table(grid) = block { Some(grid) } else { None };
    blocks.into_iter().filter_map(table).collect()
}

fn shown(grid: &Grid) -> Vec<String> {
    let rows = grid.by_row().into_iter();
    rows.map(|row| row.iter().map(|cell| cell.text.as_str()).collect::<Vec<_>>().join("|")).collect()
}

/// Checks the last rows of the last table.
fn check(page: &str, expect: &[&str]) {
    let tables = tables(&[title() + page]);
    let Some(grid) = tables.last() else { panic!("no table: {page}") };
    let rows = shown(grid);
    assert!(
        !grid.spans_known && rows.ends_with(&expect.iter().map(|row| (*row).to_owned()).collect::<Vec<_>>()),
        "{rows:#?}"
    );
}

/// Returns, for each table, whether it may have lost cells at the ends of its rows.
fn ends_unsure(page: &str) -> Vec<bool> {
    tables(&[title() + page]).iter().map(|grid| grid.ends_unsure).collect()
}

const COLUMNS: [f64; 3] = [150.0, 220.0, 290.0];

fn header(y: f64) -> String {
    row(y, "item", &[(145.0, "made"), (215.0, "ended"), (285.0, "valid")])
}

#[test]
fn a_blank_is_in_the_column_where_nothing_stands() {
    let [a, b, c] = COLUMNS;
    let page = header(220.0)
        + &row(200.0, "rules", &[(a, "61"), (c, "63")])
        + &row(180.0, "norms", &[(b, "65"), (c, "66")])
        + &row(160.0, "orders", &[(a, "67"), (b, "68"), (c, "69")]);
    check(&page, &["rules|61||63", "norms||65|66", "orders|67|68|69"]);
    assert_eq!(ends_unsure(&page), [true]);
}

#[test]
fn a_full_table_has_no_unsure_ends() {
    let values = COLUMNS.map(|x| (x, "61"));
    let page = header(220.0) + &row(200.0, "rules", &values) + &row(180.0, "norms", &values);
    assert_eq!(ends_unsure(&page), [false]);
}

#[test]
fn a_column_of_blanks_is_known_by_its_name() {
    let [a, _, c] = COLUMNS;
    let page = header(220.0)
        + &row(200.0, "rules", &[(a, "61"), (c, "63")])
        + &row(180.0, "norms", &[(a, "64"), (c, "66")]);
    check(&page, &["rules|61||63", "norms|64||66"]);
}

#[test]
fn columns_that_nothing_tells_apart_are_left_alone() {
    let [a, b, c] = COLUMNS;
    // 61 and 64 may be in the same column, at its left and at its right.
    let page = row(200.0, "rules", &[(a, "61"), (c, "63")]) + &row(180.0, "norms", &[(b, "64"), (c, "66")]);
    check(&page, &["rules|61|63", "norms|64|66"]);
}

#[test]
fn a_number_over_two_columns_leaves_all_as_it_is() {
    let [a, b, c] = COLUMNS;
    let page = header(220.0)
        + &row(200.0, "rules", &[(a, "61"), (b, "62"), (c, "63")])
        + &row(180.0, "norms", &[(a, "6400000000000000"), (c, "66")]);
    check(&page, &["rules|61|62|63", "norms|6400000000000000|66"]);
}

#[test]
fn a_number_in_two_lines_is_one_if_it_had_no_room() {
    let [a, b, c] = [150.0, 180.0, 210.0];
    let page = row(200.0, "rules", &[(a, "61"), (b, "62"), (c, "63")])
        + &row(166.0, "", &[(a - 5.0, "6400")])
        + &row(160.0, "norms", &[(b, "65"), (c, "66")])
        + &row(154.0, "", &[(a, "7")])
        + &row(120.0, "orders", &[(a, "67"), (b, "68"), (c, "69")]);
    check(&page, &["rules|61|62|63", "norms|64007|65|66", "orders|67|68|69"]);
    // The column has room for the whole number, so two lines in it may be two numbers.
    let page = header(220.0)
        + &row(200.0, "rules", &COLUMNS.map(|x| (x, "61")))
        + &row(166.0, "", &[(COLUMNS[0], "64")])
        + &row(160.0, "norms", &[(COLUMNS[1], "65"), (COLUMNS[2], "66")])
        + &row(154.0, "", &[(COLUMNS[0], "7")]);
    check(&page, &["rules|61|61|61", "norms|64\u{fffd}7|65|66"]);
}

#[test]
fn names_in_two_lines_are_put_together() {
    let [a, b, c] = COLUMNS;
    let page = row(240.0, "", &[(a + 50.0, "a-title-of-them-all")])
        + &row(222.0, "", &[(a - 5.0, "made-"), (c - 5.0, "valid-")])
        + &row(216.0, "item", &[(b - 5.0, "ended")])
        + &row(210.0, "", &[(a - 5.0, "new"), (c - 5.0, "now")])
        + &row(190.0, "rules", &[(a, "61"), (b, "62"), (c, "63")])
        + &row(170.0, "norms", &[(a, "64"), (b, "65"), (c, "66")]);
    check(
        &page,
        &["a-title-of-them-all", "item", "made-new|ended|valid-now", "rules|61|62|63", "norms|64|65|66"],
    );
}

#[test]
fn labels_in_several_lines_are_put_together_where_their_numbers_tell_how() {
    let values = |at: u32| format!("{}", at * 7);
    let page = |lines: [f64; 2]| {
        let row = |at: u32| {
            let y = 220.0 - f64::from(at) * 40.0;
            let number = text(150.0, y, &values(at)) + &text(220.0, y, &values(at + 10));
            text(20.0, y + lines[0], &format!("{at}.first")) + &text(20.0, y + lines[1], "second") + &number
        };
        (1..5).map(row).collect::<String>()
    };
    let expect = ["1.firstsecond|7|77", "2.firstsecond|14|84", "3.firstsecond|21|91", "4.firstsecond|28|98"];
    check(&page([0.0, -12.0]), &expect);
    check(&page([12.0, 0.0]), &expect);
}

#[test]
fn a_table_without_lines_beside_a_ruled_one_is_read() {
    let [a, b, c] = COLUMNS;
    let page = title()
        + &ruled(&[20.0, 120.0, 200.0], &[210.0, 230.0, 250.0])
        + &text(25.0, 215.0, "x")
        + &text(125.0, 215.0, "41")
        + &header(180.0)
        + &row(160.0, "rules", &[(a, "61"), (c, "63")])
        + &row(140.0, "norms", &[(a, "64"), (b, "65"), (c, "66")]);
    let tables = tables(&[page]);
    assert_eq!(tables.iter().map(|grid| grid.spans_known).collect::<Vec<_>>(), [true, false]);
    assert!(
        shown(&tables[1]).ends_with(&["rules|61||63".to_owned(), "norms|64|65|66".to_owned()]),
        "{tables:?}"
    );
}

#[test]
fn rows_between_level_lines_are_no_cells() {
    let [a, b, c] = COLUMNS;
    let level = [230.0, 210.0, 190.0, 170.0].map(|y| line(20.0, y, 320.0, y)).concat();
    let page = level
        + &header(215.0)
        + &row(195.0, "rules", &[(a, "61"), (c, "63")])
        + &row(175.0, "norms", &[(a, "64"), (b, "65"), (c, "66")]);
    check(&page, &["rules|61||63", "norms|64|65|66"]);
}
