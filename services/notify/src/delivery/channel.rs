//! The interface of the channels by which messages are delivered, and what a failed attempt means.

use std::time::Duration;

use gongkai_worker::dead_letter;

use super::letter::Envelope;

/// A way to a receiver.
///
/// An implementation makes one attempt and interprets the answer. It keeps nothing between attempts: what waits, what
/// was delivered and when to try again is decided by its callers.
#[async_trait::async_trait]
pub(crate) trait Channel: Send + Sync {
    /// Delivers the letters of an envelope. A repeat has the same envelope id.
    ///
    /// # Errors
    /// The receiver did not accept it. After [`Error::Later`] it may by itself; after any other error a person has to
    /// mend the subscription, unless it accepts other messages.
    async fn send(&self, envelope: &Envelope<'_>) -> Result<(), Error>;
}

/// Error: the receiver did not accept a message. No variant contains a secret or a URL.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum Error {
    /// The receiver may accept the message later.
    #[error("receiver did not take the message for now: {cause}")]
    Later {
        /// Delay that the receiver asked for.
        wish: Option<Duration>,
        /// Status, code or failure of the attempt.
        cause: String,
        /// True if the cause may be this message, so that the receiver may accept others.
        may_be_message: bool,
    },
    /// The receiver is gone permanently.
    #[error("receiver is gone for good ({0})")]
    Gone(String),
    /// The receiver answered with a redirect, which is not followed.
    #[error("receiver redirects ({0}): put the final address into the config")]
    Redirected(String),
    /// The receiver refused the message.
    #[error("receiver refuses the message ({0})")]
    Refused(String),
    /// The host name resolves to an address that is not allowed.
    #[error("receiver's name leads to a forbidden address: {0}")]
    Forbidden(String),
    /// Every attempt failed.
    #[error("receiver did not take the message in any attempt: {0}")]
    Exhausted(String),
}

// === impl Error ===

impl Error {
    /// Creates the error of a waiting message that is not in its stream, or not yet on the replica that answered.
    pub(super) fn missing() -> Self {
        Self::Later { wish: None, cause: "alert is not in its stream".to_owned(), may_be_message: true }
    }

    /// Creates the error of a receiver that takes nothing for now, whatever the message is.
    pub(super) fn away(cause: impl Into<String>) -> Self {
        Self::Later { wish: None, cause: cause.into(), may_be_message: false }
    }

    /// Creates the error of a receiver that takes no more messages for this long.
    pub(super) fn throttled(wish: Duration, cause: impl Into<String>) -> Self {
        Self::Later { wish: Some(wish), cause: cause.into(), may_be_message: false }
    }

    /// Returns true if another attempt may succeed without anybody's help.
    pub(super) fn may_pass(&self) -> bool {
        matches!(self, Self::Later { .. })
    }

    /// Returns true if the cause may be this message, so that the receiver may accept others.
    pub(super) fn may_be_message(&self) -> bool {
        matches!(self, Self::Later { may_be_message: true, .. } | Self::Refused(_))
    }

    /// Returns the delay that the receiver asked for.
    pub(super) fn wish(&self) -> Option<Duration> {
        match self {
            Self::Later { wish, .. } => *wish,
            _ => None,
        }
    }

    /// The values of [`Self::outcome`].
    pub(super) const OUTCOMES: [&'static str; 5] = ["later", "gone", "redirected", "refused", "forbidden"];

    /// Returns the result of an attempt as a label.
    pub(super) fn outcome(&self) -> &'static str {
        let [later, gone, redirected, refused, forbidden] = Self::OUTCOMES;
        match self {
            Self::Later { .. } | Self::Exhausted(_) => later,
            Self::Gone(_) => gone,
            Self::Redirected(_) => redirected,
            Self::Refused(_) => refused,
            Self::Forbidden(_) => forbidden,
        }
    }

    /// Returns the code of the dead letter.
    #[must_use]
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Later { .. } | Self::Exhausted(_) => dead_letter::ATTEMPTS_EXHAUSTED,
            Self::Gone(_) => "GONE",
            Self::Redirected(_) => "REDIRECTED",
            Self::Refused(_) => "REFUSED",
            Self::Forbidden(_) => "FORBIDDEN_ADDRESS",
        }
    }
}
