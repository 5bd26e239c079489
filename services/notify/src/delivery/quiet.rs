//! Quiet hours: when messages to people wait for the morning. All times are those of China, which has one zone.

use std::time::Duration;

use anyhow::Context as _;
use gongkai_model::Severity;
use gongkai_proto::convert::timestamp::CHINA;
use time::{Date, OffsetDateTime, Time, Weekday};

/// The times at which a subscription receives nothing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Quiet {
    /// From when to when, each day. The end may be on the next day.
    hours: Option<(Time, Time)>,
    /// Saturdays and Sundays.
    weekends: bool,
    /// From this severity on, alerts are delivered nevertheless.
    passes: Option<Severity>,
}

// === impl Quiet ===

impl Quiet {
    /// Reads hours such as `22:00-07:00`; an empty text means none.
    ///
    /// # Errors
    /// The text is not two different times of the day.
    pub(crate) fn new(hours: &str, weekends: bool, passes: Option<Severity>) -> anyhow::Result<Self> {
        let hours = Some(hours).filter(|hours| !hours.is_empty());
        let hours = hours.map(|text| {
            let hours = text.split_once('-').and_then(|(from, to)| Some((time(from)?, time(to)?)));
            hours
                .filter(|(from, to)| from != to)
                .with_context(|| format!("is {text:?}: use two times, as 22:00-07:00"))
        });
        Ok(Self { hours: hours.transpose()?, weekends, passes })
    }

    /// Returns true if an alert of this severity is delivered at any time.
    pub(super) fn lets_pass(&self, severity: Option<Severity>) -> bool {
        self.passes.zip(severity).is_some_and(|(least, severity)| severity >= least)
    }

    /// Returns how long it stays quiet: zero if it is not.
    pub(super) fn left(&self, now: OffsetDateTime) -> Duration {
        let mut at = now.to_offset(CHINA);
        // Nights and weekends alternate: no span has more than seven parts.
        for _ in 0..7 {
            match self.end(at) {
                Some(end) => at = end,
                None => break,
            }
        }
        Duration::try_from(at - now).unwrap_or_default()
    }

    /// Returns the end of the night or of the weekend day that `at` is in.
    fn end(&self, at: OffsetDateTime) -> Option<OffsetDateTime> {
        let midnight = |date: Option<Date>| Some(date?.midnight().assume_offset(CHINA));
        if self.weekends && matches!(at.weekday(), Weekday::Saturday | Weekday::Sunday) {
            return midnight(at.date().next_day());
        }
        let (from, to) = self.hours?;
        let now = at.time();
        if from < to {
            return (from <= now && now < to).then(|| at.replace_time(to));
        }
        if now < to {
            return Some(at.replace_time(to));
        }
        (now >= from)
            .then(|| at.date().next_day())
            .flatten()
            .map(|next| next.with_time(to).assume_offset(CHINA))
    }
}

fn time(text: &str) -> Option<Time> {
    let (hours, minutes) = text.trim().split_once(':')?;
    Time::from_hms(hours.parse().ok()?, minutes.parse().ok()?, 0).ok()
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn ends(hours: &str, weekends: bool, now: OffsetDateTime) -> OffsetDateTime {
        (now + Quiet::new(hours, weekends, None).unwrap().left(now)).to_offset(CHINA)
    }

    #[test]
    fn a_night_ends_in_the_morning_in_china() {
        let night = "22:00-07:00";
        let morning = datetime!(2026-03-31 07:00 +8);
        assert_eq!(ends(night, false, datetime!(2026-03-30 22:00 +8)), morning);
        assert_eq!(ends(night, false, datetime!(2026-03-30 15:30 UTC)), morning);
        assert_eq!(ends(night, false, datetime!(2026-03-31 06:59:59 +8)), morning);
        for awake in [datetime!(2026-03-31 07:00 +8), datetime!(2026-03-31 21:59:59 +8)] {
            assert_eq!(ends(night, false, awake), awake);
        }
        let noon = datetime!(2026-03-31 12:30 +8);
        assert_eq!(ends("12:00-14:00", false, noon), datetime!(2026-03-31 14:00 +8));
        assert_eq!(ends("", false, noon), noon);
    }

    #[test]
    fn a_weekend_joins_its_nights() {
        let friday_night = datetime!(2026-04-03 23:00 +8);
        assert_eq!(ends("22:00-07:00", true, friday_night), datetime!(2026-04-06 07:00 +8));
        assert_eq!(ends("", true, datetime!(2026-04-05 12:00 +8)), datetime!(2026-04-06 00:00 +8));
        assert_eq!(ends("", true, friday_night), friday_night);
    }

    #[test]
    fn what_is_no_time_is_refused_and_the_weighty_passes() {
        for bad in ["22:00", "22-7", "25:00-07:00", "07:00-07:00", "x"] {
            assert!(Quiet::new(bad, false, None).is_err(), "{bad}");
        }
        let quiet = Quiet::new("", false, Some(Severity::Error)).unwrap();
        assert!(quiet.lets_pass(Some(Severity::Error)) && !quiet.lets_pass(Some(Severity::Warning)));
        assert!(!quiet.lets_pass(None) && !Quiet::default().lets_pass(Some(Severity::Error)));
    }
}
