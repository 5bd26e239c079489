//! `dates`: days that do not exist, and a signature dated before the report's year was over.

use time::{Date, Month};

use crate::{
    check::{Cases, Check},
    draft::Draft,
    input::Input,
    params::Params,
    prose::passage::Passage,
    static_regex::StaticRegex,
};

const CASES: Cases = &[("impossible", &["chapter", "quote"]), ("signed", &["chapter", "quote", "year"])];

pub(crate) const CHECKS: &[Check] = &[Check::many("dates", CASES, run)];

static DAY: StaticRegex = StaticRegex::new(r"(?:(\d{4})年)?(\d{1,2})月(\d{1,2})日");

fn run(_: &Params, input: &Input<'_>) -> Vec<Draft> {
    let passages = input.prose.passages().iter();
    let passages = passages.filter(|passage| passage.text().contains('日') && passage.text().contains('月'));
    passages.flat_map(|passage| days(input, passage)).collect()
}

fn days(input: &Input<'_>, passage: &Passage<'_>) -> Vec<Draft> {
    let text = passage.text();
    let day = |found: regex::Captures<'_>| {
        let number = |at: usize| found.get(at).and_then(|part| part.as_str().parse::<i32>().ok());
        let whole = found.get(0)?;
        let case = match date(number(1), number(2)?, number(3)?) {
            None => "impossible",
            Some(day)
                if whole.len() == text.len() && number(1).is_some() && day.year() <= input.report.year =>
            {
                "signed"
            }
            Some(_) => return None,
        };
        let draft = Draft::of_bytes(case, passage, whole.range()).with("year", input.report.year.to_string());
        Some(Draft { actual: Some(whole.as_str().to_owned()), ..draft })
    };
    DAY.captures_iter(text).filter_map(day).collect()
}

/// Returns the day, or `None` if there is none. A day without a year exists if any year has it.
fn date(year: Option<i32>, month: i32, day: i32) -> Option<Date> {
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    // 2024 has 29 February.
    Date::from_calendar_date(year.unwrap_or(2024), month, u8::try_from(day).ok()?).ok()
}
