//! Findings, severities and their counts.

use gongkai_model::{Concept, FactId, Finding, Severity, Summary};

use super::Error;
use crate::v1;

impl From<Severity> for v1::Severity {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Info => Self::Info,
            Severity::Review => Self::Review,
            Severity::Warning => Self::Warning,
            Severity::Error => Self::Error,
        }
    }
}

impl TryFrom<v1::Severity> for Severity {
    type Error = Error;

    fn try_from(severity: v1::Severity) -> Result<Self, Error> {
        match severity {
            v1::Severity::Info => Ok(Self::Info),
            v1::Severity::Review => Ok(Self::Review),
            v1::Severity::Warning => Ok(Self::Warning),
            v1::Severity::Error => Ok(Self::Error),
            v1::Severity::Unspecified => Err(Error::Missing { field: "severity" }),
        }
    }
}

/// Converts a severity from the number in a field.
///
/// # Errors
/// The number is unspecified or unknown.
pub fn severity(wire: i32) -> Result<Severity, Error> {
    v1::Severity::try_from(wire).map_err(|_| Error::unknown("severity", wire.to_string()))?.try_into()
}

impl From<&Finding> for v1::Finding {
    fn from(finding: &Finding) -> Self {
        Self {
            rule: finding.rule.clone(),
            severity: v1::Severity::from(finding.severity).into(),
            message: finding.message.clone(),
            message_en: finding.message_en.clone(),
            fingerprint: finding.fingerprint.clone(),
            cause: finding.cause.as_ref().map(ToString::to_string).unwrap_or_default(),
            concept: finding.concept.as_ref().map(ToString::to_string).unwrap_or_default(),
            formula: finding.formula.clone(),
            expected: finding.expected.clone(),
            actual: finding.actual.clone(),
            facts: finding.facts.iter().map(ToString::to_string).collect(),
            source: finding.source.as_ref().map(Into::into),
            versions: Some((&finding.versions).into()),
            trace_id: String::new(),
            report: String::new(),
            legal: finding.legal.clone(),
            help: finding.help.clone(),
            suggestion: finding.suggestion.clone(),
            operands_digest: finding.operands_digest.clone(),
            waiver: None,
        }
    }
}

impl TryFrom<v1::Finding> for Finding {
    type Error = Error;

    fn try_from(finding: v1::Finding) -> Result<Self, Error> {
        for (field, text) in [("rule", &finding.rule), ("fingerprint", &finding.fingerprint)] {
            if text.is_empty() {
                return Err(Error::Missing { field });
            }
        }
        let facts = finding.facts.iter().map(|text| fact_id("facts", text)).collect::<Result<_, _>>()?;
        Ok(Self {
            severity: severity(finding.severity)?,
            cause: filled(&finding.cause).map(|text| fact_id("cause", text)).transpose()?,
            concept: filled(&finding.concept).map(Concept::new),
            facts,
            source: finding.source.map(TryInto::try_into).transpose()?,
            versions: finding.versions.ok_or(Error::Missing { field: "versions" })?.into(),
            rule: finding.rule,
            message: finding.message,
            message_en: finding.message_en,
            fingerprint: finding.fingerprint,
            formula: finding.formula,
            expected: finding.expected,
            actual: finding.actual,
            legal: finding.legal,
            help: finding.help,
            suggestion: finding.suggestion,
            operands_digest: finding.operands_digest,
        })
    }
}

fn filled(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

fn fact_id(field: &'static str, text: &str) -> Result<FactId, Error> {
    text.parse().map_err(|_| Error::unknown(field, text))
}

impl From<Summary> for v1::FindingsSummary {
    fn from(summary: Summary) -> Self {
        let Summary { error, warning, review, info } = summary;
        Self { error, warning, review, info }
    }
}

impl From<v1::FindingsSummary> for Summary {
    fn from(summary: v1::FindingsSummary) -> Self {
        let v1::FindingsSummary { error, warning, review, info } = summary;
        Self { error, warning, review, info }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::convert::any;

    proptest! {
        #[test]
        fn findings_survive_the_wire(finding in any::finding()) {
            prop_assert_eq!(Finding::try_from(v1::Finding::from(&finding)), Ok(finding));
        }
    }

    #[test]
    fn counts_stay_in_their_places() {
        let summary = Summary { error: 2, warning: 3, review: 5, info: 7 };
        let wire = v1::FindingsSummary::from(summary);
        assert_eq!((wire.error, wire.warning, wire.review, wire.info), (2, 3, 5, 7));
        assert_eq!(Summary::from(wire), summary);
    }

    #[test]
    fn incomplete_findings_are_refused() {
        let good = v1::Finding {
            rule: "T3-ROW".into(),
            severity: v1::Severity::Error.into(),
            fingerprint: "f1".into(),
            versions: Some(v1::Versions::default()),
            ..Default::default()
        };
        assert!(Finding::try_from(good.clone()).is_ok());
        let bad = [
            v1::Finding { rule: String::new(), ..good.clone() },
            v1::Finding { fingerprint: String::new(), ..good.clone() },
            v1::Finding { severity: 0, ..good.clone() },
            v1::Finding { severity: 9, ..good.clone() },
            v1::Finding { cause: "a[b]".into(), ..good.clone() },
            v1::Finding { facts: vec!["requests.received[nobody]".into()], ..good.clone() },
            v1::Finding { versions: None, ..good },
        ];
        for finding in bad {
            assert!(Finding::try_from(finding.clone()).is_err(), "{finding:?}");
        }
    }
}
