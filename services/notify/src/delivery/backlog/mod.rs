//! The deliveries that wait for an unreachable receiver.
//!
//! [`Backlog`] is the saved state of one subscription. It names alerts by their sequence in the alert stream, which
//! keeps them far longer than they wait, and holds them in that order. It depends only on its arguments: no broker
//! and no clock.
//!
//! A delivery waits for one of three reasons. The receiver is *away*: then all deliveries wait, and one at a time is
//! tried. The receiver accepts other deliveries but not this one: it is then set *apart* and retried on its own, and
//! later messages of the same alert wait behind it. Or it is *collected*, by the [`Pace`] of the subscription: then it
//! goes with others when its window ends.
//!
//! Deliveries that go together are a *batch*. Its members are saved before it is sent, so that it has the same members,
//! and with them the same id, in every attempt.
//!
//! A receiver whose answers say that the subscription is at fault (a wrong key or address, or 410) is *suspended*:
//! nothing is given up, so that all is delivered once the fault is mended.

#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, time::Duration};

use super::{
    channel::Error,
    pace::{Pace, millis},
    pass::{Pass, Tried},
    retry::Schedule,
};

/// Maximum number of deliveries that wait for one receiver. Further alerts stay unsettled in the stream.
const MAX_WAITING: usize = 4096;
/// Number of deliveries at which a window ends early.
const CROWD: usize = 1024;

/// Attempts in a row with an answer by which the subscription is at fault, after which it is.
const FAULTS: u32 = 3;

/// The deliveries that wait for the receiver of one subscription.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Backlog {
    /// Attempts in a row that failed because the receiver is away.
    #[prost(uint32, tag = "1")]
    failures: u32,
    /// Number of the timer that was set last.
    #[prost(uint64, tag = "2")]
    round: u64,
    /// Sorted by sequence.
    #[prost(message, repeated, tag = "3")]
    waiting: Vec<Waiting>,
    /// When the timer fires, in milliseconds of Unix time.
    #[prost(int64, tag = "4")]
    due_ms: i64,
    /// Identity of the stream that the sequences belong to; 0 if nothing was saved yet.
    #[prost(int64, tag = "5")]
    stream: i64,
    /// What goes together, oldest first. Only a subscription with a pace has batches.
    #[prost(message, repeated, tag = "6")]
    batches: Vec<Batch>,
    /// When the last messages were sent, in milliseconds of Unix time, as many as the limits need.
    #[prost(int64, repeated, tag = "7")]
    sent_ms: Vec<i64>,
    #[prost(message, optional, tag = "8")]
    suspension: Option<Suspension>,
}

/// The deliveries of one message.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Batch {
    #[prost(uint64, repeated, tag = "1")]
    pub(super) sequences: Vec<u64>,
}

/// A receiver that takes nothing until a person has mended the subscription.
#[derive(Clone, PartialEq, prost::Message)]
struct Suspension {
    /// Code of the dead letter that tells operators.
    #[prost(string, tag = "1")]
    code: String,
    /// True if nothing is tried before notify starts again.
    #[prost(bool, tag = "2")]
    is_final: bool,
}

/// A delivery that waits.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Waiting {
    /// Sequence of the alert in its stream.
    #[prost(uint64, tag = "1")]
    pub(super) sequence: u64,
    /// When the delivery began to wait, in milliseconds of Unix time.
    #[prost(int64, tag = "2")]
    pub(super) since_ms: i64,
    /// Number of failed attempts.
    #[prost(uint32, tag = "3")]
    pub(super) failures: u32,
    #[prost(message, optional, tag = "4")]
    apart: Option<SeparateRetry>,
    /// The end of the window in which the delivery is collected, in milliseconds of Unix time; 0 if it is not.
    #[prost(int64, tag = "5")]
    window_ms: i64,
    /// True if quiet hours do not hold it back.
    #[prost(bool, tag = "6")]
    passes: bool,
}

/// The retry of a delivery that waits although the receiver accepts others.
#[derive(Clone, PartialEq, prost::Message)]
struct SeparateRetry {
    #[prost(string, tag = "1")]
    alert_id: String,
    /// When the delivery is tried again, in milliseconds of Unix time.
    #[prost(int64, tag = "2")]
    due_ms: i64,
}

/// Result of [`Backlog::hold_back`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HoldBack {
    /// No delivery is ahead of the alert: deliver it.
    Deliver,
    /// The alert was added.
    Wait,
    /// The alert must wait, but there is no room.
    Full,
}

// === impl Waiting ===

impl Waiting {
    /// Returns true if the delivery waits for its window, and has not been tried.
    fn is_collected(&self) -> bool {
        self.window_ms > 0 && self.failures == 0
    }
}

// === impl Backlog ===

