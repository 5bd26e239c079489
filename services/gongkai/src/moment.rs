//! Points in time on the command line.

use anyhow::Context as _;
use time::{
    Date, OffsetDateTime, Time, UtcOffset,
    format_description::well_known::{Iso8601, Rfc3339},
};

/// Parses the value of an option: a time, or a date as the beginning of that day in China.
///
/// # Errors
/// The text is neither; the error names the option.
pub(crate) fn beginning(option: &str, text: &str) -> anyhow::Result<OffsetDateTime> {
    parse(text).with_context(|| {
        format!("{option} {text}: must be a day like 2026-01-31 or a time like 2026-01-31T18:00:00+08:00")
    })
}

fn parse(text: &str) -> Option<OffsetDateTime> {
    let china = UtcOffset::from_hms(8, 0, 0).ok()?;
    let day = || Some(Date::parse(text, &Iso8601::DATE).ok()?.with_time(Time::MIDNIGHT).assume_offset(china));
    OffsetDateTime::parse(text, &Rfc3339).ok().or_else(day)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_day_begins_in_china() {
        let parsed = |text| beginning("--since", text).ok();
        assert_eq!(parsed("2026-01-31"), Some(datetime!(2026-01-31 00:00 +08:00)));
        assert_eq!(parsed("2026-01-31T18:00:00Z"), Some(datetime!(2026-01-31 18:00 UTC)));
        assert_eq!(parsed("now"), None);
    }
}
