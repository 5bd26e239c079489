//! The deliveries that wait for an unreachable receiver.
//!
//! [`Backlog`] is the saved state of one subscription. It names alerts by their sequence in the alert stream, which
//! keeps them far longer than they wait, and holds them in that order. It depends only on its arguments: no broker
//! and no clock.
//!
//! A delivery waits for one of two reasons. Either the receiver is *away*: then all deliveries wait, and one at a
//! time is tried. Or the receiver accepts other deliveries but not this one: it is then set *apart* and retried on
//! its own, and later messages of the same alert wait behind it.

use std::time::Duration;

use super::{pass::Pass, retry::Schedule};

/// Maximum number of deliveries that wait for one receiver. Further alerts stay unsettled in the stream.
const MAX_WAITING: usize = 4096;

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
        self.waiting.iter().any(|waiting| waiting.apart.is_none())
    }

    /// Returns the identity of the stream that the sequences belong to; 0 if nothing was saved yet.
    pub(super) fn stream(&self) -> i64 {
        self.stream
    }

    /// Assigns the backlog to this stream. Drops the deliveries from another stream and returns their number.
    pub(super) fn move_to(&mut self, stream: i64) -> usize {
        let is_other = self.stream != stream && self.stream != 0;
        self.stream = stream;
        if is_other { std::mem::take(&mut self.waiting).len() } else { 0 }
    }

    /// Adds alerts that may have waited before. Each has its sequence and, in milliseconds of Unix time, when it
    /// began to wait.
    pub(super) fn recall(&mut self, alerts: &[(u64, i64)]) {
        for (sequence, since_ms) in alerts {
            self.add(Waiting { sequence: *sequence, since_ms: *since_ms, failures: 0, apart: None });
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
        (!self.is_empty()).then_some(Duration::from_millis(left_ms))
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
        self.add(Waiting { sequence, since_ms: now_ms, failures: 0, apart: before });
        HoldBack::Wait
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
        self.add(Waiting { sequence, since_ms: now_ms, failures: 1, apart: None });
        if was_away {
            return None;
        }
        self.failures = 1;
        Some(schedule.delay(1, wish))
    }

    /// Returns up to `max` deliveries to try, oldest first.
    pub(super) fn due(&self, now_ms: i64, max: usize) -> Vec<Waiting> {
        let is_due = |waiting: &&Waiting| waiting.apart.as_ref().is_none_or(|apart| apart.due_ms <= now_ms);
        self.waiting.iter().filter(is_due).take(max).cloned().collect()
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
        for (sequence, alert_id) in pass.refused.iter().chain(&pass.behind) {
            self.set_apart(*sequence, alert_id, schedule, now_ms);
        }
        self.waiting.retain(|waiting| !pass.done.contains(&waiting.sequence));
        self.failures = if pass.is_away() && self.is_away() { self.failures.saturating_add(1) } else { 0 };
    }

    /// Returns the sequences of the deliveries to give up: their attempts are used up, or the receiver has been away
    /// for the whole schedule.
    pub(super) fn spent(&self, schedule: &Schedule, now_ms: i64) -> Vec<u64> {
        let since_ms = now_ms.saturating_sub(millis(schedule.total()));
        let is_away = self.failures > 0;
        let is_spent = |waiting: &&Waiting| {
            waiting.failures >= schedule.attempts()
                || is_away && waiting.apart.is_none() && waiting.since_ms <= since_ms
        };
        self.waiting.iter().filter(is_spent).map(|waiting| waiting.sequence).collect()
    }

    /// Returns the delay to the next attempt: `None` if no delivery waits, zero if one can be tried at once.
    pub(super) fn next_attempt(
        &self,
        schedule: &Schedule,
        wish: Option<Duration>,
        now_ms: i64,
    ) -> Option<Duration> {
        if self.failures > 0 {
            return Some(schedule.delay(self.failures, wish));
        }
        let due_ms = |waiting: &Waiting| waiting.apart.as_ref().map_or(now_ms, |apart| apart.due_ms);
        let first_ms = self.waiting.iter().map(due_ms).min()?;
        Some(Duration::from_millis(u64::try_from(first_ms.saturating_sub(now_ms)).unwrap_or_default()))
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

/// Returns a duration in milliseconds, the unit of the backlog.
pub(super) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_000_000;

    fn schedule() -> Schedule {
        Schedule::new([5, 30].map(Duration::from_secs).to_vec())
    }

    fn away(sequences: &[u64]) -> Backlog {
        let mut backlog = Backlog::default();
        for sequence in sequences {
            backlog.start_waiting(*sequence, &schedule(), None, NOW);
        }
        backlog
    }

    fn sequences(waiting: &[Waiting]) -> Vec<u64> {
        waiting.iter().map(|waiting| waiting.sequence).collect()
    }

    fn refused(sequence: u64) -> Pass {
        Pass { refused: vec![(sequence, "a".into())], ..Pass::default() }
    }

    fn failed(sequence: u64) -> Pass {
        Pass { away: vec![sequence], ..Pass::default() }
    }

    #[test]
    fn the_first_failure_starts_the_schedule_and_everything_waits_in_the_order_of_the_stream() {
        let mut backlog = Backlog::default();
        assert_eq!(backlog.hold_back(3, "a", NOW), HoldBack::Deliver);
        assert_eq!(backlog.start_waiting(7, &schedule(), None, NOW), Some(Duration::from_secs(5)));
        assert_eq!(backlog.start_waiting(5, &schedule(), None, NOW), None, "the timer is set");
        for sequence in [9, 8, 9] {
            assert_eq!(backlog.hold_back(sequence, "b", NOW), HoldBack::Wait);
        }
        assert_eq!(sequences(&backlog.due(NOW, 10)), [5, 7, 8, 9]);
        assert_eq!(sequences(&backlog.due(NOW, 2)), [5, 7]);
    }

    #[test]
    fn it_is_bounded() {
        let mut backlog = away(&[1]);
        for sequence in 2.. {
            if backlog.hold_back(sequence, "a", NOW) == HoldBack::Full {
                break;
            }
        }
        assert_eq!(backlog.len(), MAX_WAITING);
        assert_eq!(backlog.hold_back(2, "a", NOW), HoldBack::Wait, "it waits already");
    }

    #[test]
    fn an_attempt_that_fails_puts_all_off_and_one_that_succeeds_lets_all_go() {
        let mut backlog = away(&[1, 2, 3]);
        backlog.apply(&failed(1), &schedule(), NOW);
        assert_eq!(backlog.next_attempt(&schedule(), None, NOW), Some(Duration::from_secs(30)));
        assert_eq!(
            backlog.next_attempt(&schedule(), Some(Duration::from_secs(60)), NOW),
            Some(Duration::from_secs(60))
        );
        backlog.apply(&Pass { done: vec![1], ..Pass::default() }, &schedule(), NOW);
        assert_eq!(backlog.next_attempt(&schedule(), None, NOW), Some(Duration::ZERO));
        assert!(backlog.is_away(), "2 and 3 are still before any new alert");
        backlog.apply(&Pass { done: vec![2, 3], ..Pass::default() }, &schedule(), NOW);
        assert_eq!(backlog.next_attempt(&schedule(), None, NOW), None);
        assert_eq!(backlog.hold_back(4, "a", NOW), HoldBack::Deliver);
    }

    #[test]
    fn a_delivery_is_given_up_after_its_attempts_or_after_as_long_as_they_take() {
        let mut backlog = away(&[1]);
        backlog.hold_back(2, "b", NOW);
        backlog.hold_back(3, "c", NOW + 20_000);
        backlog.apply(&failed(1), &schedule(), NOW + 5_000);
        assert_eq!(backlog.spent(&schedule(), NOW + 5_000), [0; 0]);
        backlog.apply(&failed(1), &schedule(), NOW + 36_000);
        assert_eq!(backlog.spent(&schedule(), NOW + 36_000), [1, 2], "3 came later");
    }

    #[test]
    fn a_delivery_set_apart_holds_back_its_own_alert_only() {
        let mut backlog = away(&[1, 2]);
        let pass = Pass { done: vec![2], ..refused(1) };
        backlog.apply(&pass, &schedule(), NOW);
        assert!(!backlog.is_away());
        assert_eq!(backlog.hold_back(3, "b", NOW), HoldBack::Deliver);
        assert_eq!(backlog.hold_back(4, "a", NOW), HoldBack::Wait);
        assert!(backlog.is_behind(4, "a") && !backlog.is_behind(1, "a") && !backlog.is_behind(4, "b"));
        assert!(backlog.due(NOW, 10).is_empty());
        assert_eq!(backlog.next_attempt(&schedule(), None, NOW), Some(Duration::from_secs(30)));
        assert_eq!(sequences(&backlog.due(NOW + 30_000, 10)), [1, 4]);
        let pass = Pass { behind: vec![(4, "a".into())], ..refused(1) };
        backlog.apply(&pass, &schedule(), NOW + 30_000);
        assert_eq!(backlog.spent(&schedule(), NOW + 30_000), [1]);
        assert_eq!(backlog.next_attempt(&schedule(), None, NOW + 30_000), Some(Duration::from_secs(30)));
    }

    #[test]
    fn what_waited_in_another_stream_is_dropped_and_what_is_recalled_comes_in_order() {
        let mut backlog = away(&[700, 701]);
        assert_eq!(backlog.move_to(1), 0, "of a version that did not say");
        assert_eq!(backlog.move_to(2), 2);
        assert!(backlog.is_empty());
        backlog.start_waiting(5, &schedule(), None, NOW);
        backlog.recall(&[(7, NOW), (5, NOW), (6, NOW)]);
        assert_eq!(sequences(&backlog.due(NOW, 10)), [5, 6, 7]);
        assert_eq!((backlog.move_to(2), backlog.len()), (0, 3));
    }

    #[test]
    fn the_timer_of_a_round_can_be_set_again_for_what_is_left() {
        let mut backlog = away(&[1]);
        backlog.start_round(NOW + 5_000);
        assert_eq!((backlog.round(), backlog.left(NOW + 2_000)), (1, Some(Duration::from_secs(3))));
        assert_eq!(backlog.left(NOW + 9_000), Some(Duration::ZERO));
        assert_eq!(Backlog::default().left(NOW), None);
    }

    #[test]
    fn a_receiver_that_goes_away_beside_one_set_apart_starts_its_schedule() {
        let mut backlog = away(&[1, 2]);
        backlog.apply(&Pass { done: vec![2], ..refused(1) }, &schedule(), NOW);
        assert_eq!(backlog.start_waiting(5, &schedule(), None, NOW), Some(Duration::from_secs(5)));
        assert_eq!(sequences(&backlog.due(NOW, 10)), [5]);
    }
}
