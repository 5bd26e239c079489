//! The query of a call: names and values in UTF-8, percent-encoded, each name at most once.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

use crate::error::{Code, Problem, quote};

/// Reads a query whose names must be among `known`. A parameter without a value is empty.
///
/// # Errors
/// `INVALID_FIELD`, with the name of the parameter.
pub(super) fn parameters(query: &str, known: &[&str]) -> Result<BTreeMap<String, String>, Problem> {
    let mut parameters = BTreeMap::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decoded(name).ok_or_else(|| Problem::not_utf8("query"))?;
        if !known.contains(&name.as_str()) {
            return Err(unknown(&name, known));
        }
        let value = decoded(value).ok_or_else(|| Problem::not_utf8(&name))?;
        if parameters.insert(name.clone(), value).is_some() {
            return Err(Problem::new(
                Code::InvalidField,
                format!("参数 {name} 只能出现一次"),
                format!("parameter {name} may be given once"),
            ));
        }
    }
    Ok(parameters)
}

fn decoded(text: &str) -> Option<String> {
    let text = text.replace('+', " ");
    Some(percent_decode_str(&text).decode_utf8().ok()?.into_owned())
}

fn unknown(name: &str, known: &[&str]) -> Problem {
    let (name, known) = (quote(name), known.join(", "));
    Problem::new(
        Code::InvalidField,
        format!("没有参数“{name}”，可用的有：{known}"),
        format!("there is no parameter \"{name}\"; known are {known}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 2] = ["agency_name", "year"];

    #[test]
    fn values_are_decoded() {
        let query = "agency_name=%E9%B9%BF+%E6%B1%9F&year=";
        let parameters = parameters(query, &KNOWN).unwrap();
        assert_eq!((parameters["agency_name"].as_str(), parameters["year"].as_str()), ("鹿 江", ""));
        assert_eq!(super::parameters("agency_name=鹿江100%", &KNOWN).unwrap()["agency_name"], "鹿江100%");
    }

    #[test]
    fn a_fault_names_its_parameter() {
        for (query, named) in [
            ("agency_name=%C2%B9%BD%AD", "agency_name"),
            ("year=2023&year=2022", "year"),
            ("agencyname=x", "agencyname"),
            ("%ff=x", "query"),
        ] {
            let problem = parameters(query, &KNOWN).unwrap_err();
            assert_eq!(problem.code, Code::InvalidField);
            assert!(problem.detail.contains(named) && problem.detail_en.contains(named), "{problem:?}");
        }
    }
}
