//! The state of a durable consumer: deliveries, when they are due again, and settlements. The time is an argument.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::Instant;

use crate::transport::{ConsumerSpec, subject};

/// Counts of the messages of one consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ConsumerState {
    /// Messages to deliver: never delivered, delayed by a nak, or past `ack_wait`.
    pub queued: usize,
    /// Messages delivered, not settled, and within `ack_wait`.
    pub in_flight: usize,
    /// Messages acknowledged or terminated.
    pub settled: usize,
    /// Number of progress calls.
    pub progressed: usize,
}

/// How one delivery was settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// Stream sequence of the message.
    pub sequence: u64,
    /// Number of the delivery, from 1.
    pub attempt: u32,
    /// How the delivery was settled.
    pub outcome: SettlementOutcome,
}

/// The outcome of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettlementOutcome {
    /// Acknowledged.
    Acked,
    /// Rejected, to be redelivered after this delay.
    Naked(Duration),
    /// Terminated, with this reason.
    Terminated(String),
}

/// One durable consumer.
pub(super) struct Consumer {
    pub(super) spec: ConsumerSpec,
    /// The first sequence that was never delivered.
    pub(super) next: u64,
    pub(super) settlements: Vec<Settlement>,
    pending: BTreeMap<u64, Pending>,
    over: usize,
    progressed: usize,
    deliveries: u64,
}

/// A message that was delivered and is not finally settled.
struct Pending {
    attempt: u32,
    /// When the message may be delivered again.
    due: Instant,
    /// True if the message waits after a nak, so that nobody is handling it.
    naked: bool,
    /// Distinguishes the current delivery from earlier ones.
    delivery: u64,
}

// === impl Consumer ===

impl Consumer {
    pub(super) fn new(spec: ConsumerSpec) -> Self {
        Self {
            spec,
            next: 1,
            settlements: Vec::new(),
            pending: BTreeMap::new(),
            over: 0,
            progressed: 0,
            deliveries: 0,
        }
    }

    pub(super) fn wants(&self, subject: &str) -> bool {
        let filters = &self.spec.filters;
        filters.is_empty() || filters.iter().any(|filter| subject::matches(filter, subject))
    }

    /// Returns the number of messages that are delivered and not settled.
    pub(super) fn unsettled(&self) -> usize {
        self.pending.len()
    }

    /// Returns the number of those that were delivered more than once.
    pub(super) fn redelivered(&self) -> usize {
        self.pending.values().filter(|pending| pending.attempt > 1).count()
    }

    /// Returns true if `max_ack_pending` is reached. Delayed and overdue messages count, because only settling makes
    /// room.
    pub(super) fn is_full(&self) -> bool {
        self.spec.max_ack_pending.is_some_and(|limit| self.pending.len() >= limit as usize)
    }

    /// Returns the message that has been due the longest.
    pub(super) fn due(&self, now: Instant) -> Option<u64> {
        let due = self.pending.iter().filter(|(_, pending)| pending.due <= now);
        due.min_by_key(|(sequence, pending)| (pending.due, **sequence)).map(|(sequence, _)| *sequence)
    }

    /// Returns when the next message becomes due.
    pub(super) fn next_due(&self, now: Instant) -> Option<Instant> {
        self.pending.values().map(|pending| pending.due).filter(|due| *due > now).min()
    }

    /// Records a delivery. Returns its attempt and a number that identifies it.
    pub(super) fn hand_out(&mut self, sequence: u64, now: Instant) -> (u32, u64) {
        self.deliveries += 1;
        let attempt = self.pending.get(&sequence).map_or(0, |pending| pending.attempt) + 1;
        let due = now + self.spec.ack_wait;
        let delivery = self.deliveries;
        self.pending.insert(sequence, Pending { attempt, due, naked: false, delivery });
        (attempt, delivery)
    }

    /// Records a settlement. Returns false if the message is settled already, or if it is a nak of an earlier delivery.
    pub(super) fn settle(&mut self, settlement: Settlement, delivery: u64, now: Instant) -> bool {
        let Some(pending) = self.pending.get_mut(&settlement.sequence) else { return false };
        if let SettlementOutcome::Naked(delay) = settlement.outcome {
            if pending.delivery != delivery {
                return false;
            }
            pending.due = now + delay;
            pending.naked = true;
        } else {
            self.pending.remove(&settlement.sequence);
            self.over += 1;
        }
        self.settlements.push(settlement);
        true
    }

    pub(super) fn progress(&mut self, sequence: u64, now: Instant) {
        self.progressed += 1;
        if let Some(pending) = self.pending.get_mut(&sequence).filter(|pending| !pending.naked) {
            pending.due = now + self.spec.ack_wait;
        }
    }

    /// Returns the sequence up to which every message is settled or matches no filter of the consumer.
    pub(super) fn floor(&self) -> u64 {
        self.pending.keys().next().map_or(self.next, |pending| *pending) - 1
    }

    pub(super) fn state(&self, fresh: usize, now: Instant) -> ConsumerState {
        let held = self.pending.values().filter(|pending| !pending.naked && pending.due > now).count();
        ConsumerState {
            queued: fresh + self.pending.len() - held,
            in_flight: held,
            settled: self.over,
            progressed: self.progressed,
        }
    }
}
