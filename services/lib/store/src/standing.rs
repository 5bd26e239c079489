//! What a report is, computed from the set of its arrivals and withdrawals: the heart of "order does not matter".
//!
//! Arrivals with the same content hash are one revision, ranked by its first arrival. Its content is what the newest
//! stage event about any of its arrivals says, so a second reading by newer versions replaces the first. The report is
//! the revision with the highest rank. A withdrawal takes down the arrivals before it that have its address or that are of
//! the report it names; the report is withdrawn if it took down all arrivals of the newest revision. So the same
//! content published again after a withdrawal stands again.

use std::collections::BTreeMap;

use time::OffsetDateTime;

/// What counts of an arrival.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArrivalFacts {
    /// Stream sequence of the `DocumentReceived`.
    pub received_sequence: u64,
    /// Stream sequence of the stage event that counts.
    pub event_sequence: u64,
    /// SHA-256 of the bytes.
    pub content_hash: String,
    /// Where it was published; empty if unknown.
    pub url: String,
    /// When it came in.
    pub received_at: OffsetDateTime,
}

/// What counts of a withdrawal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithdrawalFacts {
    /// Stream sequence of the event.
    pub sequence: u64,
    /// The withdrawn address; empty if unknown.
    pub url: String,
    /// True if it names this report's key.
    pub names_report: bool,
    /// When.
    pub withdrawn_at: OffsetDateTime,
}

/// One content of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ranked {
    /// Its first arrival: rank and origin.
    pub first: u64,
    /// The arrival whose stage event is the newest: the content.
    pub content: u64,
}

/// A report's revisions, oldest first, at least one, and whether the newest is withdrawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Oldest first.
    pub revisions: Vec<Ranked>,
    /// Of the newest.
    pub withdrawn: bool,
}

impl Standing {
    /// Computes; `None` without arrivals.
    #[must_use]
    pub fn of(arrivals: &[ArrivalFacts], withdrawals: &[WithdrawalFacts]) -> Option<Self> {
        let mut by_hash: BTreeMap<&str, Vec<&ArrivalFacts>> = BTreeMap::new();
        for arrival in arrivals {
            by_hash.entry(&arrival.content_hash).or_default().push(arrival);
        }
        let mut groups: Vec<(Ranked, Vec<&ArrivalFacts>)> =
            by_hash.into_values().filter_map(|group| Some((rank(&group)?, group))).collect();
        groups.sort_by_key(|(ranked, _)| ranked.first);
        let (_, newest) = groups.last()?;
        let withdrawn = newest.iter().all(|arrival| withdrawals.iter().any(|w| w.takes_down(arrival)));
        Some(Self { revisions: groups.iter().map(|(ranked, _)| *ranked).collect(), withdrawn })
    }

    /// Computes what stood at a point in time.
    #[must_use]
    pub fn at(
        arrivals: &[ArrivalFacts],
        withdrawals: &[WithdrawalFacts],
        as_of: OffsetDateTime,
    ) -> Option<Self> {
        let arrivals: Vec<_> = arrivals.iter().filter(|a| a.received_at <= as_of).cloned().collect();
        let withdrawals: Vec<_> = withdrawals.iter().filter(|w| w.withdrawn_at <= as_of).cloned().collect();
        Self::of(&arrivals, &withdrawals)
    }
}

impl WithdrawalFacts {
    fn takes_down(&self, arrival: &ArrivalFacts) -> bool {
        let same_address = !self.url.is_empty() && self.url == arrival.url;
        self.sequence > arrival.received_sequence && (self.names_report || same_address)
    }
}

fn rank(group: &[&ArrivalFacts]) -> Option<Ranked> {
    let first = group.iter().map(|a| a.received_sequence).min()?;
    let content = group.iter().max_by_key(|a| a.event_sequence)?.received_sequence;
    Some(Ranked { first, content })
}

#[cfg(test)]
mod tests {
    use time::{Duration, macros::datetime};

    use super::*;

    const DAY0: OffsetDateTime = datetime!(2024-01-15 10:12:00 UTC);