impl Backlog {
    /// Returns the number of deliveries that wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Returns true if no delivery waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Returns true if the receiver is away, so that every delivery waits.
    #[must_use]
    pub fn is_away(&self) -> bool {
        self.waiting.iter().any(|waiting| waiting.apart.is_none() && !waiting.is_collected())
    }

    /// Returns the identity of the stream that the sequences belong to; 0 if nothing was saved yet.
    pub(super) fn stream(&self) -> i64 {
        self.stream
    }

    /// Assigns the backlog to this stream. Drops the deliveries from another stream and returns their number.
    pub(super) fn move_to(&mut self, stream: i64) -> usize {
        let is_other = self.stream != stream && self.stream != 0;
        self.stream = stream;
        if !is_other {
            return 0;
        }
        self.batches.clear();
        std::mem::take(&mut self.waiting).len()
    }

    /// Adds alerts that may have waited before. Each has its sequence and, in milliseconds of Unix time, when it
    /// began to wait.
    pub(super) fn recall(&mut self, alerts: &[(u64, i64)]) {
        for (sequence, since_ms) in alerts {
            self.add(Waiting { sequence: *sequence, since_ms: *since_ms, ..Waiting::default() });
        }
    }

    /// Returns the number of the timer that was set last.
    pub(super) fn round(&self) -> u64 {
        self.round
    }

    /// Starts a round whose timer fires at `due_ms`.
    pub(super) fn start_round(&mut self, due_ms: i64) {
        self.round += 1;
        self.due_ms = due_ms;
    }

    /// Returns the remaining time of this round's timer, or `None` if no delivery waits.
    pub(super) fn left(&self, now_ms: i64) -> Option<Duration> {
        let left_ms = u64::try_from(self.due_ms.saturating_sub(now_ms)).unwrap_or_default();
        (!self.is_empty() && !self.is_final()).then_some(Duration::from_millis(left_ms))
    }

    /// Adds an alert if it must not be delivered now.
    pub(super) fn hold_back(&mut self, sequence: u64, alert_id: &str, now_ms: i64) -> HoldBack {
        let is_away = self.is_away();
        let before = self.apart(alert_id).cloned();
        if !is_away && before.is_none() {
            return HoldBack::Deliver;
        }
        if self.waiting.len() >= MAX_WAITING && self.find(sequence).is_err() {
            return HoldBack::Full;
        }
        self.add(Waiting { sequence, since_ms: now_ms, apart: before, ..Waiting::default() });
        HoldBack::Wait
    }

    /// Collects an alert. Returns the delay to the end of its window, unless a timer comes before; `None` also if there
    /// is no room.
    pub(super) fn collect(
        &mut self,
        sequence: u64,
        passes: bool,
        pace: &Pace,
        now_ms: i64,
    ) -> Option<Duration> {
        if self.waiting.len() >= MAX_WAITING || self.find(sequence).is_ok() {
            return None;
        }
        let open = self.waiting.iter().map(|waiting| waiting.window_ms).filter(|end| *end > now_ms);
        let window_ms = open.min().unwrap_or(now_ms.saturating_add(pace.window_ms()));
        let had_timer = !self.is_empty() && self.due_ms > now_ms;
        // Its time counts from the end of the window.
        self.add(Waiting { sequence, since_ms: window_ms, window_ms, passes, ..Waiting::default() });
        let is_held = self.failures > 0 || self.is_final();
        let ready_ms = self.ready_ms(&self.waiting[self.find(sequence).ok()?], pace, now_ms);
        let has_earlier = had_timer && self.due_ms <= ready_ms;
        (!is_held && !has_earlier).then(|| until(ready_ms, now_ms))
    }

    /// Returns true if the alert waits.
    pub(super) fn holds(&self, sequence: u64) -> bool {
        self.find(sequence).is_ok()
    }

    /// Returns the number of deliveries that wait for their window only.
    #[must_use]
    pub fn collecting(&self) -> usize {
        if self.failures > 0 {
            0
        } else {
            self.waiting.iter().filter(|waiting| waiting.is_collected()).count()
        }
    }

    /// Returns true if the receiver takes nothing until the subscription is mended.
    #[must_use]
    pub fn is_suspended(&self) -> bool {
        self.suspension.is_some()
    }

    /// Returns true if the receiver failed the last attempt.
    pub(super) fn is_failing(&self) -> bool {
        self.failures > 0
    }

    /// Returns true if the receiver is suspended for a reason with this code.
    pub(super) fn is_suspended_for(&self, code: &str) -> bool {
        self.suspension.as_ref().is_some_and(|suspension| suspension.code == code)
    }

    /// Returns true if nothing is tried before notify starts again.
    fn is_final(&self) -> bool {
        self.suspension.as_ref().is_some_and(|suspension| suspension.is_final)
    }

