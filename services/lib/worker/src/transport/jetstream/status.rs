//! Status of streams and consumers, for operators. Services do not use it.

use async_nats::jetstream::consumer::Info;
use bytes::Bytes;
use futures::TryStreamExt as _;
use serde::Serialize;
use time::OffsetDateTime;

use super::{JetStream, topology};
use crate::transport::{Error, ErrorKind, StoredObject};

/// Headers of messages that say that an entry was deleted or has expired.
const MARKERS: [&str; 2] = ["KV-Operation", "Nats-Marker-Reason"];

/// Status of a stream. Buckets are streams too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StreamStatus {
    /// Name of the stream.
    pub name: String,
    /// Number of messages.
    pub messages: u64,
    /// Size in bytes.
    pub bytes: u64,
    /// Sequence of the last message that was stored.
    pub last_sequence: u64,
    /// Consumers of the stream, sorted by name.
    pub consumers: Vec<ConsumerStatus>,
}

/// Status of a consumer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConsumerStatus {
    /// Durable name of the consumer.
    pub name: String,
    /// Messages that were not delivered yet: the lag.
    pub pending: u64,
    /// Messages delivered and not settled: being handled, or waiting for another attempt.
    pub in_flight: usize,
    /// Messages in flight that were delivered more than once.
    pub redelivered: usize,
    /// End of the pause, if the consumer is paused.
    #[serde(with = "time::serde::rfc3339::option")]
    pub paused_until: Option<OffsetDateTime>,
    /// Waiting pull requests. 0 if no service is running or all are busy.
    pub waiting: usize,
}

impl JetStream {
    /// Returns the objects of a bucket. Objects without a storage time are left out.
    ///
    /// # Errors
    /// `Unavailable`: try again. `NotFound`: there is no such bucket.
    pub async fn stored(&self, bucket: &str) -> Result<Vec<StoredObject>, Error> {
        let connection = &self.connection;
        let store =
            connection.bounded("look up", bucket, connection.context.get_object_store(bucket)).await?;
        let mut listed = connection.bounded("list", bucket, store.list()).await?;
        let mut objects = Vec::new();
        while let Some(object) = connection.bounded("list", bucket, listed.try_next()).await? {
            if let Some(stored_at) = object.modified.filter(|_| !object.deleted) {
                objects.push(StoredObject { key: object.name, bytes: object.size as u64, stored_at });
            }
        }
        Ok(objects)
    }

    /// Returns the entries of a bucket with their keys, up to `max`.
    ///
    /// # Errors
    /// `Unavailable`: try again. `NotFound`: there is no such bucket. `Denied`: reading is not permitted.
    pub async fn entries_of(&self, bucket: &str, max: usize) -> Result<Vec<(String, Bytes)>, Error> {
        let connection = &self.connection;
        let stream = topology::entry_stream(bucket);
        if topology::info(connection, &stream).await?.is_none() {
            return Err(Error::new(ErrorKind::NotFound, format!("there is no bucket {bucket}")));
        }
        let stream = connection.context.get_stream_no_info(stream);
        let stream = connection.bounded("look up", bucket, stream).await?;
        let prefix = format!("$KV.{bucket}.");
        let (mut next, mut all) = (1, Vec::new());
        while all.len() < max {
            let message = stream.direct_get_next_for_subject(format!("{prefix}>"), Some(next));
            let message = match connection.bounded("read", bucket, message).await {
                Ok(message) => message,
                Err(error) if error.kind == ErrorKind::NotFound => break,
                Err(error) => return Err(error),
            };
            next = message.sequence + 1;
            // Deletions and expiries leave a message with a header that says so.
            let is_value = !message.headers.iter().any(|(name, _)| MARKERS.contains(&name.as_ref()));
            if let (Some(key), true) = (message.subject.strip_prefix(&prefix), is_value) {
                all.push((key.to_owned(), message.payload));
            }
        }
        Ok(all)
    }

    /// Returns every stream of the account with its consumers, sorted by name.
    ///
    /// # Errors
    /// `Unavailable`: try again. `Denied`: listing is not permitted.
    pub async fn status(&self) -> Result<Vec<StreamStatus>, Error> {
        let streams = self.connection.context.streams().try_collect::<Vec<_>>();
        let streams = self.connection.bounded("list", "streams", streams).await?;
        let mut all = Vec::with_capacity(streams.len());
        for info in streams {
            let name = info.config.name;
            let consumers =
                if info.state.consumer_count == 0 { Vec::new() } else { self.consumers(&name).await? };
            all.push(StreamStatus {
                messages: info.state.messages,
                bytes: info.state.bytes,
                last_sequence: info.state.last_sequence,
                name,
                consumers,
            });
        }
        all.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(all)
    }

    /// Returns the consumers of a stream whose names are `wanted`, that have no waiting pull request and were not
    /// used after `since`.
    ///
    /// # Errors
    /// `Unavailable`: try again. `Denied`: listing is not permitted.
    pub async fn idle_consumers(
        &self,
        stream: &str,
        wanted: fn(&str) -> bool,
        since: OffsetDateTime,
    ) -> Result<Vec<String>, Error> {
        let Some(_) = topology::info(&self.connection, stream).await? else { return Ok(Vec::new()) };
        let is_idle = |info: &Info| {
            let used = [info.delivered.last_active, info.ack_floor.last_active, Some(info.created)];
            info.num_waiting == 0 && used.into_iter().flatten().all(|at| at < since)
        };
        let listed = self.listed(stream).await?;
        Ok(listed
            .into_iter()
            .filter(|info| wanted(&info.name) && is_idle(info))
            .map(|info| info.name)
            .collect())
    }

    /// Deletes the consumers that [`Self::idle_consumers`] returns.
    ///
    /// # Errors
    /// As for [`Self::idle_consumers`].
    pub async fn forget_idle(
        &self,
        stream: &str,
        wanted: fn(&str) -> bool,
        since: OffsetDateTime,
    ) -> Result<(), Error> {
        for name in self.idle_consumers(stream, wanted, since).await? {
            let delete = self.connection.context.delete_consumer_from_stream(&name, stream);
            self.connection.bounded("delete consumer", &name, delete).await?;
        }
        Ok(())
    }

    async fn listed(&self, stream: &str) -> Result<Vec<Info>, Error> {
        let connection = &self.connection;
        let handle =
            connection.bounded("look up", stream, connection.context.get_stream_no_info(stream)).await?;
        let listed = handle.consumers().try_collect::<Vec<_>>();
        connection.bounded("list consumers of", stream, listed).await
    }

    async fn consumers(&self, stream: &str) -> Result<Vec<ConsumerStatus>, Error> {
        let listed = self.listed(stream).await?;
        let mut consumers: Vec<_> = listed
            .into_iter()
            .map(|info| ConsumerStatus {
                pending: info.num_pending,
                in_flight: info.num_ack_pending,
                redelivered: info.num_redelivered,
                waiting: info.num_waiting,
                paused_until: info.config.pause_until.filter(|_| info.paused),
                name: info.name,
            })
            .collect();
        consumers.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(consumers)
    }
}
