//! Errors of calls to the broker.

/// Kinds of failures, by the caller's next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The broker is unreachable or did not answer in time. Try again later with the same id.
    Unavailable,
    /// The S3 store that holds the objects is unreachable or did not answer in time. Try again later.
    ObjectsUnavailable,
    /// The stream or the disk is full. Make the sender wait (503, `RESOURCE_EXHAUSTED`).
    Full,
    /// The message exceeds the broker's size limit. A retry does not help.
    TooLarge,
    /// A compare-and-set lost against another writer. Read again.
    Conflict,
    /// There is no such stream, consumer or bucket. The deployment is wrong.
    NotFound,
    /// A stream or bucket that existed is gone, empty or replaced. Wait until it is back or an operator accepts the
    /// loss.
    Lost,
    /// The operation is not permitted. The deployment is wrong.
    Denied,
    /// The stored value is damaged or was written by another program. A retry does not help.
    Unreadable,
    /// Any other failure.
    Other,
}

impl ErrorKind {
    /// Returns true if the broker or the object store is unavailable or full, or the broker lost its store. That
    /// passes with time or needs an operator.
    #[must_use]
    pub fn is_outage(self) -> bool {
        matches!(self, Self::Unavailable | Self::ObjectsUnavailable | Self::Full | Self::Lost)
    }
}

/// A failed call to the broker.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// Kind of the failure.
    pub kind: ErrorKind,
    /// What was attempted.
    pub message: String,
    /// Cause of the failure.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// Creates an error without a cause.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// Sets the cause.
    #[must_use]
    pub fn because(self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { source: Some(source.into()), ..self }
    }
}
