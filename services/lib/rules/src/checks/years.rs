//! `years`: title, statistical period and publication date must agree on the year (regulations art. 49).
//!
//! This rule does not report late publication, nor a page that was moved to a new site years later. It reports only a
//! publication date before the end of the year, which cannot be right.

use gongkai_model::{Period, Source};

use crate::{
    check::Check,
    draft::{Draft, Value},
    fingerprint::Key,
    input::Input,
};

pub(crate) const CHECKS: &[Check] = &[Check {
    name: "years",
    cases: &[
        ("title", &["title_year", "period_year"]),
        ("period", &["year", "from", "to"]),
        ("published", &["year", "published"]),
    ],
    params: &[],
    run: |_, input| run(input),
}];

fn run(input: &Input<'_>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    if let Some(period) = &input.report.period {
        drafts.extend(period_draft(period, input.report.title_year.unwrap_or(period.from.0)));
    }
    drafts.extend(published_draft(input));
    drafts
}

fn period_draft(period: &Period, year: i32) -> Option<Draft> {
    let whole_year = |year| period.from == (year, 1, 1) && period.to == (year, 12, 31);
    if whole_year(year) {
        return None;
    }
    let (from, to) = (day(period.from), day(period.to));
    let mut draft = if whole_year(period.from.0) {
        Draft {
            values: vec![
                Value::same("title_year", year.to_string()),
                Value::same("period_year", period.from.0.to_string()),
            ],
            ..Draft::new("title", Key::Part("title-period".to_owned()))
        }
    } else {
        Draft {
            values: vec![
                Value::same("year", year.to_string()),
                Value::same("from", &from),
                Value::same("to", &to),
            ],
            ..Draft::new("period", Key::Part("period".to_owned()))
        }
    };
    draft.expected = Some(format!("{year}-01-01/{year}-12-31"));
    draft.actual = Some(format!("{from}/{to}"));
    draft.source = period.span.map(|span| Source { span: Some(span), ..Source::default() });
    Some(draft)
}

fn published_draft(input: &Input<'_>) -> Option<Draft> {
    let published = input.context.published_at?;
    let year = input.report.year;
    if published.year() > year {
        return None;
    }
    let text = day((published.year(), published.month().into(), published.day()));
    Some(Draft {
        expected: Some(year.saturating_add(1).to_string()),
        actual: Some(published.year().to_string()),
        values: vec![Value::same("year", year.to_string()), Value::same("published", text)],
        ..Draft::new("published", Key::Part("publication".to_owned()))
    })
}

fn day((year, month, day): (i32, u8, u8)) -> String {
    format!("{year:04}-{month:02}-{day:02}")
}
