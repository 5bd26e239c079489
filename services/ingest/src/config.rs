//! The `[ingest]` section: addresses, limits, and the credentials of callers.

use std::{collections::BTreeMap, net::SocketAddr, num::NonZeroU32, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{adapters::settings::AdapterSettings, proxied::leads_through_proxy, submission::FileLimits};
use gongkai_acknowledgements::link::LinkSettings;
use gongkai_isolation::ReadersSettings;
use gongkai_worker::{Secret, SecretUrl, bind_guard};

/// The `[ingest]` section. The defaults serve only this machine and need no credentials.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Address of the HTTP server. An address other than loopback requires `tokens` or a site's secret.
    pub http_address: SocketAddr,
    /// Address of the gRPC server. The same rule applies.
    pub grpc_address: SocketAddr,
    /// Base of `status_url`, such as `https://gongkai.example.gov.cn`. If empty, `status_url` is a path.
    pub public_url: String,
    /// Maximum size of a request body in bytes. Larger bodies get 413. A document in base64 is a third larger than its
    /// file.
    pub max_body_bytes: usize,
    /// Maximum number of attachments of a document. More get 413.
    pub max_attachments: usize,
    /// Maximum size of one attachment in bytes. Larger ones get 413. Those over `parse.max_document_bytes` are stored
    /// but not read.
    pub max_attachment_bytes: usize,
    /// Maximum size of a document and its attachments in bytes, after base64 is decoded. Larger submissions get 413.
    pub max_submission_bytes: usize,
    /// Maximum bytes of request bodies in memory at once. Further requests get 503. At least `max_body_bytes`. Bodies
    /// whose sender is known only by their signature share half of it.
    pub max_buffered_bytes: usize,
    /// Maximum number of requests in work, counted from when the body is complete and the sender known. Further
    /// requests get 503.
    pub max_requests: usize,
    /// Maximum open connections of each server. A further one replaces the oldest one without valid credentials, or
    /// waits.
    pub max_connections: usize,
    /// Maximum gRPC calls in progress per connection. Further calls wait.
    pub max_streams_per_connection: u32,
    /// Maximum open `WatchSubmission` streams. Further ones fail with `RESOURCE_EXHAUSTED`.
    pub max_watchers: usize,
    /// Newest submissions that `ListSubmissions` knows. Each takes about 100 bytes of memory, once somebody lists.
    pub listed_submissions: usize,
    /// Seconds within which a connection must send its first byte and a request's headers must be complete. After
    /// that the connection is closed.
    pub header_timeout_s: u64,
    /// Seconds within which a request's body must be complete. After that the request gets 408.
    pub body_timeout_s: u64,
    /// Least average rate of a body after its first 5 s. A slower request gets 408.
    pub min_body_bytes_per_s: u64,
    /// Maximum CPU time of a dry run in seconds. After that its result is the rejection `TOO_SLOW`.
    pub check_timeout_s: u64,
    /// Bytes of memory that a dry run may use. After that its result is the rejection `TOO_LARGE`.
    pub check_memory_bytes: u64,
    /// Number of child processes that read documents, which limits the dry runs at once. 0 means one for each core,
    /// as long as 900 MiB suffice for `check_memory_bytes` and 64 MiB each.
    pub check_readers: usize,
    /// Folder of local rule packs (`*.toml`) for dry runs, as in `validate.rules`. Optional.
    pub rules: Option<PathBuf>,
    /// Hosts from which content given by `url` is fetched, redirects included; with `:port` where it is not the
    /// scheme's default. If empty, nothing is fetched.
    pub fetch_allowed_hosts: Vec<String>,
    /// Maximum time of a fetch in seconds. After that the sender gets 502 and may retry.
    pub fetch_timeout_s: u64,
    /// Maximum difference in seconds between a signature's time and the server's. A larger value allows later replays,
    /// a smaller one requires better clocks.
    pub signature_tolerance_s: u64,
    /// Origins of pages that may call from a browser, such as `https://cms.example.gov.cn`. If empty, none may. `*` is
    /// every origin and not allowed where calls need credentials.
    pub cors_origins: Vec<String>,
    /// Whether calls from this machine need no credentials while no `tokens` are configured. Such calls must not claim
    /// a site that has credentials, and change nothing that belongs to one. Set it to false behind a proxy on this
    /// machine: a proxy can hide that it forwards a request.
    pub unsigned_on_loopback: bool,
    /// Bearer tokens of operators: callers that do not sign and may submit for any site. Prefer `token_files`.
    pub tokens: Vec<Secret>,
    /// Files with one bearer token each.
    pub token_files: Vec<PathBuf>,
    /// The links in notices that acknowledge an alert. Notify reads this section too.
    pub acknowledgements: LinkSettings,
    /// Publishing sites, by a name that the operator chooses.
    pub sites: BTreeMap<String, Site>,
    /// `[[notify.subscriptions]]`: whose rejections somebody is told of.
    #[serde(skip)]
    pub subscriptions: Vec<Subscription>,
    /// Adapters for bodies that are not CloudEvents, by the name in `POST /v1/adapters/<name>`.
    pub adapters: BTreeMap<String, AdapterSettings>,
}

