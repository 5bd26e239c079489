//! The record of what was said about the deadline of an agency and a year.

use gongkai_model::ReportKey;

use super::step::Step;

/// What was said about one deadline. Absent while nothing was.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Said {
    /// How many days before the deadline the last reminder was due.
    #[prost(uint32, optional, tag = "1")]
    pub reminded: Option<u32>,
    /// How often the report was said to be missing.
    #[prost(uint32, tag = "2")]
    pub missing: u32,
    /// How often the report was said to have come after the deadline.
    #[prost(uint32, tag = "3")]
    pub late: u32,
    /// The last thing said is that the report is missing.
    #[prost(bool, tag = "4")]
    pub is_missing: bool,
}

// === impl Said ===

impl Said {
    /// Returns the key of the record about a report.
    pub(super) fn key(report: &ReportKey) -> String {
        format!("deadlines/{}/{}", report.agency, report.year)
    }

    /// Returns the record after a step was said.
    #[must_use]
    pub fn after(mut self, step: Step) -> Self {
        match step {
            Step::Remind { days_before } => self.reminded = Some(days_before.into()),
            Step::Missing => (self.missing, self.is_missing) = (self.missing + 1, true),
            Step::Late => (self.late, self.is_missing) = (self.late + 1, false),
        }
        self
    }

    /// Returns the message id of the next step about a report: the same whenever and wherever it is said.
    pub(super) fn message_id(&self, report: &ReportKey, step: Step) -> String {
        let what = match step {
            Step::Remind { days_before } => format!("remind.{days_before}"),
            Step::Missing => format!("missing.{}", self.missing + 1),
            Step::Late => format!("late.{}", self.late + 1),
        };
        format!("deadline.{}.{}.{what}", report.agency, report.year)
    }
}
