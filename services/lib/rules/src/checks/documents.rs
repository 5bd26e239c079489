//! `documents.*`: documents that a report cites: their numbers (文号), and the year of the 工作要点 that it follows.

use std::sync::LazyLock;

use regex::Regex;

use crate::{
    check::Check,
    draft::{Draft, Value, quoted},
    input::Input,
    params::{Kind, Params},
    prose::passage::Passage,
};

pub(crate) const CHECKS: &[Check] = &[
    Check {
        name: "documents.numbers",
        cases: &[
            ("brackets", &["chapter", "quote", "expected"]),
            ("title", &["chapter", "quote", "expected", "actual"]),
        ],
        params: &[("known", Kind::List)],
        run: numbers,
    },
    Check {
        name: "documents.stale",
        cases: &[("plan", &["chapter", "quote", "year", "actual"])],
        params: &[("plans", Kind::List)],
        run: stale,
    },
];

/// A document number in any bracket style: issuer, bracket, year, bracket, 第?, number.
static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"([\p{Han}]{2,10}?[发函字令办号规文通知])([〔\[(【〈<])((?:19|20)\d{2})([〕\])】〉>])第?(0*)(\d{1,4})号")
        .expect("the pattern is a constant that a test compiles")
});

/// Checks document numbers: brackets, leading zeros, and the titles of well-known documents.
fn numbers(params: &Params, input: &Input<'_>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    let openings = ["〔20", "[20", "(20", "【20", "〈20", "<20", "〔19", "[19", "(19", "【19"];
    let cites = |passage: &&Passage<'_>| {
        let text = passage.text();
        text.contains('号') && openings.iter().any(|opening| text.contains(opening))
    };
    for passage in input.prose.passages().iter().filter(cites) {
        for found in NUMBER.captures_iter(passage.text()) {
            drafts.extend(number(params, passage, &found));
        }
    }
    drafts
}

fn number(params: &Params, passage: &Passage<'_>, found: &regex::Captures<'_>) -> Option<Draft> {
    let part = |at: usize| found.get(at).map_or("", |part| part.as_str());
    let whole = found.get(0)?;
    let proper = format!("〔{}〕{}号", part(3), part(6));
    if part(2) != "〔" || part(4) != "〕" || !part(5).is_empty() {
        let expected = format!("{}{proper}", part(1));
        return Some(Draft {
            expected: Some(expected.clone()),
            actual: Some(whole.as_str().to_owned()),
            ..quoted("brackets", passage, whole.range(), vec![Value::same("expected", expected)])
        });
    }
    let title = title_before(&passage.text()[..whole.start()])?;
    let known = params.list("known").iter().filter_map(|entry| entry.split_once(' '));
    let (number, word) = known.into_iter().find(|(number, _)| {
        // If more than the number itself matched (和, 要求和), the title before it may belong to another document.
        number.strip_suffix(proper.as_str()) == Some(part(1))
    })?;
    if title.contains(word) {
        return None;
    }
    Some(Draft {
        expected: Some(word.to_owned()),
        actual: Some(title.to_owned()),
        ..quoted(
            "title",
            passage,
            whole.range(),
            vec![Value::same("expected", format!("{number}《…{word}…》")), Value::same("actual", title)],
        )
    })
}

/// Returns the title in 《》 that stands right before a number's bracket.
fn title_before(before: &str) -> Option<&str> {
    let before = before.trim_end_matches(['(', '〔', '[']);
    let inside = before.strip_suffix('》')?;
    let start = inside.rfind('《')?;
    Some(&inside[start + '《'.len_utf8()..])
}

static PLAN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(20\d{2})年(?:度)?(?:全?[省市县区州国]?)?(?:政务公开|政府信息公开|政务公开政务服务)?(?:重点)?工作(?:要点|安排|计划)")
        .expect("the pattern is a constant that a test compiles")
});

/// Finds 工作要点 of a year before the report's. Their numbers are a list of the pack.
fn stale(params: &Params, input: &Input<'_>) -> Vec<Draft> {
    let mut drafts: Vec<Draft> = Vec::new();
    for passage in input.prose.passages().iter().filter(|passage| passage.chapter() <= 1) {
        let text = passage.text();
        if !(text.contains("要点") || text.contains("安排") || text.contains("计划") || text.contains('号'))
        {
            continue;
        }
        let is_planned = ["工作要点", "工作安排", "工作计划"].iter().any(|word| text.contains(word));
        let named = is_planned.then(|| PLAN.captures_iter(text)).into_iter().flatten();
        let named =
            named.filter_map(|found| Some((found.get(0)?.range(), found.get(1)?.as_str().parse().ok()?)));
        let numbered = params.list("plans").iter().filter_map(|entry| {
            let (number, year) = entry.split_once(' ')?;
            let at = text.find(number)?;
            Some((at..at + number.len(), year.parse::<i32>().ok()?))
        });
        let stale = named.chain(numbered).find(|(_, year)| *year < input.report.year);
        drafts.extend(stale.map(|(range, year)| Draft {
            expected: Some(input.report.year.to_string()),
            actual: Some(year.to_string()),
            ..quoted(
                "plan",
                passage,
                range,
                vec![
                    Value::same("actual", year.to_string()),
                    Value::same("year", input.report.year.to_string()),
                ],
            )
        }));
    }
    drafts.truncate(1);
    drafts
}
