//! The next step about a deadline: a pure function.

use std::collections::BTreeSet;

use gongkai_proto::convert::timestamp::CHINA;
use time::{Date, Duration, OffsetDateTime, Time};

use super::{
    china::day_in_china,
    config::DeadlineConfig,
    publications::Publications,
    said::Said,
    step::{Deadline, Occasion, Step},
};

/// The days before the deadline on which agencies are reminded, and the hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timetable {
    days_before: BTreeSet<u16>,
    time: Time,
}

// === impl Timetable ===

impl Timetable {
    /// Reads the timetable from a config.
    #[must_use]
    pub fn new(config: &DeadlineConfig) -> Self {
        let time = Time::from_hms(config.hour, 0, 0).unwrap_or(Time::MIDNIGHT);
        Self { days_before: config.remind_days.iter().copied().collect(), time }
    }

    /// Returns when something may be said about a deadline: the times of the reminders, then that of the missing report.
    pub fn times(&self, last_day: Date) -> impl Iterator<Item = OffsetDateTime> {
        let reminders = self.days_before.iter().rev().map(move |days| self.reminder(last_day, *days));
        reminders.chain([self.missing(last_day)])
    }

    fn reminder(&self, last_day: Date, days_before: u16) -> OffsetDateTime {
        self.on(last_day.saturating_sub(Duration::days(days_before.into())))
    }

    fn missing(&self, last_day: Date) -> OffsetDateTime {
        self.on(last_day.saturating_add(Duration::DAY))
    }

    fn on(&self, day: Date) -> OffsetDateTime {
        day.with_time(self.time).assume_offset(CHINA)
    }

    /// Returns what to say now about a deadline, given what was said.
    #[must_use]
    pub fn step(
        &self,
        deadline: Deadline,
        publications: Publications,
        said: &Said,
        now: OffsetDateTime,
        occasion: Occasion,
    ) -> Option<Step> {
        let (today, last_day) = (day_in_china(now), deadline.last_day);
        let is_there = publications.there_since.is_some();
        if today <= last_day {
            let is_quiet = is_there || occasion == Occasion::Change;
            return self.reminded_now(last_day, said, now).filter(|_| !is_quiet);
        }
        let is_over = now >= self.missing(last_day);
        if !is_there {
            let is_due = is_over && !said.is_missing && today < deadline.next;
            return is_due.then_some(Step::Missing);
        }
        // Before the sweep, a report that came after the deadline was not said to be missing.
        let is_first = said.missing == 0 && said.late == 0;
        let comes_late = !publications.in_time && is_first && (occasion == Occasion::Sweep || !is_over);
        (said.is_missing || comes_late).then_some(Step::Late)
    }

    /// Returns the last reminder that is due, unless it or a later one was said.
    fn reminded_now(&self, last_day: Date, said: &Said, now: OffsetDateTime) -> Option<Step> {
        let due = |days: &&u16| self.reminder(last_day, **days) <= now;
        let days_before = *self.days_before.iter().find(due)?;
        let is_new = said.reminded.is_none_or(|reminded| u32::from(days_before) < reminded);
        is_new.then_some(Step::Remind { days_before })
    }
}
