//! When and where a report was published (条例 art. 49). All dates come from events; no clock is read.

use gongkai_model::{AgencyKind, Level};
use time::{Date, Month};

use crate::{
    check::Check,
    draft::{Draft, Value},
    fingerprint::Key,
    input::Input,
    params::{Kind, Params},
};

pub(crate) const CHECKS: &[Check] = &[
    Check {
        name: "timely.late",
        cases: &[
            ("department", &["published", "deadline", "days"]),
            ("government", &["published", "deadline", "days"]),
            ("town", &["published", "deadline", "days"]),
        ],
        params: &[("migrated_after_days", Kind::Whole)],
        run: late,
    },
    Check {
        name: "timely.early",
        cases: &[("early", &["published", "year"])],
        params: &[],
        run: |_, input| early(input),
    },
    Check {
        name: "timely.back_dated",
        cases: &[("back_dated", &["published", "seen", "days"])],
        params: &[("interval_days", Kind::Whole), ("window_days", Kind::Whole)],
        run: back_dated,
    },
    Check {
        name: "timely.column",
        cases: &[("elsewhere", &["column"])],
        params: &[("columns", Kind::List)],
        run: column,
    },
];

/// Returns the earliest publication date that the publisher states.
fn claimed(input: &Input<'_>) -> Option<Date> {
    let kept = input.context.neighbours.and_then(|neighbours| neighbours.publications.first_claimed);
    kept.into_iter().chain(input.context.published_at).min()
}

/// Returns the day on which the report was first seen.
fn seen(input: &Input<'_>) -> Option<Date> {
    let kept = input.context.neighbours.and_then(|neighbours| neighbours.publications.first_seen);
    kept.into_iter().chain(input.context.publication.first_seen).min()
}

/// Returns the last day for publication and the law's term for the body; `None` if the kind of body is not known.
fn deadline(input: &Input<'_>) -> Option<(&'static str, Date)> {
    let (level, kind) = (input.level()?, input.kind()?);
    let next = input.report.year.checked_add(1)?;
    // An office also compiles the government's report, so the earlier deadline of departments does not apply to it.
    let (case, month) = match (level, kind) {
        (Level::Town, _) => ("town", Month::January),
        (_, AgencyKind::Government | AgencyKind::Office) => ("government", Month::March),
        _ => ("department", Month::January),
    };
    Some((case, Date::from_calendar_date(next, month, 31).ok()?))
}

/// Finds reports published after the deadline. The day of the deadline is in time. A page that moved to a new site
/// years later carries the date of the move.
fn late(params: &Params, input: &Input<'_>) -> Vec<Draft> {
    let late = || {
        let published =
            claimed(input).map(|claimed| seen(input).map_or(claimed, |seen| seen.min(claimed)))?;
        let (case, deadline) = deadline(input)?;
        let days = (published - deadline).whole_days();
        if days <= 0 || days > params.whole("migrated_after_days") {
            return None;
        }
        Some(Draft {
            expected: Some(day(deadline)),
            actual: Some(day(published)),
            values: vec![
                Value::same("published", day(published)),
                Value::same("deadline", day(deadline)),
                Value::same("days", days.to_string()),
            ],
            ..Draft::new(case, Key::Part("deadline".to_owned()))
        })
    };
    late().into_iter().collect()
}

fn early(input: &Input<'_>) -> Vec<Draft> {
    let year = input.report.year;
    let Some(published) = claimed(input).filter(|published| published.year() <= year) else {
        return Vec::new();
    };
    let values = vec![Value::same("published", day(published)), Value::same("year", year.to_string())];
    vec![Draft { actual: Some(day(published)), values, ..Draft::new("early", Key::Part("early".to_owned())) }]
}

/// Finds a report that states a date in time but was first seen after the deadline, later than the interval between
/// two visits explains. A report seen much later is an old one that was collected late, not a page with a false date.
fn back_dated(params: &Params, input: &Input<'_>) -> Vec<Draft> {
    let back_dated = || {
        let (claimed, seen) = (claimed(input)?, seen(input)?);
        let (_, deadline) = deadline(input)?;
        let days = (seen - claimed).whole_days();
        let is_suspect = claimed <= deadline
            && seen > deadline
            && days > params.whole("interval_days")
            && days <= params.whole("window_days");
        is_suspect.then(|| Draft {
            expected: Some(day(seen)),
            actual: Some(day(claimed)),
            values: vec![
                Value::same("published", day(claimed)),
                Value::same("seen", day(seen)),
                Value::same("days", days.to_string()),
            ],
            ..Draft::new("back_dated", Key::Part("back-dated".to_owned()))
        })
    };
    back_dated().into_iter().collect()
}

fn column(params: &Params, input: &Input<'_>) -> Vec<Draft> {
    let Some(column) = input.context.publication.column.filter(|column| !column.trim().is_empty()) else {
        return Vec::new();
    };
    if params.words("columns").is_some_and(|words| words.any(column)) {
        return Vec::new();
    }
    let values = vec![Value::same("column", column)];
    vec![Draft {
        actual: Some(column.to_owned()),
        values,
        ..Draft::new("elsewhere", Key::Part("column".to_owned()))
    }]
}

fn day(date: Date) -> String {
    format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day())
}
