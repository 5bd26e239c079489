//! Checks when and where a report was published (条例 art. 49). All dates come from events; no clock is read.

use gongkai_model::{AgencyKind, Level, MonthDay};
use time::Date;

use crate::{
    check::{Cases, Check},
    draft::Draft,
    input::Input,
    params::{ParamKind, Params},
};

const LATE: &[&str] = &["published", "deadline", "days"];
const LATE_CASES: Cases = &[("department", LATE), ("government", LATE), ("town", LATE)];

pub(crate) const CHECKS: &[Check] = &[
    Check::one("timely.late", LATE_CASES, late).with(&[("migrated_after_days", ParamKind::Whole)]),
    Check::one("timely.early", &[("early", &["published", "year"])], early),
    Check::one("timely.back_dated", &[("back_dated", &["published", "seen", "days"])], back_dated)
        .with(&[("interval_days", ParamKind::Whole), ("window_days", ParamKind::Whole)]),
    Check::one("timely.column", &[("elsewhere", &["column"])], column).with(&[("columns", ParamKind::List)]),
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

/// Returns the last day for publication and the law's term for the body, or `None` if the kind of body is not known.
///
/// The law's days are the same for every level but that of towns, whose names show it. Without a level they hold for
/// governments and their departments only.
fn deadline(input: &Input<'_>) -> Option<(&'static str, Date)> {
    let (level, kind) = (input.level(), input.kind()?);
    let is_owed = matches!(kind, AgencyKind::Government | AgencyKind::Office | AgencyKind::Department);
    if level.is_none() && !is_owed {
        return None;
    }
    let next = input.report.year.checked_add(1)?;
    let (case, due) = match (level, kind) {
        (Some(Level::Town), _) => ("town", MonthDay::JANUARY_31),
        (_, AgencyKind::Government | AgencyKind::Office) => ("government", kind.statutory_deadline()),
        _ => ("department", kind.statutory_deadline()),
    };
    Some((case, due.of_year(next)?))
}

/// Finds reports published after the deadline. The day of the deadline is in time. A page that was moved to a new
/// site years later has the date of the move.
fn late(params: &Params, input: &Input<'_>) -> Option<Draft> {
    let published = claimed(input).map(|claimed| seen(input).map_or(claimed, |seen| seen.min(claimed)))?;
    let (case, deadline) = deadline(input)?;
    let days = (published - deadline).whole_days();
    if days <= 0 || days > params.whole("migrated_after_days") {
        return None;
    }
    let draft = Draft::of_part(case, "deadline")
        .with("published", day(published))
        .with("deadline", day(deadline))
        .with("days", days.to_string());
    Some(Draft { expected: Some(day(deadline)), actual: Some(day(published)), ..draft })
}

fn early(_: &Params, input: &Input<'_>) -> Option<Draft> {
    let year = input.report.year;
    let published = claimed(input).filter(|published| published.year() <= year)?;
    let draft = Draft::of_part("early", "early").with("published", day(published));
    Some(Draft { actual: Some(day(published)), ..draft.with("year", year.to_string()) })
}

/// Finds a report that states a date in time but was first seen after the deadline, later than the interval between
/// two visits explains. A report seen much later is an old one that was collected late, not a page with a false date.
fn back_dated(params: &Params, input: &Input<'_>) -> Option<Draft> {
    let (claimed, seen) = (claimed(input)?, seen(input)?);
    let (_, deadline) = deadline(input)?;
    let days = (seen - claimed).whole_days();
    let is_suspect = claimed <= deadline
        && seen > deadline
        && days > params.whole("interval_days")
        && days <= params.whole("window_days");
    let draft = Draft::of_part("back_dated", "back-dated")
        .with("published", day(claimed))
        .with("seen", day(seen))
        .with("days", days.to_string());
    is_suspect.then(|| Draft { expected: Some(day(seen)), actual: Some(day(claimed)), ..draft })
}

fn column(params: &Params, input: &Input<'_>) -> Option<Draft> {
    let column = input.context.publication.column.filter(|column| !column.trim().is_empty())?;
    if params.words("columns").is_some_and(|words| words.any(column)) {
        return None;
    }
    let draft = Draft::of_part("elsewhere", "column").with("column", column);
    Some(Draft { actual: Some(column.to_owned()), ..draft })
}

fn day(date: Date) -> String {
    format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day())
}
