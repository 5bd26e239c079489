//! `[ingest]`: addresses, limits, who may call.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf};

use serde::{Deserialize, Serialize};

use gongkai_worker::{Secret, bind_guard};

/// `[ingest]`. The defaults serve this machine only, without secrets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Address and port of the HTTP side. Anything but loopback needs `tokens` or a site's secret.
    pub http_address: SocketAddr,
    /// Address and port of the gRPC side. The same rule.
    pub grpc_address: SocketAddr,
    /// What `status_url` begins with, such as `https://gongkai.example.gov.cn`; empty makes it a path.
    pub public_url: String,
    /// Largest request body in bytes, hence (less a third for base64) the largest document. Larger ones get 413.
    pub max_body_bytes: usize,
    /// Bytes of request bodies held in memory at once; more get 503 and come again. At least `max_body_bytes`.
    pub max_buffered_bytes: usize,
    /// HTTP requests worked on at once; more get 503 and come again.
    pub max_requests: usize,
    /// Open HTTP connections; more wait to be accepted.
    pub max_connections: usize,
    /// Seconds until a request's headers must be complete; then the connection is closed.
    pub header_timeout_s: u64,
    /// Seconds until a request's body must be complete; then it gets 408.
    pub body_timeout_s: u64,
    /// Seconds a dry run may take; then its answer is the rejection `TOO_SLOW`.
    pub check_timeout_s: u64,
    /// Folder of local rule packs (`*.toml`) for dry runs, the same as `validate.rules`; none if absent.
    pub rules: Option<PathBuf>,
    /// Hosts (with `:port` where it is not the scheme's own) from which content given by `url` is fetched, redirects
    /// included. Empty: none.
    pub fetch_allowed_hosts: Vec<String>,
    /// Seconds one fetch may take in all; then the sender gets 502 and may come again.
    pub fetch_timeout_s: u64,
    /// Seconds by which a signature's time may differ from ours. Longer eases replays, shorter needs better clocks.
    pub signature_tolerance_s: u64,
    /// Bearer tokens of callers that do not sign. Better in `token_files`.
    pub tokens: Vec<Secret>,
    /// Files with one bearer token each.
    pub token_files: Vec<PathBuf>,
    /// Publishing sites by a name of the operator's choice.
    pub sites: BTreeMap<String, Site>,
}

/// `[ingest.sites.<name>]`: a publishing site. One with a secret must sign whatever claims to come from it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Site {
    /// The CloudEvents `source` of its events.
    pub source: String,
    /// Its 政府网站标识码.
    pub site_code: String,
    /// Standard Webhooks secrets, `whsec_…`; several while they are rotated. Better in `secret_files`.
    pub secrets: Vec<Secret>,
    /// Files with one secret each.
    pub secret_files: Vec<PathBuf>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            http_address: SocketAddr::from(([127, 0, 0, 1], 8080)),
            grpc_address: SocketAddr::from(([127, 0, 0, 1], 50052)),
            public_url: String::new(),
            max_body_bytes: 32 * 1024 * 1024,
            max_buffered_bytes: 256 * 1024 * 1024,
            max_requests: 128,
            max_connections: 1024,
            header_timeout_s: 15,
            body_timeout_s: 120,
            check_timeout_s: 20,
            rules: None,
            fetch_allowed_hosts: Vec::new(),
            fetch_timeout_s: 30,
            signature_tolerance_s: 300,
            tokens: Vec::new(),
            token_files: Vec::new(),
            sites: BTreeMap::new(),
        }
    }
}

// === impl Config ===

impl Config {
    /// True if some caller has to show something.
    #[must_use]
    pub fn has_auth(&self) -> bool {
        let has_secret = |site: &Site| !site.secrets.is_empty() || !site.secret_files.is_empty();
        !self.tokens.is_empty() || !self.token_files.is_empty() || self.sites.values().any(has_secret)
    }

    /// Checks relations between settings.
    ///
    /// # Errors
    /// Names the key and what to do.
    pub fn validate(&self) -> anyhow::Result<()> {
        anyhow::ensure!(self.max_body_bytes > 0, "ingest.max_body_bytes must be positive");
        anyhow::ensure!(
            self.max_buffered_bytes >= self.max_body_bytes,
            "ingest.max_buffered_bytes must be at least ingest.max_body_bytes, or the largest body never fits"
        );
        for (key, value) in [
            ("max_requests", u64::try_from(self.max_requests)?),
            ("max_connections", u64::try_from(self.max_connections)?),
            ("header_timeout_s", self.header_timeout_s),
            ("body_timeout_s", self.body_timeout_s),
            ("check_timeout_s", self.check_timeout_s),
            ("fetch_timeout_s", self.fetch_timeout_s),
        ] {
            anyhow::ensure!(value > 0, "ingest.{key} must be positive");
        }
        let keys = "ingest.tokens, ingest.token_files or ingest.sites.<name>.secrets";
        for address in [self.http_address, self.grpc_address] {
            bind_guard(address, self.has_auth(), keys)?;
        }
        for (name, site) in &self.sites {
            anyhow::ensure!(
                !site.source.is_empty() || !site.site_code.is_empty(),
                "ingest.sites.{name} needs source or site_code, else nothing is known to come from it"
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid_and_need_loopback() {
        let config = Config::default();
        config.validate().unwrap();
        assert!(
            !config.has_auth()
                && config.http_address.ip().is_loopback()
                && config.grpc_address.ip().is_loopback()
        );
    }

    #[test]
    fn broken_relations_are_named() {
        let with = |change: fn(&mut Config)| {
            let mut config = Config::default();
            change(&mut config);
            config.validate().unwrap_err().to_string()
        };
        assert!(with(|c| c.http_address = ([0, 0, 0, 0], 8080).into()).contains("ingest.tokens"));
        assert!(with(|c| c.grpc_address = ([0, 0, 0, 0], 50052).into()).contains("ingest.tokens"));
        assert!(with(|c| c.max_buffered_bytes = 1).contains("max_buffered_bytes"));
        assert!(with(|c| c.body_timeout_s = 0).contains("body_timeout_s"));
        assert!(with(|c| drop(c.sites.insert("a".into(), Site::default()))).contains("sites.a"));
    }

    #[test]
    fn secrets_are_not_written_out() {
        let site = Site { secrets: vec![Secret::new("whsec_hidden")], source: "s".into(), ..Site::default() };
        let config = Config {
            tokens: vec![Secret::new("hidden")],
            sites: [("a".into(), site)].into(),
            ..Config::default()
        };
        assert!(config.has_auth());
        config.validate().unwrap();
        assert!(!format!("{config:?}").contains("hidden"));
        assert!(!serde_json::to_string(&config).unwrap().contains("hidden"));
    }
}
