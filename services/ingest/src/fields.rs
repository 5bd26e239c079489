//! Checks the fields that callers send, whatever the protocol: years, texts, addresses, codes, times.

use gongkai_model::AgencyKey;
use gongkai_proto::convert;
use gongkai_worker::inert::without_credentials;

use crate::{error::Problem, times};

/// Maximum length of a text in bytes, so that the event fits into one message.
const TEXT_LIMIT: usize = 4096;

/// Parses a year of four digits. Returns 0, for an unknown year, if the text is empty.
///
/// # Errors
/// `INVALID_FIELD`.
pub fn year(field: &str, text: &str) -> Result<i32, Problem> {
    match text.parse() {
        _ if text.is_empty() => Ok(0),
        Ok(year) if (1000..=9999).contains(&year) => Ok(year),
        _ => Err(Problem::invalid(field, text, "须是四位数的年份", "must be a year of four digits")),
    }
}

/// Checks the length of a text and trims it.
///
/// # Errors
/// `INVALID_FIELD`.
pub fn text(field: &str, value: Option<String>) -> Result<String, Problem> {
    let value = value.unwrap_or_default();
    if value.len() > TEXT_LIMIT {
        return Err(Problem::invalid(
            field,
            &value,
            &format!("最多 {TEXT_LIMIT} 字节"),
            &format!("must be at most {TEXT_LIMIT} bytes"),
        ));
    }
    Ok(value.trim().to_owned())
}

/// Checks the length of an address and removes user and password, because it is part of events, receipts and answers.
///
/// # Errors
/// `INVALID_FIELD`.
pub fn address(field: &str, value: Option<String>) -> Result<String, Problem> {
    Ok(without_credentials(&text(field, value)?).into_owned())
}

/// Checks the code of an agency. Empty text means unknown.
///
/// # Errors
/// `INVALID_FIELD`.
pub fn agency_code(field: &str, value: Option<String>) -> Result<String, Problem> {
    let code = text(field, value)?;
    if code.is_empty() || AgencyKey::from_code(&code).is_ok() {
        return Ok(code);
    }
    Err(Problem::invalid(
        field,
        &code,
        "须由 1 至 64 个 A-Z a-z 0-9 _ - 组成",
        "must be 1 to 64 of the characters A-Z a-z 0-9 _ -",
    ))
}

/// Parses a time as [`times::time`] does. Empty text means unknown.
///
/// # Errors
/// `INVALID_FIELD`.
pub fn published_at(field: &str, text: &str) -> Result<Option<prost_types::Timestamp>, Problem> {
    if text.is_empty() {
        return Ok(None);
    }
    Ok(Some(convert::timestamp::timestamp(times::time(field, text)?)))
}

/// Reads a flag; false if it is empty.
///
/// # Errors
/// `INVALID_FIELD`: it is neither `true` nor `false`.
pub fn flag(name: &str, value: &str) -> Result<bool, Problem> {
    match value {
        "" | "false" => Ok(false),
        "true" => Ok(true),
        _ => Err(Problem::invalid(name, value, "须是 true 或 false", "must be true or false")),
    }
}
