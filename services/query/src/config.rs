//! `[query]`: address, database, limits, tokens.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use gongkai_worker::{Secret, bind_guard};
use serde::{Deserialize, Serialize};

/// What to do with a read model that does not match its log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rebuild {
    /// Move the file of the read model aside and build another from the log. Reads fail with `REBUILDING` until that
    /// is done.
    Auto,
    /// Stay unready until an operator acts. Reads fail with `READ_MODEL_REFUSED`.
    Refuse,
}

/// `[query]`. The defaults serve this machine only, without tokens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Address and port of gRPC and gRPC-Web. Anything but loopback needs `tokens` or `token_files`.
    pub bind: SocketAddr,
    /// The read model's file. No two processes may share one.
    pub database: PathBuf,
    /// What to do with a read model that is damaged, belongs to another log, or is an older copy.
    pub rebuild: Rebuild,
    /// Number of read connections, which limits simultaneous reads of the file.
    pub readers: usize,
    /// Maximum requests that are running or waiting for a read connection; further ones wait until
    /// `request_timeout_s`.
    pub max_requests: usize,
    /// Seconds until a request fails with `DEADLINE_EXCEEDED`.
    pub request_timeout_s: u64,
    /// Maximum open `WatchReports` streams; further ones fail with `RESOURCE_EXHAUSTED`.
    pub max_watchers: usize,
    /// Maximum simultaneous HTTP/2 streams per connection.
    pub max_streams_per_connection: u32,
    /// Maximum size of a request message in bytes.
    pub max_request_bytes: usize,
    /// Maximum size of a response message in bytes. Clients accept 4 MiB by default.
    pub max_response_bytes: usize,
    /// Bearer tokens of callers, `authorization: Bearer …`. Without any, everybody on this machine may call. Prefer
    /// `token_files`.
    pub tokens: Vec<Secret>,
    /// Files with one bearer token each.
    pub token_files: Vec<PathBuf>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            bind: SocketAddr::from(([127, 0, 0, 1], 50051)),
            database: PathBuf::from("gongkai-query.db"),
            rebuild: Rebuild::Auto,
            readers: 4,
            max_requests: 64,
            request_timeout_s: 20,
            max_watchers: 256,
            max_streams_per_connection: 128,
            max_request_bytes: 64 * 1024,
            max_response_bytes: 16 * 1024 * 1024,
            tokens: Vec::new(),
            token_files: Vec::new(),
        }
    }
}

impl Config {
    /// Checks relations between settings.
    ///
    /// # Errors
    /// A setting is invalid. The error names the key and how to correct it.
    pub fn validate(&self) -> anyhow::Result<()> {
        let has_auth = !self.tokens.is_empty() || !self.token_files.is_empty();
        bind_guard(self.bind, has_auth, "query.tokens or query.token_files").context("query.bind")?;
        self.all_tokens()?;
        ensure!(!self.database.as_os_str().is_empty(), "query.database must name a file");
        let positive = [
            ("readers", self.readers),
            ("max_requests", self.max_requests),
            ("request_timeout_s", usize::try_from(self.request_timeout_s)?),
            ("max_watchers", self.max_watchers),
            ("max_streams_per_connection", usize::try_from(self.max_streams_per_connection)?),
            ("max_request_bytes", self.max_request_bytes),
            ("max_response_bytes", self.max_response_bytes),
        ];
        for (key, value) in positive {
            ensure!(value > 0, "query.{key} must be positive");
        }
        Ok(())
    }

    /// Returns all bearer tokens, including those in files.
    ///
    /// # Errors
    /// A file cannot be read or is empty, or a token is too short. The error names the key.
    pub fn all_tokens(&self) -> anyhow::Result<Vec<Secret>> {
        Secret::tokens("query", &self.tokens, &self.token_files)
    }

    /// Returns [`Config::request_timeout_s`] as a duration.
    #[must_use]
    pub fn request_timeout(&self) -> Duration {
        Duration::from_secs(self.request_timeout_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid() {
        Config::default().validate().unwrap();
    }

    #[test]
    fn an_open_address_needs_a_token() {
        let open = Config { bind: "0.0.0.0:50051".parse().unwrap(), ..Config::default() };
        let error = format!("{:#}", open.validate().unwrap_err());
        assert!(error.contains("query.bind") && error.contains("query.tokens"), "{error}");
        Config { tokens: vec![Secret::new("0123456789abcdef")], ..open.clone() }.validate().unwrap();
        assert!(Config { tokens: vec![Secret::new("0123456789abcde")], ..open }.validate().is_err());
    }

    #[test]
    fn tokens_come_from_files_too() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        let config = Config {
            tokens: vec![Secret::new("first-of-two-tokens")],
            token_files: vec![file.clone()],
            ..Config::default()
        };
        assert!(config.all_tokens().unwrap_err().to_string().contains("token_files"));
        std::fs::write(&file, "\n").unwrap();
        assert!(config.all_tokens().is_err());
        std::fs::write(&file, "second-of-two-tokens\n").unwrap();
        assert_eq!(
            config.all_tokens().unwrap(),
            ["first-of-two-tokens", "second-of-two-tokens"].map(Secret::new)
        );
    }
}
