//! `prose.percentages`: a percentage printed beside a count must be that count's share of a number in the text or in
//! chapter 三.

use rust_decimal::Decimal;

use crate::{
    check::{Cases, Check},
    draft::{Draft, decimal},
    input::Input,
    params::{ParamKind, Params},
    prose::passage::Passage,
    static_regex::StaticRegex,
};

const CASES: Cases = &[("differs", &["chapter", "quote", "part", "whole", "expected", "actual"])];

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
        drafts.extend(
            SHARE.captures_iter(passage.text()).filter_map(|share| draft(params, input, passage, &share)),
        );
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
    let decimals = printed.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    // A difference of half a unit of the last digit is rounding.
    let rounding = Decimal::new(5, u32::try_from(decimals + 1).ok()?);
    let tolerance = params.decimal("tolerance").max(rounding);
    let at = passage.text()[..whole.start()].chars().count();
    let wholes = wholes(input, passage, at, unit, part);
    let percent = |whole: Decimal| part.checked_mul(Decimal::ONE_HUNDRED)?.checked_div(whole);
    let nearest = wholes.iter().filter_map(|whole| Some((*whole, percent(*whole)?)));
    let (whole_count, expected) = nearest.min_by_key(|(_, percent)| (*percent - stated).abs())?;
    if (expected - stated).abs() <= tolerance {
        return None;
    }
    // The number counted just before is the most likely divisor.
    let (whole_count, expected) =
        wholes.last().and_then(|whole| Some((*whole, percent(*whole)?))).unwrap_or((whole_count, expected));
    let expected = decimal(expected.round_dp(2));
    let draft = Draft::of_bytes("differs", passage, whole.range())
        .with("part", decimal(part))
        .with("whole", decimal(whole_count))
        .with("expected", &expected)
        .with("actual", printed);
    Some(Draft { expected: Some(format!("{expected}%")), actual: Some(format!("{printed}%")), ..draft })
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
    let before = passage.reading().counts.iter().filter(|count| count.end <= at && count.unit == unit);
    let counted: Vec<Decimal> = before.map(|count| count.value).collect();
    if counted.is_empty() {
        // The text has no number to divide by, and the table alone does not prove a mistake.
        return Vec::new();
    }
    wholes.extend(counted);
    wholes.retain(|whole| *whole >= part && !whole.is_zero());
    wholes
}
