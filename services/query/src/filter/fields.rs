//! The fields of filters, their types and their operators.

use gongkai_model::{Applicant, FormId, Severity, Variant};
use gongkai_store::query::{Condition, FactField, FindingField, Op, ReportField, Value, severity_rank};

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::syntax::{self, Term, invalid_filter};
use crate::alerts::standing::AlertField;
use crate::dead_letters::index::LetterField;
use crate::error::QueryError;

/// The states of a dead letter in filters.
const LETTER_STATES: [&str; 3] = ["OPEN", "REPLAYED", "DROPPED"];

/// The states of an alert in filters.
const ALERT_STATES: [&str; 2] = ["OPEN", "RESOLVED"];

/// The type of a field.
#[derive(Debug, Clone, Copy)]
enum FieldType {
    /// Any text; `=`, `!=` and `:`.
    Text,
    /// One of a closed set of names, which the function validates; `=` and `!=`.
    Name(fn(&str) -> bool),
    /// A whole number; all comparisons.
    Integer,
    /// Any number; all comparisons.
    Number,
    /// A severity's name, compared by rank.
    Severity,
    /// `true` or `false`; `=` and `!=`.
    Flag,
    /// A time in RFC 3339, in Unix nanoseconds; all comparisons.
    Time,
}

/// Parses a filter of `ListReports`.
///
/// # Errors
/// The filter does not parse, or has an unknown field or a value of another type.
pub fn reports(filter: &str) -> Result<Vec<Condition<ReportField>>, QueryError> {
    conditions(filter, |name| {
        Some(match name {
            "year" => (ReportField::Year, FieldType::Integer),
            "form" => (ReportField::Form, FieldType::Name(|t| t.parse::<FormId>().is_ok())),
            "variant" => (ReportField::Variant, FieldType::Name(|t| t.parse::<Variant>().is_ok())),
            "agency_name" => (ReportField::AgencyName, FieldType::Text),
            "title" => (ReportField::Title, FieldType::Text),
            "region" => (ReportField::Region, FieldType::Text),
            "media_type" => (ReportField::MediaType, FieldType::Text),
            "error" => (ReportField::Findings(Severity::Error), FieldType::Integer),
            "warning" => (ReportField::Findings(Severity::Warning), FieldType::Integer),
            "review" => (ReportField::Findings(Severity::Review), FieldType::Integer),
            "info" => (ReportField::Findings(Severity::Info), FieldType::Integer),
            "withdrawn" => (ReportField::Withdrawn, FieldType::Flag),
            _ => return None,
        })
    })
}

/// Parses a filter of `ListFindings`.
///
/// # Errors
/// As for [`reports`].
pub fn findings(filter: &str) -> Result<Vec<Condition<FindingField>>, QueryError> {
    conditions(filter, |name| {
        Some(match name {
            "severity" => (FindingField::Severity, FieldType::Severity),
            "rule" => (FindingField::Rule, FieldType::Text),
            "concept" => (FindingField::Concept, FieldType::Text),
            "fingerprint" => (FindingField::Fingerprint, FieldType::Text),
            "year" => (FindingField::Year, FieldType::Integer),
            "region" => (FindingField::Region, FieldType::Text),
            "waived" => (FindingField::Waived, FieldType::Flag),
            _ => return None,
        })
    })
}

/// Parses a filter of `QueryFacts`.
///
/// # Errors
/// As for [`reports`].
pub fn facts(filter: &str) -> Result<Vec<Condition<FactField>>, QueryError> {
    conditions(filter, |name| {
        Some(match name {
            "concept" => (FactField::Concept, FieldType::Text),
            "applicant" => (FactField::Applicant, FieldType::Name(|t| t.parse::<Applicant>().is_ok())),
            "state" => (FactField::State, FieldType::Name(is_state)),
            "value" => (FactField::Value, FieldType::Number),
            "year" => (FactField::Year, FieldType::Integer),
            "region" => (FactField::Region, FieldType::Text),
            _ => return None,
        })
    })
}

/// Parses a filter of `ListDeadLetters`.
///
/// # Errors
/// As for [`reports`].
pub fn dead_letters(filter: &str) -> Result<Vec<Condition<LetterField>>, QueryError> {
    conditions(filter, |name| {
        Some(match name {
            "state" => (LetterField::State, FieldType::Name(|name| LETTER_STATES.contains(&name))),
            "service" => (LetterField::Service, FieldType::Text),
            "code" => (LetterField::Code, FieldType::Text),
            "cause" => (LetterField::Cause, FieldType::Text),
            "subject" => (LetterField::Subject, FieldType::Text),
            "message_id" => (LetterField::MessageId, FieldType::Text),
            "trace_id" => (LetterField::TraceId, FieldType::Text),
            "replays" => (LetterField::Replays, FieldType::Integer),
            "buried_at" => (LetterField::BuriedAt, FieldType::Time),
            _ => return None,
        })
    })
}

/// Parses a filter of `ListAlerts`.
///
/// # Errors
/// As for [`reports`].
pub fn alerts(filter: &str) -> Result<Vec<Condition<AlertField>>, QueryError> {
    conditions(filter, |name| {
        Some(match name {
            "state" => (AlertField::State, FieldType::Name(|name| ALERT_STATES.contains(&name))),
            "agency" => (AlertField::Agency, FieldType::Text),
            "agency_name" => (AlertField::AgencyName, FieldType::Text),
            "report" => (AlertField::Report, FieldType::Text),
            "year" => (AlertField::Year, FieldType::Integer),
            "region" => (AlertField::Region, FieldType::Text),
            "severity" => (AlertField::Severity, FieldType::Severity),
            "acknowledged" => (AlertField::Acknowledged, FieldType::Flag),
            "raised_at" => (AlertField::RaisedAt, FieldType::Time),
            _ => return None,
        })
    })
}

