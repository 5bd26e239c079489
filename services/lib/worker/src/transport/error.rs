//! What a failed call to the broker means to its caller.

/// What a caller can tell apart about a failure, hence what it does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The broker is away, or did not answer in time: try again later with the same id.
    Unavailable,
    /// The stream or the disk is full: the sender must hold back (503, `RESOURCE_EXHAUSTED`).
    Full,
    /// The message is over the broker's size limit: it will never fit.
    TooLarge,
    /// Compare-and-set lost: read again.
    Conflict,
    /// No such stream, consumer or bucket: a deployment mistake.
    NotFound,
    /// Not permitted: a deployment mistake.
    Denied,
    /// What is stored is damaged or none of ours: no retry helps.
    Unreadable,
    /// Anything else.
    Other,
}

impl ErrorKind {
    /// True if the broker is away or full: time, or an operator, mends it.
    #[must_use]
    pub fn is_outage(self) -> bool {
        matches!(self, Self::Unavailable | Self::Full)
    }
}

/// A failed call to the broker.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// What to do about it.
    pub kind: ErrorKind,
    /// What was tried.
    pub message: String,
    /// Why it failed.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// A failure with no cause below it.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// The same with its cause.
    #[must_use]
    pub fn because(self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { source: Some(source.into()), ..self }
    }
}
