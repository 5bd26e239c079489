//! Resource names in requests. `-` is the wildcard, where one is allowed.

use gongkai_model::{AgencyKey, ReportKey};
use gongkai_proto::convert::waiver as names;
use gongkai_store::ReportScope;

use crate::error::QueryError;

const ALL: &str = "-";

/// Parses `agencies/{agency}/reports/{year}`, the name of a report.
///
/// # Errors
/// The name does not have this form.
pub fn report(field: &'static str, name: &str) -> Result<ReportKey, QueryError> {
    let error = || QueryError::InvalidName { field, form: "agencies/{agency}/reports/{year}" };
    let key: ReportKey = name.parse().map_err(|_| error())?;
    // `+2023` and `02023` are numbers, but not valid in names; `-` is a wildcard, not an agency.
    if key.to_string() == name && key.agency.as_str() != ALL { Ok(key) } else { Err(error()) }
}

/// Parses `agencies/{agency}/reports/{year}/findings/{fingerprint}`.
///
/// # Errors
/// The name does not have this form.
pub fn finding(field: &'static str, name: &str) -> Result<(ReportKey, String), QueryError> {
    let form = "agencies/{agency}/reports/{year}/findings/{fingerprint}";
    one(names::of_finding(name), field, form)
}

/// Parses `agencies/{agency}/reports/{year}/waivers/{waiver}`.
///
/// # Errors
/// The name does not have this form.
pub fn waiver(field: &'static str, name: &str) -> Result<(ReportKey, String), QueryError> {
    one(names::of_waiver(name), field, "agencies/{agency}/reports/{year}/waivers/{waiver}")
}

/// Parses `deadLetters/{sequence}`, or the sequence alone. Returns the sequence.
///
/// # Errors
/// The name does not have this form.
pub fn dead_letter(field: &'static str, name: &str) -> Result<u64, QueryError> {
    let sequence = name.strip_prefix("deadLetters/").unwrap_or(name);
    let found = sequence.parse().ok().filter(|found: &u64| found.to_string() == sequence);
    found.ok_or(QueryError::InvalidName { field, form: "deadLetters/{sequence}" })
}

/// Parses `alerts/{alert}`, or the id alone. Returns the id.
///
/// # Errors
/// The name does not have this form.
pub fn alert<'a>(field: &'static str, name: &'a str) -> Result<&'a str, QueryError> {
    let id = name.strip_prefix("alerts/").unwrap_or(name);
    let is_id = (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_id { Ok(id) } else { Err(QueryError::InvalidName { field, form: "alerts/{alert}" }) }
}

fn one(
    found: Option<(ReportKey, &str)>,
    field: &'static str,
    form: &'static str,
) -> Result<(ReportKey, String), QueryError> {
    let found = found.filter(|(key, _)| key.agency.as_str() != ALL);
    found.map(|(key, id)| (key, id.to_owned())).ok_or(QueryError::InvalidName { field, form })
}

/// Parses `agencies/{agency}` or `agencies/-`.
///
/// # Errors
/// The name does not have this form.
pub fn agency(field: &'static str, name: &str) -> Result<Option<AgencyKey>, QueryError> {
    let error = || QueryError::InvalidName { field, form: "agencies/{agency} or agencies/-" };
    let code = name.strip_prefix("agencies/").ok_or_else(error)?;
    one_or_all(code).ok_or_else(error)
}

/// Parses `agencies/{agency}/reports/{year}` with `-` for either, or `agencies/{agency}` for all years.
///
/// # Errors
/// The name does not have this form.
pub fn reports(field: &'static str, name: &str) -> Result<ReportScope, QueryError> {
    let form = "agencies/{agency}/reports/{year}, - for all";
    let error = || QueryError::InvalidName { field, form };
    let rest = name.strip_prefix("agencies/").ok_or_else(error)?;
    let (code, year) = rest.split_once("/reports/").unwrap_or((rest, ALL));
    let agency = one_or_all(code).ok_or_else(error)?;
    let year = if year == ALL {
        None
    } else {
        Some(year.parse().ok().filter(|y: &i32| y.to_string() == year).ok_or_else(error)?)
    };
    Ok(ReportScope { agency, year })
}

fn one_or_all(code: &str) -> Option<Option<AgencyKey>> {
    if code == ALL { Some(None) } else { AgencyKey::from_code(code).ok().map(Some) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_wildcards() {
        assert_eq!(report("name", "agencies/361001/reports/2023").unwrap().year, 2023);
        assert_eq!(agency("parent", "agencies/-").unwrap(), None);
        assert_eq!(agency("parent", "agencies/361001").unwrap().unwrap().as_str(), "361001");
        let scope = |name| reports("parent", name).unwrap();
        assert_eq!(scope("agencies/-"), ReportScope::default());
        assert_eq!(scope("agencies/-/reports/-"), ReportScope::default());
        assert_eq!(scope("agencies/-/reports/2023").year, Some(2023));
        assert!(scope("agencies/361001/reports/2023").is_one_report());
    }

    #[test]
    fn dead_letters_are_numbered() {
        assert_eq!(dead_letter("name", "deadLetters/41").unwrap(), 41);
        assert_eq!(dead_letter("name", "41").unwrap(), 41);
        for bad in ["", "deadLetters/", "deadLetters/041", "deadLetters/+1", "deadLetters/-", "letters/1"] {
            assert!(dead_letter("name", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_alert_is_named_by_its_id() {
        assert_eq!([alert("name", "alerts/0f3c").unwrap(), alert("name", "0f3c").unwrap()], ["0f3c"; 2]);
        for bad in ["", "alerts/", "alerts/a.b", "alerts/*", "alerts/a/b", "alerts/-", &"a".repeat(65)] {
            assert!(alert("name", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for bad in [
            "",
            "361001",
            "agencies/",
            "agencies/361001",
            "agencies/-/reports/2023",
            "agencies/361001/reports/-",
            "agencies/361001/reports/+2023",
            "agencies/361001/reports/02023",
            "agencies/361001/reports/2023/",
            "agencies/街道/reports/2023",
        ] {
            assert!(report("name", bad).is_err(), "{bad}");
        }
        for bad in ["", "agencies", "agencies/", "agencies/a b", "agencies/361001/reports/2023", "-"] {
            assert!(agency("parent", bad).is_err(), "{bad}");
        }
        for bad in ["agencies//reports/-", "agencies/361001/reports/", "agencies/-/reports/x"] {
            assert!(reports("parent", bad).is_err(), "{bad}");
        }
    }
}
