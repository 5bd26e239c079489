//! The `[notify.deadlines]` section.

use anyhow::{Context as _, ensure};
use gongkai_agencies::Agency;
use gongkai_model::MonthDay;
use serde::{Deserialize, Serialize};

/// Longest time between a reminder and the deadline.
const LONGEST_NOTICE_DAYS: u16 = 180;

/// When the deadlines of listed agencies are spoken of. Without a list, nothing is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeadlineConfig {
    /// False says nothing about deadlines.
    pub enabled: bool,
    /// How many days before the deadline an agency without a report is reminded; 0 is the last day.
    pub remind_days: Vec<u16>,
    /// The hour of the day, in China, from which reminders and missing reports are due.
    pub hour: u8,
    /// The deadline, as MM-DD, of towns, street offices and other outposts for which the list gives none. The law sets
    /// none for them: if empty, they have none.
    pub town_deadline: String,
}

// === impl DeadlineConfig ===

impl Default for DeadlineConfig {
    fn default() -> Self {
        Self { enabled: true, remind_days: vec![14, 3, 0], hour: 9, town_deadline: String::new() }
    }
}

impl DeadlineConfig {
    /// Checks the settings.
    ///
    /// # Errors
    /// A setting is invalid. The error names the key and how to correct it.
    pub fn check(&self) -> anyhow::Result<()> {
        let days = &self.remind_days;
        ensure!(
            days.iter().all(|day| *day <= LONGEST_NOTICE_DAYS),
            "notify.deadlines.remind_days is {days:?}: use numbers from 0 to {LONGEST_NOTICE_DAYS}"
        );
        ensure!(self.hour < 24, "notify.deadlines.hour is {}: use 0 to 23", self.hour);
        self.town_day().map(drop)
    }

    fn town_day(&self) -> anyhow::Result<Option<MonthDay>> {
        let given = Some(&self.town_deadline).filter(|text| !text.is_empty());
        given.map(|text| text.parse()).transpose().context("notify.deadlines.town_deadline")
    }

    /// Returns an agency's last day, in the year after the report's, if it has one.
    #[must_use]
    pub fn due_on(&self, agency: &Agency) -> Option<MonthDay> {
        let local = || self.town_day().ok().flatten().filter(|_| agency.is_due_locally());
        agency.due_on().or_else(local)
    }
}
