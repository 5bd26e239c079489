//! The kinds of messages that a subscription wants.

use std::collections::BTreeSet;

use anyhow::ensure;
use gongkai_proto::{subjects::has_rejections_of, v1};
use serde::{Deserialize, Serialize};

/// A kind of message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NoticeKind {
    /// An alert about findings.
    Finding,
    /// The end of an alert.
    Resolved,
    /// A submission that was rejected.
    Rejected,
    /// A deadline comes and the report is not there.
    Reminder,
    /// A deadline is over and the report is not there.
    Missing,
    /// A report came late.
    Late,
}

/// The kinds of messages that a subscription wants, and those that belong to it alone.
#[derive(Debug, Clone, Default)]
pub struct Interests {
    subscription: String,
    kinds: BTreeSet<NoticeKind>,
    /// The sites whose rejected submissions are wanted.
    rejections: Vec<String>,
}

// === impl NoticeKind ===

impl NoticeKind {
    /// Returns the kind of a notice about a deadline, or `None` if a later version wrote it.
    pub(super) fn of_deadline(notice: &v1::DeadlineNotice) -> Option<Self> {
        match notice.kind() {
            v1::DeadlineNoticeKind::Unspecified => None,
            v1::DeadlineNoticeKind::Reminder => Some(Self::Reminder),
            v1::DeadlineNoticeKind::Missing => Some(Self::Missing),
            v1::DeadlineNoticeKind::Late => Some(Self::Late),
        }
    }
}

// === impl Interests ===

impl Interests {
    /// Reads `events` and `rejections` of a subscription. Without events, it wants alerts, their ends, and the
    /// rejections of those sites.
    ///
    /// # Errors
    /// The keys contradict each other. The error says how to correct them.
    pub fn new(subscription: &str, events: &[NoticeKind], rejections: &[String]) -> anyhow::Result<Self> {
        let mut kinds: BTreeSet<NoticeKind> = events.iter().copied().collect();
        if kinds.is_empty() {
            kinds.extend([NoticeKind::Finding, NoticeKind::Resolved]);
            kinds.extend((!rejections.is_empty()).then_some(NoticeKind::Rejected));
        }
        let has = |kind| kinds.contains(&kind);
        ensure!(
            has(NoticeKind::Finding) || !has(NoticeKind::Resolved),
            "events has resolved without finding: add finding, or remove it"
        );
        ensure!(
            has(NoticeKind::Rejected) != rejections.is_empty(),
            "rejected in events and the sites in rejections go together: give both or neither"
        );
        Ok(Self { subscription: subscription.to_owned(), kinds, rejections: rejections.to_vec() })
    }

    /// Returns true if messages of this kind are wanted.
    #[must_use]
    pub fn has(&self, kind: NoticeKind) -> bool {
        self.kinds.contains(&kind)
    }

    /// Returns true if the rejection of a submission is wanted.
    pub(super) fn has_rejection(&self, ended: &v1::SubmissionEnded) -> bool {
        let is_rejected = !ended.rejection_code.is_empty();
        is_rejected
            && self.has(NoticeKind::Rejected)
            && has_rejections_of(&self.rejections, &ended.sender_site)
    }

    /// Returns true if the registry names the subscription for the agency of the notice.
    pub(super) fn is_channel_of(&self, notice: &v1::DeadlineNotice) -> bool {
        !notice.channel.is_empty() && notice.channel == self.subscription
    }
}

#[cfg(test)]
mod tests {
    use super::{NoticeKind::*, *};

    #[test]
    fn without_events_alerts_are_wanted_and_the_rejections_of_sites() {
        let all = [Finding, Resolved, Rejected, Reminder, Missing, Late];
        let wanted = |events: &[NoticeKind], sites: &[&str]| {
            let sites: Vec<String> = sites.iter().map(ToString::to_string).collect();
            let interests = Interests::new("a", events, &sites).map_err(|error| error.to_string())?;
            Ok::<_, String>(all.into_iter().filter(|kind| interests.has(*kind)).collect::<Vec<_>>())
        };
        assert_eq!(wanted(&[], &[]), Ok(vec![Finding, Resolved]));
        assert_eq!(wanted(&[], &["yunxi"]), Ok(vec![Finding, Resolved, Rejected]));
        assert_eq!(wanted(&[Missing, Late], &[]), Ok(vec![Missing, Late]));
        assert!(wanted(&[Resolved], &[]).unwrap_err().contains("without finding"));
        assert!(wanted(&[Finding], &["yunxi"]).unwrap_err().contains("go together"));
        assert!(wanted(&[Rejected], &[]).unwrap_err().contains("go together"));
    }
}