    /// Returns true if some deliveries go together.
    pub(super) fn has_batches(&self) -> bool {
        !self.batches.is_empty()
    }

    /// Lets a suspended receiver be tried again. Returns true if it is suspended.
    pub(super) fn resume(&mut self) -> bool {
        if let Some(suspension) = &mut self.suspension {
            suspension.is_final = false;
        }
        self.is_suspended()
    }

    /// Adds an alert whose first attempt failed. Returns the delay to the next attempt, unless the receiver is already
    /// known to be away.
    pub(super) fn start_waiting(
        &mut self,
        sequence: u64,
        schedule: &Schedule,
        wish: Option<Duration>,
        now_ms: i64,
    ) -> Option<Duration> {
        let was_away = self.is_away();
        self.add(Waiting { sequence, since_ms: now_ms, failures: 1, ..Waiting::default() });
        if was_away {
            return None;
        }
        self.failures = 1;
        Some(schedule.delay(1, wish))
    }

    /// Returns what to try, oldest first: up to `max` saved batches, or if there are none, deliveries that each go by
    /// themselves.
    pub(super) fn due(&self, pace: &Pace, now_ms: i64, max: usize) -> Vec<Batch> {
        let is_due = |sequence: &u64| {
            self.get(*sequence).is_some_and(|waiting| self.ready_ms(waiting, pace, now_ms) <= now_ms)
        };
        if pace.is_free() {
            let due = self.waiting.iter().map(|waiting| waiting.sequence).filter(is_due).take(max);
            return due.map(|sequence| Batch { sequences: vec![sequence] }).collect();
        }
        let due = self.batches.iter().filter(|batch| batch.sequences.iter().all(is_due));
        due.take(max).cloned().collect()
    }

    /// Returns the due deliveries that are in no batch, oldest first.
    pub(super) fn unplanned(&self, pace: &Pace, now_ms: i64) -> Vec<u64> {
        let planned: BTreeSet<u64> =
            self.batches.iter().flat_map(|batch| &batch.sequences).copied().collect();
        let due = self.waiting.iter().filter(|waiting| self.ready_ms(waiting, pace, now_ms) <= now_ms);
        due.map(|waiting| waiting.sequence)
            .filter(|sequence| !planned.contains(sequence))
            .take(CROWD)
            .collect()
    }

    /// Saves what goes together. Deliveries that no longer wait are left out.
    pub(super) fn plan(&mut self, batches: &[Vec<u64>]) {
        for sequences in batches {
            let sequences: Vec<_> =
                sequences.iter().copied().filter(|sequence| self.holds(*sequence)).collect();
            let is_known =
                self.batches.iter().any(|batch| batch.sequences.iter().any(|s| sequences.contains(s)));
            if !sequences.is_empty() && !is_known {
                self.batches.push(Batch { sequences });
            }
        }
    }

    /// Returns how long the limits ask to wait before the next message, in milliseconds.
    pub(super) fn limit_ms(&self, pace: &Pace, now_ms: i64) -> i64 {
        pace.limit_ms(&self.sent_ms, now_ms)
    }

    /// Returns when a delivery may be tried: its window has ended, its own retry is due, and it is not quiet.
    fn ready_ms(&self, waiting: &Waiting, pace: &Pace, now_ms: i64) -> i64 {
        let is_crowded = self.waiting.len() >= CROWD;
        let window_ms = if is_crowded { now_ms.min(waiting.window_ms) } else { waiting.window_ms };
        let apart_ms = waiting.apart.as_ref().map_or(0, |apart| apart.due_ms);
        let ready_ms = window_ms.max(apart_ms).max(now_ms);
        if waiting.passes { ready_ms } else { ready_ms.saturating_add(pace.quiet_ms(ready_ms)) }
    }

    pub(super) fn get(&self, sequence: u64) -> Option<&Waiting> {
        self.find(sequence).ok().map(|at| &self.waiting[at])
    }

    /// Returns true if an alert of this id before `sequence` is set apart.
    pub(super) fn is_behind(&self, sequence: u64, alert_id: &str) -> bool {
        let before = self.waiting.iter().take_while(|waiting| waiting.sequence < sequence);
        before.filter_map(|waiting| waiting.apart.as_ref()).any(|apart| apart.alert_id == alert_id)
    }

