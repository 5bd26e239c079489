//! The agencies of an office, and what each publishes and withdraws in a year.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use time::{
    Date, Duration, OffsetDateTime, Time,
    macros::{date, offset, time},
};

/// The year of the reports. The broker's clocks are later than everything that happens.
pub(crate) const YEAR: i32 = 2022;
pub(crate) const FIRST_DAY: Date = date!(2022 - 12 - 01);
pub(crate) const LAST_DAY: Date = date!(2023 - 12 - 31);
/// The time of day of reminders and missing reports.
pub(crate) const HOUR: Time = time!(9:00);
pub(crate) const REMIND_DAYS: [i64; 3] = [14, 3, 0];
/// The first and the last day of the time in which nothing runs.
pub(crate) const AWAY: (Date, Date) = (date!(2023 - 01 - 30), date!(2023 - 02 - 02));

/// Something that happens to a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Happening {
    pub(crate) at: OffsetDateTime,
    pub(crate) what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// A publication, with the day that the publisher states.
    Published { stated: Option<Date> },
    /// A withdrawal of everything.
    Withdrawn,
}

/// An agency: its code, and its last day in the list.
#[derive(Debug, Clone)]
pub(crate) struct Agency {
    pub(crate) code: String,
    row: String,
    /// The last day; `None` if the agency has none.
    pub(crate) last_day: Option<Date>,
    /// In the order of time, at least a day apart. Nothing is withdrawn while nothing runs.
    pub(crate) happenings: Vec<Happening>,
}

/// All agencies.
pub(crate) struct Office(Vec<Agency>);

// === impl Office ===

impl Office {
    pub(crate) fn new(agencies: usize, seed: u64) -> Self {
        Self((0..agencies).map(|number| Agency::new(number, seed)).collect())
    }

    pub(crate) fn agencies(&self) -> &[Agency] {
        &self.0
    }

    /// Returns the list as CSV.
    pub(crate) fn list(&self) -> String {
        let rows = self.0.iter().fold(String::new(), |mut rows, agency| {
            writeln!(rows, "{}", agency.row).unwrap();
            rows
        });
        format!("code,name,level,kind,region,deadline\n{rows}")
    }

    /// Describes an agency, for a failed assertion.
    pub(crate) fn of(&self, code: &str) -> String {
        format!("{:#?}", self.0.iter().find(|agency| agency.code == code))
    }

    /// Returns everything that happens, in the order of time.
    pub(crate) fn happenings(&self) -> BTreeMap<OffsetDateTime, Vec<(&Agency, What)>> {
        let mut all: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for agency in &self.0 {
            for happening in &agency.happenings {
                all.entry(happening.at).or_default().push((agency, happening.what));
            }
        }
        all
    }
}

// === impl Agency ===

impl Agency {
    fn new(number: usize, seed: u64) -> Self {
        let code = format!("A{number:05}");
        let (kind, listed, last_day) = match number % 6 {
            0 => ("government", "", Some(date!(2023 - 03 - 31))),
            1 => ("outpost", "", None),
            2 => ("outpost", "01-20", Some(date!(2023 - 01 - 20))),
            3 => ("department", "01-15", Some(date!(2023 - 01 - 15))),
            // Its reminders come while nothing runs.
            4 => ("outpost", "02-03", Some(date!(2023 - 02 - 03))),
            _ => ("department", "", Some(date!(2023 - 01 - 31))),
        };
        let row = format!("{code},云溪县第{number}单位,county,{kind},360999,{listed}");
        let mut dice = Dice(seed, number, 0);
        let mut happenings = happenings(last_day.unwrap_or(date!(2023 - 01 - 31)), &mut dice);
        let withdrawn_unseen = |happening: &Happening| {
            happening.what == What::Withdrawn && (AWAY.0..AWAY.1).contains(&happening.at.date())
        };
        if let Some(unseen) = happenings.iter().position(withdrawn_unseen) {
            happenings.truncate(unseen);
        }
        Self { code, row, last_day, happenings }
    }
}

/// Numbers that depend on a seed, an agency and how many were drawn.
struct Dice(u64, usize, u32);

impl Dice {
    fn below(&mut self, limit: i64) -> i64 {
        self.2 += 1;
        let mut hasher = DefaultHasher::new();
        (self.0, self.1, self.2).hash(&mut hasher);
        i64::try_from(hasher.finish() >> 1).unwrap() % limit
    }
}

fn at(day: Date, time: Time) -> OffsetDateTime {
    day.with_time(time).assume_offset(offset!(+8))
}

/// Returns one of the courses that a year takes around a last day.
fn happenings(last_day: Date, dice: &mut Dice) -> Vec<Happening> {
    let days = |days: i64| last_day + Duration::days(days);
    let publish = |at, stated| Happening { at, what: What::Published { stated } };
    let on = |day: Date| publish(at(day, time!(15:00)), None);
    let withdraw = |day: Date| Happening { at: at(day, time!(10:00)), what: What::Withdrawn };
    let early = 10 + dice.below(30);
    let late = 3 + dice.below(60);
    match dice.below(13) {
        0 => vec![],
        1 | 2 => vec![on(days(-early))],
        // In the last second, and in the first hour afterwards.
        3 => vec![publish(at(last_day, time!(23:59:59)), None)],
        4 => vec![publish(at(days(1), time!(0:30)), None)],
        5 => vec![publish(at(days(1), time!(0:30)), Some(last_day))],
        6 => vec![on(days(late))],
        // Withdrawn before the deadline, and published again after it or never.
        7 => vec![on(days(-early)), withdraw(days(-early + 2)), on(days(late))],
        8 => vec![on(days(-early)), withdraw(days(-early + 2))],
        // Withdrawn after the deadline.
        9 => vec![on(days(-early)), withdraw(days(late)), on(days(late + 3))],
        10 => vec![on(days(-early)), on(days(late))],
        // It was published in time and came to notice late.
        11 => vec![publish(at(days(late), time!(15:00)), Some(days(-2)))],
        _ => vec![on(days(late)), withdraw(days(late + 4)), on(days(late + 9)), withdraw(days(late + 12))],
    }
}
