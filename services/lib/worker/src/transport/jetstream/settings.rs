//! Settings of the connection.

use std::{fmt, path::PathBuf, time::Duration};

use crate::inert;

/// Settings of a connection to JetStream. `Debug` does not reveal passwords inside URLs.
#[derive(Clone)]
pub struct JetStreamSettings {
    /// URLs of the servers. One server of a cluster is enough.
    pub servers: Vec<String>,
    /// Credentials to authenticate with.
    pub credentials: Credentials,
    /// PEM file of certificates to trust besides the system's. If set, TLS is required.
    pub root_certificates: Option<PathBuf>,
    /// Name of the connection in the server's monitoring, and prefix of its inboxes, so that permissions can restrict
    /// each service to its own responses.
    pub name: String,
    /// Replicas of each stream and bucket. Existing ones with more replicas keep them.
    pub replicas: usize,
    /// Maximum size of each stream in bytes; `None` for no limit. If the server's store is smaller, no limit is set.
    pub stream_max_bytes: Option<u64>,
    /// How long [`JetStream::connect`](super::JetStream::connect) waits for the first connection.
    pub connect_timeout: Duration,
    /// Timeout of each request: publishes, settlements, entries, the admin API.
    pub request_timeout: Duration,
    /// Timeout of storing or deleting a whole object, which takes many requests.
    pub object_timeout: Duration,
    /// Time between two requests for the ack floor of a consumer. A lost consumer is created again from its floor.
    pub floor_interval: Duration,
}

/// Credentials of the client. `Debug` does not reveal the values.
#[derive(Clone, Default)]
pub enum Credentials {
    /// No credentials, for a server on the loopback.
    #[default]
    None,
    /// A shared token.
    Token(String),
    /// User and password.
    User {
        /// The user's name.
        name: String,
        /// The password.
        password: String,
    },
    /// The seed of an nkey.
    Nkey(String),
}

// === impl JetStreamSettings ===

impl Default for JetStreamSettings {
    fn default() -> Self {
        Self {
            servers: vec!["nats://127.0.0.1:4222".to_owned()],
            credentials: Credentials::None,
            root_certificates: None,
            name: "gongkai".to_owned(),
            replicas: 1,
            stream_max_bytes: None,
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(2),
            object_timeout: Duration::from_secs(30),
            floor_interval: Duration::from_secs(10),
        }
    }
}

impl fmt::Debug for JetStreamSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let servers = inert::redact(&self.servers.join(",")).into_owned();
        let mut settings = formatter.debug_struct("Settings");
        settings.field("servers", &servers).field("credentials", &self.credentials);
        settings.field("name", &self.name).finish_non_exhaustive()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::None => "None",
            Self::Token(_) => "Token(…)",
            Self::User { .. } => "User(…)",
            Self::Nkey(_) => "Nkey(…)",
        })
    }
}
