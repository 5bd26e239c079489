//! `documents.*`: documents that a report cites: their numbers (文号), and the year of the 工作要点 that it follows.

use std::ops::Range;

use crate::{
    check::{Cases, Check},
    draft::Draft,
    input::Input,
    params::{ParamKind, Params},
    prose::passage::Passage,
    static_regex::StaticRegex,
};

const NUMBERS: Cases = &[
    ("brackets", &["chapter", "quote", "expected"]),
    ("title", &["chapter", "quote", "expected", "actual"]),
    ("number", &["chapter", "quote", "expected", "actual"]),
    ("law", &["chapter", "quote", "expected"]),
];

pub(crate) const CHECKS: &[Check] = &[
    Check::many("documents.numbers", NUMBERS, numbers).with(&[
        ("known", ParamKind::List),
        ("titles", ParamKind::List),
        ("laws", ParamKind::List),
    ]),
    Check::one("documents.stale", &[("plan", &["chapter", "quote", "year", "actual"])], stale)
        .with(&[("plans", ParamKind::List)]),
];

/// A document number in any bracket style: issuer, bracket, year, bracket, 第?, number.
static NUMBER: StaticRegex = StaticRegex::new(
    r"([\p{Han}]{2,10}?[发函字令办号规文通知])([〔\[(【〈<])((?:19|20)\d{2})([〕\])】〉>])第?(0*)(\d{1,4})号",
);

/// Checks document numbers: brackets, leading zeros, and the titles of well-known documents.
fn numbers(params: &Params, input: &Input<'_>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for passage in input.prose.passages().iter().filter(|passage| passage.text().contains('《')) {
        drafts.extend(orders(params, passage));
        drafts.extend(laws(params, passage));
    }
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
        let draft = Draft::of_bytes("brackets", passage, whole.range());
        let draft = draft.expected(format!("{}{proper}", part(1)));
        return Some(Draft { actual: Some(whole.as_str().to_owned()), ..draft });
    }
    let title = title_before(&passage.text()[..whole.start()])?;
    let known = params.list("known").iter().filter_map(|entry| entry.split_once(' '));
    let same_number = known.clone().into_iter().find(|(number, _)| {
        // If more than the number itself matched (和, 要求和), the title before it may belong to another document.
        number.strip_suffix(proper.as_str()) == Some(part(1))
    });
    let Some((number, word)) = same_number else {
        return other_number(params, passage, title, whole.range());
    };
    if title.contains(word) {
        return None;
    }
    let draft = Draft::of_bytes("title", passage, whole.range());
    let draft = draft.with("expected", format!("{number}《…{word}…》")).actual(title);
    Some(Draft { expected: Some(word.to_owned()), ..draft })
}

/// Finds a title of the list `titles` beside a number that none of its editions has.
fn other_number(params: &Params, passage: &Passage<'_>, title: &str, number: Range<usize>) -> Option<Draft> {
    let titles = params.list("titles").iter().filter_map(|entry| entry.split_once(' '));
    let mut editions = titles.filter(|(known, _)| title.ends_with(known)).map(|(_, number)| number);
    let newest = editions.next()?;
    let cited = &passage.text()[number.clone()];
    // A number behind 和 is that of another document.
    if newest.contains('令') || cited.starts_with(['和', '及', '与']) {
        return None;
    }
    if cited.ends_with(newest) || editions.any(|edition| cited.ends_with(edition)) {
        return None;
    }
    let draft = Draft::of_bytes("number", passage, number).with("actual", title).expected(newest);
    Some(Draft { actual: Some(cited.to_owned()), ..draft })
}

/// The number of an order beside the title of a law or regulation.
static ORDER: StaticRegex = StaticRegex::new(
    r"《([^《》]{4,30})》\(?(?:中华人民共和国)?(国务院令|主席令)(?:[〔\[(]?\d{4}[〕\])]?)?第?(\d{1,4})号",
);