/// `[ingest.sites.<name>]`: a publishing site. If it has a secret, every request that claims to come from it must be
/// signed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Site {
    /// The CloudEvents `source` of the site's events.
    pub source: String,
    /// The site's 政府网站标识码.
    pub site_code: String,
    /// Standard Webhooks secrets, `whsec_…`. Several while they are rotated. Prefer `secret_files`.
    pub secrets: Vec<Secret>,
    /// Files with one secret each.
    pub secret_files: Vec<PathBuf>,
    /// Bearer tokens that act for this site only, over HTTP and gRPC. Prefer `token_files`.
    pub tokens: Vec<Secret>,
    /// Files with one bearer token each.
    pub token_files: Vec<PathBuf>,
    /// The agencies that the site may publish, update and withdraw for: codes, keys or names. No limit without the
    /// key.
    pub agencies: Option<Vec<String>>,
    /// The regions that the site may act for: beginnings of division codes. No limit without the key.
    pub regions: Option<Vec<String>>,
    /// Prefixes of the site's addresses. Compared as URLs, segment by segment. No limit without the key.
    pub url_prefixes: Option<Vec<String>>,
    /// Events per minute that the site may send to each process of ingest, and the largest burst. Further events get
    /// 429, over gRPC `RESOURCE_EXHAUSTED`. No limit without the key.
    pub events_per_minute: Option<NonZeroU32>,
    /// Levels of review (三审三校) that its articles must have passed before publication, such as
    /// `["科室负责人", "分管领导"]`. An event that lacks one gets the finding `S-REVIEW`. If empty, no review is
    /// required.
    pub review_levels: Vec<String>,
    /// Where notify posts the receipt when a submission of the site ends, signed with its secrets. Notify reads and
    /// checks this key too. If absent, no receipt is posted.
    pub callback_url: Option<SecretUrl>,
    /// Allows `callback_url` to be in a private network, as `allow_private` of a subscription does.
    pub callback_allow_private: bool,
}

impl Default for Config {
    fn default() -> Self {
        let isolation = ReadersSettings::default();
        Self {
            http_address: SocketAddr::from(([127, 0, 0, 1], 8080)),
            grpc_address: SocketAddr::from(([127, 0, 0, 1], 50052)),
            public_url: String::new(),
            max_body_bytes: 32 * 1024 * 1024,
            max_attachments: 20,
            max_attachment_bytes: 32 * 1024 * 1024,
            max_submission_bytes: 32 * 1024 * 1024,
            max_buffered_bytes: 256 * 1024 * 1024,
            max_requests: 128,
            max_connections: 1024,
            max_streams_per_connection: 128,
            max_watchers: 256,
            listed_submissions: 500_000,
            header_timeout_s: 15,
            body_timeout_s: 120,
            min_body_bytes_per_s: 1024,
            check_timeout_s: isolation.cpu.as_secs(),
            check_memory_bytes: isolation.memory_bytes,
            check_readers: isolation.children,
            rules: None,
            fetch_allowed_hosts: Vec::new(),
            fetch_timeout_s: 30,
            signature_tolerance_s: 300,
            cors_origins: Vec::new(),
            unsigned_on_loopback: true,
            tokens: Vec::new(),
            token_files: Vec::new(),
            acknowledgements: LinkSettings::default(),
            sites: BTreeMap::new(),
            subscriptions: Vec::new(),
            adapters: BTreeMap::new(),
        }
    }
}

