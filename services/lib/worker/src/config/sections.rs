//! The sections that every program has.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::ensure;
use serde::{Deserialize, Serialize};

use super::bind::bind_guard;
use super::log_filter::log_filter;
use super::login;
use super::objects::ObjectsSettings;
use super::secret::Secret;
use super::url::SecretUrl;
use crate::transport::jetstream;

/// Minimum value of `nats.orphan_age_s`: far longer than an acceptance takes.
const SHORTEST_ORPHAN_AGE_S: u64 = 10 * 60;

/// The sections that every program has.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Common {
    /// The broker.
    pub nats: NatsSettings,
    /// The store of originals and texts.
    pub objects: ObjectsSettings,
    /// Logs, traces and metrics.
    pub telemetry: TelemetrySettings,
    /// Health and metrics over HTTP.
    pub admin: AdminSettings,
    /// How messages are consumed.
    pub worker: WorkerSettings,
}

/// `[nats]`: the broker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NatsSettings {
    /// URLs of the servers, separated by commas. One server of a cluster is enough.
    pub url: SecretUrl,
    /// A shared token.
    pub token: Option<Secret>,
    /// File with the token.
    pub token_file: Option<PathBuf>,
    /// User name. Used with `password`.
    pub user: Option<String>,
    /// Password of the user.
    pub password: Option<Secret>,
    /// File with the password.
    pub password_file: Option<PathBuf>,
    /// Seed of an nkey.
    pub nkey: Option<Secret>,
    /// File with the seed.
    pub nkey_file: Option<PathBuf>,
    /// PEM file of certificates to trust besides the system's. If set, TLS is required.
    pub root_certificates_file: Option<PathBuf>,
    /// Replicas of each stream and bucket that is created: 1, or 3 on a cluster.
    pub replicas: usize,
    /// Maximum size of each stream in bytes. A full stream refuses messages, and senders are asked to wait.
    pub stream_max_bytes: Option<u64>,
    /// Whether to create lost streams and buckets again and accept those that were replaced. Otherwise a process that
    /// misses one is not ready.
    pub recreate: bool,
    /// File in which the process records the state of the streams and buckets, so that it notices a store that was
    /// lost while it was stopped.
    pub marker_file: Option<PathBuf>,
    /// Age in seconds from which `gongkai doctor` reports a stored file without a document in the log as orphaned.
    pub orphan_age_s: u64,
    /// Timeout of one attempt to connect, in seconds. The program keeps trying.
    pub connect_timeout_s: u64,
    /// Timeout of each request, in milliseconds.
    pub request_timeout_ms: u64,
    /// Timeout of storing or deleting a whole object, in seconds.
    pub object_timeout_s: u64,
}

/// `[telemetry]`: logs, traces, metrics.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TelemetrySettings {
    /// OTLP endpoint over gRPC, such as `http://127.0.0.1:4317`. If empty, nothing is exported.
    pub otlp_endpoint: SecretUrl,
    /// Share of exported traces, 0 to 1, among those that start here. Others follow their parent.
    pub sample_ratio: f64,
    /// Format of the log lines on stderr.
    pub log_format: LogFormat,
    /// Log filter, such as `info` or `warn,gongkai_parse=debug`.
    pub log_filter: String,
    /// Seconds between two pushes of metrics, if there is an endpoint.
    pub metrics_interval_s: u64,
}

/// Format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Text on a terminal, JSON otherwise.
    Auto,
    /// One JSON object per line.
    Json,
    /// Text for people.
    Text,
}

/// `[admin]`: `/livez`, `/readyz`, `/metrics`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdminSettings {
    /// Address to listen on.
    pub address: IpAddr,
    /// Port. If unset, the service's default; if 0, a free port. The all-in-one uses one port per service, counting up
    /// from this one.
    pub port: Option<u16>,
    /// Bearer token for `/metrics`. The health checks need none.
    pub token: Option<Secret>,
    /// File with the token.
    pub token_file: Option<PathBuf>,
}

