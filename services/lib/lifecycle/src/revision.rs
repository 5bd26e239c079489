//! Derives revisions from a history.

use std::collections::BTreeMap;

use gongkai_model::{Arrival, History};

/// A distinct content of a report, with all its arrivals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision<'a> {
    /// Sorted by rank, lowest first. Never empty.
    arrivals: Vec<&'a Arrival>,
    /// True if every arrival of this content is taken down.
    pub is_withdrawn: bool,
}

impl<'a> Revision<'a> {
    /// Returns the identity of the revision: SHA-256 of the original, in hex.
    #[must_use]
    pub fn content_hash(&self) -> &'a str {
        &self.first().content_hash
    }

    /// Returns the arrivals, lowest rank first.
    #[must_use]
    pub fn arrivals(&self) -> &[&'a Arrival] {
        &self.arrivals
    }

    /// Returns the arrival of lowest rank, the first one of the content.
    #[must_use]
    pub fn first(&self) -> &'a Arrival {
        self.arrivals.first().expect("a revision is made of at least one arrival")
    }

    /// Returns the arrival of highest rank. Its rank is that of the revision.
    #[must_use]
    pub fn newest(&self) -> &'a Arrival {
        self.arrivals.last().expect("a revision is made of at least one arrival")
    }

    /// Returns the arrival with the latest stage event. That event describes the content.
    #[must_use]
    pub fn content(&self) -> &'a Arrival {
        let highest = self.arrivals.iter().max_by_key(|arrival| arrival.event);
        highest.expect("a revision is made of at least one arrival")
    }
}

/// Returns the arrivals that count. Arrivals of erased contents, and arrivals last read as another report, do not.
pub fn arrivals(history: &History) -> impl Iterator<Item = &Arrival> {
    let has_left = |arrival: &Arrival| {
        history.departures.get(&arrival.rank.sequence()).is_some_and(|departure| arrival.event < *departure)
    };
    let counting = history.arrivals.iter().filter(move |arrival| !has_left(arrival));
    counting.filter(|arrival| !history.erased.contains(&arrival.content_hash))
}

/// Returns all revisions, lowest rank first. Erased contents have no revision.
#[must_use]
pub fn revisions(history: &History) -> Vec<Revision<'_>> {
    let mut by_hash: BTreeMap<&str, Vec<&Arrival>> = BTreeMap::new();
    for arrival in arrivals(history) {
        by_hash.entry(&arrival.content_hash).or_default().push(arrival);
    }
    let mut revisions = Vec::with_capacity(by_hash.len());
    for mut arrivals in by_hash.into_values() {
        arrivals.sort_by_key(|arrival| arrival.rank);
        let is_withdrawn = arrivals.iter().all(|arrival| is_taken_down(history, arrival));
        revisions.push(Revision { arrivals, is_withdrawn });
    }
    revisions.sort_by_key(|revision| revision.newest().rank);
    revisions
}

/// Returns the current revision, which is the one of highest rank. Returns `None` if nothing arrived or everything
/// was erased.
///
/// Check [`Revision::is_withdrawn`]: the current revision may be withdrawn.
#[must_use]
pub fn current(history: &History) -> Option<Revision<'_>> {
    revisions(history).pop()
}

/// Returns true if a withdrawal of higher rank applies to the arrival, by its URL or by the whole report.
#[must_use]
pub fn is_taken_down(history: &History, arrival: &Arrival) -> bool {
    history.taken_down.iter().any(|withdrawal| {
        let names = withdrawal.url.is_empty() || withdrawal.url == arrival.url;
        names && withdrawal.rank > arrival.rank
    })
}
