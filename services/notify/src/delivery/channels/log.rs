//! The log channel: a line in the service's log for each letter.

use async_trait::async_trait;
use gongkai_proto::v1;

use super::super::{
    channel::{Channel, Error},
    deadline_text::sentence,
    letter::Envelope,
    notice::Notice,
    summary::{SummaryText, is_resolved, severity_name, summary},
};

/// Writes to the log of the service. It accepts everything.
pub(crate) struct Log {
    subscription: String,
}

// === impl Log ===

impl Log {
    /// Creates the channel of a subscription.
    pub(crate) fn new(subscription: String) -> Self {
        Self { subscription }
    }

    fn rejection(&self, ended: &v1::SubmissionEnded) {
        tracing::info!(
            subscription = self.subscription,
            submission_id = ended.submission_id,
            code = ended.rejection_code,
            site = ended.sender_site,
            receipt = ended.receipt,
            "submission rejected"
        );
    }

    fn deadline(&self, notice: &v1::DeadlineNotice) {
        let SummaryText { message, message_en } = sentence(notice);
        tracing::info!(
            subscription = self.subscription,
            report = notice.report,
            agency_name = notice.agency_name,
            deadline = notice.deadline,
            message_zh = message,
            message_en,
            "deadline"
        );
    }

    fn alert(&self, alert: &v1::Alert) {
        let SummaryText { message, message_en } = summary(alert);
        tracing::info!(
            subscription = self.subscription,
            alert_id = alert.alert_id,
            state = if is_resolved(alert) { "resolved" } else { "raised" },
            severity = severity_name(alert.severity),
            report = alert.report,
            agency_name = alert.agency_name,
            cause = alert.cause,
            findings = alert.findings.len(),
            message_zh = message,
            message_en,
            url = alert.url,
            trace_id = alert.trace_id,
            "alert"
        );
    }
}

#[async_trait]
impl Channel for Log {
    async fn send(&self, envelope: &Envelope<'_>) -> Result<(), Error> {
        for letter in envelope.letters() {
            match letter.notice {
                Notice::Alert(alert) => self.alert(alert),
                Notice::Ended(ended) => self.rejection(ended),
                Notice::Deadline(notice) => self.deadline(notice),
            }
        }
        Ok(())
    }
}
