//! The calls that arrived under one id of a sender: the source and id of an event, an idempotency key, or a content.
//!
//! A call is compared with earlier ones before anything of it is stored or published, and its [`Attempt`] is recorded
//! at that time, so that two replicas never use one submission id for two contents. The record is kept forever:
//! whether a call is a repetition does not depend on the broker's duplicate window.

use bytes::Bytes;
use prost_types::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    places::{micros, of_micros},
    submission::{event_time, id_after},
};
use gongkai_proto::convert::timestamp::timestamp;
use gongkai_worker::Record;

/// Maximum number of attempts that are remembered for one id. A repetition of an older one counts as new, and ranks
/// by its time.
const MOST: usize = 200;

/// The parts of a call that distinguish a repetition from another submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallStatement {
    /// The submission id of the first call with its sender's id.
    pub first_id: String,
    /// Digest of the call's content and metadata; see [`crate::submission::said`].
    pub said: String,
    /// SHA-256 of the content, hex; empty for a withdrawal.
    pub content_hash: String,
    /// The event's time in microseconds since 1970, if it has one.
    pub event_time_us: Option<i64>,
    /// True if other content under the same id supersedes. Otherwise it is refused.
    pub may_supersede: bool,
}

/// One submission or withdrawal under an id. It was accepted if it has a receipt.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    pub submission_id: String,
    /// The digest of the attempt's [`CallStatement`]. Empty if the version that recorded the attempt did not compute one.
    pub said: String,
    pub content_hash: String,
    pub event_time_us: Option<i64>,
    /// When the attempt last began, in microseconds since 1970.
    pub begun_us: i64,
    /// Submission id of the previous attempt; empty for the first.
    pub before: String,
    /// Id of the submission that the call repeats with a later time, and whose receipt is the answer; else empty.
    #[serde(default)]
    pub renews: String,
}

/// All attempts under one id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRecord {
    /// The epoch of the log that has the attempts. Those of an earlier epoch count as absent.
    pub log_epoch: u64,
    /// The attempts in the order of arrival.
    attempts: Vec<Attempt>,
    /// The renewals: attempts that record the later times of repetitions in the log, by time.
    #[serde(default)]
    renewals: Vec<Attempt>,
}

/// How a call relates to the earlier ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallJudgement {
    /// The call is new, and recorded now.
    New(Attempt),
    /// The call repeats an attempt.
    Repeats(Attempt),
    /// The last call under this id had other content, and the id is for one content only.
    Refused(Attempt),
}

// === impl CallRecord ===

impl Record for CallRecord {
    fn encode(&self) -> Bytes {
        serde_json::to_vec(self).expect("strings and numbers always serialise").into()
    }

    fn decode(value: Bytes) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(serde_json::from_slice(&value)?)
    }
}

impl CallRecord {
    /// Creates an empty record for the log of this epoch.
    #[must_use]
    pub fn empty(log_epoch: u64) -> Self {
        Self { log_epoch, ..Self::default() }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.attempts.is_empty()
    }

    /// Creates a record of one attempt that is known only from its receipt.
    #[must_use]
    pub fn of_receipt(submission_id: &str, content_hash: &str, log_epoch: u64) -> Self {
        let attempt = Attempt {
            submission_id: submission_id.to_owned(),
            content_hash: content_hash.to_owned(),
            ..Attempt::default()
        };
        Self { log_epoch, attempts: vec![attempt], renewals: Vec::new() }
    }

    /// Compares a call with the earlier ones and records it if it is new.
    ///
    /// A call repeats the last attempt if it has the same statement, and an earlier one if it also has the same time.
    /// [`Self::renew`] handles a repetition with a later time. `over` is an attempt that must not be repeated: a call
    /// that would repeat it is new.
    pub fn judge(&mut self, call: &CallStatement, over: Option<&str>, now_us: i64) -> CallJudgement {
        let last = self.attempts.len().saturating_sub(1);
        let repeated = self.attempts.iter().enumerate().rev().find(|(n, attempt)| {
            let is_same_time =
                |of: &Attempt| call.event_time_us.is_some() && of.event_time_us == call.event_time_us;
            let is_renewed = || self.renewals(&attempt.submission_id).any(is_same_time);
            attempt.says(call) && (*n == last || is_same_time(attempt) || is_renewed())
        });
        match (repeated, self.attempts.last()) {
            (Some((_, attempt)), _) if over != Some(attempt.submission_id.as_str()) => {
                CallJudgement::Repeats(attempt.clone())
            }
            (None, Some(last)) if !call.may_supersede => CallJudgement::Refused(last.clone()),
            _ => {
                let attempt = self.after_last(call, now_us);
                self.push(attempt.clone());
                CallJudgement::New(attempt)
            }
        }
    }

