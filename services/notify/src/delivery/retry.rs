//! Retry delays of webhooks: the schedule of Standard Webhooks and the receiver's `Retry-After`. The runtime adds jitter.

use std::time::Duration;

use time::{OffsetDateTime, format_description::well_known::Rfc2822};

/// Delay after the first, second, … failed attempt.
const SCHEDULE_S: [u64; 9] =
    [5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600];

/// Number of attempts after which a message is buried.
pub const MAX_ATTEMPTS: u32 = 10;

/// Maximum delay that a receiver may ask for.
const LONGEST_WISH: Duration = Duration::from_hours(24);

/// Returns the delay after the given attempt, counted from 1. It is at least as long as the receiver asked for.
#[must_use]
pub(super) fn delay(attempt: u32, wish: Option<Duration>) -> Duration {
    let step = usize::try_from(attempt.saturating_sub(1)).unwrap_or(usize::MAX).min(SCHEDULE_S.len() - 1);
    Duration::from_secs(SCHEDULE_S[step]).max(wish.unwrap_or_default().min(LONGEST_WISH))
}

/// Parses a `Retry-After` header: seconds or a date.
#[must_use]
pub(super) fn wish(header: &str, now: OffsetDateTime) -> Option<Duration> {
    let header = header.trim();
    if let Ok(seconds) = header.parse() {
        return Some(Duration::from_secs(seconds));
    }
    // HTTP writes GMT where RFC 2822 has an offset.
    let date = header.strip_suffix("GMT").map(|head| format!("{head}+0000"))?;
    let at = OffsetDateTime::parse(&date, &Rfc2822).ok()?;
    Some(Duration::try_from(at - now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn the_schedule_grows_and_then_stays() {
        for (attempt, seconds) in (1..).zip(SCHEDULE_S) {
            assert_eq!(delay(attempt, None), Duration::from_secs(seconds));
        }
        assert_eq!(delay(u32::MAX, None), Duration::from_hours(24));
    }

    #[test]
    fn the_receiver_may_ask_for_more_but_not_for_less_or_for_ever() {
        assert_eq!(delay(1, Some(Duration::from_secs(90))), Duration::from_secs(90));
        assert_eq!(delay(2, Some(Duration::from_secs(1))), Duration::from_mins(5));
        assert_eq!(delay(1, Some(Duration::MAX)), LONGEST_WISH);
    }

    #[test]
    fn both_forms_of_retry_after_are_read() {
        let now = datetime!(2026-01-05 08:00:00 UTC);
        assert_eq!(wish(" 120 ", now), Some(Duration::from_secs(120)));
        assert_eq!(wish("Mon, 05 Jan 2026 08:01:30 GMT", now), Some(Duration::from_secs(90)));
        assert_eq!(wish("Mon, 05 Jan 2026 07:00:00 GMT", now), Some(Duration::ZERO));
        assert_eq!(wish("soon", now), None);
        assert_eq!(wish("-5", now), None);
    }
}
