//! A report in two halves: the header with the facts, for the log, and the prose, for the object store, so that it
//! can be erased.

use gongkai_model::{Identity, MediaType, Report, ReportKey};

use super::{Error, text as parts};
use crate::v1;

/// Returns the half for the log: everything but the prose, and a reference to the prose.
#[must_use]
pub fn header(
    report: &Report,
    key: &ReportKey,
    media_type: MediaType,
    text: v1::ContentRef,
) -> v1::ParsedReport {
    v1::ParsedReport {
        name: key.to_string(),
        agency_name: report.agency.clone(),
        year: report.year,
        form: report.form.to_string(),
        variant: report.variant.as_str().to_owned(),
        title: report.title.clone(),
        media_type: media_type.as_str().to_owned(),
        facts: report.facts.iter().map(Into::into).collect(),
        text: Some(text),
        parts: report.parts.iter().map(Into::into).collect(),
    }
}

/// Returns the half for the object store: the prose.
#[must_use]
pub fn text(report: &Report) -> v1::ParsedText {
    let mut text = v1::ParsedText {
        agency: report.agency.clone(),
        year: report.year,
        title_year: report.title_year,
        period: report.period.map(Into::into),
        title: report.title.clone(),
        preamble: report.preamble.iter().map(Into::into).collect(),
        sections: report.sections.iter().map(Into::into).collect(),
        metadata: Some((&report.metadata).into()),
        identity: Some(&report.identity).filter(|identity| **identity != Identity::default()).map(Into::into),
        ..Default::default()
    };
    parts::put_notes(&report.notes, &mut text);
    text
}

/// Joins the two halves. The agency and title are those of the header.
///
/// # Errors
/// A name, code or value that this version does not know, or the prose of another year.
pub fn report(header: v1::ParsedReport, mut text: v1::ParsedText) -> Result<Report, Error> {
    if header.year != text.year {
        return Err(Error::Contradiction { what: "header and text name different years" });
    }
    Ok(Report {
        year: header.year,
        title_year: text.title_year,
        period: text.period.map(TryInto::try_into).transpose()?,
        form: header.form.parse().map_err(|_| Error::unknown("form", &header.form))?,
        variant: header.variant.parse().map_err(|_| Error::unknown("variant", &header.variant))?,
        notes: parts::notes(&mut text)?,
        metadata: text.metadata.map(TryInto::try_into).transpose()?.unwrap_or_default(),
        identity: text.identity.map(TryInto::try_into).transpose()?.unwrap_or_default(),
        agency: header.agency_name,
        title: header.title,
        preamble: text.preamble.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
        sections: text.sections.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
        facts: header.facts.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
        parts: header.parts.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
    })
}

/// Parses the key in a field such as `ParsedReport.name`.
///
/// # Errors
/// The name is not of the form `agencies/{agency}/reports/{year}`.
pub fn key(name: &str) -> Result<ReportKey, Error> {
    name.parse().map_err(|_| Error::unknown("name", name))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::convert::any;

    proptest! {
        #[test]
        fn a_report_survives_in_two_halves(report in any::report()) {
            let key: ReportKey = "agencies/360982/reports/2023".parse().unwrap();
            let header = header(&report, &key, MediaType::Html, v1::ContentRef::default());
            prop_assert_eq!(super::key(&header.name), Ok(key));
            prop_assert_eq!(super::report(header, text(&report)), Ok(report));
        }
    }

    #[test]
    fn halves_of_different_years_do_not_join() {
        let header = v1::ParsedReport {
            year: 2023,
            form: "2021".into(),
            variant: "standard".into(),
            ..Default::default()
        };
        let text = |year| v1::ParsedText { year, ..Default::default() };
        assert!(report(header.clone(), text(2023)).is_ok());
        assert!(matches!(report(header.clone(), text(2022)), Err(Error::Contradiction { .. })));
        let header = v1::ParsedReport { form: "1999".into(), ..header };
        assert_eq!(report(header, text(2023)).unwrap_err(), Error::unknown("form", "1999"));
    }
}
