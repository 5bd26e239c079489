//! The transport over NATS JetStream, through async-nats. Besides this module, only [`Headers`] uses async-nats.
//!
//! Every call is bounded in time, because the client waits instead of failing calls when the connection is lost. A
//! call that timed out is [`Unavailable`](super::ErrorKind::Unavailable), whether or not it took effect. Message ids,
//! compare-and-set and content keys make it safe to repeat.
//!
//! - `connection`: connecting, reconnecting, and events of the server (lame duck mode, denied permissions);
//! - `topology`: declaring streams and buckets;
//! - `consumer`: pulling and settling messages; `last_seen`: what a lost consumer is created again with;
//! - `reading`: single messages of a stream, the state of streams, and the progress of consumers;
//! - `buckets`: objects and entries;
//! - `status`, `pausing`: streams and consumers; `server`: the server and the copies of streams; `tap`:
//!   messages as they are published; `snapshots`: copies of whole streams; all for operators;
//! - `errors`: classification of errors.

mod buckets;
mod connection;
mod consumer;
mod errors;
mod last_seen;
mod pausing;
mod reading;
pub mod server;
mod settings;
pub mod snapshots;
pub mod status;
pub mod tap;
mod topology;

use std::{sync::Arc, time::Duration};

use async_nats::{
    Client,
    header::{NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, NATS_SCHEDULE, NATS_SCHEDULE_TARGET},
    jetstream::message::PublishMessage,
};
use async_trait::async_trait;
use futures::StreamExt as _;
use time::format_description::well_known::Rfc3339;
use tokio::sync::OnceCell;

use self::connection::Connection;
pub use self::settings::{Credentials, JetStreamSettings};
use super::{
    ConsumerLag, ConsumerSpec, Entries, Error, Headers, Logged, Message, Objects, Published, Pull, Request,
    Requests, Storage, StreamState, Timer, Topology, TopologyPart, Transport,
};
use crate::clock::Clock;

/// A connection to a JetStream cluster. Cheap to clone. It is closed when the last clone is dropped.
#[derive(Clone)]
pub struct JetStream {
    connection: Arc<Connection>,
    /// The connection for requests, opened at the first subscription. It is separate because the client closes a
    /// connection when it receives a header that is not text: a sender of requests can cause that, and must not
    /// disturb the services.
    requests: Arc<OnceCell<Client>>,
    settings: JetStreamSettings,
    replicas: usize,
    stream_max_bytes: Option<u64>,
    object_timeout: Duration,
}

// === impl JetStream ===

impl JetStream {
    /// Connects and checks the version of the server. If the connection is lost later, it is restored automatically.
    ///
    /// # Errors
    /// `Unavailable`: no server answered within `connect_timeout`; try again. `Denied`: the credentials were refused.
    /// `Other`: the server is older than 2.15.1, or a setting is unusable. The last two need an operator.
    pub async fn connect(settings: &JetStreamSettings) -> Result<Self, Error> {
        Ok(Self {
            connection: Arc::new(Connection::open(settings).await?),
            requests: Arc::default(),
            settings: settings.clone(),
            replicas: settings.replicas,
            stream_max_bytes: settings.stream_max_bytes,
            object_timeout: settings.object_timeout,
        })
    }
}

#[async_trait]
impl Transport for JetStream {
    async fn declare(&self, topology: &Topology) -> Result<(), Error> {
        let cluster = topology::Cluster {
            connection: &self.connection,
            replicas: self.replicas,
            stream_max_bytes: self.stream_max_bytes,
        };
        topology::declare(&cluster, topology).await
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

    async fn schedule(&self, timer: Timer) -> Result<Published, Error> {
        let Timer { mut message, target, after, replaces } = timer;
        let at = (Clock::system().now() + after).format(&Rfc3339);
        let at = at.expect("a date of this era has an RFC 3339 form");
        message.headers.insert(NATS_SCHEDULE.as_ref(), &format!("@at {at}"))?;
        message.headers.insert(NATS_SCHEDULE_TARGET.as_ref(), &target)?;
        if !replaces {
            message.headers.insert(NATS_EXPECTED_LAST_SUBJECT_SEQUENCE.as_ref(), "0")?;
        }
        self.publish(message).await
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

    async fn message(&self, stream: &str, sequence: u64) -> Result<Option<Logged>, Error> {
        reading::message(&self.connection, stream, sequence).await
    }

    async fn count(&self, stream: &str, filter: &str) -> Result<u64, Error> {
        reading::count(&self.connection, stream, filter).await
    }

    async fn consumer_lag(&self, stream: &str, durable: &str) -> Result<Option<ConsumerLag>, Error> {
        reading::consumer_lag(&self.connection, stream, durable).await
    }

    async fn first_after(
        &self,
        stream: &str,
        filters: &[String],
        sequence: u64,
    ) -> Result<Option<(u64, Logged)>, Error> {
        reading::first_after(&self.connection, stream, filters, sequence).await
    }

    async fn held(&self, part: TopologyPart) -> Result<Option<StreamState>, Error> {
        topology::held(&self.connection, part).await
    }

    async fn requests(&self, subject: &str, group: &str) -> Result<Requests, Error> {
        let connect = self.requests.get_or_try_init(|| connection::another(&self.settings));
        let client = self.connection.bounded("connect for", subject, connect).await?;
        let subscribe = client.queue_subscribe(subject.to_owned(), group.to_owned());
        let subscription = self.connection.bounded("subscribe to", subject, subscribe).await?;
        let request = |message: async_nats::Message| Request {
            reply_to: message.reply.as_ref().map(ToString::to_string),
            message: Message {
                subject: message.subject.to_string(),
                headers: Headers::of(message.headers),
                payload: message.payload,
            },
        };
        Ok(subscription.map(request).boxed())
    }

    async fn send(&self, message: Message) -> Result<(), Error> {
        let Message { subject, headers, payload } = message;
        let client = &self.connection.client;
        let publish = client.publish_with_headers(subject.clone(), headers.into_map(), payload);
        self.connection.bounded("send to", &subject, publish).await
    }

    async fn storage(&self) -> Result<Storage, Error> {
        topology::storage(&self.connection).await
    }

    fn losses(&self) -> u64 {
        self.connection.watch_link().borrow().losses()
    }

    async fn ping(&self) -> Result<(), Error> {
        self.connection.ping().await
    }
}
