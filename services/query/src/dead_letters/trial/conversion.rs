//! The conversions of an event that every stage makes before it has an effect.

use gongkai_model::Report;
use gongkai_proto::convert::{self, Error, history};
use gongkai_proto::{ReportEvent, v1};
use time::OffsetDateTime;

use super::verdict::Verdict;
use crate::projector::event;

/// Code of validate: the event has content that no version of gongkai writes.
pub(super) const UNREADABLE_EVENT: &str = "UNREADABLE_EVENT";

/// Tells whether an event can be converted to what it means.
pub(super) fn of(event: ReportEvent) -> Verdict {
    // Only the rank and the time of the result depend on these.
    let (sequence, at) = (1, OffsetDateTime::UNIX_EPOCH);
    let converted = match event {
        ReportEvent::Received(_) => Ok(()),
        ReportEvent::Parsed(parsed) => report(*parsed, None).map(drop),
        ReportEvent::Validated(validated) => event::validated(*validated, None, sequence, at).map(drop),
        ReportEvent::Rejected(rejected) => event::rejected(*rejected, sequence, at).map(drop),
        ReportEvent::Withdrawn(withdrawn) => history::withdrawal(&withdrawn, sequence, at).map(drop),
        ReportEvent::Waived(waived) => event::waived(*waived).map(drop),
        ReportEvent::Erased(erased) => history::erasure(&erased).map(drop),
        ReportEvent::AlertRaised(_)
        | ReportEvent::AlertResolved(_)
        | ReportEvent::SubmissionEnded(_)
        | ReportEvent::Deadline(_) => Ok(()),
    };
    converted.map_or_else(|error| Verdict::fails(UNREADABLE_EVENT, &error), |()| Verdict::passes())
}

/// Returns the report of an event with its prose, as validate reads it.
///
/// # Errors
/// The event lacks a part that every version writes, or has a value that this version does not know.
pub(super) fn report(parsed: v1::ReportParsed, text: Option<v1::ParsedText>) -> Result<Report, Error> {
    let origin = parsed.origin.ok_or(Error::Missing { field: "origin" })?;
    let header = parsed.report.ok_or(Error::Missing { field: "report" })?;
    if origin.kind() != v1::DocumentKind::Draft {
        history::arrival(&origin, 1)?;
    }
    convert::review::steps(&origin.review)?;
    convert::report::key(&header.name)?;
    if !parsed.filed_as.is_empty() {
        convert::report::key(&parsed.filed_as)?;
    }
    for difference in parsed.differences {
        gongkai_model::Difference::try_from(difference)?;
    }
    let text = text.unwrap_or_else(|| v1::ParsedText { year: header.year, ..v1::ParsedText::default() });
    convert::report::report(header, text)
}
