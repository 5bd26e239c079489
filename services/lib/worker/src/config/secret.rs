//! Secrets, in the config as a value or in a file. They are never printed.

use std::fmt;
use std::path::PathBuf;

use anyhow::{Context as _, bail, ensure};
use serde::{Deserialize, Serialize, Serializer};

/// Characters that a bearer token needs at least.
const TOKEN_LENGTH: usize = 16;

/// A value that is never logged or dumped.
///
/// In the config it is a string. Each key `x` of this type has a companion `x_file`; [`Secret::resolve`] combines the
/// two.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Creates a secret from its value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// Returns the value, for the code that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns the secret that is the value of `key` or in the file `<key>_file`, if any.
    ///
    /// An empty value counts as unset. Trailing white space in the file is ignored.
    ///
    /// # Errors
    /// Both are set, or the file cannot be read or is empty. The process must not start.
    pub fn resolve(value: Option<&Self>, file: Option<&PathBuf>, key: &str) -> anyhow::Result<Option<Self>> {
        let value = value.filter(|value| !value.0.is_empty());
        let Some(file) = file.filter(|file| !file.as_os_str().is_empty()) else { return Ok(value.cloned()) };
        if value.is_some() {
            bail!("{key} and {key}_file are both set; keep one");
        }
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("couldn't read {} ({key}_file)", file.display()))?;
        let text = text.trim_end();
        if text.is_empty() {
            bail!("{} ({key}_file) is empty", file.display());
        }
        Ok(Some(Self::new(text)))
    }

    /// Returns the secrets that are values of a key, then those in the files of `files_key`, one in each.
    ///
    /// White space around the text of a file is ignored.
    ///
    /// # Errors
    /// A file cannot be read or is empty. The error names the key and the file. The process must not start.
    pub fn with_files(values: &[Self], files: &[PathBuf], files_key: &str) -> anyhow::Result<Vec<Self>> {
        let mut secrets = values.to_vec();
        for file in files {
            let text = std::fs::read_to_string(file)
                .with_context(|| format!("couldn't read {} ({files_key})", file.display()))?;
            ensure!(!text.trim().is_empty(), "{} ({files_key}) is empty", file.display());
            secrets.push(Self::new(text.trim()));
        }
        Ok(secrets)
    }

    /// Returns the bearer tokens that a section of the config gives as `tokens` and in its `token_files`, each without
    /// the white space around it.
    ///
    /// # Errors
    /// As for [`Secret::with_files`], or a token has fewer than 16 characters. The error names the key. The process must
    /// not start.
    pub fn tokens(section: &str, values: &[Self], files: &[PathBuf]) -> anyhow::Result<Vec<Self>> {
        let tokens = Self::with_files(values, files, &format!("{section}.token_files"))?;
        tokens.iter().map(|token| token.as_token(&format!("{section}.tokens"))).collect()
    }

    /// Returns the secret as a bearer token, without the white space around it.
    ///
    /// # Errors
    /// It has fewer than 16 characters.
    pub(crate) fn as_token(&self, key: &str) -> anyhow::Result<Self> {
        let token = self.0.trim();
        ensure!(
            token.chars().count() >= TOKEN_LENGTH,
            "{key}: a token needs at least {TOKEN_LENGTH} characters; `openssl rand -hex 16` prints one"
        );
        Ok(Self::new(token))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("<redacted>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_comes_from_one_place_and_is_never_printed() {
        let secret = Secret::new("s3cret");
        assert!(!format!("{secret:?}").contains("s3cret"));
        assert!(!serde_json::to_string(&secret).unwrap().contains("s3cret"));
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("token");
        std::fs::write(&file, "from file\n").unwrap();
        let resolved = Secret::resolve(None, Some(&file), "nats.token").unwrap().unwrap();
        assert_eq!(resolved.expose(), "from file");
        let error = Secret::resolve(Some(&secret), Some(&file), "nats.token").unwrap_err();
        assert!(error.to_string().contains("nats.token_file"), "{error}");
        assert_eq!(Secret::resolve(Some(&Secret::new("")), None, "nats.token").unwrap(), None);
    }

    #[test]
    fn a_token_that_is_too_short_is_refused_by_value_and_in_a_file() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("token");
        let long = Secret::new(" 0123456789abcdef\n");
        std::fs::write(&file, "fedcba9876543210\n").unwrap();
        let tokens =
            Secret::tokens("query", std::slice::from_ref(&long), std::slice::from_ref(&file)).unwrap();
        assert_eq!(tokens, ["0123456789abcdef", "fedcba9876543210"].map(Secret::new));
        let short = |values: &[Secret], files: &[PathBuf]| {
            Secret::tokens("query", values, files).unwrap_err().to_string()
        };
        assert!(short(&[Secret::new("0123456789abcde ")], &[]).starts_with("query.tokens: "));
        std::fs::write(&file, "s3cret").unwrap();
        let error = short(&[long], &[file]);
        assert!(error.contains("16 characters") && !error.contains("s3cret"), "{error}");
    }
}
