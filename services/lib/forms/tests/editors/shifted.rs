//! Rows and headers whose cells have moved: what stands under a wrong name is unreadable.

use super::{COLUMNS, sample, scored, torn::markdown, with_column};
use crate::support::{Sample, head, layout::Layout};

const TEXTS: [Layout; 9] = [
    Layout::Bars,
    Layout::OpenBars,
    Layout::FilledBars,
    Layout::TabRows,
    Layout::Lines,
    Layout::Words,
    Layout::Boxes,
    Layout::OpenBoxes,
    Layout::Semicolons,
];

#[track_caller]
fn check_not_wrong(text: &str, filename: &str, sample: &Sample) {
    let score = scored(text, filename, sample);
    assert!(score.wrong.is_empty(), "{:#?}\n{text}", score.wrong);
}

/// Prints the totals of chapters 三 and 四 before the other columns.
fn turn(sample: &mut Sample) {
    let [_, three, four] = &mut sample.tables;
    three[1].rotate_right(1);
    for row in three.iter_mut().skip(3) {
        let values = row.len() - 7;
        row[values..].rotate_right(1);
    }
    assert_eq!(four[1][4].text, COLUMNS[4]);
    four[1][..5].rotate_right(1);
    four[2].chunks_mut(5).for_each(|block| block.rotate_right(1));
    four[3].chunks_mut(5).for_each(|block| block.rotate_right(1));
}

#[test]
fn totals_that_stand_first_are_not_taken_for_natural_persons() {
    let mut sample = sample();
    turn(&mut sample);
    for layout in TEXTS {
        check_not_wrong(&layout.render(&sample), layout.filename(), &sample);
    }
    for size in [1, 3, 30] {
        for labels_first in [true, false] {
            check_not_wrong(&markdown(&sample, size, labels_first, None), "a.md", &sample);
        }
    }
}

#[test]
fn a_page_number_does_not_take_the_place_of_a_total() {
    for lost in 2..7 {
        let mut sample = sample();
        let row = &mut sample.tables[1][9];
        let gone = row.remove(row.len() - lost).fact.unwrap();
        row.push(head("4", 1, 1));
        sample.truth.insert(gone.to_string(), None);
        for layout in [Layout::Lines, Layout::SpacedLines] {
            check_not_wrong(&layout.render(&sample), "a.txt", &sample);
        }
    }
}

#[test]
fn beside_another_column_a_blank_at_an_end_shifts_nothing() {
    for at in [0, 1, 7] {
        for blank in [1, 7] {
            let mut sample = sample();
            with_column(&mut sample, at, "上年数", |n| (n + 9000).to_string());
            let cells: Vec<usize> =
                (0..sample.tables[1][7].len()).filter(|c| sample.tables[1][7][*c].fact.is_some()).collect();
            sample.blank((1, 7, cells[cells.len() - blank]));
            for layout in TEXTS {
                check_not_wrong(&layout.render(&sample), layout.filename(), &sample);
            }
        }
    }
}

#[test]
fn a_header_that_moved_to_the_right_names_no_column() {
    let mut sample = sample();
    sample.tables[1][0][0].columns += 1;
    for row in sample.tables[1].iter_mut().skip(3) {
        row.push(head("", 1, 1));
    }
    check_not_wrong(&Layout::Html.render(&sample), "a.html", &sample);
}

#[test]
fn a_cell_too_many_before_a_blank_total_shifts_nothing() {
    for (table, row) in [(1, 5), (2, 3)] {
        let mut sample = sample();
        let last = sample.tables[table][row].len() - 1;
        sample.blank((table, row, last));
        sample.tables[table][row].insert(last - 3, head("9999", 1, 1));
        // Where blanks leave nothing, the row has as many numbers as the form.
        let vanish = |layout: &Layout| {
            matches!(layout, Layout::Lines | Layout::Words | Layout::FilledBars | Layout::OpenBars)
        };
        for layout in TEXTS.into_iter().filter(|layout| !vanish(layout)).chain([Layout::Html]) {
            check_not_wrong(&layout.render(&sample), layout.filename(), &sample);
        }
    }
}
