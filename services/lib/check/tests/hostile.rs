//! Documents that are made to be expensive and can be read: time from bytes to findings is bounded.
//!
//! Rejected documents are tested in `gongkai-reading`; these inputs could make rules compare everything with
//! everything.

use std::time::Duration;

use gongkai_check::{Hints, Limits};
use rustix::time::{ClockId, clock_gettime};

/// Maximum CPU time of each document. The debug build is about twenty times slower than the release build.
const LONGEST: Duration = Duration::from_secs(if cfg!(debug_assertions) { 60 } else { 5 });

const TITLE: &str = "云川市水务局2023年政府信息公开工作年度报告";

/// Checks the code of a document; `ok` if it is read.
#[expect(clippy::unwrap_used, reason = "a helper of tests: what is missing fails the test")]
fn check(filename: &str, text: &str, expect: &str) {
    let begun = clock_gettime(ClockId::ThreadCPUTime);
    let hints = Hints { filename: Some(filename), ..Hints::default() };
    let line = gongkai_check::check(filename, text.as_bytes(), &hints, &Limits::default());
    let taken: Duration = (clock_gettime(ClockId::ThreadCPUTime) - begun).try_into().unwrap();
    assert!(taken < LONGEST, "{filename}: {taken:?}");
    assert_eq!(line.rejection.map_or_else(|| "ok".to_owned(), |rejection| rejection.code), expect);
}

#[test]
fn many_headings_are_not_compared_with_each_other() {
    let sections = "一、总体情况\n某局公开信息7条，答复3件。\n".repeat(20_000);
    check("a.txt", &format!("{TITLE}\n{sections}二、主动公开政府信息情况\n| 规章 | 1 | 2 | 3 |\n"), "ok");
}

#[test]
fn many_rows_of_one_name_are_not_compared_with_each_other() {
    let rows: String = (0..6_000)
        .map(|n| format!("| 一、本年新收政府信息公开申请数量 | {n} | 2 | 3 | 4 | 5 | 6 | 7 |\n"))
        .collect();
    check("a.txt", &format!("{TITLE}\n三、收到和处理政府信息公开申请情况\n{rows}"), "ok");
    let rows = "| 规章 | 1 | 2 | 3 |\n".repeat(12_000);
    check("a.md", &format!("{TITLE}\n二、主动公开政府信息情况\n{rows}"), "ok");
    let heads = "| 本年制发件数 | 某某 |\n| 规章 | 1 | 2 | 3 |\n".repeat(7_000);
    check("a.txt", &format!("{TITLE}\n二、主动公开政府信息情况\n{heads}"), "ok");
}

#[test]
fn near_misses_of_labels_are_cheap() {
    let rows: String =
        (0..3_000).map(|n| format!("| 其他法律行政止公{n}开 | 1 | 2 | 3 | 4 | 5 | 6 | 7 |\n")).collect();
    let row = "| 一、本年新收政府信息公开申请数量 | 9 | 2 | 3 | 4 | 5 | 6 | 29 |\n";
    check("a.txt", &format!("{TITLE}\n三、收到和处理政府信息公开申请情况\n{row}{rows}"), "ok");
}
