//! A durable consumer's books: what was handed out, when it falls due again, what was said about it. Pure.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::Instant;

use crate::transport::{ConsumerSpec, subject};

/// Counts of one consumer's messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ConsumerState {
    /// To be handed out: never delivered, delayed by a nak, or overdue.
    pub queued: usize,
    /// Handed out, not settled, not overdue.
    pub in_flight: usize,
    /// Over: acknowledged, terminated, or out of deliveries.
    pub settled: usize,
    /// Progress calls.
    pub progressed: usize,
}

/// One thing said about one delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// Stream sequence of the message.
    pub sequence: u64,
    /// Which delivery.
    pub attempt: u32,
    /// What was said.
    pub outcome: Outcome,
}

/// What became of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Acknowledged.
    Acked,
    /// Comes again after this delay.
    Naked(Duration),
    /// Over, with the reason given.
    Terminated(String),
    /// The server's own delivery limit was reached; nobody settled it.
    Exhausted,
}

/// One durable consumer.
pub(super) struct Consumer {
    pub(super) spec: ConsumerSpec,
    /// The first sequence never handed out.
    pub(super) next: u64,
    pub(super) settlements: Vec<Settlement>,
    pending: BTreeMap<u64, Pending>,
    over: usize,
    progressed: usize,
    deliveries: u64,
}

/// A message handed out at least once and not over.
struct Pending {
    attempt: u32,
    /// When it may be handed out again.
    due: Instant,
    /// Told to wait, not held by anyone.
    naked: bool,
    /// Tells the present delivery from earlier ones.
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

    /// Delayed and overdue messages count: only settling makes room.
    pub(super) fn is_full(&self) -> bool {
        self.pending.len() >= self.spec.max_ack_pending as usize
    }

    /// Drops what is due but out of deliveries; says how many.
    pub(super) fn give_up(&mut self, now: Instant) -> usize {
        let limit = self.spec.max_deliver;
        let is_spent = |pending: &Pending| pending.due <= now && pending.attempt >= limit;
        let spent: Vec<_> = self.pending.iter().filter(|(_, pending)| is_spent(pending)).collect();
        let spent: Vec<_> =
            spent.into_iter().map(|(sequence, pending)| (*sequence, pending.attempt)).collect();
        for (sequence, attempt) in &spent {
            self.pending.remove(sequence);
            self.over += 1;
            let outcome = Outcome::Exhausted;
            self.settlements.push(Settlement { sequence: *sequence, attempt: *attempt, outcome });
        }
        spent.len()
    }

    /// The message that has been due the longest.
    pub(super) fn due(&self, now: Instant) -> Option<u64> {
        let due = self.pending.iter().filter(|(_, pending)| pending.due <= now);
        due.min_by_key(|(sequence, pending)| (pending.due, **sequence)).map(|(sequence, _)| *sequence)
    }

    /// When the next message falls due.
    pub(super) fn next_due(&self, now: Instant) -> Option<Instant> {
        self.pending.values().map(|pending| pending.due).filter(|due| *due > now).min()
    }

    /// Books a delivery; returns attempt and delivery number.
    pub(super) fn hand_out(&mut self, sequence: u64, now: Instant) -> (u32, u64) {
        self.deliveries += 1;
        let attempt = self.pending.get(&sequence).map_or(0, |pending| pending.attempt) + 1;
        let due = now + self.spec.ack_wait;
        let delivery = self.deliveries;
        self.pending.insert(sequence, Pending { attempt, due, naked: false, delivery });
        (attempt, delivery)
    }

    /// Books what was said; false if the message is over, or for a nak of an earlier delivery.
    pub(super) fn settle(&mut self, settlement: Settlement, delivery: u64, now: Instant) -> bool {
        let Some(pending) = self.pending.get_mut(&settlement.sequence) else { return false };
        if let Outcome::Naked(delay) = settlement.outcome {
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
