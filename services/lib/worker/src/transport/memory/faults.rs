//! The fault plan: which of the next calls fail, lose their answer, or are delayed.
//!
//! A fault names an operation, optionally a target, the number of calls it applies to, and its effect. Faults of one
//! operation are used up in the order in which they were planned. A delay is combined with the failure planned after
//! it.

use std::time::Duration;

use crate::transport::{Error, ErrorKind, subject};

/// A call that can be made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// `Transport::declare`.
    Declare,
    /// `Transport::publish`; the target is the subject.
    Publish,
    /// `Transport::schedule`; the target is the timer's name.
    Schedule,
    /// `Transport::consumer`; the target is the durable name.
    Consumer,
    /// `Pull::fetch` itself; the target is the durable name.
    Fetch,
    /// The delivery of one message of a batch; the target is the consumer's durable name. The batch ends with the
    /// error, and the message is redelivered after `ack_wait`.
    Deliver,
    /// `Settle::progress`; the target of this and the other settling calls is the message's subject.
    Progress,
    /// `Settle::ack`.
    Ack,
    /// `Settle::nak`.
    Nak,
    /// `Settle::term`.
    Term,
    /// `Objects::put`; the target of object and entry calls is the key.
    Put,
    /// `Objects::get` and `Objects::exists`; `Transport::message`, whose target is the stream.
    Get,
    /// `Objects::delete`.
    Delete,
    /// `Entries::get` and `Entries::watch`.
    Read,
    /// `Entries::create`, `update` and `delete`.
    Write,
    /// `Transport::stream_state`, `count`, `consumer_lag` and `held`; the target is the stream, or the display text
    /// of the part.
    Inspect,
    /// `Transport::ping`.
    Ping,
}

/// A planned fault. By default it fails one call with `Unavailable` before the call takes effect.
#[derive(Debug, Clone)]
pub struct Fault {
    operation: Operation,
    target: Option<String>,
    /// Number of calls that the fault still applies to; `None` until healed.
    left: Option<u32>,
    effect: Effect,
}

#[derive(Debug, Clone, Copy)]
enum Effect {
    Refuse(ErrorKind),
    LoseAnswer(ErrorKind),
    Delay(Duration),
}

/// A call in progress, and whether its answer will be lost.
pub(super) struct FaultedCall {
    operation: Operation,
    lost: Option<ErrorKind>,
}

// === impl Fault ===

impl Fault {
    /// Creates a fault: the next call fails with `Unavailable` and has no effect.
    #[must_use]
    pub fn fail(operation: Operation) -> Self {
        Self::with(operation, Effect::Refuse(ErrorKind::Unavailable))
    }

    /// Creates a fault: the next call takes effect but returns `Unavailable`.
    #[must_use]
    pub fn lose_answer(operation: Operation) -> Self {
        Self::with(operation, Effect::LoseAnswer(ErrorKind::Unavailable))
    }

    /// Creates a fault: the next call is delayed by `latency` before it takes effect.
    #[must_use]
    pub fn delay(operation: Operation, latency: Duration) -> Self {
        Self::with(operation, Effect::Delay(latency))
    }

    fn with(operation: Operation, effect: Effect) -> Self {
        Self { operation, target: None, left: Some(1), effect }
    }

    /// Makes the fault apply to `count` calls.
    #[must_use]
    pub fn times(self, count: u32) -> Self {
        Self { left: Some(count), ..self }
    }

    /// Makes the fault apply to every call until [`super::Memory::heal`].
    #[must_use]
    pub fn always(self) -> Self {
        Self { left: None, ..self }
    }

    /// Limits the fault to calls whose target matches, with `*` and `>` as in subjects.
    #[must_use]
    pub fn on(self, target: impl Into<String>) -> Self {
        Self { target: Some(target.into()), ..self }
    }

    /// Changes the kind of the error. Has no effect on a delay.
    #[must_use]
    pub fn kind(self, kind: ErrorKind) -> Self {
        let effect = match self.effect {
            Effect::Refuse(_) => Effect::Refuse(kind),
            Effect::LoseAnswer(_) => Effect::LoseAnswer(kind),
            Effect::Delay(latency) => Effect::Delay(latency),
        };
        Self { effect, ..self }
    }

    fn hits(&self, operation: Operation, target: &str) -> bool {
        self.operation == operation
            && self.left != Some(0)
            && self.target.as_deref().is_none_or(|filter| subject::matches(filter, target))
    }
}

/// Removes and returns the faults for one call: all delays up to the first failure, and that failure.
pub(super) fn take(plan: &mut Vec<Fault>, operation: Operation, target: &str) -> Vec<Fault> {
    let mut hits = Vec::new();
    for fault in plan.iter_mut().filter(|fault| fault.hits(operation, target)) {
        fault.left = fault.left.map(|left| left - 1);
        hits.push(fault.clone());
        if !matches!(fault.effect, Effect::Delay(_)) {
            break;
        }
    }
    plan.retain(|fault| fault.left != Some(0));
    hits
}

// === impl FaultedCall ===

impl FaultedCall {
    /// Starts a call with the faults that apply to it.
    ///
    /// # Errors
    /// The plan refuses the call.
    pub(super) async fn start(operation: Operation, hits: Vec<Fault>) -> Result<Self, Error> {
        let mut lost = None;
        for fault in hits {
            match fault.effect {
                Effect::Delay(latency) => tokio::time::sleep(latency).await,
                Effect::Refuse(kind) => return Err(planned(operation, kind)),
                Effect::LoseAnswer(kind) => lost = Some(kind),
            }
        }
        Ok(Self { operation, lost })
    }

    /// Ends a call that took effect.
    ///
    /// # Errors
    /// The plan loses its answer.
    pub(super) fn leave<T>(self, answer: T) -> Result<T, Error> {
        match self.lost {
            Some(kind) => Err(planned(self.operation, kind)),
            None => Ok(answer),
        }
    }
}

fn planned(operation: Operation, kind: ErrorKind) -> Error {
    Error::new(kind, format!("planned fault: {operation:?}"))
}
