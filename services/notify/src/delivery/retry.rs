//! Computes when a failed delivery is tried again, from the configured delays and the receiver's `Retry-After`.

use std::time::Duration;

use time::{OffsetDateTime, format_description::well_known::Rfc2822};

/// Longest delay that a receiver may ask for.
const LONGEST_WISH: Duration = Duration::from_hours(24);

/// The delays after the first, second, … failed attempt.
#[derive(Debug, Clone)]
pub struct Schedule(Vec<Duration>);

// === impl Schedule ===

impl Schedule {
    /// Creates a schedule. There must be at least one delay.
    #[must_use]
    pub fn new(delays: Vec<Duration>) -> Self {
        Self(delays)
    }

    /// Returns the number of attempts after which a delivery is given up.
    pub(super) fn attempts(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// Returns the delay after this many failures in a row. After the last delay of the schedule it stays the same.
    /// It is at least the delay that the receiver asked for, up to one day.
    pub(super) fn delay(&self, failures: u32, wish: Option<Duration>) -> Duration {
        let step = usize::try_from(failures.saturating_sub(1)).unwrap_or(usize::MAX);
        let delay = self.0.get(step).or(self.0.last()).copied().unwrap_or_default();
        delay.max(wish.unwrap_or_default().min(LONGEST_WISH))
    }

    /// Returns the time from the first attempt to the last.
    pub(super) fn total(&self) -> Duration {
        self.0.iter().sum()
    }
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

    fn schedule() -> Schedule {
        Schedule::new([5, 30, 120].map(Duration::from_secs).to_vec())
    }

    #[test]
    fn the_schedule_grows_and_then_stays() {
        let schedule = schedule();
        let delays: Vec<_> = (1..=5).map(|failures| schedule.delay(failures, None).as_secs()).collect();
        assert_eq!(delays, [5, 30, 120, 120, 120]);
        assert_eq!((schedule.attempts(), schedule.total().as_secs()), (4, 155));
    }

    #[test]
    fn the_receiver_may_ask_for_more_but_not_for_less_or_for_ever() {
        let delay = |failures, wish| schedule().delay(failures, Some(wish));
        assert_eq!(delay(1, Duration::from_secs(90)), Duration::from_secs(90));
        assert_eq!(delay(2, Duration::from_secs(1)), Duration::from_secs(30));
        assert_eq!(delay(1, Duration::MAX), LONGEST_WISH);
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
