//! Reads single messages of a stream, the state of streams, and the progress of consumers.

use async_nats::jetstream::{
    consumer::pull::Config,
    message::StreamMessage,
    stream::{DirectGetErrorKind, Stream},
};
use futures::TryStreamExt as _;

use super::connection::Connection;
use crate::transport::{ConsumerLag, Error, ErrorKind, Headers, Logged, Message};

/// Reads a message by its sequence.
///
/// # Errors
/// See [`crate::Transport::message`].
pub(super) async fn message(
    connection: &Connection,
    stream: &str,
    sequence: u64,
) -> Result<Option<Logged>, Error> {
    let handle = look_up(connection, stream).await?;
    let found = async {
        match handle.direct_get(sequence).await {
            Err(error) if error.kind() == DirectGetErrorKind::NotFound => Ok(None),
            found => found.map(Some),
        }
    };
    let found = connection.bounded("read message of", stream, found).await?;
    Ok(found.map(logged))
}

/// Counts the messages that match `filter`.
///
/// # Errors
/// See [`crate::Transport::count`].
pub(super) async fn count(connection: &Connection, stream: &str, filter: &str) -> Result<u64, Error> {
    let handle = look_up(connection, stream).await?;
    let subjects = connection.bounded("count messages of", stream, handle.info_with_subjects(filter)).await?;
    let total = subjects.try_fold(0, |total, (_, count)| async move { Ok(total + count as u64) });
    connection.bounded("count messages of", stream, total).await
}

/// Returns the progress of a consumer.
///
/// # Errors
/// See [`crate::Transport::consumer_lag`].
pub(super) async fn consumer_lag(
    connection: &Connection,
    stream: &str,
    durable: &str,
) -> Result<Option<ConsumerLag>, Error> {
    let look_up = connection.context.get_consumer_from_stream::<Config, _, _>(durable, stream);
    let consumer = match connection.bounded("look up consumer", durable, look_up).await {
        Ok(consumer) => consumer,
        Err(error) if error.kind == ErrorKind::NotFound => {
            // A missing stream also has no consumers; look it up to distinguish the two.
            let found = connection.context.get_stream(stream);
            return connection.bounded("look up stream", stream, found).await.map(|_| None);
        }
        Err(error) => return Err(error),
    };
    let info = consumer.cached_info();
    Ok(Some(ConsumerLag {
        outstanding: info.num_pending + info.num_ack_pending as u64,
        in_flight: info.num_ack_pending as u64,
        redelivered: info.num_redelivered as u64,
        floor: info.ack_floor.stream_sequence,
    }))
}

/// Returns the first message after a sequence, with its own sequence.
///
/// # Errors
/// See [`crate::Transport::first_after`].
pub(super) async fn first_after(
    connection: &Connection,
    stream: &str,
    filters: &[String],
    sequence: u64,
) -> Result<Option<(u64, Logged)>, Error> {
    let handle = look_up(connection, stream).await?;
    let everything = [">".to_owned()];
    let filters = if filters.is_empty() { &everything } else { filters };
    let mut first: Option<StreamMessage> = None;
    for filter in filters {
        let next = async {
            match handle.direct_get_next_for_subject(filter, Some(sequence + 1)).await {
                Err(error) if error.kind() == DirectGetErrorKind::NotFound => Ok(None),
                found => found.map(Some),
            }
        };
        let found = connection.bounded("read message of", stream, next).await?;
        first = [first, found].into_iter().flatten().min_by_key(|found| found.sequence);
    }
    Ok(first.map(|found| (found.sequence, logged(found))))
}

fn logged(found: StreamMessage) -> Logged {
    Logged {
        logged_at: found.time,
        message: Message {
            subject: found.subject.to_string(),
            headers: Headers::as_sent(&found.headers),
            payload: found.payload,
        },
    }
}

async fn look_up(connection: &Connection, stream: &str) -> Result<Stream<()>, Error> {
    connection.bounded("look up stream", stream, connection.context.get_stream_no_info(stream)).await
}