/// The key of `[notify]` that ingest reads.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Receivers {
    pub(crate) subscriptions: Vec<Subscription>,
}

/// The key of a subscription that ingest reads. Notify checks the others.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Subscription {
    /// The sites whose rejected submissions it has.
    pub rejections: Vec<String>,
}

// === impl Config ===

impl Config {
    /// Returns true if calls need credentials.
    #[must_use]
    pub fn has_auth(&self) -> bool {
        !self.tokens.is_empty()
            || !self.token_files.is_empty()
            || !self.adapters.is_empty()
            || self.sites.values().any(Site::has_credentials)
    }

    /// Returns true if calls from this machine need no credentials.
    #[must_use]
    pub fn takes_unsigned(&self) -> bool {
        let is_local = is_local(self.http_address) || is_local(self.grpc_address);
        let has_tokens = !self.tokens.is_empty() || !self.token_files.is_empty();
        is_local && !has_tokens && (self.unsigned_on_loopback || !self.has_auth())
    }

    /// Returns true if `public_url` shows that a proxy on this machine forwards calls to a loopback address.
    #[must_use]
    pub fn is_behind_proxy(&self) -> bool {
        is_local(self.http_address) && leads_through_proxy(&self.public_url)
    }

    /// Returns true if a site can prove itself, with credentials of its own or through an adapter.
    #[must_use]
    pub fn can_prove(&self, name: &str, site: &Site) -> bool {
        site.has_credentials() || self.adapters.values().any(|adapter| adapter.site == name)
    }

    /// Returns the limits of a submission's files.
    #[must_use]
    pub fn file_limits(&self) -> FileLimits {
        FileLimits {
            attachments: self.max_attachments,
            attachment_bytes: self.max_attachment_bytes,
            total_bytes: self.max_submission_bytes,
        }
    }

    /// Returns the settings of the child processes.
    #[must_use]
    pub fn isolation(&self) -> ReadersSettings {
        ReadersSettings {
            children: self.check_readers,
            memory_bytes: self.check_memory_bytes,
            cpu: Duration::from_secs(self.check_timeout_s),
            ..ReadersSettings::default()
        }
    }

    /// Checks values and their relations.
    ///
    /// # Errors
    /// A setting is invalid. The error names the key and how to correct it.
    pub fn validate(&self) -> anyhow::Result<()> {
        anyhow::ensure!(self.max_body_bytes > 0, "ingest.max_body_bytes must be positive");
        anyhow::ensure!(
            self.max_buffered_bytes >= self.max_body_bytes,
            "ingest.max_buffered_bytes must be at least ingest.max_body_bytes, or the largest body never fits"
        );
        for (key, value) in [
            ("max_attachment_bytes", u64::try_from(self.max_attachment_bytes)?),
            ("max_submission_bytes", u64::try_from(self.max_submission_bytes)?),
            ("max_requests", u64::try_from(self.max_requests)?),
            ("max_connections", u64::try_from(self.max_connections)?),
            ("max_streams_per_connection", u64::from(self.max_streams_per_connection)),
            ("max_watchers", u64::try_from(self.max_watchers)?),
            ("listed_submissions", u64::try_from(self.listed_submissions)?),
            ("header_timeout_s", self.header_timeout_s),
            ("body_timeout_s", self.body_timeout_s),
            ("min_body_bytes_per_s", self.min_body_bytes_per_s),
            ("check_timeout_s", self.check_timeout_s),
            ("check_memory_bytes", self.check_memory_bytes),
            ("fetch_timeout_s", self.fetch_timeout_s),
        ] {
            anyhow::ensure!(value > 0, "ingest.{key} must be positive");
        }
        let keys = "ingest.tokens, ingest.token_files or ingest.sites.<name>.secrets";
        for address in [self.http_address, self.grpc_address] {
            bind_guard(address, self.has_auth(), keys)?;
        }
        for origin in &self.cors_origins {
            ensure_origin(origin, self.has_auth())?;
        }
        for (name, site) in &self.sites {
            anyhow::ensure!(
                site.review_levels.iter().all(|level| !level.trim().is_empty()),
                "ingest.sites.{name}.review_levels: a level needs a name"
            );
            anyhow::ensure!(
                !site.source.is_empty() || !site.site_code.is_empty(),
                "ingest.sites.{name} needs source or site_code, else nothing is known to come from it"
            );
        }
        Ok(())
    }
}

