//! Times that a person types: a day in China, or an instant.

use time::{
    Date, OffsetDateTime, Time, UtcOffset,
    format_description::well_known::{Iso8601, Rfc3339},
};

/// Parses a time, or a date as the end of that day in China.
pub(crate) fn end_of(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc3339).ok().or_else(|| midnight(date(text)?.next_day()?))
}

/// Parses a time, or a date as the beginning of that day in China.
pub(crate) fn start_of(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc3339).ok().or_else(|| midnight(date(text)?))
}

fn date(text: &str) -> Option<Date> {
    Date::parse(text, &Iso8601::DATE).ok()
}

fn midnight(date: Date) -> Option<OffsetDateTime> {
    Some(date.with_time(Time::MIDNIGHT).assume_offset(UtcOffset::from_hms(8, 0, 0).ok()?))
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_day_is_one_of_china() {
        assert_eq!(start_of("2026-12-31"), Some(datetime!(2026-12-31 00:00 +08:00)));
        assert_eq!(end_of("2026-12-31"), Some(datetime!(2027-01-01 00:00 +08:00)));
        let noon = Some(datetime!(2026-12-31 18:00 +08:00));
        assert_eq!([start_of, end_of].map(|of| of("2026-12-31T18:00:00+08:00")), [noon, noon]);
        assert_eq!(end_of("next year"), None);
    }
}
