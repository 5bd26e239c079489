//! What the runtime asks of a broker: publish with an acknowledgement, pull with explicit settling, objects by key,
//! entries with compare-and-set.
//!
//! Two transports stand behind these traits: [`jetstream`] for real, [`memory`] with visible state and a fault plan
//! for tests. One suite (`transport_test_suite!`) runs over both; the fake is worth only what the suite proves.

mod error;
mod headers;
pub mod jetstream;
pub mod memory;
pub mod subject;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use time::OffsetDateTime;

pub use self::error::{Error, ErrorKind};
pub use self::headers::{Headers, LINK_HEADER, MESSAGE_ID};

/// How long a stream remembers ids; it must exceed the longest retry of a publisher.
pub const DUPLICATE_WINDOW: Duration = Duration::from_secs(600);
/// Largest message, headers included; larger contents go by reference to an object.
pub const MAX_MESSAGE_BYTES: usize = 1024 * 1024;

/// A message on its way out, or as it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The subject.
    pub subject: String,
    /// `Nats-Msg-Id`, `ce-*`, `traceparent`, `content-type` and the like.
    pub headers: Headers,
    /// The body.
    pub payload: Bytes,
}

/// The stream's acknowledgement of a publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// Stream sequence of the message; for a duplicate, that of the first copy.
    pub sequence: u64,
    /// True if the id was seen inside the duplicate window: nothing was added.
    pub duplicate: bool,
}

/// A durable pull consumer, created or adopted by name.
#[derive(Debug, Clone)]
pub struct ConsumerSpec {
    /// The stream.
    pub stream: String,
    /// The durable name; replicas with the same name share the work.
    pub durable: String,
    /// Subject filters; empty takes all.
    pub filters: Vec<String>,
    /// Time after which an unsettled, unprolonged delivery comes again.
    pub ack_wait: Duration,
    /// Unsettled deliveries over all replicas.
    pub max_ack_pending: u32,
    /// The server's own delivery limit; higher than ours.
    pub max_deliver: u32,
}

/// A message handed to us, not settled yet.
pub struct Delivery {
    /// The message.
    pub message: Message,
    /// Its stream sequence.
    pub sequence: u64,
    /// 1 for the first delivery.
    pub attempt: u32,
    /// When the stream took it.
    pub logged_at: OffsetDateTime,
    /// Settles it, once.
    pub settle: Box<dyn Settle>,
}

/// The broker's side of one delivery.
#[async_trait]
pub trait Settle: Send + Sync {
    /// Starts `ack_wait` anew.
    ///
    /// # Errors
    /// The broker was not reached; the caller goes on working, a redelivery may come.
    async fn progress(&self) -> Result<(), Error>;
    /// Acknowledges and waits until the broker confirms (double ack).
    ///
    /// # Errors
    /// Not confirmed: the message may come again, which handlers bear.
    async fn ack(self: Box<Self>) -> Result<(), Error>;
    /// Asks for redelivery after `delay`.
    ///
    /// # Errors
    /// Not sent: the message comes again after `ack_wait`.
    async fn nak(self: Box<Self>, delay: Duration) -> Result<(), Error>;
    /// Ends deliveries for good; the dead letter is already acknowledged.
    ///
    /// # Errors
    /// Not sent: the message comes again and is buried again under the same id.
    async fn term(self: Box<Self>, reason: &str) -> Result<(), Error>;
}

/// A bound consumer.
#[async_trait]
pub trait Pull: Send {
    /// Asks for up to `max` messages and yields each as it arrives; ends when `max` came or `expires` passed.
    ///
    /// # Cancel safety
    /// Dropping the stream loses no message: what was not yielded is redelivered after `ack_wait`.
    async fn fetch(
        &mut self,
        max: usize,
        expires: Duration,
    ) -> Result<BoxStream<'static, Result<Delivery, Error>>, Error>;
}

