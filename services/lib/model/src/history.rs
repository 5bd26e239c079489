//! The history of one report, as facts: its arrivals and withdrawals. `gongkai-lifecycle` derives the current
//! revision from them.

use std::collections::{BTreeMap, BTreeSet};

use time::OffsetDateTime;

use crate::agency::{Region, ReportKey};

/// The order of an arrival or a withdrawal among all others: by effective time, then by stream sequence.
///
/// Times count in whole microseconds, so that a rank is the same before and after it was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rank {
    effective_at: OffsetDateTime,
    sequence: u64,
}

impl Rank {
    /// Creates the rank of a message with this effective time and stream sequence.
    #[must_use]
    pub fn new(effective_at: OffsetDateTime, sequence: u64) -> Self {
        let micros = effective_at.microsecond();
        let effective_at = effective_at.replace_microsecond(micros).unwrap_or(effective_at);
        Self { effective_at, sequence }
    }

    /// Returns the effective time.
    #[must_use]
    pub fn effective_at(&self) -> OffsetDateTime {
        self.effective_at
    }

    /// Returns the stream sequence, which no other message has.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }
}

/// Returns the effective time of a message that arrived at `arrival`: the sender's time, but no later than the
/// arrival.
#[must_use]
pub fn effective_at(event_time: Option<OffsetDateTime>, arrival: OffsetDateTime) -> OffsetDateTime {
    event_time.map_or(arrival, |stated| stated.min(arrival))
}

/// One arrival of a content (`DocumentReceived`) that was read as a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// Rank of the arrival. Its sequence is that of the `DocumentReceived` and identifies the arrival.
    pub rank: Rank,
    /// Rank of the stage event that this was read from. Of several about one arrival the highest counts.
    pub event: u64,
    /// SHA-256 of the original, hex.
    pub content_hash: String,
    /// URL of publication; empty if unknown.
    pub url: String,
    /// When ingest received the document.
    pub received_at: OffsetDateTime,
    /// When the document was published, if the sender gives a time.
    pub published_at: Option<OffsetDateTime>,
    /// Region of the arrival's events.
    pub region: Region,
}

/// A withdrawal, applied to one report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenDown {
    /// Arrivals of lower rank are taken down.
    pub rank: Rank,
    /// The address that is taken down; empty for the whole report.
    pub url: String,
}

/// A withdrawal as its publisher states it: by address, by report, or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawal {
    /// Arrivals of lower rank are taken down.
    pub rank: Rank,
    /// The withdrawn address; empty if the withdrawal names none.
    pub url: String,
    /// The withdrawn report, if the withdrawal names one.
    pub report: Option<ReportKey>,
    /// When the publisher withdrew the report.
    pub withdrawn_at: OffsetDateTime,
}

/// The arrivals, withdrawals and erasures of one report.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct History {
    /// Sorted by sequence. Each arrival occurs once.
    pub arrivals: Vec<Arrival>,
    /// Sorted by URL. For each URL, the withdrawal of highest rank.
    pub taken_down: Vec<TakenDown>,
    /// SHA-256 of the erased contents, hex. They count as if they had never arrived.
    pub erased: BTreeSet<String>,
    /// Arrivals that were read again as another report: the event of that reading, by the arrival's sequence.
    pub departures: BTreeMap<u64, u64>,
}

/// The erasure (删除) of contents of a report, on demand, which is permanent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// The reports that the contents were read as.
    pub reports: Vec<ReportKey>,
    /// SHA-256 of the contents, hex.
    pub content_hashes: Vec<String>,
    /// Reason that the person gave.
    pub reason: String,
    /// Person who decided.
    pub person: String,
    /// When the erasure was decided.
    pub erased_at: OffsetDateTime,
}

/// The reports and withdrawals at one address.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UrlIndex {
    /// The reports that arrived with this address.
    pub reports: BTreeSet<ReportKey>,
    /// Rank of the highest withdrawal of the address.
    pub withdrawn: Option<Rank>,
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn an_event_takes_effect_when_it_happened_but_not_after_it_came_in() {
        let (early, late) = (datetime!(2024-01-15 10:12:00 UTC), datetime!(2024-03-01 08:00:00 UTC));
        assert_eq!(effective_at(Some(early), late), early);
        assert_eq!(effective_at(Some(late), early), early);
        assert_eq!(effective_at(None, late), late);
    }

    #[test]
    fn a_rank_counts_whole_microseconds_then_sequences() {
        let at = |nanos| datetime!(2024-01-15 10:12:00 UTC).replace_nanosecond(nanos).unwrap();
        assert_eq!(Rank::new(at(1_999), 7), Rank::new(at(1_000), 7));
        assert!(Rank::new(at(1_999), 7) < Rank::new(at(1_001), 8));
        assert!(Rank::new(at(2_000), 7) > Rank::new(at(1_999), 8));
    }
}