    /// Records that a call repeats an attempt with a later time. Returns the renewal that records this time in the log;
    /// it may have begun before. Returns `None` if the time is not later.
    pub fn renew(&mut self, call: &CallStatement, submission_id: &str, now_us: i64) -> Option<Attempt> {
        let stated = call.event_time_us?;
        let attempt = self.attempts.iter().find(|attempt| attempt.submission_id == submission_id)?;
        let last = self.renewals(submission_id).last().unwrap_or(attempt);
        let known = self.renewals(submission_id).find(|known| known.event_time_us == call.event_time_us);
        if let Some(known) = known {
            return Some(known.clone());
        }
        let is_later = stated.min(now_us) > last.effective_us();
        if !is_later || attempt.event_time_us == call.event_time_us {
            return None;
        }
        let renewal = Attempt {
            submission_id: id_after(&call.first_id, &call.said, &format!("{submission_id} {stated}")),
            said: call.said.clone(),
            content_hash: call.content_hash.clone(),
            event_time_us: call.event_time_us,
            begun_us: now_us,
            before: String::new(),
            renews: submission_id.to_owned(),
        };
        self.put_renewal(&renewal);
        Some(renewal)
    }

    fn renewals(&self, submission_id: &str) -> impl Iterator<Item = &Attempt> {
        self.renewals.iter().filter(move |renewal| renewal.renews == submission_id)
    }

    /// Records a renewal. Returns false if it was known.
    fn put_renewal(&mut self, renewal: &Attempt) -> bool {
        let order = |renewal: &Attempt| (renewal.event_time_us, renewal.submission_id.clone());
        let Err(at) = self.renewals.binary_search_by_key(&order(renewal), order) else { return false };
        self.renewals.insert(at, renewal.clone());
        let excess = self.renewals.len().saturating_sub(MOST);
        self.renewals.drain(..excess);
        true
    }

    /// Records an attempt that is in the log. Returns false if it was known.
    pub fn learn(&mut self, attempt: &Attempt) -> bool {
        if !attempt.renews.is_empty() {
            return self.put_renewal(attempt);
        }
        let is_new = self.attempts.iter().all(|known| known.submission_id != attempt.submission_id);
        if is_new {
            // An attempt that supersedes this one may have been recorded earlier.
            let at = self.attempts.iter().position(|later| later.before == attempt.submission_id);
            self.attempts.insert(at.unwrap_or(self.attempts.len()), attempt.clone());
            self.forget_first();
        }
        is_new
    }

    /// Records that an attempt begins again.
    pub fn begin_again(&mut self, submission_id: &str, now_us: i64) -> bool {
        let mut all = self.attempts.iter_mut().chain(&mut self.renewals);
        let attempt = all.find(|attempt| attempt.submission_id == submission_id);
        attempt.map(|attempt| attempt.begun_us = now_us).is_some()
    }

    fn after_last(&self, call: &CallStatement, now_us: i64) -> Attempt {
        let last = self.attempts.last().map(|last| last.submission_id.as_str());
        Attempt {
            submission_id: last
                .map_or_else(|| call.first_id.clone(), |last| id_after(&call.first_id, &call.said, last)),
            said: call.said.clone(),
            content_hash: call.content_hash.clone(),
            event_time_us: call.event_time_us,
            begun_us: now_us,
            before: last.unwrap_or_default().to_owned(),
            renews: String::new(),
        }
    }

    fn push(&mut self, attempt: Attempt) {
        self.attempts.push(attempt);
        self.forget_first();
    }

    fn forget_first(&mut self) {
        let excess = self.attempts.len().saturating_sub(MOST);
        self.attempts.drain(..excess);
    }
}

// === impl Attempt ===

impl Attempt {
    /// Returns the time of the call that began the attempt, because that call may have published it. `stated` is the
    /// time of this call.
    #[must_use]
    pub fn event_time(&self, stated: Option<Timestamp>) -> Option<Timestamp> {
        if event_time(stated).map(micros) == self.event_time_us {
            return stated;
        }
        of_micros(self.event_time_us?).map(timestamp)
    }

    /// Returns when the attempt takes effect, as far as that is known before the log stores its event.
    fn effective_us(&self) -> i64 {
        self.event_time_us.map_or(self.begun_us, |stated| stated.min(self.begun_us))
    }

