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
mod settings;
pub mod status;
mod topology;

use std::{sync::Arc, time::Duration};

use async_nats::jetstream::{message::PublishMessage, stream::DirectGetErrorKind};
use async_trait::async_trait;

use self::connection::Connection;
pub use self::settings::{Credentials, Settings};
use super::{ConsumerSpec, Entries, Error, Headers, Message, Objects, Published, Pull, Topology, Transport};

/// A connection to a JetStream cluster. Cheap to clone; closed when the last clone is gone.
#[derive(Clone)]
pub struct JetStream {
    connection: Arc<Connection>,
    replicas: usize,
    stream_max_bytes: Option<u64>,
    object_timeout: Duration,
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