// === impl Site ===

impl Site {
    /// Returns true if the site has a secret or a token of its own.
    #[must_use]
    pub fn has_credentials(&self) -> bool {
        !self.secrets.is_empty()
            || !self.secret_files.is_empty()
            || !self.tokens.is_empty()
            || !self.token_files.is_empty()
    }

    /// Returns true if an event of this source or site code claims to come from the site.
    #[must_use]
    pub fn is_claimed(&self, source: &str, site_code: &str) -> bool {
        let own = without_slash(&self.source);
        (!own.is_empty() && own == without_slash(source))
            || (!self.site_code.is_empty() && self.site_code == site_code)
    }
}

/// Removes the final slash: `https://www.example.gov.cn/` and `https://www.example.gov.cn` are the same site.
pub(crate) fn without_slash(source: &str) -> &str {
    source.trim().trim_end_matches('/')
}

/// Checks that `origin` is a scheme and a host, as browsers send it.
fn ensure_origin(origin: &str, has_auth: bool) -> anyhow::Result<()> {
    if origin == "*" {
        anyhow::ensure!(
            !has_auth,
            "ingest.cors_origins: name the origins one by one, as calls need credentials"
        );
        return Ok(());
    }
    let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    let is_origin = host.is_some_and(|host| {
        !host.is_empty() && host.bytes().all(|b| b.is_ascii_graphic() && !b"/?#@*".contains(&b))
    });
    anyhow::ensure!(
        is_origin && !origin.bytes().any(|b| b.is_ascii_uppercase()),
        "ingest.cors_origins: {origin} is no origin, such as https://cms.example.gov.cn, without a path and in lower case"
    );
    Ok(())
}

/// Returns true if only this machine reaches a server that is bound to `address`: over IPv4, IPv6, or IPv4 as IPv6 writes it.
#[must_use]
pub fn is_local(address: SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
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
    fn the_loopback_of_ipv6_is_this_machine_too() {
        for (address, expected) in [
            ("127.0.0.1:1", true),
            ("[::1]:1", true),
            ("[::ffff:127.0.0.1]:1", true),
            ("[::]:1", false),
            ("[fe80::1]:1", false),
        ] {
            let address = address.parse().unwrap();
            let config = Config {
                http_address: address,
                grpc_address: address,
                public_url: "https://gongkai.example/".to_owned(),
                ..Config::default()
            };
            assert_eq!(
                (config.takes_unsigned(), config.is_behind_proxy()),
                (expected, expected),
                "{address}"
            );
        }
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
        for origin in
            ["cms.gov.cn", "https://cms.gov.cn/", "https://CMS.gov.cn", "https://", "https://*.gov.cn"]
        {
            let config = Config { cors_origins: vec![origin.to_owned()], ..Config::default() };
            assert!(config.validate().unwrap_err().to_string().contains("cors_origins"), "{origin}");
        }
        assert!(
            with(|c| {
                c.cors_origins = vec!["*".to_owned()];
                c.tokens = vec![Secret::new("t")];
            })
            .contains("one by one")
        );
        let any = Config {
            cors_origins: vec!["*".to_owned(), "http://localhost:3000".to_owned()],
            ..Config::default()
        };
        any.validate().unwrap();
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
