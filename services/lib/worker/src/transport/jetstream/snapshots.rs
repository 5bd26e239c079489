//! Copies of whole streams, as the server makes and takes them, for `gongkai backup` and `gongkai restore`. Services do
//! not use it, and the library does not have these calls.
//!
//! A snapshot arrives as chunks on an inbox; the server sends more while they are acknowledged. A stream is restored by a
//! request for each chunk. Its messages have the sequences, times and headers of the copied ones. The server gives it a new
//! time of creation; that of the copied stream is kept in its metadata, because it identifies the stream.
//!
//! Two things are missing in a snapshot of a stream that is written meanwhile:
//!
//! - A message that replaces another, as in a bucket: the server reads up to the last sequence at the start, and the
//!   replaced message is gone before it is read. [`JetStream::next_message`] reads what came after, up to the end.
//! - The right place of a consumer: the server reads the consumers last, when they are past messages whose outputs the copy
//!   does not have. A snapshot is made without them; [`JetStream::durables`] returns where they are, to be asked before the
//!   first snapshot.

use std::time::Duration;

use async_nats::{
    Client, Request, Subscriber,
    jetstream::{response::Response, stream::RawMessageErrorKind},
};
use bytes::Bytes;
use futures::StreamExt as _;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use tokio::time::timeout;

use super::{JetStream, errors, topology};
use crate::transport::{Error, ErrorKind, Headers, Message};

/// Size in bytes of the chunks of a snapshot, below the smallest maximum size of messages that is usable.
const CHUNK_BYTES: usize = 128 * 1024;
/// How long the server may take to open a restored stream. It reads all messages.
const OPENING: Duration = Duration::from_secs(30 * 60);
/// Matches every subject.
const EVERYTHING: &str = ">";
/// A header with this status, or none, ends a complete snapshot.
const COMPLETE: u16 = 204;

/// Settings and state of a stream, in the server's JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StreamCopy {
    /// Settings of the stream.
    pub config: Value,
    /// When the stream was created, RFC 3339.
    pub created_at: String,
    /// State of the stream when its copy began.
    pub state: Value,
}

/// A snapshot that arrives.
pub struct Snapshot {
    /// The stream.
    pub copy: StreamCopy,
    chunks: Subscriber,
    client: Client,
    stream: String,
    patience: Duration,
}

/// A durable consumer, and the sequence up to which it settled every message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Durable {
    /// Name of the consumer.
    pub name: String,
    /// Every message up to this sequence of the stream is settled.
    pub floor: u64,
    /// Settings of the consumer, in the server's JSON.
    pub config: Value,
}

/// A stream that is being restored.
pub struct Restoration {
    client: Client,
    subject: String,
    stream: String,
    patience: Duration,
}

/// A page of the list of consumers.
#[derive(Deserialize)]
struct ConsumerPage {
    total: u64,
    #[serde(default)]
    consumers: Option<Vec<ConsumerInfo>>,
}

#[derive(Deserialize)]
struct ConsumerInfo {
    name: String,
    config: Value,
    ack_floor: Position,
}

#[derive(Deserialize)]
struct Position {
    stream_seq: u64,
}

/// The answer that begins a snapshot.
#[derive(Deserialize)]
struct Begun {
    config: Value,
    state: Value,
}

/// The answer that names the subject for the chunks.
#[derive(Deserialize)]
struct Accepted {
    deliver_subject: String,
}

// === impl JetStream ===

impl JetStream {
    /// Begins a snapshot of a stream, without its consumers.
    ///
    /// # Errors
    /// `Unavailable`: try again. `NotFound`: there is no such stream. `Denied`: it is not permitted.
    pub async fn snapshot(&self, stream: &str) -> Result<Snapshot, Error> {
        let client = &self.connection.client;
        let missing = || Error::new(ErrorKind::NotFound, format!("there is no stream {stream}"));
        let info = topology::info(&self.connection, stream).await?.ok_or_else(missing)?;
        let created_at = topology::created(&info).format(&Rfc3339);
        let created_at = created_at.expect("a date of this era has an RFC 3339 form");
        let inbox = client.new_inbox();
        let subscribe = client.subscribe(inbox.clone());
        let chunks = self.connection.bounded("subscribe for", stream, subscribe).await?;
        let request = json!({ "deliver_subject": inbox, "no_consumers": true, "chunk_size": CHUNK_BYTES });
        let Begun { config, state } = self.ask("STREAM.SNAPSHOT", stream, stream, &request).await?;
        let copy = StreamCopy { config, created_at, state };
        let patience = self.object_timeout;
        Ok(Snapshot { copy, chunks, client: client.clone(), stream: stream.to_owned(), patience })
    }

