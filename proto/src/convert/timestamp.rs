//! Points in time: `google.protobuf.Timestamp` and [`OffsetDateTime`] in UTC.

use prost_types::Timestamp;
use time::{Date, OffsetDateTime, UtcOffset};

use super::Error;

/// Converts a time to the wire. The offset is lost, because a timestamp is a point in time.
#[must_use]
pub fn timestamp(at: OffsetDateTime) -> Timestamp {
    let nanos = i32::try_from(at.nanosecond()).expect("a second has fewer than i32::MAX nanoseconds");
    Timestamp { seconds: at.unix_timestamp(), nanos }
}

/// Converts a timestamp to a time in UTC.
///
/// # Errors
/// The seconds are outside the years ±9999 or the nanoseconds outside 0 to 999,999,999.
pub fn time(timestamp: Timestamp, field: &'static str) -> Result<OffsetDateTime, Error> {
    let unknown = || Error::unknown(field, format!("{} s {} ns", timestamp.seconds, timestamp.nanos));
    let nanos = u32::try_from(timestamp.nanos).map_err(|_| unknown())?;
    OffsetDateTime::from_unix_timestamp(timestamp.seconds)
        .and_then(|at| at.replace_nanosecond(nanos))
        .map(|at| at.to_offset(UtcOffset::UTC))
        .map_err(|_| unknown())
}

/// Converts the timestamp of a required field.
///
/// # Errors
/// The field is not set, or as for [`time()`].
pub fn required(timestamp: Option<Timestamp>, field: &'static str) -> Result<OffsetDateTime, Error> {
    time(timestamp.ok_or(Error::Missing { field })?, field)
}

/// Converts the timestamp of an optional field.
///
/// # Errors
/// As for [`time()`].
pub fn optional(timestamp: Option<Timestamp>, field: &'static str) -> Result<Option<OffsetDateTime>, Error> {
    timestamp.map(|t| time(t, field)).transpose()
}

/// The time of China, which has one zone: that of publishing sites, of days in the law, and of what people read.
pub const CHINA: UtcOffset = match UtcOffset::from_hms(8, 0, 0) {
    Ok(offset) => offset,
    Err(_) => UtcOffset::UTC,
};

/// Returns the day in China, or `None` if the timestamp is absent or out of range.
#[must_use]
pub fn day_in_china(timestamp: Option<Timestamp>) -> Option<Date> {
    let at = time(timestamp?, "timestamp").ok()?;
    at.checked_to_offset(CHINA).map(OffsetDateTime::date)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_point_in_time_survives_the_wire(seconds in -377_705_116_800_i64..=253_402_300_799, nanos in 0_u32..1_000_000_000) {
            let at = OffsetDateTime::from_unix_timestamp(seconds).unwrap().replace_nanosecond(nanos).unwrap();
            prop_assert_eq!(time(timestamp(at), "at"), Ok(at));
        }
    }

    #[test]
    fn the_offset_is_not_carried() {
        let there = time::macros::datetime!(2024-01-15 10:12:00.5 +08:00);
        let back = time(timestamp(there), "at").unwrap();
        assert_eq!((back, back.offset()), (there, UtcOffset::UTC));
    }

    #[test]
    fn a_day_begins_in_china_eight_hours_before_it_does_in_greenwich() {
        let day = |at: OffsetDateTime| day_in_china(Some(timestamp(at)));
        assert_eq!(
            day(time::macros::datetime!(2024-01-15 15:59:59 UTC)),
            Some(time::macros::date!(2024 - 01 - 15))
        );
        assert_eq!(
            day(time::macros::datetime!(2024-01-15 16:00 UTC)),
            Some(time::macros::date!(2024 - 01 - 16))
        );
        assert_eq!(day(time::macros::datetime!(9999-12-31 23:00 UTC)), None);
        assert_eq!(day_in_china(None), None);
    }

    #[test]
    fn times_nobody_can_mean_are_refused() {
        for (seconds, nanos) in [(i64::MAX, 0), (0, -1), (0, 1_000_000_000)] {
            assert!(time(Timestamp { seconds, nanos }, "received_at").is_err(), "{seconds} {nanos}");
        }
        assert_eq!(required(None, "received_at"), Err(Error::Missing { field: "received_at" }));
        assert_eq!(optional(None, "published_at"), Ok(None));
    }
}
