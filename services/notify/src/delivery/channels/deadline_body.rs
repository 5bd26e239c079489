//! The JSON body of a webhook about a deadline.

use gongkai_proto::{convert::timestamp, subjects::Event, v1};
use gongkai_worker::Context;
use serde::Serialize;

use super::{
    super::{deadline_text::sentence, summary::SummaryText},
    body::WebhookBody,
};

/// What a webhook says about a deadline. The time of its body is when it was said.
#[derive(Debug, Serialize)]
pub(super) struct DeadlineData<'a> {
    message: String,
    message_en: String,
    /// Grows with every message. Of two messages about one report, the one with the higher number is current.
    sequence: u64,
    report: &'a str,
    agency_name: &'a str,
    year: i32,
    region: &'a str,
    deadline: &'a str,
    /// The days that are left, that have passed since the deadline, or by which the report came late.
    days: u32,
    #[serde(skip_serializing_if = "str::is_empty")]
    published_on: &'a str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    withdrawn: bool,
    trace_id: &'a str,
}

impl<'a> WebhookBody<DeadlineData<'a>> {
    /// Creates the body of a notice.
    pub(super) fn about_deadline(notice: &'a v1::DeadlineNotice, context: &'a Context) -> Self {
        let event = match notice.kind() {
            v1::DeadlineNoticeKind::Missing => Event::ReportMissing,
            v1::DeadlineNoticeKind::Late => Event::ReportLate,
            v1::DeadlineNoticeKind::Reminder | v1::DeadlineNoticeKind::Unspecified => Event::DeadlineReminded,
        };
        let at = timestamp::optional(notice.said_at, "said_at").ok().flatten().unwrap_or(context.logged_at);
        let SummaryText { message, message_en } = sentence(notice);
        Self::of(
            event,
            at,
            DeadlineData {
                message,
                message_en,
                sequence: context.sequence,
                report: &notice.report,
                agency_name: &notice.agency_name,
                year: notice.year,
                region: &notice.region,
                deadline: &notice.deadline,
                days: notice.days,
                published_on: &notice.published_on,
                withdrawn: notice.withdrawn,
                trace_id: &context.trace_id,
            },
        )
    }
}
