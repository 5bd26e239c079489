//! The options that select dead letters, as a filter for query.

use anyhow::ensure;
use time::format_description::well_known::Rfc3339;

use crate::{filter::term, times};

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
            let at = times::start("--since", since)?;
            terms.push(term("buried_at", ">=", &at.format(&Rfc3339)?));
        }
        Ok(terms)
    }
}

/// Dead letters by their numbers, or all open ones that options select.
#[derive(Debug, clap::Args)]
pub(super) struct Selected {
    /// Numbers of the dead letters, from the column id of `gongkai dead list`
    #[arg(value_name = "ID", conflicts_with_all = ["all", "service", "code", "cause", "subject", "since"])]
    ids: Vec<String>,
    #[command(flatten)]
    selection: Selection,
    /// All open dead letters
    #[arg(long)]
    all: bool,
}

impl Selected {
    /// Returns the names and the filter of a request, one of which is empty.
    pub(super) fn request(&self) -> anyhow::Result<(Vec<String>, String)> {
        if !self.ids.is_empty() {
            return Ok((self.ids.clone(), String::new()));
        }
        let mut terms = self.selection.terms()?;
        let choice = "请给出编号、筛选条件或 --all / give ids, an option that selects, or --all";
        ensure!(self.all || !terms.is_empty(), choice);
        terms.push(term("state", "=", "OPEN"));
        Ok((Vec::new(), terms.join(" AND ")))
    }
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