    /// Returns the durable consumers of a stream that the server keeps until they are deleted.
    ///
    /// # Errors
    /// As for [`Self::snapshot`].
    pub async fn durables(&self, stream: &str) -> Result<Vec<Durable>, Error> {
        let mut all = Vec::new();
        loop {
            let request = json!({ "offset": all.len() });
            let page: ConsumerPage = self.ask("CONSUMER.LIST", stream, stream, &request).await?;
            let found = page.consumers.unwrap_or_default();
            let is_last = found.is_empty();
            all.extend(found);
            if is_last || all.len() as u64 >= page.total {
                break;
            }
        }
        let lasts = |consumer: &ConsumerInfo| {
            let has = |key: &str| consumer.config.get(key).is_some_and(|value| !value.is_null());
            has("durable_name") && !has("inactive_threshold")
        };
        Ok(all
            .into_iter()
            .filter(lasts)
            .map(|found| Durable {
                name: found.name,
                floor: found.ack_floor.stream_seq,
                config: found.config,
            })
            .collect())
    }

    /// Returns the first message after a sequence, as the leader of the stream has it, with its own sequence. Returns
    /// `None` at the end of the stream.
    ///
    /// # Errors
    /// As for [`Self::snapshot`].
    pub async fn next_message(&self, stream: &str, after: u64) -> Result<Option<(u64, Message)>, Error> {
        let connection = &self.connection;
        let handle = connection.context.get_stream_no_info(stream);
        let handle = connection.bounded("look up", stream, handle).await?;
        let next = async {
            match handle.get_first_raw_message_by_subject(EVERYTHING, after + 1).await {
                Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => Ok(None),
                found => found.map(Some),
            }
        };
        let found = connection.bounded("read message of", stream, next).await?;
        Ok(found.map(|found| {
            let message = Message {
                subject: found.subject.to_string(),
                headers: Headers::of(Some(found.headers)),
                payload: found.payload,
            };
            (found.sequence, message)
        }))
    }

    /// Begins to restore a stream, which must not exist, with another number of replicas.
    ///
    /// # Errors
    /// `Unavailable`: try again. `Denied`: it is not permitted. `Full`: the server has no room. `Conflict`: the stream
    /// exists. `Other`: the server cannot have these settings.
    pub async fn restore(
        &self,
        stream: &str,
        copy: &StreamCopy,
        replicas: usize,
    ) -> Result<Restoration, Error> {
        let mut config = copy.config.clone();
        config["num_replicas"] = replicas.into();
        config["metadata"][topology::CREATED] = copy.created_at.as_str().into();
        let request = json!({ "config": config, "state": copy.state });
        let accepted: Accepted = self.ask("STREAM.RESTORE", stream, stream, &request).await?;
        Ok(Restoration {
            client: self.connection.client.clone(),
            subject: accepted.deliver_subject,
            stream: stream.to_owned(),
            patience: self.object_timeout,
        })
    }

    /// Creates a consumer that continues after its floor.
    ///
    /// # Errors
    /// As for [`Self::snapshot`].
    pub async fn restore_durable(&self, stream: &str, durable: &Durable) -> Result<(), Error> {
        let mut config = durable.config.clone();
        config["deliver_policy"] = "by_start_sequence".into();
        config["opt_start_seq"] = (durable.floor + 1).into();
        if let Some(config) = config.as_object_mut() {
            config.remove("opt_start_time");
        }
        let request = json!({ "stream_name": stream, "config": config, "action": "create" });
        let target = format!("{stream}.{}", durable.name);
        self.ask::<Value>("CONSUMER.CREATE", &target, &durable.name, &request).await.map(drop)
    }

