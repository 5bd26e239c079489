//! The error of every call.

/// A failed call to the read model. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The disk is full: an operator must act, then the same call works.
    #[error("the disk that holds the read model is full")]
    Full,
    /// Another process, or too many readers, held the store for too long: retry.
    #[error("the read model was busy for too long")]
    Busy,
    /// A newer program wrote the file: use that one, or delete the file and let it be rebuilt.
    #[error("the read model has schema {found}, this program knows up to {known}")]
    Newer {
        /// Schema version of the file.
        found: i64,
        /// Highest schema version this program knows.
        known: i64,
    },
    /// The file holds something that no version of this program wrote: delete it and let it be rebuilt.
    #[error("the read model is damaged: {0}")]
    Damaged(String),
    /// The caller's input is a number that cannot be stored.
    #[error("{0} is out of range")]
    OutOfRange(&'static str),
    /// The back end failed in another way.
    #[error("the read model failed")]
    Backend(#[source] Box<dyn std::error::Error + Send + Sync>),
}