    fn says(&self, call: &CallStatement) -> bool {
        if self.said.is_empty() {
            return self.content_hash.is_empty() || self.content_hash == call.content_hash;
        }
        self.said == call.said
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(said: &str, event_time_us: Option<i64>) -> CallStatement {
        CallStatement {
            first_id: "s-0".into(),
            said: said.into(),
            content_hash: said.into(),
            event_time_us,
            may_supersede: true,
        }
    }

    fn new(record: &mut CallRecord, call: &CallStatement) -> Attempt {
        match record.judge(call, None, 1) {
            CallJudgement::New(attempt) => attempt,
            other => panic!("{other:?}"),
        }
    }

    fn repeated(record: &mut CallRecord, call: &CallStatement) -> String {
        match record.judge(call, None, 1) {
            CallJudgement::Repeats(attempt) => attempt.submission_id,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_last_content_repeats_and_an_earlier_one_only_with_its_time() {
        let mut record = CallRecord::default();
        let a = new(&mut record, &call("a", Some(1)));
        assert_eq!((a.submission_id.as_str(), a.before.as_str()), ("s-0", ""));
        let b = new(&mut record, &call("b", Some(2)));
        assert_eq!(b.before, "s-0");
        assert_eq!(repeated(&mut record, &call("b", Some(2))), b.submission_id);
        assert_eq!(repeated(&mut record, &call("b", Some(9))), b.submission_id, "it is the last");
        assert_eq!(repeated(&mut record, &call("a", Some(1))), "s-0");
        let again = new(&mut record, &call("a", Some(3)));
        assert_eq!(again.before, b.submission_id);
        let third = new(&mut record, &call("b", None));
        assert_ne!(third.submission_id, b.submission_id, "without a time, content that comes back is new");
    }

    #[test]
    fn what_is_said_again_with_a_later_time_is_renewed_once() {
        let mut record = CallRecord::default();
        let a = new(&mut record, &call("a", Some(3)));
        let again = |record: &mut CallRecord, time, now| {
            let call = call("a", time);
            let id = repeated(record, &call);
            record.renew(&call, &id, now).map(|renewal| (renewal.submission_id, renewal.renews))
        };
        assert_eq!(again(&mut record, Some(3), 9), None);
        assert_eq!(again(&mut record, None, 9), None, "without a time it says nothing new");
        assert_eq!(again(&mut record, Some(1), 9), None, "it ranks by the later of both");
        let renewal = again(&mut record, Some(5), 9);
        assert_eq!(renewal.as_ref().map(|(_, renews)| renews), Some(&a.submission_id));
        assert_eq!(again(&mut record, Some(5), 9), renewal, "it may not be in the log yet");
        assert_eq!(again(&mut record, Some(4), 9), None);
        assert_ne!(again(&mut record, Some(6), 9), renewal);
        let b = new(&mut record, &call("b", Some(6)));
        assert_eq!(b.before, a.submission_id);
        assert_eq!(again(&mut record, Some(5), 9), renewal, "late, with its time");
        assert_eq!(new(&mut record, &call("a", Some(8))).before, b.submission_id);
    }

    #[test]
    fn nothing_is_later_than_its_arrival() {
        let mut record = CallRecord::default();
        // It arrived at 1, whatever time it has.
        let ahead = new(&mut record, &call("a", Some(1000))).submission_id;
        assert_eq!(record.renew(&call("a", Some(2000)), &ahead, 1), None);
        assert!(record.renew(&call("a", Some(2000)), &ahead, 2).is_some());
        let mut record = CallRecord::default();
        let untimed = new(&mut record, &call("a", None)).submission_id;
        assert_eq!(record.renew(&call("a", Some(1)), &untimed, 9), None);
        assert!(record.renew(&call("a", Some(2)), &untimed, 9).is_some());
    }

    #[test]
    fn a_key_is_for_one_content_and_may_be_tried_again() {
        let key = |said| CallStatement { may_supersede: false, ..call(said, None) };
        let mut record = CallRecord::default();
        new(&mut record, &key("a"));
        assert!(
            matches!(record.judge(&key("b"), None, 1), CallJudgement::Refused(a) if a.submission_id == "s-0")
        );
        let CallJudgement::New(second) = record.judge(&key("a"), Some("s-0"), 1) else { panic!() };
        // Another sender submits the same content.
        let repeated = record.judge(&key("a"), Some("s-0"), 1);
        assert_eq!(repeated, CallJudgement::Repeats(second));
    }

    #[test]
    fn what_the_log_tells_in_any_order_gives_the_same_last_attempt() {
        let mut told = CallRecord::default();
        let attempts = [new(&mut told, &call("a", None)), new(&mut told, &call("b", None))];
        for order in [[0, 1], [1, 0]] {
            let mut learned = CallRecord::default();
            for n in order {
                assert!(learned.learn(&attempts[n]) && !learned.learn(&attempts[n]));
            }
            assert_eq!(learned, told);
        }
    }

    #[test]
    fn renewals_that_the_log_tells_in_any_order_are_all_known() {
        let mut told = CallRecord::default();
        let a = new(&mut told, &call("a", Some(1)));
        let renewals = [2, 3].map(|time| told.renew(&call("a", Some(time)), "s-0", 9).unwrap());
        for order in [[&a, &renewals[0], &renewals[1]], [&renewals[1], &renewals[0], &a]] {
            let mut learned = CallRecord::default();
            for attempt in order {
                assert!(learned.learn(attempt) && !learned.learn(attempt));
            }
            assert_eq!(learned, told);
        }
    }

    #[test]
    fn an_attempt_of_an_earlier_version_is_known_by_its_content() {
        let mut record = CallRecord::of_receipt("s-0", "a", 0);
        assert_eq!(repeated(&mut record, &call("a", None)), "s-0");
        assert_eq!(new(&mut record, &call("b", None)).before, "s-0");
    }

    #[test]
    fn the_record_is_bounded() {
        let mut record = CallRecord::default();
        for n in 0..=MOST {
            new(&mut record, &call(&n.to_string(), None));
        }
        assert_eq!(record.attempts.len(), MOST);
    }
}
