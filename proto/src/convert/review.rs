//! Steps of review.

use gongkai_model::ReviewStep;

use super::{Error, timestamp};
use crate::v1;

impl From<&ReviewStep> for v1::ReviewStep {
    fn from(step: &ReviewStep) -> Self {
        Self {
            level: step.level.clone(),
            decision: step.decision.clone(),
            decided_at: step.decided_at.map(timestamp::timestamp),
        }
    }
}

impl TryFrom<&v1::ReviewStep> for ReviewStep {
    type Error = Error;

    fn try_from(step: &v1::ReviewStep) -> Result<Self, Error> {
        Ok(Self {
            level: step.level.clone(),
            decision: step.decision.clone(),
            decided_at: timestamp::optional(step.decided_at, "review.decided_at")?,
        })
    }
}

/// Converts the steps of an event.
///
/// # Errors
/// A time is out of range.
pub fn steps(steps: &[v1::ReviewStep]) -> Result<Vec<ReviewStep>, Error> {
    steps.iter().map(TryInto::try_into).collect()
}
