//! The last submissions at a place: a URL, or the agency and year that a sender names.
//!
//! A submission is announced at its places before it is published, and recorded there afterwards. In between, no
//! earlier submission counts as current there: ingest may stop at any point, and the log may already have the new
//! one.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use gongkai_lifecycle::Rank;
use gongkai_model::effective_at;
use gongkai_worker::Record;

/// How long an unfinished submission counts. After that its sender has called again or given up, and the stages have
/// handled it if it was published.
const UNFINISHED_US: i64 = 24 * 3600 * 1_000_000;

/// A document or withdrawal that ingest accepted. The default means that there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastAccepted {
    pub submission_id: String,
    /// Stream sequence of the submission's event.
    pub sequence: u64,
    /// The key of the content, or empty for a withdrawal.
    pub content_key: String,
    /// The places of the submission.
    #[serde(default)]
    pub places: Vec<String>,
    /// The epoch of the log that has the submission. Sequences of different epochs cannot be compared.
    #[serde(default)]
    pub log_epoch: u64,
    /// When the submission takes effect, in microseconds since 1970; 0 if the version that recorded it did not store
    /// the time.
    #[serde(default)]
    pub effective_us: i64,
    /// True if the sender gave the time. Otherwise the submission takes effect on arrival.
    #[serde(default)]
    pub is_timed: bool,
}

/// A submission that is being accepted, or was when ingest stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unfinished {
    pub submission_id: String,
    /// The same as in [`LastAccepted`].
    pub content_key: String,
    pub since_us: i64,
}

/// The submissions at one place.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaceRecord {
    pub log_epoch: u64,
    /// The document that ranks highest.
    pub document: LastAccepted,
    /// The withdrawal that ranks highest.
    pub withdrawal: LastAccepted,
    unfinished: Vec<Unfinished>,
}

/// The forms in which a place is stored: that of this version, and that of versions that kept only the last
/// submission.
#[derive(Deserialize)]
#[serde(untagged)]
enum StoredPlace {
    Place(PlaceRecord),
    Last(LastAccepted),
}

/// Returns the microseconds since 1970.
#[must_use]
pub fn micros(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1000).unwrap_or_default()
}

/// Returns the time at this many microseconds since 1970, or `None` if it is out of range.
#[must_use]
pub fn of_micros(us: i64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(us) * 1000).ok()
}

// === impl LastAccepted ===

impl Record for LastAccepted {
    fn encode(&self) -> Bytes {
        serde_json::to_vec(self).expect("strings and numbers always serialise").into()
    }

    /// Decodes an entry. One of another version reads as absent, so the content is processed again.
    fn decode(value: Bytes) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(serde_json::from_slice(&value).unwrap_or_default())
    }
}

impl LastAccepted {
    /// Returns the submission with its effective time: the time that the event gives, or the arrival.
    #[must_use]
    pub fn at(self, stated: Option<OffsetDateTime>, arrival: OffsetDateTime) -> Self {
        Self { effective_us: micros(effective_at(stated, arrival)), is_timed: stated.is_some(), ..self }
    }

    /// Returns true if the submission takes effect after another. Those that take effect on arrival are compared by
    /// the log, whatever the clocks of two replicas show.
    #[must_use]
    pub fn outranks(&self, other: &Self) -> bool {
        if self.is_timed || other.is_timed {
            return (self.effective_us, self.sequence) > (other.effective_us, other.sequence);
        }
        self.sequence > other.sequence
    }

    /// Returns the rank, as far as it is known before the log stores the event.
    #[must_use]
    pub fn rank(&self) -> Rank {
        let at = of_micros(self.effective_us).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        Rank::new(at, self.sequence)
    }
}

// === impl PlaceRecord ===

impl Record for PlaceRecord {
    fn encode(&self) -> Bytes {
        serde_json::to_vec(self).expect("strings and numbers always serialise").into()
    }

    /// Decodes an entry. One of an unknown version reads as absent.
    fn decode(value: Bytes) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(match serde_json::from_slice(&value) {
            Ok(StoredPlace::Place(place)) => place,
            Ok(StoredPlace::Last(last)) if last.content_key.is_empty() => {
                Self { log_epoch: last.log_epoch, withdrawal: last, ..Self::default() }
            }
            Ok(StoredPlace::Last(last)) => {
                Self { log_epoch: last.log_epoch, document: last, ..Self::default() }
            }
            Err(_) => Self::default(),
        })
    }
}

impl PlaceRecord {
    /// Creates a place without submissions, for the log of this epoch.
    #[must_use]
    pub fn empty(log_epoch: u64) -> Self {
        Self { log_epoch, ..Self::default() }
    }

