//! The deadline of a report, and the steps about it.

use gongkai_model::MonthDay;
use time::Date;

/// The deadline of an agency's report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline {
    /// The year that the report is about.
    pub year: i32,
    /// The last day for its publication.
    pub last_day: Date,
    /// The last day for the report on the next year. From then on, this one is no longer said to be missing.
    pub next: Date,
}

/// Something to say about an agency's deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The report is not there and the deadline comes.
    Remind {
        /// How many days before the deadline the reminder was due.
        days_before: u16,
    },
    /// The deadline is over and the report is not there.
    Missing,
    /// The report is there, after the deadline or after it was said to be missing.
    Late,
}

/// Why a deadline is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// The time of a step came.
    Sweep,
    /// The report changed.
    Change,
}

// === impl Deadline ===

impl Deadline {
    /// Returns the deadline of the report on `year`, or `None` if the calendar does not reach it.
    #[must_use]
    pub fn new(day: MonthDay, year: i32) -> Option<Self> {
        let of = |years: i32| day.of_year(year.checked_add(years)?);
        Some(Self { year, last_day: of(1)?, next: of(2)? })
    }
}
