//! Streams and buckets: created where missing, checked and widened where present.
//!
//! Widening never takes anything away: subjects are added, replicas raised, deletes denied. So two versions of a program
//! can declare one after the other, and an operator's own choices (size limits, placement) stay. With permission to look
//! only, declaring succeeds as long as nothing has to change.

use std::{collections::BTreeSet, time::Duration};

use async_nats::jetstream::{
    kv, object_store,
    stream::{Config, DiscardPolicy},
};

use super::JetStream;
use crate::transport::{DUPLICATE_WINDOW, Error, ErrorKind, MAX_MESSAGE_BYTES, StreamDef, Topology};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// The server's word for no limit.
const UNLIMITED: i64 = -1;
/// Only the newest value of an entry counts.
const HISTORY: i64 = 1;

/// # Errors
/// See [`crate::Transport::declare`].
pub(super) async fn declare(jetstream: &JetStream, topology: &Topology) -> Result<(), Error> {
    for definition in &topology.streams {
        declare_stream(jetstream, definition).await?;
    }
    for bucket in &topology.objects {
        declare_objects(jetstream, bucket).await?;
    }
    for bucket in &topology.entries {
        declare_entries(jetstream, bucket).await?;
    }
    Ok(())
}

async fn declare_stream(jetstream: &JetStream, definition: &StreamDef) -> Result<(), Error> {
    let wanted = wanted(jetstream, definition);
    match present(jetstream, &wanted.name).await? {
        Some(present) => {
            let widened = widen(&present, &wanted);
            if widened == present { Ok(()) } else { update(jetstream, widened).await }
        }
        None => create(jetstream, wanted).await,
    }
}

fn wanted(jetstream: &JetStream, (name, subjects, days): &StreamDef) -> Config {
    let is_record = days.is_none();
    // What the server says of itself must not be held up; everybody else is told that there is no room.
    let is_servers = subjects.iter().all(|subject| subject.starts_with("$JS."));
    Config {
        name: (*name).to_owned(),
        subjects: subjects.iter().map(ToString::to_string).collect(),
        max_age: days.map_or(Duration::ZERO, |days| DAY * days),
        max_bytes: jetstream
            .stream_max_bytes
            .map_or(UNLIMITED, |limit| i64::try_from(limit).unwrap_or(i64::MAX)),
        max_messages: UNLIMITED,
        max_messages_per_subject: UNLIMITED,
        max_consumers: -1,
        max_message_size: i32::try_from(MAX_MESSAGE_BYTES).expect("1 MiB"),
        discard: if is_servers { DiscardPolicy::Old } else { DiscardPolicy::New },
        duplicate_window: DUPLICATE_WINDOW,
        num_replicas: jetstream.replicas,
        allow_direct: true,
        deny_delete: is_record,
        deny_purge: is_record,
        ..Config::default()
    }
}

/// What is there, with what we need added.
fn widen(present: &Config, wanted: &Config) -> Config {
    let known: BTreeSet<_> = present.subjects.iter().collect();
    let added = wanted.subjects.iter().filter(|subject| !known.contains(subject));
    Config {
        subjects: present.subjects.iter().chain(added).cloned().collect(),
        max_age: wanted.max_age,
        max_message_size: wanted.max_message_size,
        discard: wanted.discard,
        duplicate_window: present.duplicate_window.max(wanted.duplicate_window),
        num_replicas: present.num_replicas.max(wanted.num_replicas),
        allow_direct: true,
        deny_delete: present.deny_delete || wanted.deny_delete,
        deny_purge: present.deny_purge || wanted.deny_purge,
        ..present.clone()
    }
}

async fn present(jetstream: &JetStream, name: &str) -> Result<Option<Config>, Error> {
    let connection = &jetstream.connection;
    match connection.bounded("look up stream", name, connection.context.get_stream(name)).await {
        Ok(stream) => Ok(Some(stream.cached_info().config.clone())),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Creates a stream; if the store is smaller than its limit, without one.
async fn create(jetstream: &JetStream, config: Config) -> Result<(), Error> {
    let connection = &jetstream.connection;
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

async fn update(jetstream: &JetStream, config: Config) -> Result<(), Error> {
    let connection = &jetstream.connection;
    tracing::info!(stream = config.name, "widening a stream");
    let update = connection.context.update_stream(&config);
    connection.bounded("update stream", &config.name, update).await.map(drop)
}

async fn declare_objects(jetstream: &JetStream, bucket: &str) -> Result<(), Error> {
    if has_bucket(jetstream, &object_stream(bucket)).await? {
        return Ok(());
    }
    let config = object_store::Config {
        bucket: bucket.to_owned(),
        num_replicas: jetstream.replicas,
        ..object_store::Config::default()
    };
    let connection = &jetstream.connection;
    let create = connection.context.create_object_store(config);
    connection.bounded("create object bucket", bucket, create).await.map(drop)
}

async fn declare_entries(jetstream: &JetStream, bucket: &str) -> Result<(), Error> {
    if has_bucket(jetstream, &format!("KV_{bucket}")).await? {
        return Ok(());
    }
    let config = kv::Config {
        bucket: bucket.to_owned(),
        history: HISTORY,
        num_replicas: jetstream.replicas,
        ..kv::Config::default()
    };
    let connection = &jetstream.connection;
    let create = connection.context.create_key_value(config);
    connection.bounded("create entry bucket", bucket, create).await.map(drop)
}

/// True if the bucket's stream is there; raises its replicas if there are fewer than wanted.
async fn has_bucket(jetstream: &JetStream, stream: &str) -> Result<bool, Error> {
    let Some(present) = present(jetstream, stream).await? else { return Ok(false) };
    if present.num_replicas < jetstream.replicas {
        update(jetstream, Config { num_replicas: jetstream.replicas, ..present }).await?;
    }
    Ok(true)
}

/// The stream behind a bucket of objects.
pub(super) fn object_stream(bucket: &str) -> String {
    format!("OBJ_{bucket}")
}