    /// Deletes a stream, if it exists.
    ///
    /// # Errors
    /// `Unavailable`: try again. `Denied`: it is not permitted.
    pub async fn delete_stream(&self, stream: &str) -> Result<(), Error> {
        match self.ask::<Value>("STREAM.DELETE", stream, stream, &json!({})).await {
            Err(error) if error.kind != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Makes a request to the server's API. `name` is that of the stream or consumer, for errors.
    async fn ask<T: DeserializeOwned>(
        &self,
        call: &str,
        target: &str,
        name: &str,
        request: &Value,
    ) -> Result<T, Error> {
        let asking = self.connection.context.request(format!("{call}.{target}"), request);
        match self.connection.bounded(call, name, asking).await? {
            Response::Ok(answer) => Ok(answer),
            Response::Err { error } => Err(errors::wrap(format!("{call} {name} was refused"), error)),
        }
    }
}

// === impl StreamCopy ===

impl StreamCopy {
    /// Returns the last sequence of the stream when its copy began. The copy may have more messages.
    #[must_use]
    pub fn last_sequence(&self) -> u64 {
        self.number("last_seq")
    }

    /// Returns the number of messages when the copy began.
    #[must_use]
    pub fn messages(&self) -> u64 {
        self.number("messages")
    }

    fn number(&self, key: &str) -> u64 {
        self.state.get(key).and_then(Value::as_u64).unwrap_or_default()
    }
}

// === impl Snapshot ===

impl Snapshot {
    /// Returns the next chunk, or `None` at the end of a complete snapshot.
    ///
    /// # Errors
    /// `Unavailable`: the server or the connection failed; begin again. `Other`: the server cannot read the stream.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        let failed = |kind, what: &str| Error::new(kind, format!("snapshot of {} {what}", self.stream));
        let chunk = timeout(self.patience, self.chunks.next()).await;
        let chunk = chunk.map_err(|_| failed(ErrorKind::Unavailable, "stalled"))?;
        let async_nats::Message { payload, reply, status, description, .. } =
            chunk.ok_or_else(|| failed(ErrorKind::Unavailable, "broke off"))?;
        if payload.is_empty() {
            return match status {
                Some(status) if status.as_u16() != COMPLETE => {
                    let kind = if status.as_u16() < 500 { ErrorKind::Unavailable } else { ErrorKind::Other };
                    Err(failed(kind, "ended early").because(description.unwrap_or_default().to_string()))
                }
                _ => Ok(None),
            };
        }
        if let Some(reply) = reply {
            let acknowledged = self.client.publish(reply, Bytes::new()).await;
            acknowledged.map_err(|error| failed(ErrorKind::Unavailable, "broke off").because(error))?;
        }
        Ok(Some(payload))
    }
}

// === impl Restoration ===

impl Restoration {
    /// Sends the next chunk of the snapshot, of any size that a message may have.
    ///
    /// # Errors
    /// The server cannot take it, or did not answer. The stream is not restored.
    pub async fn send(&self, chunk: Bytes) -> Result<(), Error> {
        let answer = self.request(chunk, self.patience).await?;
        if answer.is_empty() { Ok(()) } else { self.judge(&answer) }
    }

    /// Ends the stream, and waits until the server has opened it.
    ///
    /// # Errors
    /// As for [`Self::send`].
    pub async fn finish(self) -> Result<(), Error> {
        let answer = self.request(Bytes::new(), OPENING).await?;
        self.judge(&answer)
    }

    async fn request(&self, chunk: Bytes, limit: Duration) -> Result<Bytes, Error> {
        let request = Request::new().payload(chunk).timeout(Some(limit));
        let answer = self.client.send_request(self.subject.clone(), request).await;
        let answer =
            answer.map_err(|error| errors::wrap(format!("restore {} failed", self.stream), error))?;
        Ok(answer.payload)
    }

    fn judge(&self, answer: &[u8]) -> Result<(), Error> {
        let attempt = format!("restore {} was refused", self.stream);
        match serde_json::from_slice::<Response<Value>>(answer) {
            Ok(Response::Ok(_)) => Ok(()),
            Ok(Response::Err { error }) => Err(errors::wrap(attempt, error)),
            Err(error) => Err(Error::new(ErrorKind::Other, attempt).because(error)),
        }
    }
}
