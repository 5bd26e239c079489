//! Declares streams and buckets: creates missing ones and widens existing ones.
//!
//! Widening removes nothing: it adds subjects, raises the number of replicas and denies deletion. Two versions of a
//! program can therefore declare one after the other, and settings of an operator (size limits, placement) are kept.
//! With read-only permissions, declaring succeeds as long as nothing has to change.

use std::{collections::BTreeSet, time::Duration};

use async_nats::jetstream::{
    kv, object_store,
    stream::{Config, DiscardPolicy, Info},
};
use futures::future::try_join_all;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::connection::Connection;
use crate::transport::{
    DUPLICATE_WINDOW, Error, ErrorKind, MAX_MESSAGE_BYTES, Storage, StreamDef, StreamState, Topology,
    TopologyPart,
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Value that means no limit.
const UNLIMITED: i64 = -1;
/// Key in the metadata of a restored stream, with the time at which the copied stream was created.
pub(super) const CREATED: &str = "gongkai-created";
/// Values kept per entry: only the latest.
const HISTORY: i64 = 1;

/// The connection on which streams and buckets are declared, with their replication and size.
pub(super) struct Cluster<'a> {
    pub(super) connection: &'a Connection,
    pub(super) replicas: usize,
    pub(super) stream_max_bytes: Option<u64>,
}

/// Declares the topology.
///
/// # Errors
/// See [`crate::Transport::declare`].
pub(super) async fn declare(cluster: &Cluster<'_>, topology: &Topology) -> Result<(), Error> {
    let streams = topology.streams.iter().map(|definition| wanted(cluster, definition));
    let timers = topology.timers.iter().map(|definition| wanted_timers(cluster, definition));
    // The calls are independent, so a first start waits only for the slowest.
    let streams = try_join_all(streams.chain(timers).map(|wanted| declare_stream(cluster, wanted)));
    let objects = try_join_all(topology.objects.iter().map(|bucket| declare_objects(cluster, bucket)));
    let lasting = topology.entries.iter().map(|bucket| declare_entries(cluster, bucket, Duration::ZERO));
    let expiring = topology
        .expiring
        .iter()
        .map(|(bucket, seconds)| declare_entries(cluster, bucket, Duration::from_secs(u64::from(*seconds))));
    let entries = try_join_all(lasting.chain(expiring));
    tokio::try_join!(streams, objects, entries)?;
    Ok(())
}

async fn declare_stream(cluster: &Cluster<'_>, wanted: Config) -> Result<(), Error> {
    match present(cluster, &wanted.name).await? {
        Some(present) => {
            let widened = widen(&present, &wanted);
            if widened == present { Ok(()) } else { update(cluster, widened).await }
        }
        None => create(cluster, wanted).await,
    }
}

fn wanted(cluster: &Cluster<'_>, (name, subjects, days): &StreamDef) -> Config {
    let is_record = days.is_none();
    // A full stream of the server's advisories drops its oldest messages; any other full stream refuses new ones.
    let is_servers = subjects.iter().all(|subject| subject.starts_with("$JS."));
    Config {
        name: (*name).to_owned(),
        subjects: subjects.iter().map(ToString::to_string).collect(),
        max_age: days.map_or(Duration::ZERO, |days| DAY * days),
        max_bytes: cluster
            .stream_max_bytes
            .map_or(UNLIMITED, |limit| i64::try_from(limit).unwrap_or(i64::MAX)),
        max_messages: UNLIMITED,
        max_messages_per_subject: UNLIMITED,
        max_consumers: -1,
        max_message_size: i32::try_from(MAX_MESSAGE_BYTES).expect("1 MiB fits into an i32"),
        discard: if is_servers { DiscardPolicy::Old } else { DiscardPolicy::New },
        duplicate_window: DUPLICATE_WINDOW,
        num_replicas: cluster.replicas,
        allow_direct: true,
        deny_delete: is_record,
        deny_purge: is_record,
        ..Config::default()
    }
}

/// Returns the configuration of a stream of timers. The server accepts timers only in a stream that drops its oldest
/// messages when it is full. Such a stream must never be full, because the oldest message may be a timer that has not
/// fired.
fn wanted_timers(cluster: &Cluster<'_>, definition: &StreamDef) -> Config {
    Config {
        allow_message_schedules: true,
        discard: DiscardPolicy::Old,
        max_bytes: UNLIMITED,
        ..wanted(cluster, definition)
    }
}

/// Returns the existing settings with ours added.
fn widen(present: &Config, wanted: &Config) -> Config {
    let known: BTreeSet<_> = present.subjects.iter().collect();
    let added = wanted.subjects.iter().filter(|subject| !known.contains(subject));
    Config {
        subjects: present.subjects.iter().chain(added).cloned().collect(),
        max_age: wanted.max_age,
        max_bytes: if present.max_bytes == UNLIMITED {
            UNLIMITED
        } else {
            // A limit that an operator set stays, unless the configuration names a higher one.
            present.max_bytes.max(wanted.max_bytes)
        },
        max_message_size: wanted.max_message_size,
        discard: wanted.discard,
        duplicate_window: present.duplicate_window.max(wanted.duplicate_window),
        num_replicas: present.num_replicas.max(wanted.num_replicas),
        allow_direct: true,
        allow_message_schedules: present.allow_message_schedules || wanted.allow_message_schedules,
        deny_delete: present.deny_delete || wanted.deny_delete,
        deny_purge: present.deny_purge || wanted.deny_purge,
        ..present.clone()
    }
}

