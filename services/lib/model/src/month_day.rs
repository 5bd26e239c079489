//! A day of every year, such as a deadline.

use std::{fmt, str::FromStr};

use time::{Date, Month, util::days_in_month};

/// A day that every year has, so not 29 February.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MonthDay {
    month: Month,
    day: u8,
}

/// Error: a text is not a day of every year. Its writer has to correct it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a day of every year: write MM-DD, such as 01-31")]
pub struct NoMonthDay(String);

// === impl MonthDay ===

impl MonthDay {
    /// The last day of January.
    pub const JANUARY_31: Self = Self { month: Month::January, day: 31 };
    /// The last day of March.
    pub const MARCH_31: Self = Self { month: Month::March, day: 31 };

    /// Returns the day in a year, or `None` if the calendar does not reach that year.
    #[must_use]
    pub fn of_year(self, year: i32) -> Option<Date> {
        Date::from_calendar_date(year, self.month, self.day).ok()
    }
}

impl fmt::Display for MonthDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}-{:02}", u8::from(self.month), self.day)
    }
}

impl FromStr for MonthDay {
    type Err = NoMonthDay;

    /// Reads `01-31`, and the forms that spreadsheets make of it: `1-31`, `1/31` and `1月31日`.
    fn from_str(text: &str) -> Result<Self, NoMonthDay> {
        let parse = || {
            let (month, day) = text.trim_end_matches('日').split_once(['-', '/', '月'])?;
            let number = |text: &str| text.parse::<u8>().ok().filter(|_| !text.starts_with('+'));
            let (month, day) = (Month::try_from(number(month)?).ok()?, number(day)?);
            // No leap year.
            (1..=days_in_month(month, 2023)).contains(&day).then_some(Self { month, day })
        };
        parse().ok_or_else(|| NoMonthDay(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_of_every_year_are_read_and_written() {
        for text in ["01-31", "1-31", "1/31", "1月31日"] {
            assert_eq!(text.parse(), Ok(MonthDay::JANUARY_31), "{text}");
        }
        assert_eq!(MonthDay::JANUARY_31.to_string(), "01-31");
        for text in ["", "31-01", "02-29", "00-10", "01-00", "04-31", "0131", "+1-31", "2026-01-31", "月底"]
        {
            assert!(text.parse::<MonthDay>().is_err(), "{text}");
        }
        assert!(MonthDay::JANUARY_31 < MonthDay::MARCH_31);
    }
}
