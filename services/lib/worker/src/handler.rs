//! The contract between a stage and the runtime: a handler takes one message and returns outputs or a [`Decision`].
//!
//! A handler cannot acknowledge or publish by itself, so it can be tested as a function.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use time::OffsetDateTime;

use crate::dead_letter::UNEXPECTED_EVENT;
use crate::output::Output;
use crate::repetition::{FirstCopy, Repetition};
use crate::transport::{Error, ErrorKind, Message};

/// The work of a stage on one message.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// The decoded message. The runtime converts it from the subject, which identifies the kind of message, and the
    /// payload. A message whose conversion fails is buried as `UNDECODABLE`.
    ///
    /// The bound is a trait of the standard library, so that a crate of messages need not depend on this one.
    type Input: for<'a> TryFrom<(&'a str, Bytes), Error: Into<anyhow::Error>> + Send + 'static;

    /// Handles one input and returns the outputs to publish.
    ///
    /// The runtime publishes the outputs in order and then acknowledges the input. A message may be delivered more than
    /// once, so the handler must be idempotent.
    ///
    /// # Errors
    /// A [`Decision`] about the message: retry it later, or bury it.
    ///
    /// # Cancel safety
    /// The runtime drops the future when its deadline passes or at the hard stop; the message is then delivered again.
    /// The handler must leave nothing behind that a second run cannot deal with.
    async fn handle(&self, input: Self::Input, context: &Context) -> Result<Vec<Output>, Decision>;
}

/// An undecoded payload, for handlers that do not look into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raw(pub Bytes);

impl From<(&str, Bytes)> for Raw {
    fn from((_, payload): (&str, Bytes)) -> Self {
        Self(payload)
    }
}

/// Metadata of the message that a handler works on.
#[derive(Debug, Clone)]
pub struct Context {
    /// `Nats-Msg-Id` of the message. The ids of the outputs derive from it.
    pub message_id: String,
    /// Subject of the message.
    pub subject: String,
    /// Stream sequence of the message; for a repetition, that of the first copy.
    pub sequence: u64,
    /// When the stream stored the message; for a repetition, the first copy. A handler has no other clock.
    pub logged_at: OffsetDateTime,
    /// Set if the message repeats an earlier one of its stream, such as a replayed dead letter.
    pub repetition: Option<Repetition>,
    /// Number of this attempt, from 1: one more than the attempts that failed. A delivery that ended with its process
    /// does not count.
    pub attempt: u32,
    /// Trace id of the message, 32 hex digits.
    pub trace_id: String,
    /// Keeps an effect outside of the broker from being repeated while the message is in work.
    pub once: Once,
}

impl Context {
    /// Creates the metadata of the first attempt on a message that `stream` stored at `sequence`.
    #[must_use]
    pub fn new(
        message: &Message,
        (stream, sequence): (&str, u64),
        logged_at: OffsetDateTime,
        trace_id: String,
    ) -> Self {
        let here = Self {
            message_id: message.id_in(stream, sequence),
            subject: message.subject.clone(),
            sequence,
            logged_at,
            repetition: None,
            attempt: 1,
            trace_id,
            once: Once::default(),
        };
        match FirstCopy::of(&message.headers) {
            None => here,
            Some(FirstCopy { id, sequence: first, logged_at: first_logged_at }) => Self {
                sequence: first,
                logged_at: first_logged_at,
                repetition: Some(Repetition { first_id: id, sequence, logged_at }),
                ..here
            },
        }
    }

    /// Returns the id of the first copy of the message, which is the same for every repetition.
    #[must_use]
    pub fn first_id(&self) -> &str {
        self.repetition.as_ref().map_or(&self.message_id, |repetition| &repetition.first_id)
    }

    /// Returns where this copy of the message is in its stream, and since when.
    #[must_use]
    pub fn place(&self) -> (u64, OffsetDateTime) {
        match &self.repetition {
            Some(repetition) => (repetition.sequence, repetition.logged_at),
            None => (self.sequence, self.logged_at),
        }
    }
}

/// Keeps an effect outside of the broker, such as a call to a webhook, from being repeated without need.
///
/// After an outage of the broker, the runtime runs the handler again. An effect that succeeded under [`Once::run`] is
/// then skipped. The success is forgotten when the process ends or the message is settled or handed back.
#[derive(Debug, Clone, Default)]
pub struct Once(Arc<AtomicBool>);

