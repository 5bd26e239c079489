//! Compares the clocks of the broker and of the services to that of this machine.
//!
//! Revisions are ranked by the time of their arrival, and signatures are refused if they are old: clocks that differ
//! let an older revision stand, and refuse callers.

use gongkai_worker::{Clock, transport::jetstream::server::ClockOffset};
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc2822};

use super::examination::Examination;
use crate::commands::status::Health;

/// Clocks that differ more need an operator.
const WRONG: Duration = Duration::seconds(5);
/// Clocks that differ more are mentioned.
const NOTED: Duration = Duration::seconds(1);

/// Checks the clock of the broker.
pub(super) fn of_broker(offset: ClockOffset) -> Examination {
    examination("clock of nats-server".to_owned(), offset)
}

/// Checks the clock of a service by the date of its answer. Returns `None` if it did not answer.
pub(super) fn of_service(health: &Health) -> Option<Examination> {
    let date = health.date.as_deref()?;
    // HTTP writes the zone as GMT.
    let answered = OffsetDateTime::parse(&date.replace("GMT", "+0000"), &Rfc2822).ok()?;
    // The date has no fractions of a second.
    let precision = std::time::Duration::from_secs(1);
    let offset = ClockOffset { offset: answered - Clock::system().now(), precision };
    Some(examination(format!("clock of {}", health.name()), offset))
}

fn examination(subject: String, found: ClockOffset) -> Examination {
    let precision = Duration::try_from(found.precision).unwrap_or(Duration::MAX);
    let surely = found.offset.abs().saturating_sub(precision);
    let seconds = found.offset.as_seconds_f64();
    let zh = format!("与本机相差 {seconds:+.1} 秒");
    let en = format!("differs from this machine's by {seconds:+.1} s");
    let advice = ("；请校时（NTP）", ": synchronise the clocks (NTP)");
    if surely > WRONG {
        Examination::wrong(subject, "CLOCK_WRONG", &format!("{zh}{}", advice.0), &format!("{en}{}", advice.1))
    } else if surely > NOTED {
        Examination::note(subject, "CLOCK_OFF", &format!("{zh}{}", advice.0), &format!("{en}{}", advice.1))
    } else {
        Examination::ok(subject, "与本机一致", "agrees with this machine's")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_counts_beyond_what_is_known_precisely() {
        let code = |offset_ms: i64, precision_ms: u64| {
            let offset = ClockOffset {
                offset: Duration::milliseconds(offset_ms),
                precision: std::time::Duration::from_millis(precision_ms),
            };
            of_broker(offset).code
        };
        assert_eq!(code(900, 0), "");
        assert_eq!(code(1_900, 1_000), "");
        assert_eq!(code(-2_100, 1_000), "CLOCK_OFF");
        assert_eq!(code(6_001, 1_000), "CLOCK_WRONG");
        assert_eq!(code(-90_000, 3), "CLOCK_WRONG");
    }

    #[test]
    fn the_date_of_an_answer_is_read() {
        let health = |date: &str| Health { date: Some(date.to_owned()), ..Health::default() };
        let check = of_service(&health("Tue, 15 Nov 1994 08:12:31 GMT")).unwrap();
        assert_eq!(check.code, "CLOCK_WRONG", "{}", check.detail);
        assert!(of_service(&health("soon")).is_none());
    }
}
