//! How to reach the servers, and who we are to them.

use std::{fmt, path::PathBuf, time::Duration};

/// How to reach the servers and what to ask of them.
#[derive(Debug, Clone)]
pub struct Settings {
    /// URLs of the servers; any of a cluster will do.
    pub servers: Vec<String>,
    /// Who we are.
    pub credentials: Credentials,
    /// Certificates to trust besides the system's, PEM; with it TLS is required.
    pub root_certificates: Option<PathBuf>,
    /// The connection's name in the server's monitoring, and the prefix of its inboxes: permissions can then let each
    /// service read its own answers only.
    pub name: String,
    /// Copies of each stream and bucket that is created. What exists with more keeps them.
    pub replicas: usize,
    /// Limit of each stream's size; unlimited if none. Where the store is smaller, the limit is left away.
    pub stream_max_bytes: Option<u64>,
    /// How long [`JetStream::connect`](super::JetStream::connect) waits for a first connection.
    pub connect_timeout: Duration,
    /// How long each request waits for its answer: publishes, settlements, entries, the admin API.
    pub request_timeout: Duration,
    /// How long a whole object may take; it covers many requests.
    pub object_timeout: Duration,
}

/// What the client shows to the server. The values never appear in logs.
#[derive(Clone, Default)]
pub enum Credentials {
    /// Nothing: a server on the loopback.
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

// === impl Settings ===

impl Default for Settings {
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
        }
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