impl Once {
    /// Runs the effect, unless it succeeded before.
    ///
    /// # Errors
    /// The error of the effect, which runs again the next time.
    ///
    /// # Cancel safety
    /// If the future is dropped, the effect may have taken place, and it runs again the next time.
    pub async fn run<E>(&self, effect: impl Future<Output = Result<(), E>>) -> Result<(), E> {
        if !self.is_done() {
            effect.await?;
            self.0.store(true, Ordering::Release);
        }
        Ok(())
    }

    /// Returns true if the effect took place.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// What the runtime does with a message that its handler did not handle.
#[derive(Debug)]
pub enum Decision {
    /// The broker is unavailable or full or lost its store, which is not the message's fault. The runtime handles the
    /// message again once the broker has recovered, and no attempt is used up. Wrap an effect outside of the broker
    /// that comes before such a call in [`Once::run`].
    Unavailable(Error),
    /// A store of the handler's own is unavailable, such as a database or a mail server. The runtime handles the
    /// message again until the store answers, and no attempt is used up. `/readyz` names the store meanwhile.
    ///
    /// The handler must notice the outage before its deadline passes; a deadline that passes uses up an attempt.
    Away {
        /// Name of the store for people and metrics, such as `postgresql`.
        store: &'static str,
        /// Why the call to the store failed.
        cause: anyhow::Error,
    },
    /// Deliver the message again. After the last attempt it is buried as `ATTEMPTS_EXHAUSTED`.
    Retry {
        /// Shortest delay. `None` leaves the delay to the runtime, which computes it from the attempt.
        after: Option<Duration>,
        /// Why the attempt failed.
        cause: anyhow::Error,
    },
    /// Publish a dead letter and end deliveries, because no retry can succeed.
    Bury {
        /// Stable code, such as `UNDECODABLE`.
        code: &'static str,
        /// Why the message cannot be handled.
        cause: anyhow::Error,
    },
}

impl Decision {
    /// Waits for `store`, which is unavailable.
    pub fn away(store: &'static str, cause: impl Into<anyhow::Error>) -> Self {
        Self::Away { store, cause: cause.into() }
    }

    /// Returns true if the message is not at fault and waits until the broker or a store answers.
    pub(crate) fn is_outage(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Away { .. })
    }

    /// Retries after the computed delay, as in `.map_err(Decision::retry)?`.
    ///
    /// Errors of the transport need no such call: `?` converts them by their kind.
    pub fn retry(cause: impl Into<anyhow::Error>) -> Self {
        Self::Retry { after: None, cause: cause.into() }
    }

    /// Retries after at least `delay`.
    pub fn retry_after(delay: Duration, cause: impl Into<anyhow::Error>) -> Self {
        Self::Retry { after: Some(delay), cause: cause.into() }
    }

    /// Buries the message under `code`.
    pub fn bury(code: &'static str, cause: impl Into<anyhow::Error>) -> Self {
        Self::Bury { code, cause: cause.into() }
    }

    /// Buries a message of a kind that the handler does not accept: the consumer's filters are too wide.
    #[must_use]
    pub fn unexpected(context: &Context) -> Self {
        Self::bury(UNEXPECTED_EVENT, anyhow::anyhow!("nothing is taken from {}", context.subject))
    }
}

impl From<Error> for Decision {
    /// Maps a failed call to the broker to a decision, by the kind of the error.
    fn from(error: Error) -> Self {
        match error.kind {
            ErrorKind::Unavailable | ErrorKind::ObjectsUnavailable | ErrorKind::Full | ErrorKind::Lost => {
                Self::Unavailable(error)
            }
            ErrorKind::TooLarge => Self::bury("STATE_TOO_LARGE", error),
            ErrorKind::Unreadable => Self::bury("STATE_UNREADABLE", error),
            ErrorKind::Conflict | ErrorKind::NotFound | ErrorKind::Denied | ErrorKind::Other => {
                Self::retry(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transport_error_decides_by_its_kind() {
        let decide = |kind| Decision::from(Error::new(kind, "refused"));
        for kind in [ErrorKind::Unavailable, ErrorKind::ObjectsUnavailable, ErrorKind::Full, ErrorKind::Lost]
        {
            assert!(matches!(decide(kind), Decision::Unavailable(_)), "{kind:?}");
        }
        for kind in [ErrorKind::Conflict, ErrorKind::NotFound, ErrorKind::Denied, ErrorKind::Other] {
            assert!(matches!(decide(kind), Decision::Retry { after: None, .. }), "{kind:?}");
        }
        for (kind, expected) in
            [(ErrorKind::TooLarge, "STATE_TOO_LARGE"), (ErrorKind::Unreadable, "STATE_UNREADABLE")]
        {
            assert!(matches!(decide(kind), Decision::Bury { code, .. } if code == expected), "{kind:?}");
        }
    }
}
