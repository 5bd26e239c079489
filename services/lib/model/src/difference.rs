//! Differences between the sender's metadata of a report and the report itself.

use strum::{EnumString, IntoStaticStr};

use crate::fact::ParseError;

/// The field in which sender and document differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case", parse_err_ty = ParseError, parse_err_fn = ParseError::of)]
pub enum DeclaredField {
    /// The agency's name.
    Agency,
    /// The agency's code.
    AgencyCode,
    /// The report's year.
    Year,
}

/// One difference between the sender and the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The field.
    pub field: DeclaredField,
    /// The value of the sender.
    pub declared: String,
    /// The value in the document; for a code, the agency that the report is filed under.
    pub read: String,
}

impl DeclaredField {
    /// Returns the public name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}