    /// Announces a submission that is about to be published. Returns false if it was already announced.
    pub fn begin(&mut self, what: &Unfinished) -> bool {
        let is_new = self.unfinished.iter().all(|known| known.submission_id != what.submission_id);
        if is_new {
            self.unfinished.retain(|known| known.is_recent(what.since_us));
            self.unfinished.push(what.clone());
        }
        is_new
    }

    /// Records a submission that is in the log. Returns false if nothing changed.
    pub fn end(&mut self, accepted: &LastAccepted) -> bool {
        let before = self.unfinished.len();
        self.unfinished.retain(|known| known.submission_id != accepted.submission_id);
        let last = if accepted.content_key.is_empty() { &mut self.withdrawal } else { &mut self.document };
        let is_higher = accepted.outranks(last);
        if is_higher {
            last.clone_from(accepted);
        }
        is_higher || self.unfinished.len() < before
    }

    /// Returns true if no other content ranks above `seen`, and none is unfinished.
    #[must_use]
    pub fn is_of(&self, seen: &LastAccepted, now_us: i64) -> bool {
        let replaced = self.document.content_key != seen.content_key && self.document.outranks(seen);
        let is_clear = |known: &Unfinished| known.content_key == seen.content_key || !known.is_recent(now_us);
        !replaced && !self.withdrawal.outranks(seen) && self.unfinished.iter().all(is_clear)
    }

    /// Returns the withdrawal that applies to the document of highest rank, if there is one.
    #[must_use]
    pub fn taken_down_by(&self) -> Option<&LastAccepted> {
        let is_hit = self.document.sequence > 0 && self.withdrawal.outranks(&self.document);
        is_hit.then_some(&self.withdrawal)
    }
}

// === impl Unfinished ===

impl Unfinished {
    fn is_recent(&self, now_us: i64) -> bool {
        now_us - self.since_us < UNFINISHED_US
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(sequence: u64, content_key: &str, time: Option<i64>) -> LastAccepted {
        LastAccepted {
            submission_id: format!("s-{sequence}"),
            sequence,
            content_key: content_key.into(),
            effective_us: time.unwrap_or(i64::try_from(sequence).unwrap() * 100),
            is_timed: time.is_some(),
            ..LastAccepted::default()
        }
    }

    fn begun(of: &LastAccepted) -> Unfinished {
        Unfinished {
            submission_id: of.submission_id.clone(),
            content_key: of.content_key.clone(),
            since_us: 1,
        }
    }

    #[test]
    fn what_is_being_accepted_makes_doubtful_what_stands() {
        let (a, b) = (seen(1, "a", None), seen(2, "b", None));
        let mut place = PlaceRecord::default();
        place.end(&a);
        assert!(place.is_of(&a, 1));
        assert!(place.begin(&begun(&b)) && !place.begin(&begun(&b)));
        assert!(!place.is_of(&a, 1));
        assert!(place.is_of(&a, 1 + UNFINISHED_US), "a day later it is read or never was published");
        assert!(place.end(&b) && !place.end(&b));
        assert!(place.is_of(&b, 1) && !place.is_of(&a, 1));
    }

    #[test]
    fn times_rank_before_the_order_of_acceptance() {
        let (new, late) = (seen(1, "new", Some(50)), seen(2, "old", Some(40)));
        let mut place = PlaceRecord::default();
        for accepted in [&new, &late] {
            place.end(accepted);
        }
        assert_eq!(place.document, new);
        assert!(place.is_of(&new, 1) && !place.is_of(&late, 1));
    }

    #[test]
    fn arrivals_compare_by_the_log_whatever_the_clocks_say() {
        let ahead = LastAccepted { effective_us: 900, ..seen(1, "a", None) };
        assert!(seen(2, "b", None).outranks(&ahead));
    }

    #[test]
    fn a_withdrawal_takes_down_what_ranks_below_it_whatever_came_first() {
        let withdrawal = seen(1, "", Some(50));
        for (time, hit) in [(40, true), (60, false)] {
            let mut place = PlaceRecord::default();
            place.end(&withdrawal);
            assert_eq!(place.taken_down_by(), None);
            place.end(&seen(2, "a", Some(time)));
            assert_eq!(place.taken_down_by().is_some(), hit);
        }
    }

    #[test]
    fn places_of_earlier_versions_are_read() {
        let old = br#"{"submission_id":"s-1","sequence":7,"content_key":"k","places":[],"log_epoch":3}"#;
        let place = PlaceRecord::decode(Bytes::from_static(old)).unwrap();
        assert_eq!((place.log_epoch, place.document.sequence, place.withdrawal.sequence), (3, 7, 0));
        assert_eq!(PlaceRecord::decode(place.encode()).unwrap(), place);
    }
}
