//! The server behind the connection and the copies of the streams, for operators. Services do not use it.

use std::time::Duration;

use async_nats::jetstream::stream::Info;
use futures::TryStreamExt as _;
use serde::Deserialize;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::time::Instant;

use super::{JetStream, topology};
use crate::{clock::Clock, transport::Error};

/// The server behind the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerStatus {
    /// Name of the server.
    pub name: String,
    /// Version of the server.
    pub version: String,
    /// Name of its cluster, if it is in one.
    pub cluster: Option<String>,
    /// Largest message that it accepts, in bytes.
    pub max_payload_bytes: usize,
    /// True if it refuses connections without TLS.
    pub requires_tls: bool,
}

/// The clock of the server, compared to that of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockOffset {
    /// The server's time minus the time here.
    pub offset: time::Duration,
    /// The offset is known to this precision.
    pub precision: Duration,
}

/// The copies of a stream in a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamCopies {
    /// Name of the stream.
    pub stream: String,
    /// Number of copies that the stream is configured to have.
    pub wanted: usize,
    /// True if the copies have elected a leader; without one the stream accepts nothing.
    pub has_leader: bool,
    /// Servers whose copy is away.
    pub away: Vec<String>,
    /// Servers whose copy is behind the leader's.
    pub behind: Vec<String>,
}

/// The part of the answer about a stream that the client does not return.
#[derive(Deserialize)]
struct Dated {
    ts: String,
}

impl JetStream {
    /// Returns what the server said about itself when the connection was made.
    #[must_use]
    pub fn server(&self) -> ServerStatus {
        let info = self.connection.client.server_info();
        ServerStatus {
            name: info.server_name,
            version: info.version,
            cluster: info.cluster.filter(|name| !name.is_empty()),
            max_payload_bytes: info.max_payload,
            requires_tls: info.tls_required,
        }
    }

    /// Compares the clock of the server that leads `stream` to that of this machine. Returns `None` if there is no such
    /// stream.
    ///
    /// # Errors
    /// `Unavailable`: try again. `Denied`: the request is not permitted.
    pub async fn clock_offset(&self, stream: &str) -> Result<Option<ClockOffset>, Error> {
        let Some(_) = topology::info(&self.connection, stream).await? else { return Ok(None) };
        let connection = &self.connection;
        let (asked, at) = (Instant::now(), Clock::system().now());
        let request = connection.client.request(format!("$JS.API.STREAM.INFO.{stream}"), "".into());
        let answer = connection.bounded("ask for the time of", stream, request).await?;
        let round_trip = asked.elapsed();
        let dated = serde_json::from_slice::<Dated>(&answer.payload).ok();
        let answered = dated.and_then(|dated| OffsetDateTime::parse(&dated.ts, &Rfc3339).ok());
        Ok(answered.map(|answered| ClockOffset {
            // The server answered at some time within the round trip.
            offset: answered - (at + round_trip / 2),
            precision: round_trip / 2,
        }))
    }

    /// Returns the copies of every stream of the account, sorted by the stream's name.
    ///
    /// # Errors
    /// `Unavailable`: try again. `Denied`: listing is not permitted.
    pub async fn copies(&self) -> Result<Vec<StreamCopies>, Error> {
        let streams = self.connection.context.streams().try_collect::<Vec<_>>();
        let streams = self.connection.bounded("list", "streams", streams).await?;
        let mut all: Vec<_> = streams.iter().map(copies_of).collect();
        all.sort_by(|a, b| a.stream.cmp(&b.stream));
        Ok(all)
    }
}

fn copies_of(info: &Info) -> StreamCopies {
    let cluster = info.cluster.as_ref();
    let named = |wanted: fn(&async_nats::jetstream::stream::PeerInfo) -> bool| {
        let copies = cluster.into_iter().flat_map(|cluster| &cluster.replicas);
        copies.filter(|copy| wanted(copy)).map(|copy| copy.name.clone()).collect()
    };
    StreamCopies {
        stream: info.config.name.clone(),
        wanted: info.config.num_replicas,
        // A server that stands alone reports no cluster.
        has_leader: cluster.is_none_or(|cluster| cluster.leader.is_some()),
        away: named(|copy| copy.offline),
        behind: named(|copy| !copy.offline && !copy.current),
    }
}
