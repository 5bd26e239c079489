//! The interface to the broker: acknowledged publishing, pulling with explicit settlement, objects by key, and
//! entries with compare-and-set.
//!
//! There are two implementations: [`jetstream`], and [`memory`] with visible state and planned faults for tests. One
//! test suite (`transport_test_suite!`) runs over both and proves that they agree. Objects can be in an S3 store
//! instead ([`s3`], [`divided`]), to which the cases on objects apply as well.

pub mod divided;
mod error;
mod headers;
pub mod jetstream;
pub mod memory;
pub mod s3;
pub mod subject;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt as _, stream::BoxStream};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

pub use self::error::{Error, ErrorKind};
pub use self::headers::{Headers, LINK_HEADER, MESSAGE_ID, TIMER_HEADER};

/// How long a stream remembers message ids. It must exceed the longest retry of a publisher.
pub const DUPLICATE_WINDOW: Duration = Duration::from_secs(600);
/// Maximum size of a message in bytes, headers included. Larger content is stored as an object and sent by reference.
pub const MAX_MESSAGE_BYTES: usize = 1024 * 1024;

/// A message to publish, or one that was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Subject of the message.
    pub subject: String,
    /// `Nats-Msg-Id`, `ce-*`, `traceparent`, `content-type` and the like.
    pub headers: Headers,
    /// Body of the message.
    pub payload: Bytes,
}

impl Message {
    /// Returns the id of the message in a stream, or an id from the stream and the sequence if it was sent without.
    #[must_use]
    pub fn id_in(&self, stream: &str, sequence: u64) -> String {
        self.headers.get(MESSAGE_ID).map_or_else(|| format!("{stream}.{sequence}"), str::to_owned)
    }
}

/// A stream's acknowledgement of a publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// Stream sequence of the message. For a duplicate, that of the first copy.
    pub sequence: u64,
    /// True if the id was seen within the duplicate window, so that nothing was stored.
    pub duplicate: bool,
}

/// A message that its stream publishes later.
///
/// The subject of `message` names the timer and `target` is where the message is published, in the same stream. A
/// subject holds one timer: setting another replaces it. The published message has the headers and the payload of
/// `message`, without `Nats-Msg-Id` and with [`TIMER_HEADER`]. The duplicate window applies to setting: a second timer
/// with the same `Nats-Msg-Id` is dropped, even if the first has fired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timer {
    /// Name, headers and payload.
    pub message: Message,
    /// Subject to publish on. It differs from the timer's subject and has no wildcard.
    pub target: String,
    /// Time until the timer fires. A broker may take 250 ms for a shorter one.
    pub after: Duration,
    /// True to replace the timer of the same name. False makes `schedule` fail with `Conflict` if there is one.
    pub replaces: bool,
}

/// Definition of a durable pull consumer. The broker delivers a message until it is settled, however often.
#[derive(Debug, Clone)]
pub struct ConsumerSpec {
    /// Stream to consume from.
    pub stream: String,
    /// Durable name. Replicas with the same name share the messages.
    pub durable: String,
    /// Subject filters. Empty matches every subject of the stream.
    pub filters: Vec<String>,
    /// Time after which a delivery is repeated unless it was settled or its progress was reported.
    pub ack_wait: Duration,
    /// Maximum unsettled deliveries over all replicas; `None` for no limit. Messages that wait for a retry count.
    pub max_ack_pending: Option<u32>,
    /// Time without a pull after which the broker deletes the consumer. `None`: never.
    pub forget_after: Option<Duration>,
}

/// A delivered message that is not settled yet.
pub struct Delivery {
    /// The delivered message.
    pub message: Message,
    /// Stream sequence of the message.
    pub sequence: u64,
    /// Number of this delivery, from 1.
    pub attempt: u32,
    /// When the stream stored the message.
    pub logged_at: OffsetDateTime,
    /// Settles the delivery, once.
    pub settle: Box<dyn Settle>,
}

/// Settles one delivery: acknowledges it, rejects it, or ends its redelivery.
#[async_trait]
pub trait Settle: Send + Sync {
    /// Reports progress, which restarts `ack_wait`.
    ///
    /// # Errors
    /// The broker did not answer. Continue; the message may be redelivered.
    async fn progress(&self) -> Result<(), Error>;
    /// Acknowledges and waits until the broker confirms (double ack).
    ///
    /// # Errors
    /// The broker did not confirm. The message may be redelivered.
    async fn ack(self: Box<Self>) -> Result<(), Error>;
    /// Asks for redelivery after `delay`.
    ///
    /// # Errors
    /// The request was not confirmed. The message is redelivered after `ack_wait`.
    async fn nak(self: Box<Self>, delay: Duration) -> Result<(), Error>;
    /// Ends deliveries of the message permanently. Call it only after the dead letter is acknowledged.
    ///
    /// # Errors
    /// The request was not confirmed. The message may be redelivered, and is then buried again under the same id.
    async fn term(self: Box<Self>, reason: &str) -> Result<(), Error>;
}

