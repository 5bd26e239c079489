//! Dead letters: messages that could not be handled, kept with everything needed to replay them.
//!
//! A dead letter is in its stream before deliveries of the message end. Its id is derived from the message's id, so
//! burying a message twice stores one dead letter.

use bytes::Bytes;
use prost_types::Timestamp;
use time::OffsetDateTime;

use crate::output::Output;
use crate::transport::Headers;

/// Code: the payload could not be decoded as a message of the expected kind.
pub const UNDECODABLE: &str = "UNDECODABLE";
/// Code: the handler does not accept messages of this kind.
pub const UNEXPECTED_EVENT: &str = "UNEXPECTED_EVENT";
/// Code: every attempt failed.
pub const ATTEMPTS_EXHAUSTED: &str = "ATTEMPTS_EXHAUSTED";
/// Code: every attempt failed, the last one by a panic.
pub const PANIC: &str = "PANIC";
/// Code: the process died repeatedly while it handled this message and no other.
pub const CRASHED: &str = "CRASHED";
/// Code: an output exceeds the broker's message size limit.
pub const OUTPUT_TOO_LARGE: &str = "OUTPUT_TOO_LARGE";

/// CloudEvents type.
const CE_TYPE: &str = "gongkai.dead.v1";

/// The wire form of a dead letter.
///
/// The runtime does not depend on the crate of messages. This struct has the fields and tags of that crate's
/// `DeadLetter`; a test compares the two.
#[derive(Clone, PartialEq, prost::Message)]
pub struct DeadLetter {
    /// The service that gave up.
    #[prost(string, tag = "1")]
    pub service: String,
    /// Subject of the buried message.
    #[prost(string, tag = "2")]
    pub subject: String,
    /// Headers of the buried message.
    #[prost(message, repeated, tag = "3")]
    pub headers: Vec<DeadLetterHeader>,
    /// Payload of the buried message.
    #[prost(bytes = "bytes", tag = "4")]
    pub payload: Bytes,
    /// Why the message was buried, as a stable code.
    #[prost(string, tag = "5")]
    pub code: String,
    /// Why the message was buried, as text with all causes.
    #[prost(string, tag = "6")]
    pub cause: String,
    /// Number of attempts so far. Deliveries that ended with their process do not count.
    #[prost(uint32, tag = "7")]
    pub attempts: u32,
    /// When the stream stored the message.
    #[prost(message, optional, tag = "8")]
    pub first_seen_at: Option<Timestamp>,
    /// When the message was buried.
    #[prost(message, optional, tag = "9")]
    pub buried_at: Option<Timestamp>,
    /// Trace id of the message, 32 hex digits.
    #[prost(string, tag = "10")]
    pub trace_id: String,
    /// Id of the message.
    #[prost(string, tag = "11")]
    pub message_id: String,
    /// Version of the service that gave up.
    #[prost(string, tag = "12")]
    pub service_version: String,
    /// Stream sequence of the message.
    #[prost(uint64, tag = "13")]
    pub sequence: u64,
}

/// A header of a dead letter.
#[derive(Clone, PartialEq, prost::Message)]
pub struct DeadLetterHeader {
    /// Header name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// Header value.
    #[prost(string, tag = "2")]
    pub value: String,
}

impl DeadLetter {
    /// Returns the message id under which the dead letter is published.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}.{}.dead", self.message_id, self.service)
    }

    pub(crate) fn output(&self, subject: &str) -> Output {
        Output::new(subject, CE_TYPE, self)
    }
}

pub(crate) fn headers(headers: &Headers) -> Vec<DeadLetterHeader> {
    let header =
        |(name, value): (&str, &str)| DeadLetterHeader { name: name.to_owned(), value: value.to_owned() };
    headers.sorted().into_iter().map(header).collect()
}

pub(crate) fn timestamp(at: OffsetDateTime) -> Timestamp {
    let nanos = i32::try_from(at.nanosecond()).expect("a second has fewer nanoseconds than an i32 holds");
    Timestamp { seconds: at.unix_timestamp(), nanos }
}
