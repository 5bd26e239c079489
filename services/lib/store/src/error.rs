//! What a caller can tell apart about a failed call.

/// A failed call to the read model. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No space is left: an operator must act, then the same call works.
    #[error("the disk that holds the read model is full")]
    Full,
    /// Another process or too many readers held it for too long: try again.
    #[error("the read model was busy for too long")]
    Busy,
    /// A newer program wrote it: use that one, or delete it and let it be rebuilt.
    #[error("the read model has schema {found}, this program knows up to {known}")]
    Newer {
        /// Schema version of the file.
        found: i64,
        /// Highest schema version this program knows.
        known: i64,
    },
    /// It holds something that no version of this program wrote: delete it and let it be rebuilt.
    #[error("the read model is damaged: {0}")]
    Damaged(String),
    /// A number that cannot be stored: the caller's input is wrong.
    #[error("{0} is out of range")]
    OutOfRange(&'static str),
    /// The back end failed in another way.
    #[error("the read model failed")]
    Backend(#[source] Box<dyn std::error::Error + Send + Sync>),
}