/// A bound consumer.
#[async_trait]
pub trait Pull: Send {
    /// Requests up to `max` messages. The stream yields each as it arrives, and ends after `max` messages or when
    /// `expires` has passed.
    ///
    /// # Errors
    /// `Unavailable`: try again. `NotFound`: the consumer was deleted; bind it again. After an error within the
    /// stream, no further messages follow.
    ///
    /// # Cancel safety
    /// Dropping the stream loses no message. Messages that it has not yielded are redelivered after `ack_wait` at the
    /// latest.
    async fn fetch(
        &mut self,
        max: usize,
        expires: Duration,
    ) -> Result<BoxStream<'static, Result<Delivery, Error>>, Error>;
}

/// A bucket of objects by key, such as originals and parsed texts.
///
/// Every call may fail with `Unavailable` or, from an S3 store, `ObjectsUnavailable` (try again), or `NotFound` (the
/// bucket is not declared, or not in the store).
#[async_trait]
pub trait Objects: Send + Sync {
    /// Stores an object, replacing an earlier one under the same key. Returns once it is durable.
    ///
    /// # Errors
    /// The object may or may not be stored. `Full`: make the sender wait.
    async fn put(&self, key: &str, content: Bytes) -> Result<(), Error>;
    /// Loads an object. Returns `None` if there is none.
    ///
    /// # Errors
    /// The broker did not answer, or the digest of the content is wrong (`Other`).
    async fn get(&self, key: &str) -> Result<Option<Bytes>, Error>;
    /// Returns true if there is an object under the key.
    ///
    /// # Errors
    /// The broker did not answer.
    async fn exists(&self, key: &str) -> Result<bool, Error>;
    /// Deletes an object, if there is one.
    ///
    /// # Errors
    /// The broker did not answer.
    async fn delete(&self, key: &str) -> Result<(), Error>;
}

/// An object of a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredObject {
    /// Key of the object.
    pub key: String,
    /// Size in bytes.
    pub bytes: u64,
    /// When the object was last stored.
    pub stored_at: OffsetDateTime,
}

/// A value and its revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The value.
    pub value: Bytes,
    /// Revision to pass to [`Entries::update`].
    pub revision: u64,
}

/// A step of [`Entries::watch_all`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// An entry as it is now, or a deleted one.
    Entry {
        /// Key of the entry.
        key: String,
        /// Its value; `None` if it was deleted.
        value: Option<Bytes>,
    },
    /// Every entry that the bucket had at the call was yielded. Comes once.
    Present,
}

/// A bucket of key-value entries with compare-and-set. Keys consist of ASCII letters, digits, `-`, `_`, `=`, `.`, `/`.
///
/// Every call may fail with `Unavailable` (try again) or `NotFound` (the bucket is not declared).
#[async_trait]
pub trait Entries: Send + Sync {
    /// Reads an entry. Returns `None` if it is absent.
    ///
    /// # Errors
    /// The broker did not answer.
    async fn get(&self, key: &str) -> Result<Option<Entry>, Error>;
    /// Creates an entry and returns its revision.
    ///
    /// # Errors
    /// `Conflict`: the entry exists. `Unavailable`: it may or may not have been created.
    async fn create(&self, key: &str, value: Bytes) -> Result<u64, Error>;
    /// Replaces an entry if it still has the given revision, and returns the new revision.
    ///
    /// # Errors
    /// `Conflict`: the entry has changed; read it again. `Unavailable`: it may or may not have been replaced.
    async fn update(&self, key: &str, value: Bytes, revision: u64) -> Result<u64, Error>;
    /// Deletes an entry, if there is one.
    ///
    /// # Errors
    /// The broker did not answer.
    async fn delete(&self, key: &str) -> Result<(), Error>;
    /// Returns a stream of the current value, if there is one, and of later values. A value that is replaced before
    /// it was delivered may be skipped, except for the last one.
    ///
    /// # Errors
    /// The broker did not answer.
    async fn watch(&self, key: &str) -> Result<BoxStream<'static, Result<Entry, Error>>, Error>;
    /// Returns a stream of all current values, and of every later change. A value that is replaced before it was
    /// delivered may be skipped, except for the last one.
    ///
    /// # Errors
    /// The broker did not answer. `Other`: the bucket cannot be watched as a whole.
    async fn watch_all(&self) -> Result<BoxStream<'static, Result<Change, Error>>, Error> {
        Err(Error::new(ErrorKind::Other, "this bucket cannot be watched as a whole"))
    }
}

