//! The messages that a stream got while it was copied, in a file of their own.
//!
//! A snapshot lacks an entry that is replaced meanwhile: it ends at the last sequence at its start, and the replaced
//! message is gone before it is read. What came after is therefore read once more, up to the end.

use std::{
    fs::File,
    io::{BufReader, BufWriter, ErrorKind, Read as _, Write as _},
};

use anyhow::Context as _;
use gongkai_worker::{
    Message, Transport as _,
    transport::{Headers, jetstream::JetStream},
};
use prost::Message as _;

/// Beginning of the headers with a condition on the stream, which held when the message was stored.
const CONDITIONS: &str = "Nats-Expected-";

/// A message in the file, after its length as four bytes, lowest first.
#[derive(Clone, PartialEq, prost::Message)]
struct Stored {
    #[prost(string, tag = "1")]
    subject: String,
    #[prost(message, repeated, tag = "2")]
    headers: Vec<StoredHeader>,
    #[prost(bytes = "bytes", tag = "3")]
    payload: bytes::Bytes,
    /// Its sequence in the copied stream.
    #[prost(uint64, tag = "4")]
    sequence: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
struct StoredHeader {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

/// Writes the messages of a stream after a sequence. Returns their number.
///
/// # Errors
/// The broker did not answer, or the file cannot be written.
pub(super) async fn write(broker: &JetStream, stream: &str, after: u64, file: &File) -> anyhow::Result<u64> {
    let (mut last, mut count, mut file) = (after, 0, BufWriter::new(file));
    while let Some((sequence, message)) = broker.next_message(stream, last).await? {
        let bytes = Stored::of(message, sequence).encode_to_vec();
        file.write_all(&u32::try_from(bytes.len())?.to_le_bytes())?;
        file.write_all(&bytes)?;
        (last, count) = (sequence, count + 1);
    }
    file.flush()?;
    Ok(count)
}

/// Publishes the messages of a file whose sequences are above `held`, the last one of the restored stream.
///
/// # Errors
/// The broker did not take one, or the file has another number of messages than `expected`.
pub(super) async fn read(broker: &JetStream, file: File, expected: u64, held: u64) -> anyhow::Result<()> {
    let mut file = BufReader::new(file);
    for _ in 0..expected {
        let mut length = [0; 4];
        file.read_exact(&mut length)?;
        let mut bytes = vec![0; usize::try_from(u32::from_le_bytes(length))?];
        file.read_exact(&mut bytes)?;
        let stored = Stored::decode(bytes.as_slice())?;
        if stored.sequence <= held {
            continue;
        }
        let message = stored.message()?;
        let subject = message.subject.clone();
        broker.publish(message).await.with_context(|| format!("couldn't publish on {subject}"))?;
    }
    match file.read_exact(&mut [0]) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(()),
        _ => anyhow::bail!("the file has more messages than were written"),
    }
}

// === impl Stored ===

impl Stored {
    fn of(message: Message, sequence: u64) -> Self {
        let kept = message.headers.sorted().into_iter().filter(|(name, _)| !name.starts_with(CONDITIONS));
        let headers =
            kept.map(|(name, value)| StoredHeader { name: name.to_owned(), value: value.to_owned() });
        Self { headers: headers.collect(), subject: message.subject, payload: message.payload, sequence }
    }

    fn message(self) -> Result<Message, gongkai_worker::transport::Error> {
        let mut headers = Headers::new();
        for header in &self.headers {
            headers.insert(&header.name, &header.value)?;
        }
        Ok(Message { subject: self.subject, headers, payload: self.payload })
    }
}
