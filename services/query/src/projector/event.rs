//! Events of the log as what the store keeps.

use gongkai_model::{AgencyKey, Region, ReportKey, Waiver};
use gongkai_proto::convert::{Error, report, timestamp};
use gongkai_proto::v1;
use gongkai_store::{Arrival, Content, Origin, Outcome, Prose, Section, Withdrawal};
use time::OffsetDateTime;

/// True if the original came in before publication.
#[must_use]
pub fn is_draft(origin: Option<&v1::Origin>) -> bool {
    origin.is_some_and(|origin| origin.kind() == v1::DocumentKind::Draft)
}

/// The prose as readers get it.
///
/// # Errors
/// A span with one end only: no parser of ours wrote that.
pub fn prose(text: v1::ParsedText) -> Result<Prose, Error> {
    let lines = |paragraphs: &[v1::TextParagraph]| {
        paragraphs.iter().map(|p| p.text.as_str()).collect::<Vec<_>>().join("\n")
    };
    let preamble = lines(&text.preamble);
    let section = |section: v1::TextSection| {
        let section = gongkai_model::Section::try_from(section)?;
        Ok(Section { number: section.number, text: section.text(), title: section.title })
    };
    let sections = text.sections.into_iter().map(section).collect::<Result<_, Error>>()?;
    Ok(Prose { preamble, sections })
}

/// A checked report.
///
/// # Errors
/// A field is missing or holds what this version does not know.
pub fn validated(
    event: v1::ReportValidated,
    prose: Option<Prose>,
    event_sequence: u64,
    event_at: OffsetDateTime,
) -> Result<Arrival, Error> {
    let origin = origin(event.origin)?;
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
    };
    Ok(Arrival { origin, event_sequence, event_at, outcome: Outcome::Validated(Box::new(content)) })
}

/// No report, or unreadable.
///
/// # Errors
/// A field is missing or holds what this version does not know.
pub fn rejected(
    event: v1::ReportRejected,
    event_sequence: u64,
    event_at: OffsetDateTime,
) -> Result<Arrival, Error> {
    Ok(Arrival { origin: origin(event.origin)?, event_sequence, event_at, outcome: Outcome::Rejected })
}

/// A waiver as it stands.
///
/// # Errors
/// A field is missing or holds what this version does not know.
pub fn waived(event: v1::WaiverChanged) -> Result<Waiver, Error> {
    event.waiver.ok_or(Error::Missing { field: "waiver" })?.try_into()
}

/// Taken down. An event without a time of its own counts from when the log took it.
///
/// # Errors
/// It names neither an address nor a report, or holds what this version does not know.
pub fn withdrawn(
    event: &v1::ReportWithdrawn,
    sequence: u64,
    published_at: OffsetDateTime,
) -> Result<Withdrawal, Error> {
    let at = timestamp::optional(event.withdrawn_at, "withdrawn_at")?.unwrap_or(published_at);
    let key = withdrawn_key(event)?;
    if event.url.is_empty() && key.is_none() {
        return Err(Error::Missing { field: "url" });
    }
    Ok(Withdrawal { sequence, url: event.url.clone(), key, withdrawn_at: at })
}

/// The key that the report's own stages made of the same hints.
fn withdrawn_key(event: &v1::ReportWithdrawn) -> Result<Option<ReportKey>, Error> {
    let Some(hint) = event.agency.as_ref().filter(|_| event.year != 0) else { return Ok(None) };
    let agency = if !hint.code.is_empty() {
        AgencyKey::from_code(&hint.code).map_err(|_| unknown("agency.code", &hint.code))?
    } else if !hint.name.is_empty() {
        AgencyKey::provisional(&hint.name, region(&event.region)?)
    } else {
        return Ok(None);
    };
    Ok(Some(ReportKey { agency, year: event.year }))
}

fn origin(origin: Option<v1::Origin>) -> Result<Origin, Error> {
    let origin = origin.ok_or(Error::Missing { field: "origin" })?;
    if origin.received_sequence == 0 {
        return Err(Error::Missing { field: "origin.received_sequence" });
    }
    if origin.content_hash.is_empty() {
        return Err(Error::Missing { field: "origin.content_hash" });
    }
    Ok(Origin {
        received_at: timestamp::required(origin.received_at, "origin.received_at")?,
        published_at: timestamp::optional(origin.published_at, "origin.published_at")?,
        region: region(&origin.region)?,
        submission_id: origin.submission_id,
        content_hash: origin.content_hash,
        received_sequence: origin.received_sequence,
        url: origin.url,
    })
}

fn region(text: &str) -> Result<Region, Error> {
    if text.is_empty() { Ok(Region::UNKNOWN) } else { parsed("region", text) }
}

fn parsed<T: std::str::FromStr>(field: &'static str, text: &str) -> Result<T, Error> {
    text.parse().map_err(|_| unknown(field, text))
}

fn unknown(field: &'static str, value: &str) -> Error {
    Error::Unknown { field, value: value.to_owned() }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn withdrawals_name_an_address_a_report_or_both() {
        let at = datetime!(2024-03-05 08:00 UTC);
        let hint = |code: &str, name: &str| Some(v1::AgencyHint { code: code.into(), name: name.into() });
        let event = v1::ReportWithdrawn { url: "https://a/".into(), year: 2023, ..Default::default() };
        let by_url = withdrawn(&event, 7, at).unwrap();
        assert_eq!((by_url.key, by_url.url.as_str(), by_url.withdrawn_at), (None, "https://a/", at));
        let by_code = v1::ReportWithdrawn { agency: hint("361001", "某街道"), ..event.clone() };
        assert_eq!(
            withdrawn(&by_code, 7, at).unwrap().key.unwrap().to_string(),
            "agencies/361001/reports/2023"
        );
        let by_name = v1::ReportWithdrawn { agency: hint("", "某街道"), region: "360982".into(), ..event };
        let expected = AgencyKey::provisional("某街道", "360982".parse().unwrap());
        assert_eq!(withdrawn(&by_name, 7, at).unwrap().key.unwrap().agency, expected);
        assert!(withdrawn(&v1::ReportWithdrawn::default(), 7, at).is_err());
    }
}