/// A stream to declare: name, subjects, and retention in days (`None`: no age limit).
pub type StreamDef = (&'static str, &'static [&'static str], Option<u32>);

/// The streams and buckets that must exist before a service starts.
#[derive(Debug, Clone, Default)]
pub struct Topology {
    /// Streams. One without an age limit is part of the log of record, so its messages cannot be deleted or purged.
    pub streams: Vec<StreamDef>,
    /// Streams of timers, the only ones that [`Transport::schedule`] accepts. They need an age limit above the
    /// longest timer. When such a stream is full it drops its oldest message, where another stream refuses a new one.
    pub timers: Vec<StreamDef>,
    /// Object store buckets.
    pub objects: Vec<&'static str>,
    /// Key-value buckets.
    pub entries: Vec<&'static str>,
    /// Key-value buckets whose entries expire, with the age in seconds at which they do.
    pub expiring: Vec<(&'static str, u32)>,
}

/// A message of a stream and when the stream stored it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// The message.
    pub message: Message,
    /// When the stream stored the message. Two messages of one stream never have the same sequence and time, even if
    /// its store was lost.
    pub logged_at: OffsetDateTime,
}

/// Requests on a subject, as they arrive. Dropping the stream ends the subscription.
pub type Requests = BoxStream<'static, Request>;

/// A message whose sender waits for a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The message.
    pub message: Message,
    /// Subject of the reply; `None` if the sender waits for no reply.
    pub reply_to: Option<String>,
}

/// Identity of a stream or bucket and its first and last sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamState {
    /// When the stream was created. A stream that was deleted and created again has another time; one that was restored
    /// from a backup has that of the copied stream.
    pub created: OffsetDateTime,
    /// Sequence of the oldest message that is kept. 0 or 1 if there never was a message.
    pub first_sequence: u64,
    /// Sequence of the newest message. 0 if there never was one.
    pub last_sequence: u64,
    /// How much the stream stores.
    pub storage: Storage,
}

/// Used and maximum storage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Storage {
    /// Bytes in use.
    pub bytes: u64,
    /// Maximum number of bytes, or `None` if there is no separate limit.
    pub limit: Option<u64>,
}

/// Progress of a consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConsumerLag {
    /// Messages that are not settled: not delivered yet, in work, or waiting for another delivery.
    pub outstanding: u64,
    /// Those of them that are delivered and not settled, over all replicas.
    pub in_flight: u64,
    /// Those in flight that were delivered more than once.
    pub redelivered: u64,
    /// Every message for the consumer up to this stream sequence is settled.
    pub floor: u64,
}

/// A stream or a bucket, by its kind and name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TopologyPart {
    /// A stream.
    Stream(&'static str),
    /// An object store bucket.
    Objects(&'static str),
    /// A key-value bucket.
    Entries(&'static str),
}

// === impl Topology, TopologyPart ===

impl Topology {
    /// Returns every stream and bucket.
    pub fn parts(&self) -> impl Iterator<Item = TopologyPart> + '_ {
        let streams = self.streams.iter().chain(&self.timers).map(|(name, ..)| TopologyPart::Stream(name));
        let objects = self.objects.iter().map(|name| TopologyPart::Objects(name));
        let expiring = self.expiring.iter().map(|(name, _)| TopologyPart::Entries(name));
        let entries = self.entries.iter().map(|name| TopologyPart::Entries(name)).chain(expiring);
        streams.chain(objects).chain(entries)
    }
}

impl TopologyPart {
    /// Returns the name of the stream that stores the part.
    #[must_use]
    pub fn stream_name(self) -> String {
        match self {
            Self::Stream(name) => name.to_owned(),
            Self::Objects(name) => format!("OBJ_{name}"),
            Self::Entries(name) => format!("KV_{name}"),
        }
    }
}

impl fmt::Display for TopologyPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stream(name) => write!(f, "stream {name}"),
            Self::Objects(name) => write!(f, "object bucket {name}"),
            Self::Entries(name) => write!(f, "entry bucket {name}"),
        }
    }
}

