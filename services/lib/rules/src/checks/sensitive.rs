//! `sensitive`: wording that a person has to check: misprints that change the meaning, fixed phrases that are almost
//! right, and meetings and posts that do not fit the report's time. The pack supplies the lists.

use time::{Date, Month, macros::format_description};

use crate::{
    check::{Cases, Check},
    draft::Draft,
    input::Input,
    params::{ParamKind, Params},
    prose::passage::Passage,
    static_regex::StaticRegex,
};

const WORD: &[&str] = &["chapter", "quote", "context", "expected"];
const DATED: &[&str] = &["chapter", "quote", "context", "day"];
const UNLISTED: &[&str] = &["chapter", "quote", "context"];
const CASES: Cases =
    &[("word", WORD), ("near", WORD), ("early", DATED), ("late", DATED), ("unlisted", UNLISTED)];

pub(crate) const CHECKS: &[Check] = &[Check::many("sensitive", CASES, run).with(&[
    ("words", ParamKind::List),
    ("phrases", ParamKind::List),
    ("dated", ParamKind::List),
])];

/// Number of characters around a quotation that a message shows.
const AROUND: usize = 8;

fn run(params: &Params, input: &Input<'_>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for passage in input.prose.passages() {
        drafts.extend(words(params, passage));
        drafts.extend(near(params, passage));
        drafts.extend(dated(params, input, passage));
        drafts.extend(unlisted(params, passage));
    }
    drafts
}

/// Returns the entry of a word in a list, as the words after it.
fn entry<'p>(params: &'p Params, list: &str, word: &str) -> &'p str {
    let entries = params.list(list).iter().map(|entry| entry.split_once(' ').unwrap_or((entry, "")));
    entries.into_iter().find(|(own, _)| *own == word).map_or("", |(_, rest)| rest)
}

/// Finds the words of the list, each with its correction.
fn words(params: &Params, passage: &Passage<'_>) -> Vec<Draft> {
    let Some(words) = params.words("words") else { return Vec::new() };
    let found = words.all(passage.text());
    let draft = |found: regex::Match<'_>| {
        let start = passage.text()[..found.start()].chars().count();
        let range = start..start + found.as_str().chars().count();
        word_draft("word", passage, range, entry(params, "words", found.as_str()))
    };
    found.map(draft).collect()
}

/// Finds texts that are almost one of the fixed phrases.
fn near(params: &Params, passage: &Passage<'_>) -> Vec<Draft> {
    let Some(phrases) = params.near("phrases") else { return Vec::new() };
    let found = phrases.all(passage.text(), passage.reading().chars());
    found.into_iter().map(|near| word_draft("near", passage, near.at, near.phrase)).collect()
}

fn word_draft(
    case: &'static str,
    passage: &Passage<'_>,
    range: std::ops::Range<usize>,
    instead: &str,
) -> Draft {
    let instead = if instead.is_empty() { "—" } else { instead };
    let actual: String = passage.reading().chars()[range.clone()].iter().collect();
    let draft = quoted(case, passage, range).with("expected", instead);
    Draft { expected: Some(instead.to_owned()), actual: Some(actual), ..draft }
}

/// Returns a draft about a quotation that is shown with the words around it.
fn quoted(case: &'static str, passage: &Passage<'_>, range: std::ops::Range<usize>) -> Draft {
    let chars = passage.reading().chars();
    let is_end = |c: &char| matches!(c, '。' | ';' | '!' | '?');
    let before = chars[range.start.saturating_sub(AROUND)..range.start].iter();
    let before: Vec<char> = before.rev().take_while(|c| !is_end(c)).copied().collect();
    let after = chars[range.end..].iter().take(AROUND).take_while(|c| !is_end(c));
    let word: String = chars[range.clone()].iter().collect();
    let context: String =
        before.iter().rev().chain(&[]).copied().chain(word.chars()).chain(after.copied()).collect();
    Draft::of_chars(case, passage, range).with("context", context)
}

/// Finds meetings and posts with a day after the report's time or before it.
fn dated(params: &Params, input: &Input<'_>, passage: &Passage<'_>) -> Vec<Draft> {
    let Some(words) = params.words("dated") else { return Vec::new() };
    let Some((first, last)) = time_of(input) else { return Vec::new() };
    let draft = |found: regex::Match<'_>| {
        let mut days = entry(params, "dated", found.as_str()).split(' ').map(parse);
        let (from, until) = (days.next().flatten(), days.next().flatten());
        let (case, day) = match (from, until) {
            (Some(from), _) if from > last => ("early", from),
            (_, Some(until)) if until < first => ("late", until),
            _ => return None,
        };
        let start = passage.text()[..found.start()].chars().count();
        let draft = quoted(case, passage, start..start + found.as_str().chars().count());
        Some(Draft { actual: Some(found.as_str().to_owned()), ..draft.with("day", day.to_string()) })
    };
    words.all(passage.text()).filter_map(draft).collect()
}

static PLENUM: StaticRegex = StaticRegex::new("(?:十九|二十|二十[一二])届[一二三四五六七八九十]中全会");

/// Finds a plenary session that the list does not have.
fn unlisted(params: &Params, passage: &Passage<'_>) -> Option<Draft> {
    if !passage.text().contains("中全会") {
        return None;
    }
    let is_listed = |meeting: &str| !entry(params, "dated", meeting).is_empty();
    let found = PLENUM.find_iter(passage.text()).find(|found| !is_listed(found.as_str()))?;
    let start = passage.text()[..found.start()].chars().count();
    let draft = quoted("unlisted", passage, start..start + found.as_str().chars().count());
    Some(Draft { actual: Some(found.as_str().to_owned()), ..draft })
}

/// Returns the first day that a report is about, and the last day on which it was written: that of its publication,
/// else the last legal day.
fn time_of(input: &Input<'_>) -> Option<(Date, Date)> {
    let year = input.report.year;
    let first = Date::from_calendar_date(year, Month::January, 1).ok()?;
    let due = Date::from_calendar_date(year.checked_add(1)?, Month::March, 31).ok()?;
    Some((first, input.context.published_at.unwrap_or(due)))
}

fn parse(day: &str) -> Option<Date> {
    Date::parse(day, format_description!("[year]-[month]-[day]")).ok()
}
