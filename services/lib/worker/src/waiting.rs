//! [`WaitingMessage`]: a message that failed and waits for its next attempt, as the bucket of attempts shows it.

use bytes::Bytes;
use prost::Message as _;
use serde::Serialize;
use time::OffsetDateTime;

use crate::attempts::Attempts;

/// A message that failed at least once and is not settled yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WaitingMessage {
    /// Stream of the message.
    pub stream: String,
    /// Durable consumer whose handler failed.
    pub consumer: String,
    /// Stream sequence of the message.
    pub sequence: u64,
    /// Id of the message.
    pub message_id: String,
    /// Subject of the message. Empty if an earlier version noted the failure.
    pub subject: String,
    /// Number of failed attempts.
    pub attempts: u32,
    /// When the message is delivered next, unless the process stops before. A time that has passed means that the
    /// message is in work, or that nobody fetches it. `None` if an earlier version noted the failure.
    #[serde(with = "time::serde::rfc3339::option")]
    pub retry_at: Option<OffsetDateTime>,
    /// Why the last attempt failed.
    pub cause: String,
}

impl WaitingMessage {
    /// Reads an entry of the bucket of attempts. Returns `None` for an entry without a failed attempt, and for one of
    /// another program.
    #[must_use]
    pub fn read(key: &str, value: Bytes) -> Option<Self> {
        let attempts = Attempts::decode(value).ok().filter(|attempts| attempts.failures > 0)?;
        let (consumer, sequence) = key.rsplit_once('/')?;
        let (stream, consumer) = consumer.split_once('/')?;
        let retry_at =
            OffsetDateTime::from_unix_timestamp_nanos(i128::from(attempts.retry_at_ms) * 1_000_000);
        Some(Self {
            stream: stream.to_owned(),
            consumer: consumer.to_owned(),
            sequence: sequence.parse().ok()?,
            message_id: attempts.message_id,
            subject: attempts.subject,
            attempts: attempts.failures,
            retry_at: retry_at.ok().filter(|_| attempts.retry_at_ms != 0),
            cause: attempts.cause,
        })
    }
}
