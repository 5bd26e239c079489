//! Where the sender of a report and the report itself say different things.

use strum::{EnumString, IntoStaticStr};

use crate::fact::ParseError;

/// What they differ in.
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

/// One thing that sender and document say differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What it is.
    pub field: DeclaredField,
    /// By the sender.
    pub declared: String,
    /// In the document; for a code the agency that the report is filed under.
    pub read: String,
}

impl DeclaredField {
    /// The public name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}
