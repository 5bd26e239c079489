//! Days of China.

use time::{Date, OffsetDateTime, UtcOffset, macros::offset};

/// The time zone of all days.
pub(super) const CHINA: UtcOffset = offset!(+8);

/// Returns the day in China at a time.
pub(super) fn day_in_china(at: OffsetDateTime) -> Date {
    at.to_offset(CHINA).date()
}
