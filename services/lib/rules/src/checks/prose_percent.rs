//! `prose.percentages`: a percentage printed beside a count must be that count's share of a number in the text or in
//! chapter 三.

use std::ops::Range;

use rust_decimal::Decimal;

use crate::{
    check::{Cases, Check},
    draft::{Draft, decimal},
    input::Input,
    params::{ParamKind, Params},
    prose::passage::Passage,
    static_regex::StaticRegex,
};

const SHARES: &[&str] = &["chapter", "quote", "part", "whole", "expected", "actual"];
const CASES: Cases = &[("differs", SHARES), ("unsure", SHARES), ("rate", SHARES), ("growth", SHARES)];

pub(crate) const CHECKS: &[Check] =
    &[Check::many("prose.percentages", CASES, run).with(&[("tolerance", ParamKind::Decimal)])];

/// A count with its unit, followed by its percentage: `258件，占33.9%`, `208件（17.46%`.
static SHARE: StaticRegex = StaticRegex::new(
    r"(\d[\d,]*)(件|条|篇|个|项|次|份|宗|期)(?:,|、|\()?(?:(?:约|共)?占(?:比|到)?(?:了)?([^\d,。;、%]{0,16}?)(?:的|约|达|为)?|\()(\d+(?:\.\d+)?)%",
);

fn run(params: &Params, input: &Input<'_>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    let passages = input.prose.passages().iter().filter(|p| matches!(p.chapter(), 1 | 3 | 4));
    for passage in passages.filter(|passage| passage.text().contains('%')) {
        let text = passage.text();
        drafts.extend(SHARE.captures_iter(text).filter_map(|share| draft(params, input, passage, &share)));
        drafts.extend(RATE.captures_iter(text).filter_map(|found| rate(params, input, passage, &found)));
        drafts.extend(FROM_TO.captures_iter(text).filter_map(|found| from_to(params, passage, &found)));
        drafts.extend(GROWTH.captures_iter(text).filter_map(|found| growth(params, passage, &found)));
    }
    drafts
}

fn draft(
    params: &Params,
    input: &Input<'_>,
    passage: &Passage<'_>,
    share: &regex::Captures<'_>,
) -> Option<Draft> {
    let number = |at: usize| share.get(at)?.as_str().replace(',', "").parse::<Decimal>().ok();
    let (part, stated) = (number(1)?, number(4)?);
    let unit = share.get(2)?.as_str();
    let whole = share.get(0)?;
    let printed = share.get(4)?.as_str();
    let at = passage.text()[..whole.start()].chars().count();
    let wholes = wholes(input, passage, at, unit, part);
    let percent = |whole: Decimal| part.checked_mul(Decimal::ONE_HUNDRED)?.checked_div(whole);
    let nearest = wholes.iter().filter_map(|whole| Some((*whole, percent(*whole)?)));
    let (whole_count, expected) = nearest.min_by_key(|(_, percent)| (*percent - stated).abs())?;
    if (expected - stated).abs() <= tolerance(params, printed) || is_cut(expected, stated) {
        return None;
    }
    // The number counted just before is the most likely divisor, but another one may be meant.
    let (whole_count, expected) =
        wholes.last().and_then(|whole| Some((*whole, percent(*whole)?))).unwrap_or((whole_count, expected));
    let case = if wholes.len() > 1 && share.get(3).is_some_and(|of| !of.as_str().is_empty()) {
        "unsure"
    } else {
        "differs"
    };
    Some(share_draft(case, passage, whole.range(), (part, whole_count, expected, printed)))
}

/// Returns true if a percentage is printed without its further digits: 9% for 9.7%.
fn is_cut(expected: Decimal, stated: Decimal) -> bool {
    expected.trunc_with_scale(stated.scale()) == stated
}

fn share_draft(
    case: &'static str,
    passage: &Passage<'_>,
    bytes: Range<usize>,
    (part, whole, expected, printed): (Decimal, Decimal, Decimal, &str),
) -> Draft {
    let expected = decimal(expected.round_dp(2));
    let draft = Draft::of_bytes(case, passage, bytes)
        .with("part", decimal(part))
        .with("whole", decimal(whole))
        .with("expected", &expected)
        .with("actual", printed);
    Draft { expected: Some(format!("{expected}%")), actual: Some(format!("{printed}%")), ..draft }
}

/// The share of requests that were closed. 按时办结率 is another share.
static RATE: StaticRegex =
    StaticRegex::new(r"(按时|按期|及时|依法)?办结率(?:为|达到|达|均为|是)?(\d+(?:\.\d+)?)%");

/// Compares 办结率 with chapter 三: the results over the requests received and carried in.
fn rate(
    params: &Params,
    input: &Input<'_>,
    passage: &Passage<'_>,
    found: &regex::Captures<'_>,
) -> Option<Draft> {
    let text = passage.text();
    let start = found.get(0)?.start();
    let sentence = text[..start].rsplit('。').next().unwrap_or_default();
    let is_other = ["建议", "提案", "热线", "信访", "投诉", "诉求", "留言", "许可", "事项"]
        .iter()
        .any(|word| sentence.contains(word));
    if found.get(1).is_some() || is_other || !sentence.contains("申请") {
        return None;
    }
    let table = input.table.as_ref()?;
    let value = |name: &str| table.layout.number(name).and_then(|cell| table.value(cell));
    let done = value("requests.outcome.total[total]")?;
    let all = value("requests.received[total]")?.checked_add(value("requests.carried_in[total]")?)?;
    let printed = found.get(2)?.as_str();
    let stated: Decimal = printed.parse().ok()?;
    let expected = done.checked_mul(Decimal::ONE_HUNDRED)?.checked_div(all)?;
    let differs = (expected - stated).abs() > tolerance(params, printed);
    differs.then(|| {
        share_draft("rate", passage, found.get(0).map_or(0..0, |m| m.range()), (done, all, expected, printed))
    })
}

