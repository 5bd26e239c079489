//! Conversions between wire types and domain types: infallible to the wire (`From`), fallible back (`TryFrom`).
//!
//! Fields that the model lacks (a finding's `trace_id`, the `report` of a fact in an answer over many reports) are
//! left empty in the wire type, for the sender to set, and dropped on the way back. A report is sent in two halves:
//! [`report::header`] with the facts is for the log, [`report::text`] with the prose for the object store, and
//! [`report::report`] joins them.

mod difference;
pub mod fact;
pub mod finding;
pub mod history;
mod identity;
mod metadata;
pub mod part;
pub mod rejection;
pub mod report;
pub mod review;
pub mod text;
pub mod timestamp;
pub mod versions;
pub mod waiver;

#[cfg(test)]
mod any;

/// Error: the message is invalid in every version. Bury it, because a retry does not help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A required field is not set.
    #[error("field {field} is missing")]
    Missing {
        /// Name of the field in the `.proto` file.
        field: &'static str,
    },
    /// A name, code or enum number that this version does not know, or a number outside its range.
    #[error("field {field} does not take the value {value:?}")]
    Unknown {
        /// Name of the field in the `.proto` file.
        field: &'static str,
        /// Value of the field.
        value: String,
    },
    /// Fields contradict each other.
    #[error("fields contradict each other: {what}")]
    Contradiction {
        /// The rule that the fields violate, in English.
        what: &'static str,
    },
}

impl Error {
    fn unknown(field: &'static str, value: impl Into<String>) -> Self {
        Self::Unknown { field, value: value.into() }
    }
}

/// Returns both values or neither, or the error that they contradict each other.
fn pair<T>(a: Option<T>, b: Option<T>, what: &'static str) -> Result<Option<(T, T)>, Error> {
    match (a, b) {
        (Some(a), Some(b)) => Ok(Some((a, b))),
        (None, None) => Ok(None),
        _ => Err(Error::Contradiction { what }),
    }
}