async fn present(cluster: &Cluster<'_>, name: &str) -> Result<Option<Config>, Error> {
    Ok(info(cluster.connection, name).await?.map(|info| info.config))
}

/// Looks up a stream or bucket.
///
/// # Errors
/// See [`crate::Transport::held`].
pub(super) async fn held(connection: &Connection, part: TopologyPart) -> Result<Option<StreamState>, Error> {
    let info = match part {
        TopologyPart::Stream(name) => info(connection, name).await?,
        TopologyPart::Objects(bucket) => info(connection, &object_stream(bucket)).await?,
        TopologyPart::Entries(bucket) => info(connection, &entry_stream(bucket)).await?,
    };
    Ok(info.map(|info| StreamState {
        created: created(&info),
        first_sequence: info.state.first_sequence,
        last_sequence: info.state.last_sequence,
        storage: Storage { bytes: info.state.bytes, limit: u64::try_from(info.config.max_bytes).ok() },
    }))
}

/// Returns when a stream was created. The server takes a restored stream for a new one, so its settings name the time.
pub(super) fn created(info: &Info) -> OffsetDateTime {
    let kept = info.config.metadata.get(CREATED).and_then(|text| OffsetDateTime::parse(text, &Rfc3339).ok());
    kept.unwrap_or(info.created)
}

/// Returns the storage of the account.
///
/// # Errors
/// See [`crate::Transport::storage`].
pub(super) async fn storage(connection: &Connection) -> Result<Storage, Error> {
    let account = connection.bounded("look up", "the account", connection.context.query_account()).await?;
    let limit = account.limits.max_storage.and_then(|limit| u64::try_from(limit).ok());
    Ok(Storage { bytes: account.storage, limit })
}

/// Returns the server's information about a stream, or `None` if the stream does not exist.
pub(super) async fn info(connection: &Connection, name: &str) -> Result<Option<Info>, Error> {
    match connection.bounded("look up stream", name, connection.context.get_stream(name)).await {
        Ok(stream) => Ok(Some(stream.cached_info().clone())),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Creates a stream. If the server's store is smaller than the size limit, creates it without one.
async fn create(cluster: &Cluster<'_>, config: Config) -> Result<(), Error> {
    let connection = cluster.connection;
    let name = config.name.clone();
    let unlimited =
        (config.max_bytes != UNLIMITED).then(|| Config { max_bytes: UNLIMITED, ..config.clone() });
    let created = connection.bounded("create stream", &name, connection.context.create_stream(config)).await;
    match (created, unlimited) {
        (Err(error), Some(unlimited)) if error.kind == ErrorKind::Full => {
            tracing::warn!(
                stream = name,
                "store is smaller than the stream's limit, creating it without one"
            );
            let create = connection.context.create_stream(unlimited);
            connection.bounded("create stream", &name, create).await.map(drop)
        }
        (created, _) => created.map(drop),
    }
}

async fn update(cluster: &Cluster<'_>, config: Config) -> Result<(), Error> {
    let connection = cluster.connection;
    tracing::info!(stream = config.name, "widening a stream");
    let update = connection.context.update_stream(&config);
    connection.bounded("update stream", &config.name, update).await.map(drop)
}

async fn declare_objects(cluster: &Cluster<'_>, bucket: &str) -> Result<(), Error> {
    if has_bucket(cluster, &object_stream(bucket)).await? {
        return Ok(());
    }
    let config = object_store::Config {
        bucket: bucket.to_owned(),
        num_replicas: cluster.replicas,
        ..object_store::Config::default()
    };
    let connection = cluster.connection;
    let create = connection.context.create_object_store(config);
    connection.bounded("create object bucket", bucket, create).await.map(drop)
}

/// Declares a bucket of entries, which expire after `max_age` unless it is zero.
async fn declare_entries(cluster: &Cluster<'_>, bucket: &str, max_age: Duration) -> Result<(), Error> {
    if has_bucket(cluster, &entry_stream(bucket)).await? {
        return Ok(());
    }
    let config = kv::Config {
        bucket: bucket.to_owned(),
        history: HISTORY,
        max_age,
        num_replicas: cluster.replicas,
        ..kv::Config::default()
    };
    let connection = cluster.connection;
    let create = connection.context.create_key_value(config);
    connection.bounded("create entry bucket", bucket, create).await.map(drop)
}

/// Returns true if the bucket's stream exists, and raises the number of its replicas if needed.
async fn has_bucket(cluster: &Cluster<'_>, stream: &str) -> Result<bool, Error> {
    let Some(present) = present(cluster, stream).await? else { return Ok(false) };
    if present.num_replicas < cluster.replicas {
        update(cluster, Config { num_replicas: cluster.replicas, ..present }).await?;
    }
    Ok(true)
}

/// Returns the name of the stream behind a bucket of entries.
pub(super) fn entry_stream(bucket: &str) -> String {
    format!("KV_{bucket}")
}

/// Returns the name of the stream behind a bucket of objects.
pub(super) fn object_stream(bucket: &str) -> String {
    format!("OBJ_{bucket}")
}