/// A connection to a broker.
#[async_trait]
pub trait Transport: Send + Sync + 'static {
    /// Creates missing streams and buckets, and widens existing ones where needed.
    ///
    /// # Errors
    /// A stream exists with incompatible settings, or the broker did not answer.
    async fn declare(&self, topology: &Topology) -> Result<(), Error>;
    /// Publishes a message and waits, for a bounded time, for the stream's acknowledgement.
    ///
    /// # Errors
    /// The message may or may not be stored. It is safe to publish it again with the same `Nats-Msg-Id`.
    async fn publish(&self, message: Message) -> Result<Published, Error>;
    /// Sets a timer and waits, for a bounded time, for the stream's acknowledgement. Timers are as durable as
    /// messages.
    ///
    /// # Errors
    /// `Conflict`: there is a timer of that name, which must not be replaced. `Other`: the stream is not one of
    /// timers. `Unavailable`: the timer may or may not be set; it is safe to set it again.
    async fn schedule(&self, timer: Timer) -> Result<Published, Error>;
    /// Binds the durable consumer. Creates it if it is missing, and updates it if its settings differ.
    ///
    /// A lost consumer that this connection has used continues where it was; any other new consumer begins with the
    /// first message.
    ///
    /// # Errors
    /// `NotFound`: there is no such stream. `Unavailable`: try again.
    async fn consumer(&self, spec: &ConsumerSpec) -> Result<Box<dyn Pull>, Error>;
    /// Returns a bucket of objects, which must be declared.
    fn objects(&self, bucket: &'static str) -> Arc<dyn Objects>;
    /// Returns a bucket of entries, which must be declared.
    fn entries(&self, bucket: &'static str) -> Arc<dyn Entries>;
    /// Reads one message of a stream by its sequence. Returns `None` if there is none, or if the replica that answers
    /// lags behind.
    ///
    /// # Errors
    /// `NotFound`: there is no such stream. `Unavailable`: try again.
    async fn message(&self, stream: &str, sequence: u64) -> Result<Option<Logged>, Error>;
    /// Returns the identity of a stream and its last sequence.
    ///
    /// # Errors
    /// `NotFound`: there is no such stream. `Unavailable`: try again.
    async fn stream_state(&self, stream: &'static str) -> Result<StreamState, Error> {
        let held = self.held(TopologyPart::Stream(stream)).await?;
        held.ok_or_else(|| Error::new(ErrorKind::NotFound, format!("there is no stream {stream}")))
    }
    /// Counts the messages of a stream whose subjects match `filter`.
    ///
    /// # Errors
    /// `NotFound`: there is no such stream. `Unavailable`: try again.
    async fn count(&self, stream: &str, filter: &str) -> Result<u64, Error>;
    /// Returns the progress of a durable consumer, or `None` if there is no such consumer.
    ///
    /// # Errors
    /// `NotFound`: there is no such stream. `Unavailable`: try again.
    async fn consumer_lag(&self, stream: &str, durable: &str) -> Result<Option<ConsumerLag>, Error>;
    /// Returns the first message of a stream after `sequence` whose subject matches one of `filters`, with its own
    /// sequence, or `None` if there is none. No filters match every message.
    ///
    /// # Errors
    /// `NotFound`: there is no such stream. `Unavailable`: try again.
    async fn first_after(
        &self,
        stream: &str,
        filters: &[String],
        sequence: u64,
    ) -> Result<Option<(u64, Logged)>, Error>;
    /// Looks up a stream or bucket. Returns `None` if there is none.
    ///
    /// # Errors
    /// The broker did not answer.
    async fn held(&self, part: TopologyPart) -> Result<Option<StreamState>, Error>;
    /// Returns the total storage of all streams and buckets of the account.
    ///
    /// # Errors
    /// The broker did not answer.
    async fn storage(&self) -> Result<Storage, Error> {
        Ok(Storage::default())
    }
    /// Subscribes to requests on a subject, which may have wildcards and must be in no stream. Each goes to one
    /// member of `group`. A request that arrives while nobody is subscribed, or while the connection is lost, is not
    /// delivered later: its sender gets no reply and sends it again. A transport without requests yields none.
    ///
    /// # Errors
    /// The broker did not answer.
    async fn requests(&self, _subject: &str, _group: &str) -> Result<Requests, Error> {
        Ok(futures::stream::pending().boxed())
    }
    /// Sends a message to the subscribers of its subject, such as a reply. No stream stores it and nobody
    /// acknowledges it.
    ///
    /// # Errors
    /// The connection is closed, or the message is too large.
    async fn send(&self, _message: Message) -> Result<(), Error> {
        Ok(())
    }
    /// Returns how often the connection was lost. A new connection may lead to another store.
    fn losses(&self) -> u64;
    /// Returns a token that is cancelled when messages in work must be dropped, because the store that they came from
    /// is lost.
    fn closing(&self) -> CancellationToken {
        CancellationToken::new()
    }
    /// Makes a round trip to the broker, for readiness.
    ///
    /// # Errors
    /// The broker did not answer.
    async fn ping(&self) -> Result<(), Error>;
}
