//! The messages for receivers, an alert, a notice about a deadline or the end of a submission, and the choice of the
//! receivers for each.

use gongkai_model::Severity;
use gongkai_proto::{ReportEvent, convert::finding::severity, v1};

use super::{
    filter::Filter,
    interests::{Interests, NoticeKind},
};

/// A message for receivers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Notice {
    /// An alert was raised or resolved.
    Alert(Box<v1::Alert>),
    /// A submission ended.
    Ended(Box<v1::SubmissionEnded>),
    /// A notice about the deadline of a report.
    Deadline(Box<v1::DeadlineNotice>),
}

/// Which messages a receiver gets.
#[derive(Debug, Clone)]
pub enum Wanted {
    /// The messages of the kinds that are of interest. Alerts and notices about deadlines must pass the filter.
    Alerts(Filter, Interests),
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
            ReportEvent::Deadline(notice) => Some(Self::Deadline(notice)),
            _ => None,
        }
    }

    /// Returns the id of the alert or submission, or the report with the deadline. Messages with the same id are delivered in their order.
    pub(super) fn id(&self) -> &str {
        match self {
            Self::Alert(alert) => &alert.alert_id,
            Self::Ended(ended) => &ended.submission_id,
            Self::Deadline(notice) => &notice.report,
        }
    }

    /// Returns the kind of the message, or `None` if a later version wrote it.
    fn kind(&self) -> Option<NoticeKind> {
        match self {
            Self::Alert(_) if self.is_resolved() => Some(NoticeKind::Resolved),
            Self::Alert(_) => Some(NoticeKind::Finding),
            Self::Ended(_) => Some(NoticeKind::Rejected),
            Self::Deadline(notice) => NoticeKind::of_deadline(notice),
        }
    }

    /// Returns the severity of an alert.
    pub(super) fn severity(&self) -> Option<Severity> {
        match self {
            Self::Alert(alert) => severity(alert.severity).ok(),
            Self::Ended(_) | Self::Deadline(_) => None,
        }
    }

    /// Returns the report that an alert or a notice is about.
    pub(super) fn report(&self) -> Option<&str> {
        match self {
            Self::Alert(alert) => Some(&alert.report),
            Self::Deadline(notice) => Some(&notice.report),
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
            Self::Ended(_) | Self::Deadline(_) => v1::AlertState::Unspecified,
        }
    }
}

// === impl Wanted ===

impl Wanted {
    /// Returns true if messages of this kind may be wanted. Others never are, whatever was delivered before.
    pub(super) fn takes(&self, notice: &Notice) -> bool {
        match (self, notice) {
            (Self::EndsOf(_), notice) => matches!(notice, Notice::Ended(_)),
            (Self::Alerts(_, interests), Notice::Deadline(deadline)) if interests.is_channel_of(deadline) => {
                true
            }
            (Self::Alerts(_, interests), notice) => notice.kind().is_some_and(|kind| interests.has(kind)),
        }
    }

    /// Returns true if the receiver wants the message.
    pub(super) fn wants(&self, notice: &Notice) -> bool {
        match (self, notice) {
            (Self::Alerts(filter, _), Notice::Alert(alert)) => filter.wants(alert),
            (Self::Alerts(_, interests), Notice::Ended(ended)) => interests.has_rejection(ended),
            (Self::Alerts(filter, interests), Notice::Deadline(deadline)) => {
                interests.is_channel_of(deadline) || filter.covers_report(&deadline.report, &deadline.region)
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
