//! Days as the sites count them.

use time::{Date, OffsetDateTime, UtcOffset};

/// The sites' own time zone.
const CHINA: UtcOffset = match UtcOffset::from_hms(8, 0, 0) {
    Ok(offset) => offset,
    Err(_) => UtcOffset::UTC,
};

/// The day in China.
#[must_use]
pub fn in_china(at: OffsetDateTime) -> Date {
    at.to_offset(CHINA).date()
}
