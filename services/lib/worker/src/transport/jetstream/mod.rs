//! The real transport: NATS JetStream through async-nats, which nothing else in the workspace names but [`Headers`].
//!
//! Every call is bounded in time, because the client does not fail what is in flight when the connection is lost: it
//! waits. A call that ran out of time is [`Unavailable`](super::ErrorKind::Unavailable), whether or not it took effect; repeating it is
//! harmless (message ids, compare-and-set, content keys).
//!
//! - `connection`: connecting, reconnecting, what the server says unasked (lame duck, refused permissions);
//! - `topology`: streams and buckets as declared;
//! - `consumer`: pulling and settling;
//! - `buckets`: objects and entries;
//! - `status`: streams and consumers for a person who looks;
//! - `errors`: what a failure means to the caller.

mod buckets;
mod connection;
mod consumer;
mod errors;
mod status;
mod topology;

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use async_nats::jetstream::{message::PublishMessage, stream::DirectGetErrorKind};
use async_trait::async_trait;

use self::connection::Connection;
pub use self::status::{ConsumerStatus, StreamStatus};
use super::{ConsumerSpec, Entries, Error, Headers, Message, Objects, Published, Pull, Topology, Transport};

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
    /// How long [`JetStream::connect`] waits for a first connection.
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

/// A connection to a JetStream cluster. Cheap to clone; closed when the last clone is gone.
#[derive(Clone)]
pub struct JetStream {
    connection: Arc<Connection>,
    replicas: usize,
    stream_max_bytes: Option<u64>,
    object_timeout: Duration,
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

// === impl JetStream ===

impl JetStream {
    /// Connects, and checks that the server is new enough. Later losses of the connection heal by themselves.
    ///
    /// # Errors
    /// `Unavailable` if no server answered within `connect_timeout`: the caller may try again. `Denied` if the
    /// credentials were refused, `Other` for a server older than 2.14 or an unusable setting: a person must act.
    pub async fn connect(settings: &Settings) -> Result<Self, Error> {
        Ok(Self {
            connection: Arc::new(Connection::open(settings).await?),
            replicas: settings.replicas,
            stream_max_bytes: settings.stream_max_bytes,
            object_timeout: settings.object_timeout,
        })
    }
}

#[async_trait]
impl Transport for JetStream {
    async fn declare(&self, topology: &Topology) -> Result<(), Error> {
        topology::declare(self, topology).await
    }

    async fn publish(&self, message: Message) -> Result<Published, Error> {
        let request = PublishMessage::build().payload(message.payload).headers(message.headers.into_map());
        let subject = message.subject.as_str();
        let publish = async {
            let acknowledgement =
                self.connection.context.send_publish(message.subject.clone(), request).await?;
            acknowledgement.await
        };
        let answer = self.connection.bounded("publish to", subject, publish).await?;
        Ok(Published { sequence: answer.sequence, duplicate: answer.duplicate })
    }

    async fn consumer(&self, spec: &ConsumerSpec) -> Result<Box<dyn Pull>, Error> {
        consumer::bind(&self.connection, spec).await
    }

    fn objects(&self, bucket: &'static str) -> Arc<dyn Objects> {
        Arc::new(buckets::ObjectBucket::new(self.connection.clone(), bucket, self.object_timeout))
    }

    fn entries(&self, bucket: &'static str) -> Arc<dyn Entries> {
        Arc::new(buckets::EntryBucket::new(self.connection.clone(), bucket))
    }

    async fn message(&self, stream: &str, sequence: u64) -> Result<Option<Message>, Error> {
        let stream_of = self.connection.context.get_stream_no_info(stream);
        let stream_of = self.connection.bounded("look up stream", stream, stream_of).await?;
        let found = async {
            match stream_of.direct_get(sequence).await {
                Err(error) if error.kind() == DirectGetErrorKind::NotFound => Ok(None),
                found => found.map(Some),
            }
        };
        let found = self.connection.bounded("read message of", stream, found).await?;
        Ok(found.map(|found| Message {
            subject: found.subject.to_string(),
            headers: Headers::as_sent(&found.headers),
            payload: found.payload,
        }))
    }

    async fn ping(&self) -> Result<(), Error> {
        self.connection.ping().await
    }
}
