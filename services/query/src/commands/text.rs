//! Texts that people give with a decision.

use crate::error::QueryError;

/// Maximum length of a reason, in characters.
pub(super) const MAX_REASON: usize = 2000;
/// Maximum length of a person's name, in characters.
pub(super) const MAX_PERSON: usize = 100;

/// Returns a text that is required.
pub(super) fn text(field: &'static str, text: &str, most: usize) -> Result<String, QueryError> {
    let text = optional_text(field, text, most)?;
    if text.is_empty() { Err(QueryError::InvalidText { field, most }) } else { Ok(text) }
}

/// Returns a text that may be empty.
pub(super) fn optional_text(field: &'static str, text: &str, most: usize) -> Result<String, QueryError> {
    let text = text.trim();
    let is_fine = text.chars().count() <= most && !text.chars().any(char::is_control);
    if is_fine { Ok(text.to_owned()) } else { Err(QueryError::InvalidText { field, most }) }
}
