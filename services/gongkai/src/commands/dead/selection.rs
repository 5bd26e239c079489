//! The options that select dead letters, as a filter for query.

use anyhow::Context as _;
use time::{
    Date, OffsetDateTime, Time, UtcOffset,
    format_description::well_known::{Iso8601, Rfc3339},
};

/// Which dead letters to select.
#[derive(Debug, clap::Args)]
pub(super) struct Selection {
    /// Service that gave up: ingest, parse, validate, notify or query
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// Error code, such as UNDECODABLE or ATTEMPTS_EXHAUSTED
    #[arg(long, value_name = "CODE")]
    code: Option<String>,
    /// Part of the cause
    #[arg(long, value_name = "TEXT")]
    cause: Option<String>,
    /// Part of the subject
    #[arg(long, value_name = "TEXT")]
    subject: Option<String>,
    /// Buried at this time or later: a day (yyyy-mm-dd, China time) or a time (RFC 3339)
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
}

impl Selection {
    /// Returns the terms of the filter.
    pub(super) fn terms(&self) -> anyhow::Result<Vec<String>> {
        let mut terms = Vec::new();
        for (field, op, value) in [
            ("service", "=", &self.service),
            ("code", "=", &self.code),
            ("cause", ":", &self.cause),
            ("subject", ":", &self.subject),
        ] {
            terms.extend(value.as_ref().map(|value| term(field, op, value)));
        }
        if let Some(since) = &self.since {
            let at = beginning(since).with_context(|| {
                format!(
                    "--since {since}: must be a day like 2026-01-31 or a time like 2026-01-31T18:00:00+08:00"
                )
            })?;
            terms.push(term("buried_at", ">=", &at.format(&Rfc3339)?));
        }
        Ok(terms)
    }
}

/// Returns a term of a filter.
pub(super) fn term(field: &str, op: &str, value: &str) -> String {
    format!("{field} {op} \"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Parses a time, or a date as the beginning of that day in China.
fn beginning(text: &str) -> Option<OffsetDateTime> {
    let china = UtcOffset::from_hms(8, 0, 0).ok()?;
    let day = || Some(Date::parse(text, &Iso8601::DATE).ok()?.with_time(Time::MIDNIGHT).assume_offset(china));
    OffsetDateTime::parse(text, &Rfc3339).ok().or_else(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_become_terms() {
        let selection = Selection {
            service: Some("parse".into()),
            code: None,
            cause: Some(r#"no "a\b""#.into()),
            subject: None,
            since: Some("2026-01-31".into()),
        };
        assert_eq!(
            selection.terms().unwrap(),
            [
                r#"service = "parse""#,
                r#"cause : "no \"a\\b\"""#,
                r#"buried_at >= "2026-01-31T00:00:00+08:00""#
            ]
        );
        let bad =
            Selection { service: None, code: None, cause: None, subject: None, since: Some("now".into()) };
        assert!(bad.terms().unwrap_err().to_string().contains("--since now"));
    }
}
