//! The publications of a report, as far as its deadline is concerned.

use gongkai_lifecycle::{Arrival, History, arrivals, current, is_taken_down};
use gongkai_proto::convert::timestamp::CHINA;
use time::{Date, OffsetDateTime};

use super::china::day_in_china;

/// Whether a report is there, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Publications {
    /// The first day on which what is there now was published; `None` if nothing is there.
    pub there_since: Option<Date>,
    /// True if something was published by the last day and was not withdrawn by then.
    pub in_time: bool,
    /// True if nothing is there because it was withdrawn.
    pub is_withdrawn: bool,
}

// === impl Publications ===

impl Publications {
    /// Reads the history of a report whose deadline is `last_day`.
    #[must_use]
    pub fn of(history: &History, last_day: Date) -> Self {
        let current = current(history);
        let is_withdrawn = current.as_ref().is_some_and(|revision| revision.is_withdrawn);
        let is_there = current.is_some() && !is_withdrawn;
        let standing = arrivals(history).filter(|arrival| !is_taken_down(history, arrival));
        let end = last_day.next_day().map(|day| day.midnight().assume_offset(CHINA));
        let was_there = |arrival: &&Arrival| end.is_none_or(|end| !was_taken_down_by(history, arrival, end));
        Self {
            is_withdrawn,
            there_since: standing.map(published_on).min().filter(|_| is_there),
            in_time: arrivals(history).filter(was_there).any(|arrival| published_on(arrival) <= last_day),
        }
    }
}

/// Returns the day that the publisher states, if it is not after the arrival, or else the day of the arrival.
fn published_on(arrival: &Arrival) -> Date {
    let stated = arrival.published_at.unwrap_or(arrival.received_at);
    day_in_china(stated.min(arrival.received_at))
}

/// Returns true if a withdrawal that took effect before `end` applies to the arrival.
fn was_taken_down_by(history: &History, arrival: &Arrival, end: OffsetDateTime) -> bool {
    history.taken_down.iter().any(|withdrawal| {
        let names = withdrawal.url.is_empty() || withdrawal.url == arrival.url;
        names && withdrawal.rank > arrival.rank && withdrawal.rank.effective_at() < end
    })
}

#[cfg(test)]
mod tests {
    use gongkai_lifecycle::{Rank, TakenDown, record_arrival, record_withdrawal};
    use time::macros::{date, datetime};

    use super::*;

    const LAST_DAY: Date = date!(2027 - 01 - 31);

    fn arrive(history: &mut History, at: OffsetDateTime, published_at: Option<OffsetDateTime>) {
        let sequence = history.arrivals.len() as u64 + 1;
        let arrival = Arrival {
            rank: Rank::new(at, sequence),
            event: sequence,
            content_hash: format!("hash-{sequence}"),
            url: "u".into(),
            received_at: at,
            published_at,
            region: "360982".parse().unwrap(),
        };
        record_arrival(history, &arrival);
    }

    fn withdraw(history: &mut History, at: OffsetDateTime) {
        record_withdrawal(history, &TakenDown { rank: Rank::new(at, 100), url: "u".into() });
    }

    fn check(history: &History, there_since: Option<Date>, in_time: bool) {
        let is_withdrawn = !history.arrivals.is_empty() && there_since.is_none();
        assert_eq!(Publications::of(history, LAST_DAY), Publications { there_since, in_time, is_withdrawn });
    }

    #[test]
    fn the_last_day_counts_entirely_and_is_a_day_of_china() {
        let mut history = History::default();
        check(&history, None, false);
        arrive(&mut history, datetime!(2027-01-31 16:00 UTC), None);
        check(&history, Some(date!(2027 - 02 - 01)), false);
        arrive(&mut history, datetime!(2027-01-31 15:59:59 UTC), None);
        check(&history, Some(LAST_DAY), true);
    }

    #[test]
    fn a_stated_day_counts_unless_it_is_after_the_arrival() {
        let mut history = History::default();
        arrive(&mut history, datetime!(2027-02-05 0:00 UTC), Some(datetime!(2027-02-09 0:00 UTC)));
        check(&history, Some(date!(2027 - 02 - 05)), false);
        arrive(&mut history, datetime!(2027-02-05 1:00 UTC), Some(datetime!(2027-01-30 0:00 UTC)));
        check(&history, Some(date!(2027 - 01 - 30)), true);
    }

    #[test]
    fn what_was_withdrawn_before_the_end_was_not_in_time() {
        let mut history = History::default();
        arrive(&mut history, datetime!(2027-01-20 0:00 UTC), None);
        let mut early = history.clone();
        withdraw(&mut early, datetime!(2027-01-25 0:00 UTC));
        check(&early, None, false);
        withdraw(&mut history, datetime!(2027-02-10 0:00 UTC));
        check(&history, None, true);
        arrive(&mut history, datetime!(2027-02-11 0:00 UTC), None);
        check(&history, Some(date!(2027 - 02 - 11)), true);
    }
}