/// `[worker]`: how messages are consumed. Relations between values are checked at the start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WorkerSettings {
    /// Maximum messages in flight per consumer of this process. CPU work is limited separately, to one job per core.
    pub concurrency: usize,
    /// Seconds without progress after which a delivery is repeated. Progress is reported three times in this period.
    /// At least 3.
    pub ack_wait_s: u64,
    /// Maximum unsettled deliveries of a consumer over all replicas, at least `concurrency` × replicas. Messages that
    /// wait for a retry count: once there are so many, no other message is delivered. Without it there is no limit.
    pub max_ack_pending: Option<u32>,
    /// Number of failed attempts after which a message is buried. Deliveries that ended with their process do not
    /// count.
    pub max_attempts: u32,
    /// First retry delay in milliseconds. Each further delay is four times as long.
    pub retry_base_ms: u64,
    /// Longest retry delay in seconds.
    pub retry_max_s: u64,
    /// Longest time in seconds that a handler may take for one message. After that the attempt has failed.
    pub deadline_s: u64,
    /// Seconds that one fetch waits for messages.
    pub fetch_expires_s: u64,
    /// Seconds for which a publish is retried while the broker is unavailable. Below the broker's duplicate window.
    pub publish_budget_s: u64,
    /// Seconds that messages in flight may take after the first stop signal. Keep it below the grace period of the pod.
    pub drain_timeout_s: u64,
}

// === impl Common ===

impl Common {
    /// Checks values and their relations.
    ///
    /// # Errors
    /// A setting is invalid. The error names the key and how to correct it.
    pub fn validate(&self) -> anyhow::Result<()> {
        self.nats.validate()?;
        self.objects.validate()?;
        self.telemetry.validate()?;
        self.admin.address(0)?;
        self.worker.validate()
    }
}

// === impl NatsSettings ===

impl Default for NatsSettings {
    fn default() -> Self {
        Self {
            url: "nats://127.0.0.1:4222".into(),
            token: None,
            token_file: None,
            user: None,
            password: None,
            password_file: None,
            nkey: None,
            nkey_file: None,
            root_certificates_file: None,
            replicas: 1,
            stream_max_bytes: None,
            recreate: false,
            marker_file: None,
            orphan_age_s: 24 * 60 * 60,
            connect_timeout_s: 10,
            request_timeout_ms: 2000,
            object_timeout_s: 30,
        }
    }
}

impl NatsSettings {
    fn validate(&self) -> anyhow::Result<()> {
        ensure!(!self.url.expose().trim().is_empty(), "nats.url must name a server");
        ensure!(matches!(self.replicas, 1..=5), "nats.replicas must be 1 to 5, not {}", self.replicas);
        ensure!(
            self.orphan_age_s >= SHORTEST_ORPHAN_AGE_S,
            "nats.orphan_age_s must be at least {SHORTEST_ORPHAN_AGE_S}: a file is stored before its document is in the log"
        );
        ensure!(self.connect_timeout_s > 0, "nats.connect_timeout_s must be above 0");
        ensure!(self.request_timeout_ms > 0, "nats.request_timeout_ms must be above 0");
        ensure!(self.object_timeout_s > 0, "nats.object_timeout_s must be above 0");
        self.credentials().map(drop)
    }

    /// Returns the settings of the JetStream transport. `name` appears in the server's monitoring.
    ///
    /// # Errors
    /// The file of a secret cannot be read, or more than one way to authenticate is set.
    pub fn transport(&self, name: &str) -> anyhow::Result<jetstream::JetStreamSettings> {
        let (servers, _) = login::split(self.url.expose())?;
        Ok(jetstream::JetStreamSettings {
            servers,
            credentials: self.credentials()?,
            root_certificates: self.root_certificates_file.clone(),
            name: name.to_owned(),
            replicas: self.replicas,
            stream_max_bytes: self.stream_max_bytes,
            connect_timeout: Duration::from_secs(self.connect_timeout_s),
            request_timeout: Duration::from_millis(self.request_timeout_ms),
            object_timeout: Duration::from_secs(self.object_timeout_s),
            ..jetstream::JetStreamSettings::default()
        })
    }

    fn credentials(&self) -> anyhow::Result<jetstream::Credentials> {
        let token = Secret::resolve(self.token.as_ref(), self.token_file.as_ref(), "nats.token")?;
        let password = Secret::resolve(self.password.as_ref(), self.password_file.as_ref(), "nats.password")?;
        let nkey = Secret::resolve(self.nkey.as_ref(), self.nkey_file.as_ref(), "nats.nkey")?;
        let user = self.user.clone().filter(|user| !user.is_empty());
        ensure!(user.is_some() == password.is_some(), "nats.user and nats.password go together");
        let (_, in_url) = login::split(self.url.expose())?;
        let ways = [token.is_some(), user.is_some(), nkey.is_some(), in_url.is_some()];
        ensure!(
            ways.into_iter().filter(|set| *set).count() <= 1,
            "of nats.token, nats.user, nats.nkey and a login in nats.url at most one may be set"
        );
        Ok(match (token, user, password, nkey) {
            (Some(token), ..) => jetstream::Credentials::Token(token.expose().to_owned()),
            (_, Some(name), Some(password), _) => {
                jetstream::Credentials::User { name, password: password.expose().to_owned() }
            }
            (.., Some(seed)) => jetstream::Credentials::Nkey(seed.expose().to_owned()),
            _ => in_url.unwrap_or_default(),
        })
    }
}

