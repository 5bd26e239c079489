//! Page sizes and page tokens. A token is bound to its request; it is an error with another request.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use gongkai_store::Cursor;
use gongkai_store::query::Key;
use prost::Message as _;
use sha2::{Digest as _, Sha256};

use crate::error::QueryError;

const DEFAULT_SIZE: usize = 50;
const MAX_SIZE: usize = 1000;
/// Longer than any valid token.
const MAX_TOKEN: usize = 4096;

/// Returns the number of rows per page: 0 means 50, and more than 1000 means 1000.
///
/// # Errors
/// `page_size` is negative.
pub fn size(page_size: i32) -> Result<usize, QueryError> {
    match usize::try_from(page_size) {
        Ok(0) => Ok(DEFAULT_SIZE),
        Ok(n) => Ok(n.min(MAX_SIZE)),
        Err(_) => Err(QueryError::InvalidPageSize),
    }
}

/// Returns the sequence before which the next page begins, in a list that goes from the newest message to the oldest.
///
/// # Errors
/// The cursor is not one of such a list.
pub fn sequence(cursor: Option<Cursor>) -> Result<u64, QueryError> {
    let Some(Cursor(keys)) = cursor else { return Ok(u64::MAX) };
    match keys.as_slice() {
        [Key::Integer(sequence)] => u64::try_from(*sequence).map_err(|_| QueryError::InvalidPageToken),
        _ => Err(QueryError::InvalidPageToken),
    }
}

/// Returns one page of a list that goes from the newest message to the oldest, and where the next page begins. `rows` are
/// those from the page's beginning on.
pub fn newest_first<T>(
    rows: impl Iterator<Item = T>,
    size: usize,
    sequence: impl Fn(&T) -> u64,
) -> (Vec<T>, Option<Cursor>) {
    let mut page: Vec<T> = rows.take(size + 1).collect();
    let has_more = page.len() > size;
    page.truncate(size);
    let last = page.last().filter(|_| has_more).and_then(|last| i64::try_from(sequence(last)).ok());
    (page, last.map(|last| Cursor(vec![Key::Integer(last)])))
}

/// Encodes and decodes the page tokens of one request. A token is bound to all fields but size and token.
pub struct PageTokens([u8; 8]);

/// The encoded form of a token.
#[derive(Clone, PartialEq, prost::Message)]
struct TokenBody {
    #[prost(bytes = "vec", tag = "1")]
    question: Vec<u8>,
    #[prost(message, repeated, tag = "2")]
    keys: Vec<ConditionPart>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct ConditionPart {
    #[prost(sint64, optional, tag = "1")]
    integer: Option<i64>,
    #[prost(string, optional, tag = "2")]
    text: Option<String>,
}

impl PageTokens {
    /// Creates the tokens for a method's name and the fields of its request.
    #[must_use]
    pub fn new(parts: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(part.len().to_string());
            hash.update(b":");
            hash.update(part);
        }
        let digest = hash.finalize();
        Self(std::array::from_fn(|i| digest[i]))
    }

    /// Returns the token of the next page, or an empty string if there is none.
    #[must_use]
    pub fn token(&self, next: Option<Cursor>) -> String {
        let Some(Cursor(keys)) = next else { return String::new() };
        let part = |key| match key {
            Key::Integer(n) => ConditionPart { integer: Some(n), text: None },
            Key::Text(text) => ConditionPart { integer: None, text: Some(text) },
        };
        let body = TokenBody { question: self.0.to_vec(), keys: keys.into_iter().map(part).collect() };
        URL_SAFE_NO_PAD.encode(body.encode_to_vec())
    }

    /// Returns the cursor that a token encodes, or `None` for the first page.
    ///
    /// # Errors
    /// The token is malformed, or belongs to another request.
    pub fn cursor(&self, token: &str) -> Result<Option<Cursor>, QueryError> {
        if token.is_empty() {
            return Ok(None);
        }
        let bytes = Some(token).filter(|t| t.len() <= MAX_TOKEN).and_then(|t| URL_SAFE_NO_PAD.decode(t).ok());
        let body =
            bytes.and_then(|b| TokenBody::decode(b.as_slice()).ok()).ok_or(QueryError::InvalidPageToken)?;
        if body.question != self.0 {
            return Err(QueryError::InvalidPageToken);
        }
        let key = |part| match part {
            ConditionPart { integer: Some(n), text: None } => Ok(Key::Integer(n)),
            ConditionPart { integer: None, text: Some(text) } => Ok(Key::Text(text)),
            _ => Err(QueryError::InvalidPageToken),
        };
        body.keys.into_iter().map(key).collect::<Result<_, _>>().map(|keys| Some(Cursor(keys)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!([0, 1, 1000, 1001, i32::MAX].map(|n| size(n).unwrap()), [50, 1, 1000, 1000, 1000]);
        assert!(size(-1).is_err());
    }

    #[test]
    fn a_token_reads_back_for_its_own_request_only() {
        let tokens = PageTokens::new(&["ListReports", "agencies/-", "year = 2023", ""]);
        let cursor = Cursor(vec![Key::Text("办公室".into()), Key::Integer(-7)]);
        let token = tokens.token(Some(cursor.clone()));
        assert_eq!(tokens.cursor(&token).unwrap(), Some(cursor));
        assert_eq!(tokens.cursor("").unwrap(), None);
        assert_eq!(tokens.token(None), "");
        let other = PageTokens::new(&["ListReports", "agencies/-", "year = 2022", ""]);
        assert!(other.cursor(&token).is_err());
        for bad in ["x", "!!!", &token[1..], &"A".repeat(5000)] {
            assert!(tokens.cursor(bad).is_err(), "{bad}");
        }
    }
}
