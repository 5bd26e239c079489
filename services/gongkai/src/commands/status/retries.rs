//! The messages that failed and wait for their next attempt.

use gongkai_proto::subjects;
use gongkai_worker::{
    WaitingMessage,
    transport::{Error, ErrorKind, jetstream::JetStream},
};

use crate::{
    printer::{clean, in_china},
    table::{Column, TableRow},
};

/// Maximum number of messages that are read.
const MAX: usize = 10_000;

/// Returns the messages, the next to be delivered first.
///
/// # Errors
/// The broker did not answer.
pub(super) async fn list(broker: &JetStream) -> Result<Vec<WaitingMessage>, Error> {
    let entries = match broker.entries_of(subjects::BUCKET_ATTEMPTS, MAX).await {
        Ok(entries) => entries,
        Err(error) if error.kind == ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    let mut messages: Vec<_> =
        entries.into_iter().filter_map(|(key, value)| WaitingMessage::read(&key, value)).collect();
    messages.sort_by(|a, b| (a.retry_at, &a.consumer).cmp(&(b.retry_at, &b.consumer)));
    Ok(messages)
}

impl TableRow for WaitingMessage {
    const COLUMNS: &'static [Column<Self>] = &[
        ("next", |message| message.retry_at.map(in_china).unwrap_or_default()),
        ("consumer", |message| clean(&message.consumer)),
        ("message", |message| clean(&message.message_id)),
        ("attempts", |message| message.attempts.to_string()),
        ("cause", |message| clean(&message.cause)),
    ];
}
