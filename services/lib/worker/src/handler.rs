//! The contract between a stage and the runtime: one message in, outputs or a decision out.
//!
//! A handler cannot acknowledge, publish or spawn; that makes it a function to test.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use time::OffsetDateTime;

use crate::dead_letter::UNEXPECTED_EVENT;
use crate::output::Output;
use crate::transport::{Error, ErrorKind};

/// A stage's work on one kind of message.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// What it takes: made by the runtime from a message's subject, which tells kinds apart, and its payload. What cannot be
    /// made is buried as `UNDECODABLE`.
    ///
    /// The bound is the standard library's, so that a crate of messages need not know this one.
    type Input: for<'a> TryFrom<(&'a str, Bytes), Error: Into<anyhow::Error>> + Send + 'static;

    /// Turns one input into outputs. Must be idempotent: a message may come more than once.
    ///
    /// # Errors
    /// A [`Decision`]: try again later, or bury.
    async fn handle(&self, input: Self::Input, context: &Context) -> Result<Vec<Output>, Decision>;
}

/// A payload as it came, for a handler that looks into none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raw(pub Bytes);

impl From<(&str, Bytes)> for Raw {
    fn from((_, payload): (&str, Bytes)) -> Self {
        Self(payload)
    }
}

/// What a handler may know about its message.
#[derive(Debug, Clone)]
pub struct Context {
    /// `Nats-Msg-Id` of the input: outputs' ids are built on it.
    pub message_id: String,
    /// The subject it came on.
    pub subject: String,
    /// Its stream sequence.
    pub sequence: u64,
    /// When the stream took it: the only clock a handler has.
    pub logged_at: OffsetDateTime,
    /// 1 for the first delivery.
    pub attempt: u32,
    /// The trace it travels under, 32 hex digits.
    pub trace_id: String,
}

/// What becomes of an input that gave no outputs.
#[derive(Debug)]
pub enum Decision {
    /// The broker is away or full, which is no fault of the message: it is handled again once the broker is back, and
    /// no attempt is used up.
    Unavailable(Error),
    /// Come again; the runtime computes the delay from the attempt unless one is given. Out of attempts: buried.
    Retry {
        /// Wait at least this long.
        after: Option<Duration>,
        /// Why.
        cause: anyhow::Error,
    },
    /// It will never work: dead letter.
    Bury {
        /// Stable code, such as `UNDECODABLE`.
        code: &'static str,
        /// Why.
        cause: anyhow::Error,
    },
}

impl Decision {
    /// Try again after the computed delay. Reads `.map_err(Decision::retry)?`. Not for the transport's errors, which
    /// decide themselves: `?` does.
    pub fn retry(cause: impl Into<anyhow::Error>) -> Self {
        Self::Retry { after: None, cause: cause.into() }
    }

    /// Try again after at least `delay`.
    pub fn retry_after(delay: Duration, cause: impl Into<anyhow::Error>) -> Self {
        Self::Retry { after: Some(delay), cause: cause.into() }
    }

    /// Give up and keep a dead letter.
    pub fn bury(code: &'static str, cause: impl Into<anyhow::Error>) -> Self {
        Self::Bury { code, cause: cause.into() }
    }

    /// Give up a message of a kind that the handler has no use for: its consumer's filters let through too much.
    #[must_use]
    pub fn unexpected(context: &Context) -> Self {
        Self::bury(UNEXPECTED_EVENT, anyhow::anyhow!("nothing is taken from {}", context.subject))
    }
}

impl From<Error> for Decision {
    /// What a failed call to the broker means for the message that needed it.
    fn from(error: Error) -> Self {
        match error.kind {
            ErrorKind::Unavailable | ErrorKind::Full => Self::Unavailable(error),
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
        for kind in [ErrorKind::Unavailable, ErrorKind::Full] {
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
