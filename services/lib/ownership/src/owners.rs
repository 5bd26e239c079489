//! Records the owner of each address and report: the site that first published it.
//!
//! The record is an entry `w-<digest>` of ingest's bucket. A site claims a thing before its event is published, so
//! that of two simultaneous claims one is refused. The log is authoritative: when the bucket is restored from it, the
//! first event counts.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::address;
use gongkai_proto::subjects::BUCKET_SUBMISSIONS;
use gongkai_worker::{Record, RecordStore, Runtime, transport::Error};

/// Maximum number of lost races in a row for one entry. In each of them another writer succeeded.
const MAX_RACES: u32 = 32;

/// What a site can own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thing<'a> {
    /// The address of an article, in any spelling.
    Address(&'a str),
    /// The name of a report, `agencies/{agency}/reports/{year}`.
    Report(&'a str),
}

/// The owner of a thing. The default means that it has none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Owner {
    /// The site's name in the configuration.
    site: String,
    log_epoch: u64,
    /// Sequence of the owner's first event in the log; 0 until that is known.
    sequence: u64,
}

/// The records of owners. Cheap to clone.
#[derive(Clone)]
pub struct Owners {
    records: RecordStore,
    runtime: Runtime,
}

// === impl Thing ===

impl Thing<'_> {
    fn entry(self) -> String {
        let text = match self {
            Self::Address(text) => format!("address {}", address::identity(text)),
            Self::Report(name) => format!("report {name}"),
        };
        format!("w-{}", hex::encode(Sha256::digest(text)))
    }
}

// === impl Owner ===

impl Record for Owner {
    fn encode(&self) -> Bytes {
        serde_json::to_vec(self).expect("strings and numbers always serialise").into()
    }

    fn decode(value: Bytes) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(serde_json::from_slice(&value)?)
    }
}

impl Owner {
    fn is_before(&self, other: &Self) -> bool {
        (self.log_epoch, self.sequence) < (other.log_epoch, other.sequence)
    }

    /// Applies a claim if the thing is free, or if the claim's event is before the owner's. Returns true if the owner
    /// changed.
    fn claim(&mut self, claim: &Self) -> bool {
        let is_first = claim.sequence > 0 && self.sequence > 0 && claim.is_before(self);
        let is_told = self.site == claim.site && self.sequence == 0 && claim.sequence > 0;
        let is_taken = self.site.is_empty() || is_first || is_told;
        if is_taken {
            self.clone_from(claim);
        }
        is_taken
    }

    /// Applies an event of the log, which takes precedence over a claim without an event in the log. Returns true if
    /// the owner changed.
    fn learn(&mut self, event: &Self) -> bool {
        if self.sequence == 0 && self.log_epoch >= event.log_epoch {
            *self = Self::default();
        }
        self.claim(event)
    }
}

// === impl Owners ===

impl Owners {
    #[must_use]
    pub fn new(runtime: &Runtime) -> Self {
        let records = RecordStore::new(runtime.entries(BUCKET_SUBMISSIONS), MAX_RACES);
        Self { records, runtime: runtime.clone() }
    }

    /// Returns the site that owns a thing, or an empty string if it is free.
    ///
    /// # Errors
    /// The broker did not answer.
    pub async fn of(&self, thing: Thing<'_>) -> Result<String, Error> {
        Ok(self.records.read::<Owner>(&thing.entry()).await?.record.site)
    }

    /// Claims a thing for a site, unless it belongs to another. `sequence` is that of the event, or 0 if it is not
    /// published yet. Returns the site that owns it now.
    ///
    /// # Errors
    /// The broker did not answer. Claiming again is harmless.
    pub async fn claim(&self, thing: Thing<'_>, site: &str, sequence: u64) -> Result<String, Error> {
        let claim = self.owner(site, sequence);
        let take = |owner: &mut Owner| (owner.claim(&claim), ());
        Ok(self.records.change(&thing.entry(), take).await?.0.site)
    }

    /// Records the owner that an event of the log implies.
    ///
    /// # Errors
    /// The broker did not answer.
    pub async fn learn(&self, thing: Thing<'_>, site: &str, sequence: u64) -> Result<(), Error> {
        let event = self.owner(site, sequence);
        let take = |owner: &mut Owner| (owner.learn(&event), ());
        self.records.change(&thing.entry(), take).await.map(drop)
    }

    fn owner(&self, site: &str, sequence: u64) -> Owner {
        Owner { site: site.to_owned(), log_epoch: self.runtime.log_epoch(), sequence }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(site: &str, sequence: u64) -> Owner {
        Owner { site: site.into(), log_epoch: 1, sequence }
    }

    #[test]
    fn who_claims_first_keeps_it() {
        let mut thing = Owner::default();
        assert!(thing.claim(&owner("a", 0)));
        assert!(!thing.claim(&owner("b", 0)) && !thing.claim(&owner("b", 7)));
        assert!(thing.learn(&owner("a", 5)) && !thing.learn(&owner("a", 9)));
        assert!(!thing.claim(&owner("b", 7)) && !thing.claim(&owner("a", 0)));
        assert_eq!(thing, owner("a", 5));
    }

    #[test]
    fn the_first_event_of_the_log_decides_in_every_order() {
        for order in [[3, 7], [7, 3]] {
            let mut thing = Owner::default();
            for sequence in order {
                thing.learn(&owner(if sequence == 3 { "a" } else { "b" }, sequence));
            }
            assert_eq!(thing, owner("a", 3));
        }
        // A claim that is made while the log is read again has no event in the log yet.
        let mut thing = owner("b", 0);
        assert!(thing.learn(&owner("a", 3)));
        assert_eq!(thing, owner("a", 3));
    }

    #[test]
    fn the_owner_stays_when_the_log_is_lost() {
        let mut thing = owner("a", 9);
        let later = Owner { log_epoch: 2, ..owner("b", 1) };
        assert!(!thing.claim(&later) && !thing.learn(&later));
    }

    #[test]
    fn addresses_and_reports_have_entries_of_their_own() {
        let entry = |text| Thing::Address(text).entry();
        assert_eq!(entry("https://A/x/../y"), entry("http://a:80/y"));
        assert_ne!(entry("agencies/1/reports/2023"), Thing::Report("agencies/1/reports/2023").entry());
    }
}
