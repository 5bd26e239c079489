//! Dead letters: a message that cannot be handled, kept as a document with everything needed to replay it.
//!
//! The dead letter is in its stream before the broker is told to stop deliveries; its id is made from the message's,
//! so that burying twice gives one.

use bytes::Bytes;
use prost_types::Timestamp;
use time::OffsetDateTime;

use crate::output::Output;
use crate::transport::Headers;

/// Code: the payload is no message of the kind expected.
pub const UNDECODABLE: &str = "UNDECODABLE";
/// Code: the message is of a kind that its handler has no use for.
pub const UNEXPECTED_EVENT: &str = "UNEXPECTED_EVENT";
/// Code: every attempt failed.
pub const ATTEMPTS_EXHAUSTED: &str = "ATTEMPTS_EXHAUSTED";
/// Code: every attempt failed, the last one by a panic.
pub const PANIC: &str = "PANIC";
/// Code: an output does not fit into a message.
pub const OUTPUT_TOO_LARGE: &str = "OUTPUT_TOO_LARGE";

/// CloudEvents type.
const CE_TYPE: &str = "gongkai.dead.v1";

/// The wire form. The runtime knows no message of ours, so it has the fields of the published one under the same tags;
/// a test holds the two together.
#[derive(Clone, PartialEq, prost::Message)]
pub struct DeadLetter {
    /// The service that gave up.
    #[prost(string, tag = "1")]
    pub service: String,
    /// The message's subject.
    #[prost(string, tag = "2")]
    pub subject: String,
    /// Its headers.
    #[prost(message, repeated, tag = "3")]
    pub headers: Vec<Header>,
    /// Its body.
    #[prost(bytes = "bytes", tag = "4")]
    pub payload: Bytes,
    /// Why, as a stable code.
    #[prost(string, tag = "5")]
    pub code: String,
    /// Why, as a chain of causes.
    #[prost(string, tag = "6")]
    pub cause: String,
    /// Deliveries so far.
    #[prost(uint32, tag = "7")]
    pub attempts: u32,
    /// When the stream took it.
    #[prost(message, optional, tag = "8")]
    pub first_seen_at: Option<Timestamp>,
    /// When it was given up.
    #[prost(message, optional, tag = "9")]
    pub buried_at: Option<Timestamp>,
    /// The trace it travelled under.
    #[prost(string, tag = "10")]
    pub trace_id: String,
    /// Its id.
    #[prost(string, tag = "11")]
    pub message_id: String,
    /// Version of the service that gave up.
    #[prost(string, tag = "12")]
    pub service_version: String,
    /// Its stream sequence.
    #[prost(uint64, tag = "13")]
    pub sequence: u64,
}

/// A header of a dead letter.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Header {
    /// Its name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// Its value.
    #[prost(string, tag = "2")]
    pub value: String,
}

impl DeadLetter {
    /// The id it is published under.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}.{}.dead", self.message_id, self.service)
    }

    pub(crate) fn output(&self, subject: &str) -> Output {
        Output::new(subject, CE_TYPE, self)
    }
}

pub(crate) fn headers(headers: &Headers) -> Vec<Header> {
    let header = |(name, value): (&str, &str)| Header { name: name.to_owned(), value: value.to_owned() };
    headers.sorted().into_iter().map(header).collect()
}

pub(crate) fn timestamp(at: OffsetDateTime) -> Timestamp {
    let nanos = i32::try_from(at.nanosecond()).expect("a second has fewer nanoseconds than an i32 holds");
    Timestamp { seconds: at.unix_timestamp(), nanos }
}
