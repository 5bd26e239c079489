//! `years`: the title, statistical period, publication date and sender must agree on the year (regulations art. 49).
//!
//! This rule does not report late publication, nor a page that was moved to a new site years later. It reports only a
//! publication date before the end of the year, which cannot be right.

use gongkai_model::{DeclaredField, Difference, EvidenceSource, Period, Source};

use crate::{
    check::{Cases, Check},
    draft::Draft,
    input::Input,
    params::Params,
};

const CASES: Cases = &[
    ("title", &["title_year", "period_year"]),
    ("period", &["year", "from", "to"]),
    ("published", &["year", "published"]),
    ("declared", &["expected", "actual"]),
    ("rival", &["expected", "actual"]),
    ("weak", &["expected"]),
];

/// Weight from which on another year is a doubt: that of one sentence that names it.
const DOUBT: u32 = 5;

/// Weight below which the year rests on a mention in passing.
const FIRM: u32 = 2;

pub(crate) const CHECKS: &[Check] = &[Check::many("years", CASES, years)];

fn years(_: &Params, input: &Input<'_>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    if let Some(period) = &input.report.period {
        drafts.extend(period_draft(period, input.report.title_year.unwrap_or(period.from.0)));
    }
    drafts.extend(evidence_draft(input));
    drafts.extend(published_draft(input));
    let of_year = |difference: &&Difference| difference.field == DeclaredField::Year;
    drafts.extend(input.context.differences.iter().filter(of_year).map(|difference| {
        Draft::of_part("declared", "declared").expected(&difference.declared).actual(&difference.read)
    }));
    drafts
}

fn period_draft(period: &Period, year: i32) -> Option<Draft> {
    let whole_year = |year| period.from == (year, 1, 1) && period.to == (year, 12, 31);
    if whole_year(year) {
        return None;
    }
    let (from, to) = (day_in_words(period.from), day_in_words(period.to));
    let draft = if whole_year(period.from.0) {
        Draft::of_part("title", "title-period")
            .with("title_year", year.to_string())
            .with("period_year", period.from.0.to_string())
    } else {
        Draft::of_part("period", "period")
            .with("year", year.to_string())
            .with_both("from", &from, day(period.from))
            .with_both("to", &to, day(period.to))
    };
    Some(Draft {
        expected: Some(format!("{year}年1月1日至12月31日")),
        actual: Some(format!("{from}至{to}")),
        source: period.span.map(|span| Source { span: Some(span), ..Source::default() }),
        ..draft
    })
}

/// Checks that the document says plainly of which year it is. A statistical period of another year than the title's has
/// a finding of its own.
fn evidence_draft(input: &Input<'_>) -> Option<Draft> {
    let report = input.report;
    let mut years = report.identity.year.iter();
    let chosen = years.next()?;
    let draft = |case| Draft::of_part(case, case).expected(chosen.value.to_string());
    if let Some(rival) = years.next().filter(|r| r.weight >= DOUBT || r.weight * 2 >= chosen.weight) {
        let of_period = report.period.is_some_and(|period| period.from.0 == rival.value);
        let is_known = of_period && report.title_year == Some(chosen.value);
        return (!is_known).then(|| draft("rival").actual(rival.value.to_string()));
    }
    let is_weak = chosen.weight < FIRM && chosen.source != EvidenceSource::Declared;
    is_weak.then(|| draft("weak"))
}

fn published_draft(input: &Input<'_>) -> Option<Draft> {
    let published = input.context.published_at?;
    let year = input.report.year;
    if published.year() > year {
        return None;
    }
    let text = day((published.year(), published.month().into(), published.day()));
    let draft = Draft::of_part("published", "publication");
    Some(Draft {
        expected: Some(year.saturating_add(1).to_string()),
        actual: Some(published.year().to_string()),
        ..draft.with("year", year.to_string()).with("published", text)
    })
}

fn day_in_words((year, month, day): (i32, u8, u8)) -> String {
    format!("{year}年{month}月{day}日")
}

fn day((year, month, day): (i32, u8, u8)) -> String {
    format!("{year:04}-{month:02}-{day:02}")
}
