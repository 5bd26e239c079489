//! Bearer tokens, compared in constant time.

use std::sync::Arc;

use gongkai_worker::{CallerName, Secret};
use sha2::{Digest as _, Sha256};
use tonic::service::Interceptor;
use tonic::{Request, Status};

use crate::error::QueryError;

/// Admits callers with one of the tokens, or all callers if there are no tokens. Cheap to clone.
#[derive(Clone)]
pub struct Tokens(Arc<[[u8; 32]]>);

impl Tokens {
    /// Creates the check. It keeps only the digests of the tokens.
    #[must_use]
    pub fn new(tokens: &[Secret]) -> Self {
        Self(tokens.iter().map(|token| Sha256::digest(token.expose()).into()).collect())
    }

    fn knows(&self, token: &str) -> bool {
        let shown: [u8; 32] = Sha256::digest(token).into();
        // Every digest is compared to its end: the time reveals neither which token matched nor how much of it.
        let differences =
            |known: &[u8; 32]| known.iter().zip(shown).fold(0, |difference, (a, b)| difference | (a ^ b));
        self.0.iter().fold(false, |found, known| found | (differences(known) == 0))
    }
}

impl Interceptor for Tokens {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        if self.0.is_empty() {
            return Ok(request);
        }
        let header = request.metadata().get("authorization").and_then(|value| value.to_str().ok());
        let token = header.and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
        });
        if token.is_some_and(|token| self.knows(token)) {
            CallerName::set(request.extensions(), "token");
            Ok(request)
        } else {
            Err(QueryError::Unauthenticated.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_tokens_pass_and_without_any_everybody_does() {
        let passes = |tokens: &[&str], header: Option<&'static str>| {
            let tokens: Vec<Secret> = tokens.iter().map(|token| Secret::new(*token)).collect();
            let mut request = Request::new(());
            if let Some(header) = header {
                request.metadata_mut().insert("authorization", header.parse().unwrap());
            }
            Tokens::new(&tokens).call(request).is_ok()
        };
        assert!(passes(&[], None));
        assert!(passes(&["one", "two"], Some("Bearer two")));
        assert!(passes(&["one"], Some("bearer one")));
        for header in
            [None, Some("two"), Some("Bearer on"), Some("Bearer onee"), Some("Basic one"), Some("Bearer ")]
        {
            assert!(!passes(&["one"], header), "{header:?}");
        }
    }
}