// === impl TelemetrySettings ===

impl Default for TelemetrySettings {
    fn default() -> Self {
        Self {
            otlp_endpoint: SecretUrl::default(),
            sample_ratio: 1.0,
            log_format: LogFormat::Auto,
            log_filter: "info".to_owned(),
            metrics_interval_s: 30,
        }
    }
}

impl TelemetrySettings {
    fn validate(&self) -> anyhow::Result<()> {
        ensure!((0.0..=1.0).contains(&self.sample_ratio), "telemetry.sample_ratio must be 0 to 1");
        ensure!(self.metrics_interval_s > 0, "telemetry.metrics_interval_s must be above 0");
        let endpoint = &self.otlp_endpoint;
        ensure!(
            endpoint.expose().is_empty() || endpoint.expose().starts_with("http://"),
            "telemetry.otlp_endpoint must begin with http:// (a collector beyond this machine is reached through one on it), not be {endpoint}"
        );
        log_filter(&self.log_filter).map(drop)
    }
}

// === impl AdminSettings ===

impl Default for AdminSettings {
    fn default() -> Self {
        Self { address: IpAddr::V4(Ipv4Addr::LOCALHOST), port: None, token: None, token_file: None }
    }
}

impl AdminSettings {
    /// Returns the address to listen on. `default_port` applies if no port is set.
    ///
    /// # Errors
    /// The address is not a loopback address and no token is set, or the token is too short.
    pub fn address(&self, default_port: u16) -> anyhow::Result<SocketAddr> {
        let address = SocketAddr::new(self.address, self.port.unwrap_or(default_port));
        bind_guard(address, self.secret()?.is_some(), "admin.token or admin.token_file")?;
        Ok(address)
    }

    pub(crate) fn secret(&self) -> anyhow::Result<Option<Secret>> {
        let token = Secret::resolve(self.token.as_ref(), self.token_file.as_ref(), "admin.token")?;
        token.map(|token| token.as_token("admin.token")).transpose()
    }
}

// === impl WorkerSettings ===

impl Default for WorkerSettings {
    fn default() -> Self {
        Self {
            concurrency: 64,
            ack_wait_s: 30,
            max_ack_pending: None,
            max_attempts: 6,
            retry_base_ms: 500,
            retry_max_s: 120,
            deadline_s: 120,
            fetch_expires_s: 30,
            publish_budget_s: 15,
            drain_timeout_s: 25,
        }
    }
}

impl WorkerSettings {
    fn validate(&self) -> anyhow::Result<()> {
        let window = crate::transport::DUPLICATE_WINDOW.as_secs();
        ensure!(self.concurrency >= 1, "worker.concurrency must be at least 1");
        ensure!(
            self.ack_wait_s >= 3,
            "worker.ack_wait_s must be at least 3: progress is shown every third of it"
        );
        if let Some(limit) = self.max_ack_pending {
            ensure!(
                self.concurrency <= limit as usize,
                "worker.concurrency ({}) must not exceed worker.max_ack_pending ({limit})",
                self.concurrency,
            );
        }
        ensure!(self.max_attempts >= 1, "worker.max_attempts must be at least 1");
        ensure!(
            self.retry_base_ms > 0 && self.retry_base_ms <= self.retry_max_s.saturating_mul(1000),
            "worker.retry_base_ms must be above 0 and not exceed worker.retry_max_s"
        );
        ensure!(self.deadline_s > 0, "worker.deadline_s must be above 0");
        ensure!(self.fetch_expires_s > 0, "worker.fetch_expires_s must be above 0");
        ensure!(
            self.publish_budget_s < window,
            "worker.publish_budget_s must be below the duplicate window of {window} s: a later retry would not be known"
        );
        Ok(())
    }
}
