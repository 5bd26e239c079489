//! Times as senders write them.

use gongkai_proto::convert::timestamp::CHINA;
use time::{
    Date, OffsetDateTime, PrimitiveDateTime, Time,
    format_description::{BorrowedFormatItem, well_known::Rfc3339},
    macros::format_description,
};

use crate::error::Problem;

const DAY: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");
const MINUTE: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day] [hour]:[minute]");
const SECOND: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");

/// Parses an RFC 3339 time; or `yyyy-MM-dd HH:mm[:ss]` in the time of China, the format of the guidelines for
/// government websites (指引); or a day, which means its midnight there.
///
/// # Errors
/// `INVALID_FIELD`.
pub fn time(field: &str, text: &str) -> Result<OffsetDateTime, Problem> {
    if let Ok(time) = OffsetDateTime::parse(text, &Rfc3339) {
        return Ok(time);
    }
    let local = PrimitiveDateTime::parse(text, SECOND)
        .or_else(|_| PrimitiveDateTime::parse(text, MINUTE))
        .or_else(|_| Date::parse(text, DAY).map(|day| day.with_time(Time::MIDNIGHT)));
    local.map(|local| local.assume_offset(CHINA)).map_err(|_| {
        Problem::invalid(
            field,
            text,
            "须是 2024-01-15T10:12:00+08:00 或 2024-01-15 10:12[:00] 这样的时间",
            "must be a time such as 2024-01-15T10:12:00+08:00, or 2024-01-15 10:12[:00] in the time of China",
        )
    })
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_time_without_an_offset_is_of_china() {
        let parsed = |text: &str| time("time", text).unwrap();
        assert_eq!(parsed("2024-01-15 10:12"), datetime!(2024-01-15 02:12 UTC));
        assert_eq!(parsed("2024-01-15 10:12:30"), datetime!(2024-01-15 02:12:30 UTC));
        assert_eq!(parsed("2024-01-15"), datetime!(2024-01-14 16:00 UTC));
        assert_eq!(parsed("2024-01-15T10:12:00Z"), datetime!(2024-01-15 10:12 UTC));
    }

    #[test]
    fn anything_else_is_no_time() {
        for text in [
            "soon",
            "2024",
            "2024-02-30",
            "2024-01-15 25:00",
            "2024-01-15 10",
            "2024/01/15 10:12",
            "20240115",
        ] {
            assert!(time("time", text).unwrap_err().detail.contains("time 须是"), "{text}");
        }
    }
}
