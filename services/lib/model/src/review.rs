//! Review before publication (三审三校, 先审后发).

use time::OffsetDateTime;

/// One step of the review of an article before it was published, as the sender names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewStep {
    /// Who reviewed, such as 科室负责人.
    pub level: String,
    /// The decision, such as `approved`.
    pub decision: String,
    /// When the decision was made, if the sender gives a time.
    pub decided_at: Option<OffsetDateTime>,
}
