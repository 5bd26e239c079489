//! Days of China.

use gongkai_proto::convert::timestamp::CHINA;
use time::{Date, OffsetDateTime};

/// Returns the day in China at a time.
pub(super) fn day_in_china(at: OffsetDateTime) -> Date {
    at.to_offset(CHINA).date()
}
