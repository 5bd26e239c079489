//! What has to be said, by a calculation that walks through the days of each agency.

use std::collections::BTreeMap;

use time::{Date, Duration, OffsetDateTime, Time, macros::offset};

use super::office::{AWAY, Agency, FIRST_DAY, HOUR, LAST_DAY, Office, REMIND_DAYS, What};

/// The messages about each agency that has any, in their order.
pub(crate) type Told = BTreeMap<String, Vec<String>>;

/// Returns what has to be said about each agency.
pub(crate) fn told(office: &Office) -> Vec<(String, Vec<String>)> {
    let told = office.agencies().iter().filter_map(|agency| {
        let said = Walk::through(agency, agency.last_day?);
        (!said.is_empty()).then(|| (agency.code.clone(), said))
    });
    told.collect::<Told>().into_iter().collect()
}

/// The walk through the days of one agency.
struct Walk {
    last_day: Date,
    /// The days on which what is there was published.
    there: Vec<Date>,
    /// Something was there at the end of the last day that was published by then.
    in_time: bool,
    was_swept: bool,
    /// Something happened while nothing ran.
    is_unseen: bool,
    last_reminder: Option<i64>,
    is_missing: bool,
    missing: u32,
    late: u32,
    said: Vec<String>,
}

impl Walk {
    fn through(agency: &Agency, last_day: Date) -> Vec<String> {
        let mut walk = Self {
            last_day,
            there: Vec::new(),
            in_time: false,
            was_swept: false,
            is_unseen: false,
            last_reminder: None,
            is_missing: false,
            missing: 0,
            late: 0,
            said: Vec::new(),
        };
        let mut happenings = agency.happenings.iter().peekable();
        let mut day = FIRST_DAY;
        while day <= LAST_DAY {
            // While nothing runs, things happen and nobody looks.
            let is_away = AWAY.0 <= day && day < AWAY.1;
            let nine = at(day, HOUR);
            for end in [nine, at(day + Duration::DAY, Time::MIDNIGHT)] {
                while let Some(happening) = happenings.next_if(|happening| happening.at < end) {
                    walk.happens(happening.at, happening.what, last_day);
                    if is_away {
                        walk.is_unseen = true;
                    } else {
                        walk.after_change(day, end > nine);
                    }
                }
                if end == nine && !is_away {
                    if std::mem::take(&mut walk.is_unseen) {
                        walk.after_change(day, true);
                    }
                    walk.sweep(day);
                }
            }
            day += Duration::DAY;
        }
        walk.said
    }

    fn happens(&mut self, at: OffsetDateTime, what: What, last_day: Date) {
        let received = at.to_offset(offset!(+8)).date();
        match what {
            What::Published { stated } => {
                let published = stated.unwrap_or(received);
                self.there.push(published);
                self.in_time |= published <= last_day;
            }
            What::Withdrawn => {
                self.there.clear();
                self.in_time &= received > last_day;
            }
        }
    }

    /// Looks at the agency after its report changed.
    fn after_change(&mut self, day: Date, is_after_nine: bool) {
        let is_over = day > self.last_day + Duration::DAY || day > self.last_day && is_after_nine;
        if day > self.last_day {
            self.look(day, is_over, !is_over);
        }
    }

    /// Looks at the agency at nine.
    fn sweep(&mut self, day: Date) {
        let left = (self.last_day - day).whole_days();
        if left >= 0 {
            let due = REMIND_DAYS.into_iter().filter(|days| *days >= left).min();
            if let Some(due) = due.filter(|due| self.last_reminder.is_none_or(|last| *due < last)) {
                // Whether or not it is said: the time of a reminder comes once.
                self.last_reminder = Some(due);
                if self.there.is_empty() {
                    self.said.push(format!("reminder {left}"));
                }
            }
        } else if !self.was_swept {
            self.was_swept = true;
            self.look(day, true, true);
        }
    }

    fn look(&mut self, day: Date, is_over: bool, may_come_late: bool) {
        if let Some(published) = self.there.iter().min() {
            let comes_late = may_come_late && !self.in_time && self.missing + self.late == 0;
            if self.is_missing || comes_late {
                self.is_missing = false;
                self.late += 1;
                let days = (*published - self.last_day).whole_days().max(0);
                self.said.push(format!("late {days} round {} published {published}", self.late));
            }
        } else if is_over && !self.is_missing {
            self.is_missing = true;
            self.missing += 1;
            let days = (day - self.last_day).whole_days();
            self.said.push(format!("missing {days} round {}", self.missing));
        }
    }
}

fn at(day: Date, time: Time) -> OffsetDateTime {
    day.with_time(time).assume_offset(offset!(+8))
}
