//! Conversions between wire types and domain types: total towards the wire (`From`), fallible back (`TryFrom`).
//!
//! What only the wire carries (a finding's `trace_id`, the `report` of a fact in an answer over many reports) is left
//! empty on the way out and dropped on the way in; whoever sends it sets it. A report travels in two halves:
//! [`report::header`] with the facts goes into the log, [`report::text`] with the prose into the object store, and
//! [`report::report`] joins them.

pub mod fact;
pub mod finding;
pub mod history;
mod metadata;
pub mod rejection;
pub mod report;
pub mod text;
pub mod timestamp;
pub mod versions;
pub mod waiver;

#[cfg(test)]
mod any;

/// A message that no version of ours writes: bury it, it will not improve.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A field that must be set is not.
    #[error("field {field} is missing")]
    Missing {
        /// Its name in the `.proto` file.
        field: &'static str,
    },
    /// A name, code or enum number that this version does not know, or a number outside its range.
    #[error("field {field} does not take the value {value:?}")]
    Unknown {
        /// Its name in the `.proto` file.
        field: &'static str,
        /// What it held.
        value: String,
    },
    /// Each field is well formed, but they do not go together.
    #[error("fields contradict each other: {what}")]
    Contradiction {
        /// Which, and how.
        what: &'static str,
    },
}

impl Error {
    fn unknown(field: &'static str, value: impl Into<String>) -> Self {
        Self::Unknown { field, value: value.into() }
    }
}

/// Both, neither, or the error that they contradict each other.
fn pair<T>(a: Option<T>, b: Option<T>, what: &'static str) -> Result<Option<(T, T)>, Error> {
    match (a, b) {
        (Some(a), Some(b)) => Ok(Some((a, b))),
        (None, None) => Ok(None),
        _ => Err(Error::Contradiction { what }),
    }
}
