//! What the server knows of its streams and consumers: for a person who looks, not for the services.

use futures::TryStreamExt as _;
use serde::Serialize;

use super::JetStream;
use crate::transport::Error;

/// A stream; buckets are streams too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StreamStatus {
    /// Its name.
    pub name: String,
    /// Messages in it.
    pub messages: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Sequence of the newest message ever.
    pub last_sequence: u64,
    /// Its consumers, by name.
    pub consumers: Vec<ConsumerStatus>,
}

/// A consumer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConsumerStatus {
    /// Its durable name.
    pub name: String,
    /// Messages not delivered yet: the lag.
    pub pending: u64,
    /// Messages delivered and not settled: in work, or waiting for another attempt.
    pub in_flight: usize,
    /// Of those, delivered more than once.
    pub redelivered: usize,
    /// Pull requests that wait for messages; 0 while no service listens or all are busy.
    pub waiting: usize,
}

impl JetStream {
    /// Every stream of the account with its consumers, by name.
    ///
    /// # Errors
    /// The server was not reached, or does not permit to list.
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

    async fn consumers(&self, stream: &str) -> Result<Vec<ConsumerStatus>, Error> {
        let connection = &self.connection;
        let handle =
            connection.bounded("look up", stream, connection.context.get_stream_no_info(stream)).await?;
        let listed = handle.consumers().try_collect::<Vec<_>>();
        let listed = connection.bounded("list consumers of", stream, listed).await?;
        let mut consumers: Vec<_> = listed
            .into_iter()
            .map(|info| ConsumerStatus {
                pending: info.num_pending,
                in_flight: info.num_ack_pending,
                redelivered: info.num_redelivered,
                waiting: info.num_waiting,
                name: info.name,
            })
            .collect();
        consumers.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(consumers)
    }
}
