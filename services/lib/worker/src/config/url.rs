//! URLs whose user and password are never printed.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

use crate::inert;

/// A URL, or several separated by commas, that may contain a password or a token. In the config it is a string.
///
/// It is redacted when it is printed, dumped or logged; [`SecretUrl::expose`] returns the whole text.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct SecretUrl(String);

impl SecretUrl {
    /// Returns the whole URL, for the code that connects.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl<T: Into<String>> From<T> for SecretUrl {
    fn from(url: T) -> Self {
        Self(url.into())
    }
}

impl fmt::Display for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&inert::redact(&self.0))
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&inert::redact(&self.0), f)
    }
}

impl Serialize for SecretUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&inert::redact(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_asks_for_it_sees_the_password() {
        let url = SecretUrl::from("nats://u:s3cret@h");
        let printed = [url.to_string(), format!("{url:?}"), serde_json::to_string(&url).unwrap()];
        assert!(printed.iter().all(|text| text.contains("u:***@h")), "{printed:?}");
        assert_eq!(url.expose(), "nats://u:s3cret@h");
    }
}
