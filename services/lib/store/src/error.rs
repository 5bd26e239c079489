//! The error of every call.

/// Error: a call to the read model failed. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The disk is full. An operator must act; then the same call succeeds.
    #[error("the disk that holds the read model is full")]
    Full,
    /// Another process, or too many readers, blocked the store for too long. Retry.
    #[error("the read model was busy for too long")]
    Busy,
    /// A newer program wrote the file. Use that program, or delete the file and let it be rebuilt.
    #[error("the read model has schema {found}, this program knows up to {known}")]
    Newer {
        /// Schema version of the file.
        found: i64,
        /// Highest schema version that this program knows.
        known: i64,
    },
    /// The file differs from the one that this program wrote. It must be rebuilt.
    #[error("the read model is damaged: {0}")]
    Damaged(String),
    /// Another event with this sequence is stored: the event belongs to another log, which needs another read model.
    #[error("event {sequence} is not the one that the read model holds")]
    OtherLog {
        /// The stream sequence of both events.
        sequence: u64,
    },
    /// The read model was closed, because another replaces it.
    #[error("the read model was replaced")]
    Closed,
    /// The caller passed a number that cannot be stored.
    #[error("{0} is out of range")]
    OutOfRange(&'static str),
    /// The back end failed in another way.
    #[error("the read model failed")]
    Backend(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull => Self::Full,
            _ => Self::Backend(Box::new(error)),
        }
    }
}