fn is_state(name: &str) -> bool {
    ["reported", "blank", "not_applicable", "missing", "unreadable"].contains(&name)
}

fn conditions<F>(
    filter: &str,
    known: impl Fn(&str) -> Option<(F, FieldType)>,
) -> Result<Vec<Condition<F>>, QueryError> {
    let condition = |term: Term| {
        let (field, kind) = known(&term.field)
            .ok_or_else(|| invalid_filter(term.field_at, format!("there is no field {:?}", term.field)))?;
        if !kind.takes(term.op) {
            return Err(invalid_filter(
                term.op_at,
                format!("field {:?} is not compared like this", term.field),
            ));
        }
        let value = kind.value(&term.value).ok_or_else(|| {
            invalid_filter(term.value_at, format!("field {:?} takes {}", term.field, kind.words()))
        })?;
        Ok(Condition { field, op: term.op, value })
    };
    syntax::parse(filter)?.into_iter().map(condition).collect()
}

impl FieldType {
    fn takes(self, op: Op) -> bool {
        match self {
            Self::Text => matches!(op, Op::Eq | Op::Ne | Op::Has),
            Self::Name(_) | Self::Flag => matches!(op, Op::Eq | Op::Ne),
            Self::Integer | Self::Number | Self::Severity | Self::Time => op != Op::Has,
        }
    }

    fn value(self, text: &str) -> Option<Value> {
        match self {
            Self::Text => Some(Value::Text(text.to_owned())),
            Self::Name(is_known) => is_known(text).then(|| Value::Text(text.to_owned())),
            Self::Integer => text.parse().ok().map(Value::Integer),
            Self::Number => text.parse().ok().filter(|n: &f64| n.is_finite()).map(Value::Number),
            Self::Severity => text.parse().ok().map(|s: Severity| Value::Integer(severity_rank(s))),
            Self::Flag => text.parse().ok().map(Value::Flag),
            Self::Time => {
                let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
                i64::try_from(at.unix_timestamp_nanos()).ok().map(Value::Integer)
            }
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Name(_) => "one of its known names",
            Self::Integer => "a whole number",
            Self::Number => "a number",
            Self::Severity => "INFO, REVIEW, WARNING or ERROR",
            Self::Flag => "true or false",
            Self::Time => "a time such as 2026-01-31T08:00:00+08:00",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_become_conditions() {
        let cases = [
            ("year = 2023", ReportField::Year, Op::Eq, Value::Integer(2023)),
            (r#"form = "2021""#, ReportField::Form, Op::Eq, Value::Text("2021".into())),
            ("form = 2021", ReportField::Form, Op::Eq, Value::Text("2021".into())),
            (
                "variant != single_row_other",
                ReportField::Variant,
                Op::Ne,
                Value::Text("single_row_other".into()),
            ),
            (r#"agency_name : "办公室""#, ReportField::AgencyName, Op::Has, Value::Text("办公室".into())),
            ("error > 0", ReportField::Findings(Severity::Error), Op::Gt, Value::Integer(0)),
            ("withdrawn = false", ReportField::Withdrawn, Op::Eq, Value::Flag(false)),
        ];
        for (filter, field, op, value) in cases {
            assert_eq!(reports(filter).unwrap(), [Condition { field, op, value }], "{filter}");
        }
        let severity = findings("severity >= warning").unwrap().remove(0);
        assert_eq!((severity.op, severity.value), (Op::Ge, Value::Integer(3)));
        let value = facts("value < -1.5 AND applicant = total").unwrap().remove(0);
        let late = dead_letters("buried_at >= 1970-01-01T08:00:01+08:00 AND state = OPEN").unwrap().remove(0);
        assert_eq!((late.op, late.value), (Op::Ge, Value::Integer(1_000_000_000)));
        assert_eq!(value, Condition { field: FactField::Value, op: Op::Lt, value: Value::Number(-1.5) });
    }

    #[test]
    fn what_a_field_does_not_take_is_refused_with_its_place() {
        fn position<T: std::fmt::Debug>(result: Result<T, QueryError>) -> usize {
            match result {
                Err(QueryError::InvalidFilter { position, .. }) => position,
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(position(reports("year = 2023 AND yaer = 2022")), 17);
        assert_eq!(position(reports("year = next")), 8);
        assert_eq!(position(reports("year : 2023")), 6);
        assert_eq!(position(reports("title > a")), 7);
        assert_eq!(position(reports("form = 1999")), 8);
        assert_eq!(position(reports("withdrawn = maybe")), 13);
        assert_eq!(position(reports("severity = ERROR")), 1);
        assert_eq!(position(findings("severity >= LOUD")), 13);
        assert_eq!(position(facts("value = NaN")), 9);
        assert_eq!(position(facts("state = zero")), 9);
        assert_eq!(position(facts("applicant : tot")), 11);
        assert_eq!(position(dead_letters("buried_at > yesterday")), 13);
        assert_eq!(position(dead_letters("state = LOST")), 9);
        assert_eq!(position(alerts("acknowledged : true")), 14);
    }
}