/// This year's count, last year's in the same unit, and the growth between them.
static GROWTH: StaticRegex = StaticRegex::new(
    r"(\d[\d,]*)(件|条|篇|次|份|个|期|场|宗)[,(]?(?:比|较|与)?(?:上年度?|去年|上一年度?|20\d{2}年度?)(?:同期)?(?:的|为)?(\d[\d,]*)(件|条|篇|次|份|个|期|场|宗)(?:相比)?,?(?:同比|相比)?(增长|增加|上升|提高|下降|减少|降低)(?:了|约)?(\d+(?:\.\d+)?)%",
);

/// Last year's count, this year's in the same unit, and the growth between them: 由上年的150条增加到186条,增长24%.
static FROM_TO: StaticRegex = StaticRegex::new(
    r"[由从](?:上年度?|去年|上一年度?|20\d{2}年度?)(?:同期)?(?:的|为)?(\d[\d,]*)(件|条|篇|次|份|个|期|场|宗)(?:增加|增长|上升|提高|下降|减少|降低)(?:到|至|为)(?:今年的?|本年的?|20\d{2}年的?)?(\d[\d,]*)(件|条|篇|次|份|个|期|场|宗),?(?:同比|相比)?(增长|增加|上升|提高|下降|减少|降低)(?:了|约)?(\d+(?:\.\d+)?)%",
);

fn from_to(params: &Params, passage: &Passage<'_>, found: &regex::Captures<'_>) -> Option<Draft> {
    let part = |at: usize| found.get(at).map_or("", |part| part.as_str());
    let is_one_unit = part(2) == part(4);
    growth_draft(params, passage, found.get(0)?.range(), (part(3), part(1), part(5), part(6)))
        .filter(|_| is_one_unit)
}

/// Compares growth in percent with the two counts beside it.
fn growth(params: &Params, passage: &Passage<'_>, found: &regex::Captures<'_>) -> Option<Draft> {
    let part = |at: usize| found.get(at).map_or("", |part| part.as_str());
    let is_one_unit = part(2) == part(4);
    growth_draft(params, passage, found.get(0)?.range(), (part(1), part(3), part(5), part(6)))
        .filter(|_| is_one_unit)
}

/// Compares the growth between two counts, this year's first, with the one that is printed.
fn growth_draft(
    params: &Params,
    passage: &Passage<'_>,
    bytes: Range<usize>,
    (now, before, verb, printed): (&str, &str, &str, &str),
) -> Option<Draft> {
    let number = |text: &str| text.replace(',', "").parse::<Decimal>().ok();
    let (now, before, stated) = (number(now)?, number(before)?, number(printed)?);
    let grows = ["增长", "增加", "上升", "提高"].contains(&verb);
    let change = if grows { now.checked_sub(before)? } else { before.checked_sub(now)? };
    let expected = change.checked_mul(Decimal::ONE_HUNDRED)?.checked_div(before)?;
    if (expected - stated).abs() <= tolerance(params, printed) {
        return None;
    }
    Some(share_draft("growth", passage, bytes, (now, before, expected, printed)))
}

/// Returns how far a printed percentage may be off. Half a unit of its last digit is rounding.
fn tolerance(params: &Params, printed: &str) -> Decimal {
    let decimals = printed.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let rounding = Decimal::new(5, u32::try_from(decimals + 1).unwrap_or(1));
    params.decimal("tolerance").max(rounding)
}

/// Returns the numbers that the percentage may refer to: earlier counts of the passage in the same unit, and the
/// totals of chapter 三.
fn wholes(input: &Input<'_>, passage: &Passage<'_>, at: usize, unit: &str, part: Decimal) -> Vec<Decimal> {
    let mut wholes = Vec::new();
    if let Some(table) = input.table.as_ref().filter(|_| unit == "件") {
        let value = |name: &str| table.layout.number(name).and_then(|cell| table.value(cell));
        let names =
            ["requests.received[total]", "requests.carried_in[total]", "requests.outcome.total[total]"];
        let [received, carried_in, total] = names.map(value);
        wholes.extend(received.zip(carried_in).and_then(|(a, b)| a.checked_add(b)));
        wholes.extend(received.into_iter().chain(total));
    }
    // The parts of a list are no wholes: what precedes the first share is.
    let first = SHARE.find(passage.text()).map(|first| passage.text()[..first.start()].chars().count());
    let until = first.map_or(at, |first| first.min(at));
    let before = passage.reading().counts.iter().filter(|count| count.end <= until && count.unit == unit);
    let counted: Vec<Decimal> = before.map(|count| count.value).collect();
    if counted.is_empty() {
        // The text has no number to divide by, and the table alone does not prove a mistake.
        return Vec::new();
    }
    wholes.extend(counted);
    wholes.retain(|whole| *whole >= part && !whole.is_zero());
    wholes
}
