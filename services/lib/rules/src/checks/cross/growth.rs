//! `cross.growth`: the growth of requests that the prose states, against this year's and last year's chapter 三.

use gongkai_model::Applicant;
use rust_decimal::Decimal;

use super::cells::{previous, total};
use crate::{
    check::{Cases, Check},
    draft::{Draft, decimal},
    input::Input,
    neighbours::{AgencyYear, Cells},
    params::{ParamKind, Params},
    prose::{claim::Claim, passage::Passage, quantity::Quantity},
    static_regex::StaticRegex,
};

const CASES: Cases =
    &[("differs", &["chapter", "quote", "expected", "actual", "now", "before", "last_year"])];

pub(crate) const CHECKS: &[Check] =
    &[Check::many("cross.growth", CASES, growth).with(&[("tolerance", ParamKind::Decimal)])];

/// Growth or decline in percent, right behind a count.
static GROWTH: StaticRegex = StaticRegex::new(
    r"^(?:\([^)]*\))?[,、;]?(?:申请)?(?:数量|件数|总量|总数)?(?:同比|环比|(?:比|较|与)(?:上年度?|去年|上一年度?|(\d{4})年度?)(?:同期)?(?:相比)?,?)[^。;,%\d]{0,6}?(增长|增加|上升|提高|下降|减少|降低)(?:了|约|近)?(\d+(?:\.\d+)?)%",
);

/// A number of requests in this and last year's chapter 三.
#[derive(Clone, Copy)]
struct Pair {
    now: Decimal,
    before: Decimal,
}

impl Pair {
    /// Returns the growth in percent.
    fn growth(self) -> Option<Decimal> {
        self.now.checked_sub(self.before)?.checked_mul(Decimal::ONE_HUNDRED)?.checked_div(self.before)
    }
}

fn growth(params: &Params, input: &Input<'_>) -> Vec<Draft> {
    let Some(previous) = previous(input) else { return Vec::new() };
    let passages = input.prose.claims().filter(|(passage, _)| passage.text().contains('%'));
    passages.flat_map(|(passage, claims)| in_passage(params, input, previous, (passage, claims))).collect()
}

/// Compares growth behind a claim with that of every number that the passage states before it: which of them it is the
/// growth of, prose often leaves open.
fn in_passage(
    params: &Params,
    input: &Input<'_>,
    previous: &AgencyYear,
    (passage, claims): (&Passage<'_>, &[Claim]),
) -> Vec<Draft> {
    let own = Cells::new(input.report.facts.iter().map(|fact| (fact.id.clone(), fact.state)));
    let drafts = claims.iter().enumerate().filter_map(|(at, claim)| {
        let start = passage.text().char_indices().nth(claim.quote.end)?.0;
        let found = GROWTH.captures(passage.text().get(start..)?)?;
        let part = |at: usize| found.get(at).map_or("", |part| part.as_str());
        if !part(1).is_empty() && part(1).parse() != Ok(previous.year) {
            return None;
        }
        let printed: Decimal = part(3).parse().ok()?;
        let stated = if matches!(part(2), "下降" | "减少" | "降低") { -printed } else { printed };
        let pairs: Vec<Pair> =
            claims.get(..=at)?.iter().filter_map(|claim| pair(claim, &own, &previous.cells)).collect();
        // A number printed with fewer decimals may differ by half a unit of its last digit.
        let most = Decimal::new(5, printed.scale() + 1).checked_add(params.decimal("tolerance"))?;
        let holds = |pair: &Pair| pair.growth().is_some_and(|growth| (growth - stated).abs() <= most);
        let first = pairs.first().filter(|_| !pairs.iter().any(holds))?;
        let expected = decimal(first.growth()?.round_dp(2));
        let end = claim.quote.end + found.get(0)?.as_str().chars().count();
        let draft = Draft::of_cells("differs", vec![total("requests.received")])
            .quoting(passage.chapter(), passage.quote(claim.quote.start..end))
            .expected(expected)
            .actual(decimal(stated))
            .with("now", decimal(first.now))
            .with("before", decimal(first.before))
            .with("last_year", previous.year.to_string());
        Some(draft)
    });
    drafts.collect()
}

/// Returns the numbers of a claim's row in both years, if the claim states this year's and there is growth from last
/// year's.
fn pair(claim: &Claim, own: &Cells, before: &Cells) -> Option<Pair> {
    let rows: &[&str] = match claim.quantity {
        Quantity::Received | Quantity::NewlyReceived | Quantity::Worked => &["requests.received"],
        Quantity::Handled => &["requests.outcome.total"],
        Quantity::CarriedIn => &["requests.carried_in"],
        Quantity::CarriedOut => &["requests.carried_out"],
        Quantity::Granted => &["requests.outcome.granted"],
        Quantity::PartiallyGranted => &["requests.outcome.partially_granted"],
        Quantity::GrantedOrPartially => &["requests.outcome.granted", "requests.outcome.partially_granted"],
        Quantity::Refused => &["requests.outcome.refused"],
        Quantity::Unavailable => &["requests.outcome.unavailable"],
        Quantity::NotProcessed => &["requests.outcome.not_processed"],
        Quantity::Other => &["requests.outcome.other"],
    };
    let pair = Pair { now: sum(own, rows)?, before: sum(before, rows)? };
    (pair.now == claim.value && !pair.before.is_zero()).then_some(pair)
}

/// Returns the sum of 总计 over rows and groups of rows, or `None` if one of them is not a number.
fn sum(cells: &Cells, rows: &[&str]) -> Option<Decimal> {
    let is_of = |concept: &str| {
        let rest = rows.iter().filter_map(|row| concept.strip_prefix(row));
        rest.into_iter().any(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let mut totals = cells
        .iter()
        .filter(|(id, _)| id.applicant == Some(Applicant::Total) && is_of(id.concept.as_str()))
        .peekable();
    totals.peek()?;
    totals.try_fold(Decimal::ZERO, |sum, (_, state)| sum.checked_add(state.value()?))
}
