//! The messages about deadlines.

use gongkai_agencies::Agency;
use gongkai_model::ReportKey;
use gongkai_proto::{convert::timestamp::timestamp, subjects::Event, v1};
use gongkai_worker::Output;
use time::OffsetDateTime;

use super::{
    china::day_in_china,
    publications::Publications,
    said::Said,
    step::{Deadline, Step},
};

/// Returns the message that says a step, given what was said before.
pub(super) fn message(
    agency: &Agency,
    deadline: Deadline,
    step: Step,
    publications: Publications,
    said: &Said,
    now: OffsetDateTime,
) -> Output {
    let report = ReportKey { agency: agency.code.clone(), year: deadline.year };
    let after = |day: time::Date| (day - deadline.last_day).whole_days();
    let today = day_in_china(now);
    let published_on = publications.there_since.filter(|_| step == Step::Late);
    let (event, kind, round, days) = match step {
        Step::Remind { .. } => (Event::DeadlineReminded, v1::DeadlineNoticeKind::Reminder, 0, -after(today)),
        Step::Missing => {
            (Event::ReportMissing, v1::DeadlineNoticeKind::Missing, said.missing + 1, after(today))
        }
        Step::Late => (
            Event::ReportLate,
            v1::DeadlineNoticeKind::Late,
            said.late + 1,
            published_on.map_or(0, after).max(0),
        ),
    };
    let notice = v1::DeadlineNotice {
        report: report.to_string(),
        agency_name: agency.name.clone(),
        year: deadline.year,
        region: agency.region.to_string(),
        kind: kind.into(),
        deadline: deadline.last_day.to_string(),
        days: u32::try_from(days).unwrap_or_default(),
        published_on: published_on.map(|day| day.to_string()).unwrap_or_default(),
        round,
        withdrawn: step == Step::Missing && publications.is_withdrawn,
        channel: agency.channel.clone().unwrap_or_default(),
        said_at: Some(timestamp(now)),
    };
    let id = said.message_id(&report, step);
    Output { message_id: Some(id), ..Output::new(event.subject(agency.region), event.ce_type(), &notice) }
}