    fn arrival(received: u64, event: u64, hash: &str, url: &str) -> ArrivalFacts {
        let received_at = DAY0 + Duration::days(i64::try_from(received).unwrap());
        ArrivalFacts {
            received_sequence: received,
            event_sequence: event,
            content_hash: hash.into(),
            url: url.into(),
            received_at,
        }
    }

    fn withdrawal(sequence: u64, url: &str, names_report: bool) -> WithdrawalFacts {
        let withdrawn_at = DAY0 + Duration::days(i64::try_from(sequence).unwrap());
        WithdrawalFacts { sequence, url: url.into(), names_report, withdrawn_at }
    }

    fn withdrawn(arrivals: &[ArrivalFacts], withdrawals: &[WithdrawalFacts]) -> bool {
        Standing::of(arrivals, withdrawals).unwrap().withdrawn
    }

    #[test]
    fn revisions_rank_by_first_arrival_whatever_was_checked_last() {
        let arrivals = [
            arrival(7, 30, "b", "u"),
            arrival(3, 40, "a", "u"),
            arrival(9, 20, "a", "u"),
            arrival(12, 13, "c", "u"),
        ];
        let standing = Standing::of(&arrivals, &[]).unwrap();
        let ranks: Vec<_> = standing.revisions.iter().map(|r| (r.first, r.content)).collect();
        assert_eq!(ranks, [(3, 3), (7, 7), (12, 12)]);
    }

    #[test]
    fn the_newest_stage_event_gives_the_content() {
        let standing = Standing::of(&[arrival(3, 5, "a", "u"), arrival(9, 11, "a", "u")], &[]).unwrap();
        assert_eq!(standing.revisions, [Ranked { first: 3, content: 9 }]);
    }

    #[test]
    fn a_withdrawal_takes_down_what_came_before_it_under_its_address_or_key() {
        let a = [arrival(3, 5, "a", "u1")];
        assert!(withdrawn(&a, &[withdrawal(4, "u1", false)]));
        assert!(withdrawn(&a, &[withdrawal(4, "", true)]));
        assert!(!withdrawn(&a, &[withdrawal(4, "u2", false)]), "another address");
        assert!(!withdrawn(&a, &[withdrawal(2, "u1", true)]), "before it");
        assert!(
            !withdrawn(&[arrival(3, 5, "a", "")], &[withdrawal(4, "", false)]),
            "no address is not an address"
        );
    }

    #[test]
    fn a_corrected_report_and_a_report_published_again_stand() {
        let gone = withdrawal(6, "u1", false);
        assert!(!withdrawn(
            &[arrival(3, 5, "a", "u1"), arrival(8, 9, "b", "u1")],
            std::slice::from_ref(&gone)
        ));
        assert!(!withdrawn(
            &[arrival(3, 5, "a", "u1"), arrival(8, 9, "a", "u1")],
            std::slice::from_ref(&gone)
        ));
        assert!(!withdrawn(
            &[arrival(3, 5, "a", "u1"), arrival(4, 9, "a", "u2")],
            std::slice::from_ref(&gone)
        ));
        assert!(withdrawn(
            &[arrival(3, 5, "a", "u1"), arrival(4, 9, "a", "u1")],
            std::slice::from_ref(&gone)
        ));
    }

    #[test]
    fn as_of_sees_neither_later_arrivals_nor_later_withdrawals() {
        let arrivals = [arrival(3, 5, "a", "u"), arrival(8, 9, "b", "u")];
        let withdrawals = [withdrawal(10, "u", false)];
        let at = |days| Standing::at(&arrivals, &withdrawals, DAY0 + Duration::days(days));
        assert_eq!(at(2), None);
        assert_eq!(at(3).unwrap().revisions.len(), 1);
        assert_eq!(at(9).map(|s| (s.revisions.len(), s.withdrawn)), Some((2, false)));
        assert_eq!(at(10).map(|s| (s.revisions.len(), s.withdrawn)), Some((2, true)));
    }
}
