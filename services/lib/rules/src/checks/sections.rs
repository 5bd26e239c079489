//! `sections`: each of the six chapters occurs once, in order, and none is empty (regulations art. 50; notice of the
//! form).

use gongkai_model::{Report, Section};

use crate::{
    check::{Cases, Check},
    draft::Draft,
    input::Input,
    params::Params,
};

const NUMBERED: &[&str] = &["chapter", "title"];

const CASES: Cases = &[
    ("missing", NUMBERED),
    ("merged", NUMBERED),
    ("empty", NUMBERED),
    ("order", &["order"]),
    ("repeated", NUMBERED),
];

pub(crate) const CHECKS: &[Check] = &[Check::many("sections", CASES, sections)];

const CHAPTERS: [(u32, &str, &str); 6] = [
    (1, "一", "总体情况"),
    (2, "二", "主动公开政府信息情况"),
    (3, "三", "收到和处理政府信息公开申请情况"),
    (4, "四", "政府信息公开行政复议、行政诉讼情况"),
    (5, "五", "存在的主要问题及改进情况"),
    (6, "六", "其他需要报告的事项"),
];

/// Words of a chapter whose heading is lost, so that its text is in the chapter before. All words of a group must
/// occur.
const TRACES: [(u32, &[&[&str]]); 2] = [
    (5, &[&["问题", "不足"], &["改进", "措施", "下一步"]]),
    (6, &[&["其他需要报告", "信息处理费", "信息公开处理费"]]),
];

fn sections(_: &Params, input: &Input<'_>) -> Vec<Draft> {
    let report = input.report;
    let mut drafts = Vec::new();
    for (number, numeral, title) in CHAPTERS {
        let same: Vec<&Section> = report.sections.iter().filter(|s| s.number == number).collect();
        let case = match same.as_slice() {
            [] if stands_under_the_one_before(report, number) => "merged",
            [] => "missing",
            sections if sections.iter().all(|section| is_empty(section)) => "empty",
            [_] => continue,
            _ => "repeated",
        };
        let printed = same.first().map_or("", |section| section.title.as_str());
        let draft = Draft::of_part(case, format!("chapter-{number}"))
            .with_both("chapter", numeral, number.to_string())
            .with("title", title);
        let actual = (!printed.is_empty()).then(|| printed.to_owned());
        drafts.push(Draft { expected: Some(format!("{numeral}、{title}")), actual, ..draft });
    }
    drafts.extend(order(report));
    drafts
}

fn is_empty(section: &Section) -> bool {
    !section.has_table && section.paragraphs.iter().all(|paragraph| paragraph.text.trim().is_empty())
}

fn stands_under_the_one_before(report: &Report, number: u32) -> bool {
    let Some(before) = report.sections.iter().rev().find(|section| section.number < number) else {
        return false;
    };
    // The heading has another title, or runs into its prose.
    let numeral = CHAPTERS.iter().find(|(chapter, _, _)| *chapter == number).map(|(_, numeral, _)| *numeral);
    let begins = |text: &str| {
        numeral.is_some_and(|numeral| {
            text.trim_start().strip_prefix(numeral).is_some_and(|rest| rest.starts_with('、'))
        })
    };
    if before.paragraphs.iter().any(|paragraph| begins(&paragraph.text)) {
        return true;
    }
    let Some((_, groups)) = TRACES.iter().find(|(chapter, _)| *chapter == number) else { return false };
    let text = before.text();
    groups.iter().all(|words| words.iter().any(|word| text.contains(word)))
}

/// Checks that the chapters begin in the order of their numbers. A repeated chapter is reported separately.
fn order(report: &Report) -> Option<Draft> {
    let mut firsts: Vec<u32> = Vec::new();
    for section in &report.sections {
        if !firsts.contains(&section.number) {
            firsts.push(section.number);
        }
    }
    if firsts.is_sorted() {
        return None;
    }
    let printed: Vec<String> = firsts.iter().map(u32::to_string).collect();
    let mut sorted = firsts;
    sorted.sort_unstable();
    let expected: Vec<String> = sorted.iter().map(u32::to_string).collect();
    let draft = Draft::of_part("order", "order");
    let draft = draft.with_both("order", numerals(&printed), printed.join(", "));
    Some(Draft { expected: Some(expected.join(" ")), actual: Some(printed.join(" ")), ..draft })
}

fn numerals(numbers: &[String]) -> String {
    let name = |number: &String| {
        let chapter = CHAPTERS.iter().find(|(n, _, _)| n.to_string() == *number);
        chapter.map_or(number.as_str(), |(_, numeral, _)| numeral).to_owned()
    };
    numbers.iter().map(name).collect::<Vec<_>>().join("、")
}
