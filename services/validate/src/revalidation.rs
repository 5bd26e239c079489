//! The unit of work: which reports of one agency to validate again.

use gongkai_model::AgencyKey;

/// Reports of one agency that are to be validated, because one of them or one of their neighbours changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Revalidation {
    pub(crate) agency: AgencyKey,
    /// The years of the reports.
    pub(crate) years: Vec<i32>,
    /// Whether to publish again the outputs that this input has already caused, in case the process died before it
    /// published them. False for the second pass of one delivery, which would only repeat the first.
    pub(crate) republishes: bool,
}

impl Revalidation {
    /// Creates a revalidation of the years that also publishes earlier outputs of the same input again.
    pub(crate) fn new(agency: AgencyKey, years: Vec<i32>) -> Self {
        Self { agency, years, republishes: true }
    }
}