/// Finds orders whose number is not that of the title beside it.
fn orders(params: &Params, passage: &Passage<'_>) -> Vec<Draft> {
    let order = |found: regex::Captures<'_>| {
        let part = |at: usize| found.get(at).map_or("", |part| part.as_str());
        let cited = format!("{}第{}号", part(2), part(3));
        let orders = params.list("titles").iter().filter_map(|entry| entry.split_once(' '));
        let mut editions = orders
            .filter(|(title, number)| part(1).ends_with(title) && number.starts_with(part(2)))
            .map(|(_, number)| number);
        let newest = editions.next()?;
        if cited == newest || editions.any(|edition| edition == cited) {
            return None;
        }
        let draft = Draft::of_bytes("number", passage, found.get(0)?.range());
        let draft = draft.with("actual", part(1)).expected(newest);
        Some(Draft { actual: Some(cited), ..draft })
    };
    ORDER.captures_iter(passage.text()).filter_map(order).collect()
}

static TITLE: StaticRegex = StaticRegex::new("《([^《》]{6,30})》");

/// Finds titles in 《》 that are almost one of the list `laws`.
fn laws(params: &Params, passage: &Passage<'_>) -> Vec<Draft> {
    let Some(laws) = params.near("laws") else { return Vec::new() };
    let law = |found: regex::Captures<'_>| {
        let title = found.get(1)?;
        let chars: Vec<char> = title.as_str().chars().collect();
        let near = laws.all(title.as_str(), &chars).into_iter().next()?;
        // A title that is longer is that of another document.
        let is_whole = near.at == (0..chars.len());
        let draft = Draft::of_bytes("law", passage, found.get(0)?.range()).expected(near.phrase);
        is_whole.then(|| Draft { actual: Some(title.as_str().to_owned()), ..draft })
    };
    TITLE.captures_iter(passage.text()).filter_map(law).collect()
}

/// Returns the title in 《》 right before a number's bracket.
fn title_before(before: &str) -> Option<&str> {
    let before = before.trim_end_matches(['(', '〔', '[']);
    let inside = before.strip_suffix('》')?;
    let start = inside.rfind('《')?;
    Some(&inside[start + '《'.len_utf8()..])
}

static PLAN: StaticRegex = StaticRegex::new(
    r"(20\d{2})年(?:度)?(?:全?[省市县区州国]?)?(?:政务公开|政府信息公开|政务公开政务服务)?(?:重点)?工作(?:要点|安排|计划)",
);

/// Finds 工作要点 of a year before the report's. Their document numbers are a list of the pack.
fn stale(params: &Params, input: &Input<'_>) -> Option<Draft> {
    let mut passages = input.prose.passages().iter().filter(|passage| passage.chapter() <= 1);
    passages.find_map(|passage| stale_plan(params, input.report.year, passage))
}

/// Returns a draft about the first plan of an earlier year that a passage names.
fn stale_plan(params: &Params, own: i32, passage: &Passage<'_>) -> Option<Draft> {
    let text = passage.text();
    if !(text.contains("要点") || text.contains("安排") || text.contains("计划") || text.contains('号'))
    {
        return None;
    }
    let is_planned = ["工作要点", "工作安排", "工作计划"].iter().any(|word| text.contains(word));
    let named = is_planned.then(|| PLAN.captures_iter(text)).into_iter().flatten();
    let named = named.filter_map(|found| Some((found.get(0)?.range(), found.get(1)?.as_str().parse().ok()?)));
    let numbered = params.list("plans").iter().filter_map(|entry| {
        let (number, year) = entry.split_once(' ')?;
        let at = text.find(number)?;
        Some((at..at + number.len(), year.parse::<i32>().ok()?))
    });
    let (range, year) = named.chain(numbered).find(|(_, year)| *year < own)?;
    let draft = Draft::of_bytes("plan", passage, range).actual(year.to_string());
    Some(Draft { expected: Some(own.to_string()), ..draft.with("year", own.to_string()) })
}
