//! Times that a person types: a day in China, or an instant.

use anyhow::Context as _;
use gongkai_proto::convert::timestamp::CHINA;
use time::{
    Date, OffsetDateTime, Time,
    format_description::well_known::{Iso8601, Rfc3339},
};

/// Parses the value of an option: a time, or a date as the end of that day in China.
///
/// # Errors
/// The text is neither; the error names the option.
pub(crate) fn end(option: &str, text: &str) -> anyhow::Result<OffsetDateTime> {
    time_or(text, Date::next_day).with_context(|| unreadable(option, text))
}

/// Parses the value of an option: a time, or a date as the beginning of that day in China.
///
/// # Errors
/// The text is neither; the error names the option.
pub(crate) fn start(option: &str, text: &str) -> anyhow::Result<OffsetDateTime> {
    time_or(text, Some).with_context(|| unreadable(option, text))
}

/// Parses a time, or a date as the midnight in China of the day that `day` makes of it.
fn time_or(text: &str, day: fn(Date) -> Option<Date>) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc3339).ok().or_else(|| Some(midnight(day(date(text)?)?)))
}

fn unreadable(option: &str, text: &str) -> String {
    format!("{option} {text}: must be a day like 2026-12-31 or a time like 2026-12-31T18:00:00+08:00")
}

fn date(text: &str) -> Option<Date> {
    Date::parse(text, &Iso8601::DATE).ok()
}

fn midnight(date: Date) -> OffsetDateTime {
    date.with_time(Time::MIDNIGHT).assume_offset(CHINA)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_day_is_one_of_china() {
        let (start, end) = (|text| start("--since", text).ok(), |text| end("--until", text).ok());
        assert_eq!(start("2026-12-31"), Some(datetime!(2026-12-31 00:00 +08:00)));
        assert_eq!(end("2026-12-31"), Some(datetime!(2027-01-01 00:00 +08:00)));
        let noon = Some(datetime!(2026-12-31 18:00 +08:00));
        assert_eq!([start("2026-12-31T18:00:00+08:00"), end("2026-12-31T18:00:00+08:00")], [noon, noon]);
        assert_eq!(start("2026-01-31T18:00:00Z"), Some(datetime!(2026-01-31 18:00 UTC)));
        assert_eq!((start("now"), end("next year")), (None, None));
    }
}