    /// Applies the result of a pass.
    pub(super) fn apply(&mut self, pass: &Pass, schedule: &Schedule, now_ms: i64) {
        for sequence in pass.failed() {
            if let Ok(at) = self.find(sequence) {
                self.waiting[at].failures += 1;
            }
        }
        for Tried { sequence, alert_id } in pass.refused.iter().chain(&pass.behind) {
            self.set_apart(*sequence, alert_id, schedule, now_ms);
        }
        self.waiting.retain(|waiting| !pass.done.contains(&waiting.sequence));
        let waiting: BTreeSet<u64> = self.waiting.iter().map(|waiting| waiting.sequence).collect();
        for batch in &mut self.batches {
            batch.sequences.retain(|sequence| waiting.contains(sequence));
        }
        self.batches.retain(|batch| !batch.sequences.is_empty());
        if pass.is_away() && self.is_away() {
            self.failures = self.failures.saturating_add(1);
            self.suspend(pass.fault.as_ref());
        } else {
            self.failures = 0;
            self.end_suspension(now_ms);
        }
    }

    /// Suspends the receiver if the subscription is at fault. A fault that comes and goes is the receiver's.
    fn suspend(&mut self, fault: Option<&Error>) {
        let Some(fault) = fault else { return };
        let is_final = matches!(fault, Error::Gone(_));
        if is_final || self.failures >= FAULTS {
            self.suspension = Some(Suspension { code: fault.code().to_owned(), is_final });
        }
    }

    /// Ends a suspension. What waited has all its attempts again.
    fn end_suspension(&mut self, now_ms: i64) {
        if self.suspension.take().is_none() {
            return;
        }
        for waiting in &mut self.waiting {
            waiting.since_ms = waiting.since_ms.max(now_ms);
            waiting.failures = 0;
        }
    }

    /// Records when messages were sent.
    pub(super) fn record_sent(&mut self, sent_ms: &[i64], pace: &Pace) {
        self.sent_ms.extend_from_slice(sent_ms);
        let forgotten = self.sent_ms.len().saturating_sub(pace.memory());
        self.sent_ms.drain(..forgotten);
    }

    /// Returns the sequences of the deliveries to give up: their attempts are used up, or the receiver has been away
    /// for the whole schedule. None are while the receiver is suspended.
    pub(super) fn spent(&self, schedule: &Schedule, now_ms: i64) -> Vec<u64> {
        if self.is_suspended() {
            return Vec::new();
        }
        let since_ms = now_ms.saturating_sub(millis(schedule.total()));
        let is_away = self.failures > 0;
        let is_spent = |waiting: &&Waiting| {
            waiting.failures >= schedule.attempts()
                || is_away && waiting.apart.is_none() && waiting.since_ms <= since_ms
        };
        self.waiting.iter().filter(is_spent).map(|waiting| waiting.sequence).collect()
    }

    /// Returns the delay to the next attempt: zero if one can be made at once, `None` if no delivery waits or nothing
    /// is tried before notify starts again.
    pub(super) fn next_attempt(
        &self,
        schedule: &Schedule,
        pace: &Pace,
        wish: Option<Duration>,
        now_ms: i64,
    ) -> Option<Duration> {
        if self.is_final() {
            return None;
        }
        let ready_ms = self.waiting.iter().map(|waiting| self.ready_ms(waiting, pace, now_ms)).min()?;
        let limit_ms = now_ms.saturating_add(self.limit_ms(pace, now_ms));
        let next = until(ready_ms.max(limit_ms), now_ms);
        Some(if self.failures > 0 { next.max(schedule.delay(self.failures, wish)) } else { next })
    }

    fn find(&self, sequence: u64) -> Result<usize, usize> {
        self.waiting.binary_search_by_key(&sequence, |waiting| waiting.sequence)
    }

    fn add(&mut self, waiting: Waiting) {
        if let Err(at) = self.find(waiting.sequence) {
            self.waiting.insert(at, waiting);
        }
    }

    fn apart(&self, alert_id: &str) -> Option<&SeparateRetry> {
        let mut apart = self.waiting.iter().filter_map(|waiting| waiting.apart.as_ref());
        apart.find(|apart| apart.alert_id == alert_id)
    }

    /// Sets a delivery apart: it waits until the earlier one of the same alert is due, or else for a delay by its own
    /// failures.
    fn set_apart(&mut self, sequence: u64, alert_id: &str, schedule: &Schedule, now_ms: i64) {
        let Ok(at) = self.find(sequence) else { return };
        let own = now_ms.saturating_add(millis(schedule.delay(self.waiting[at].failures, None)));
        let before = self.waiting[..at].iter().filter_map(|waiting| waiting.apart.as_ref());
        let before = before.filter(|apart| apart.alert_id == alert_id).map(|apart| apart.due_ms).max();
        let due_ms = before.unwrap_or(own);
        self.waiting[at].apart = Some(SeparateRetry { alert_id: alert_id.to_owned(), due_ms });
    }
}

fn until(at_ms: i64, now_ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(at_ms.saturating_sub(now_ms)).unwrap_or_default())
}
