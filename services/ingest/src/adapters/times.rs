//! Parses the times of senders.

use time::OffsetDateTime;

use crate::{error::Problem, times};

/// Parses a time as [`times::time`] does, also with `T` before the hour; or seconds or milliseconds since 1970, of 10 or
/// 13 digits.
///
/// # Errors
/// `INVALID_FIELD`.
pub(super) fn parse(field: &str, text: &str) -> Result<OffsetDateTime, Problem> {
    let text = text.trim();
    if let Some(time) = since_1970(text) {
        return Ok(time);
    }
    times::time(field, text)
        .or_else(|problem| times::time(field, &text.replacen('T', " ", 1)).map_err(|_| problem))
}

fn since_1970(text: &str) -> Option<OffsetDateTime> {
    let number: i64 = text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())??;
    match text.len() {
        10 => OffsetDateTime::from_unix_timestamp(number).ok(),
        13 => OffsetDateTime::from_unix_timestamp_nanos(i128::from(number) * 1_000_000).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_the_same_time() {
        for text in [
            "2024-01-15T10:12:00+08:00",
            "2024-01-15T02:12:00Z",
            "2024-01-15 10:12:00",
            " 2024-01-15 10:12",
            "2024-01-15T10:12:00",
            "1705284720",
            "1705284720000",
        ] {
            assert_eq!(parse("time", text).unwrap().unix_timestamp(), 1_705_284_720, "{text}");
        }
        assert_eq!(parse("time", "2024-01-15").unwrap().unix_timestamp(), 1_705_248_000);
    }

    #[test]
    fn anything_else_is_no_time() {
        let eternal = "9".repeat(400);
        for text in [
            "",
            "2024",
            "15.1.2024",
            "99999999999999",
            "-170528472",
            "+170528472",
            "1705284720.5",
            "１７０５２８４７２０",
            &eternal,
        ] {
            let problem = parse("time (/t)", text).unwrap_err();
            assert!(problem.detail.starts_with("time (/t) 须是"), "{problem:?}");
        }
    }
}
