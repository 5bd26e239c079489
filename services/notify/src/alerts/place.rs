//! Which reports stood at a URL: a withdrawal names the URL, the state is kept by report.
//!
//! The entry of a URL holds both the reports seen there and the newest withdrawal, under one compare-and-set, so
//! that of a validation and a withdrawal handled at the same time one always sees the other.

use sha2::{Digest, Sha256};

/// More reports than this at one URL are no article: the oldest are forgotten.
const MAX_REPORTS: usize = 1_000;

/// What is known of one URL.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Place {
    /// Names of the reports published there, in the order first seen.
    #[prost(string, repeated, tag = "1")]
    pub reports: Vec<String>,
    /// Stream sequence of the newest withdrawal; 0 for none.
    #[prost(uint64, tag = "2")]
    pub withdrawn_at: u64,
}

impl Place {
    /// The key of a URL's entry.
    #[must_use]
    pub fn key(url: &str) -> String {
        format!("urls/{}", hex::encode(&Sha256::digest(url)[..16]))
    }

    /// Notes a report; false if it was known.
    pub fn add(&mut self, report: &str) -> bool {
        if self.reports.iter().any(|known| known == report) {
            return false;
        }
        if self.reports.len() == MAX_REPORTS {
            self.reports.remove(0);
        }
        self.reports.push(report.to_owned());
        true
    }

    /// Notes a withdrawal; false if it, or a later one, was known.
    pub fn withdraw(&mut self, sequence: u64) -> bool {
        let newer = sequence > self.withdrawn_at;
        self.withdrawn_at = self.withdrawn_at.max(sequence);
        newer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_noted_once_and_the_oldest_give_way() {
        let mut place = Place::default();
        assert!(place.add("agencies/a/reports/0"));
        assert!(!place.add("agencies/a/reports/0"));
        for n in 1..=MAX_REPORTS {
            place.add(&format!("agencies/a/reports/{n}"));
        }
        assert_eq!((place.reports.len(), place.reports[0].as_str()), (MAX_REPORTS, "agencies/a/reports/1"));
    }

    #[test]
    fn only_a_later_withdrawal_counts() {
        let mut place = Place::default();
        assert!(place.withdraw(5));
        assert!(!place.withdraw(5) && !place.withdraw(4));
        assert!(place.withdraw(6));
    }
}
