//! Page sizes and page tokens. A token is bound to its request; it is an error with another request.

use std::cmp::Reverse;

use sha2::{Digest as _, Sha256};

use super::index::{Id, Place};
use crate::error::Problem;

const DEFAULT_SIZE: usize = 50;
const MAX_SIZE: usize = 1000;

/// Encodes and decodes the page tokens of one request.
pub(super) struct PageTokens([u8; 8]);

/// Returns the number of submissions per page: 0 means 50, and more than 1000 means 1000.
pub(super) fn size(page_size: i32) -> Result<usize, Problem> {
    match usize::try_from(page_size) {
        Ok(0) => Ok(DEFAULT_SIZE),
        Ok(size) => Ok(size.min(MAX_SIZE)),
        Err(_) => {
            Err(Problem::invalid("page_size", &page_size.to_string(), "不能为负", "must not be negative"))
        }
    }
}

// === impl PageTokens ===

impl PageTokens {
    /// Creates the tokens of a request, which is everything that a page depends on besides its size and place.
    pub(super) fn new(question: &[u8]) -> Self {
        let digest = Sha256::digest(question);
        Self(std::array::from_fn(|at| digest[at]))
    }

    /// Returns the token of the page after a place.
    pub(super) fn token(&self, Place { received_ms: Reverse(received_ms), id }: Place) -> String {
        hex::encode([&self.0[..], &received_ms.to_be_bytes(), &id].concat())
    }

    /// Returns the place that a token encodes, or `None` for the first page.
    pub(super) fn place(&self, token: &str) -> Result<Option<Place>, Problem> {
        if token.is_empty() {
            return Ok(None);
        }
        let mut bytes = [0; 32];
        let place = hex::decode_to_slice(token, &mut bytes).ok().and_then(|()| {
            let (question, place) = bytes.split_at(8);
            let (received, id) = place.split_at(8);
            let received_ms = Reverse(i64::from_be_bytes(received.try_into().ok()?));
            (question == self.0).then_some(Place { received_ms, id: Id::try_from(id).ok()? })
        });
        place.map(Some).ok_or_else(|| {
            Problem::invalid(
                "page_token",
                token,
                "须是同一查询上一页给出的",
                "must be one that the previous page of the same request returned",
            )
        })
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
        let tokens = PageTokens::new(b"rejected");
        let place = Place { received_ms: Reverse(1_705_363_200_123), id: [7; 16] };
        let token = tokens.token(place);
        assert_eq!(tokens.place(&token).unwrap(), Some(place));
        assert_eq!(tokens.place("").unwrap(), None);
        assert!(PageTokens::new(b"dead").place(&token).is_err());
        for bad in ["x", &token[1..], &token[..62], &"a".repeat(5000)] {
            assert!(tokens.place(bad).is_err(), "{bad}");
        }
    }
}