/// Objects by key: originals and parsed texts.
#[async_trait]
pub trait Objects: Send + Sync {
    /// Stores, and returns once it is durable. The same key again replaces.
    ///
    /// # Errors
    /// Not stored.
    async fn put(&self, key: &str, content: Bytes) -> Result<(), Error>;
    /// Loads; `None` if there is none.
    ///
    /// # Errors
    /// The store was not reached, or the content's digest is wrong.
    async fn get(&self, key: &str) -> Result<Option<Bytes>, Error>;
    /// True if it is there.
    ///
    /// # Errors
    /// The store was not reached.
    async fn exists(&self, key: &str) -> Result<bool, Error>;
    /// Deletes; nothing happens if there is none.
    ///
    /// # Errors
    /// The store was not reached.
    async fn delete(&self, key: &str) -> Result<(), Error>;
}

/// A value and the revision to compare with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The value.
    pub value: Bytes,
    /// For [`Entries::update`].
    pub revision: u64,
}

/// Key-value entries with compare-and-set. Keys: ASCII letters, digits, `-`, `_`, `=`, `.`, `/`.
#[async_trait]
pub trait Entries: Send + Sync {
    /// Reads; `None` if absent.
    ///
    /// # Errors
    /// The store was not reached.
    async fn get(&self, key: &str) -> Result<Option<Entry>, Error>;
    /// Writes if absent; returns the revision.
    ///
    /// # Errors
    /// `Conflict` if present.
    async fn create(&self, key: &str, value: Bytes) -> Result<u64, Error>;
    /// Writes if the revision is still the one read; returns the new one.
    ///
    /// # Errors
    /// `Conflict` if somebody else wrote.
    async fn update(&self, key: &str, value: Bytes, revision: u64) -> Result<u64, Error>;
    /// Deletes.
    ///
    /// # Errors
    /// The store was not reached.
    async fn delete(&self, key: &str) -> Result<(), Error>;
    /// Yields the present value, if any, then every later one.
    ///
    /// # Errors
    /// The store was not reached.
    async fn watch(&self, key: &str) -> Result<BoxStream<'static, Result<Entry, Error>>, Error>;
}

/// A stream to declare: name, subjects, days to keep (`None`: for years).
pub type StreamDef = (&'static str, &'static [&'static str], Option<u32>);

/// Everything the broker must hold before a service starts.
#[derive(Debug, Clone, Default)]
pub struct Topology {
    /// Streams. One without an age limit is the log of record: no deletes, no purges.
    pub streams: Vec<StreamDef>,
    /// Object store buckets.
    pub objects: Vec<&'static str>,
    /// Key-value buckets.
    pub entries: Vec<&'static str>,
}

/// A broker.
#[async_trait]
pub trait Transport: Send + Sync + 'static {
    /// Creates what is missing and checks what is there.
    ///
    /// # Errors
    /// A stream exists with settings that cannot hold ours, or the broker is away.
    async fn declare(&self, topology: &Topology) -> Result<(), Error>;
    /// Publishes and waits for the stream's acknowledgement, bounded in time.
    ///
    /// # Errors
    /// Not acknowledged: publish again with the same `Nats-Msg-Id`.
    async fn publish(&self, message: Message) -> Result<Published, Error>;
    /// Creates or adopts the durable consumer.
    ///
    /// # Errors
    /// No such stream, or the broker is away.
    async fn consumer(&self, spec: &ConsumerSpec) -> Result<Box<dyn Pull>, Error>;
    /// A bucket of objects; it must be declared.
    fn objects(&self, bucket: &'static str) -> Arc<dyn Objects>;
    /// A bucket of entries; it must be declared.
    fn entries(&self, bucket: &'static str) -> Arc<dyn Entries>;
    /// One message of a stream, by its sequence; `None` if there is none, or a replica that lags does not have it yet.
    ///
    /// # Errors
    /// No such stream, or the broker is away.
    async fn message(&self, stream: &str, sequence: u64) -> Result<Option<Message>, Error>;
    /// Round trip to the broker, for readiness.
    ///
    /// # Errors
    /// It is away.
    async fn ping(&self) -> Result<(), Error>;
}
