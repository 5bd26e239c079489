//! The messages for receivers, an alert or the end of a submission, and the choice of the receivers for each.

use gongkai_model::Severity;
use gongkai_proto::{ReportEvent, convert::finding::severity, subjects::has_rejections_of, v1};

use super::filter::Filter;

/// A message for receivers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Notice {
    /// An alert was raised or resolved.
    Alert(Box<v1::Alert>),
    /// A submission ended.
    Ended(Box<v1::SubmissionEnded>),
}

/// Which messages a receiver gets.
#[derive(Debug, Clone)]
pub enum Wanted {
    /// The alerts that pass a filter, and the rejected submissions of these sites.
    Alerts(Filter, Vec<String>),
    /// The ends of the submissions of this site.
    EndsOf(String),
}

// === impl Notice ===

impl Notice {
    /// Returns the notice that an event contains, or `None` if it contains none.
    pub(super) fn of(event: ReportEvent) -> Option<Self> {
        match event {
            ReportEvent::AlertRaised(alert) | ReportEvent::AlertResolved(alert) => Some(Self::Alert(alert)),
            ReportEvent::SubmissionEnded(ended) => Some(Self::Ended(ended)),
            _ => None,
        }
    }

    /// Returns the id of the alert or submission. Messages with the same id are delivered in their order.
    pub(super) fn id(&self) -> &str {
        match self {
            Self::Alert(alert) => &alert.alert_id,
            Self::Ended(ended) => &ended.submission_id,
        }
    }

    /// Returns the severity of an alert.
    pub(super) fn severity(&self) -> Option<Severity> {
        match self {
            Self::Alert(alert) => severity(alert.severity).ok(),
            Self::Ended(_) => None,
        }
    }

    /// Returns the report that an alert is about.
    pub(super) fn report(&self) -> Option<&str> {
        match self {
            Self::Alert(alert) => Some(&alert.report),
            Self::Ended(_) => None,
        }
    }

    /// Returns true if the notice is complete.
    pub(super) fn is_whole(&self) -> bool {
        let is_json = |text: &str| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
        !self.id().is_empty() && !matches!(self, Self::Ended(ended) if !is_json(&ended.receipt))
    }

    /// Returns true if this is the end of an alert.
    pub(super) fn is_resolved(&self) -> bool {
        self.state() == v1::AlertState::Resolved
    }

    /// Returns the state of an alert.
    pub(super) fn state(&self) -> v1::AlertState {
        match self {
            Self::Alert(alert) => alert.state(),
            Self::Ended(_) => v1::AlertState::Unspecified,
        }
    }
}

// === impl Wanted ===

impl Wanted {
    /// Returns true if the receiver wants the message.
    pub(super) fn wants(&self, notice: &Notice) -> bool {
        match (self, notice) {
            (Self::Alerts(filter, _), Notice::Alert(alert)) => filter.wants(alert),
            (Self::Alerts(_, rejections), Notice::Ended(ended)) => {
                !ended.rejection_code.is_empty() && has_rejections_of(rejections, &ended.sender_site)
            }
            (Self::EndsOf(site), Notice::Ended(ended)) => ended.site == *site,
            _ => false,
        }
    }

    /// Returns true if the receiver wants messages about this report, whatever its alerts are.
    pub(super) fn covers(&self, notice: &Notice) -> bool {
        matches!((self, notice), (Self::Alerts(filter, _), Notice::Alert(alert)) if filter.covers(alert))
    }
}
