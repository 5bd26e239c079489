//! Converts events of the log to types of the store.

use gongkai_model::Waiver;
use gongkai_proto::convert::{self, Error, history, report};
use gongkai_proto::v1;
use gongkai_store::{ArrivalEvent, ArrivalOutcome, Content, StoredProse, StoredSection};
use time::OffsetDateTime;

/// Returns true if the document is a draft.
#[must_use]
pub fn is_draft(origin: Option<&v1::Origin>) -> bool {
    origin.is_some_and(|origin| origin.kind() == v1::DocumentKind::Draft)
}

/// Converts the prose of a report.
///
/// # Errors
/// A span lacks its start or its end.
pub fn prose(text: v1::ParsedText) -> Result<StoredProse, Error> {
    let lines = |paragraphs: &[v1::TextParagraph]| {
        paragraphs.iter().map(|p| p.text.as_str()).collect::<Vec<_>>().join("\n")
    };
    let preamble = lines(&text.preamble);
    let section = |section: v1::TextSection| {
        let section = gongkai_model::Section::try_from(section)?;
        Ok(StoredSection { number: section.number, text: section.text(), title: section.title })
    };
    let sections = text.sections.into_iter().map(section).collect::<Result<_, Error>>()?;
    Ok(StoredProse { preamble, sections })
}

/// Converts the arrival of a validated report.
///
/// # Errors
/// A field is missing or has a value that this version does not know.
pub fn validated(
    event: v1::ReportValidated,
    prose: Option<StoredProse>,
    event_sequence: u64,
    event_at: OffsetDateTime,
) -> Result<ArrivalEvent, Error> {
    let moved_from = event.moved_from.iter().map(|name| report::key(name)).collect::<Result<_, _>>()?;
    let steps = event.origin.as_ref().map_or(&[][..], |origin| &origin.review);
    let review = convert::review::steps(steps)?;
    let header = event.report.ok_or(Error::Missing { field: "report" })?;
    let content = Content {
        key: report::key(&header.name)?,
        form: parsed("form", &header.form)?,
        variant: parsed("variant", &header.variant)?,
        agency_name: header.agency_name,
        title: header.title,
        media_type: header.media_type,
        facts: header.facts.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
        findings: event.findings.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
        versions: event.versions.ok_or(Error::Missing { field: "versions" })?.into(),
        trace_id: event.trace_id,
        prose,
        review,
    };
    let outcome = ArrivalOutcome::Validated(Box::new(content));
    Ok(ArrivalEvent { moved_from, ..arrival_event(event.origin, event_sequence, event_at, outcome)? })
}

/// Converts the arrival of a rejected document.
///
/// # Errors
/// A field is missing or has a value that this version does not know.
pub fn rejected(
    event: v1::ReportRejected,
    event_sequence: u64,
    event_at: OffsetDateTime,
) -> Result<ArrivalEvent, Error> {
    arrival_event(event.origin, event_sequence, event_at, ArrivalOutcome::Rejected)
}

/// Converts a waiver with its current state.
///
/// # Errors
/// A field is missing or has a value that this version does not know.
pub fn waived(event: v1::WaiverChanged) -> Result<Waiver, Error> {
    event.waiver.ok_or(Error::Missing { field: "waiver" })?.try_into()
}

fn arrival_event(
    origin: Option<v1::Origin>,
    event_sequence: u64,
    event_at: OffsetDateTime,
    outcome: ArrivalOutcome,
) -> Result<ArrivalEvent, Error> {
    let origin = origin.ok_or(Error::Missing { field: "origin" })?;
    let arrival = history::arrival(&origin, event_sequence)?;
    // Nothing depends on this time: if it cannot be read, it counts as not given.
    let event_time = convert::timestamp::optional(origin.event_time, "origin.event_time").unwrap_or_default();
    Ok(ArrivalEvent {
        submission_id: origin.submission_id,
        arrival,
        event_at,
        event_time,
        outcome,
        moved_from: Vec::new(),
    })
}

fn parsed<T: std::str::FromStr>(field: &'static str, text: &str) -> Result<T, Error> {
    text.parse().map_err(|_| Error::Unknown { field, value: text.to_owned() })
}
