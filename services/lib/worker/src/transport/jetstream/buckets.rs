//! Objects and entries over JetStream's buckets.
//!
//! An object is read chunk by chunk directly from its stream, because the library's reader creates a consumer on the
//! server for every object, and the consumer outlives the read. The content is checked against the digest. An object
//! that exists with the same content is not written again, because that would delete the chunks while others read them.

use std::{io::Cursor, sync::Arc, time::Duration};

use async_nats::jetstream::{
    kv::{self, CreateErrorKind, Operation, UpdateErrorKind},
    object_store::{DeleteErrorKind, InfoErrorKind, ObjectInfo, ObjectStore},
    stream::{DirectGetErrorKind, Stream},
};
use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::URL_SAFE};
use bytes::{Bytes, BytesMut};
use futures::stream::{self, BoxStream, StreamExt as _};
use sha2::{Digest as _, Sha256};
use tokio::sync::OnceCell;

use super::{connection::Connection, errors, topology::object_stream};
use crate::transport::{Change, Entries, Entry, Error, ErrorKind, Objects};

/// Maximum bytes reserved for an object before its first chunk arrives. The stated size may be wrong.
const MAX_RESERVED_BYTES: usize = 8 * 1024 * 1024;

/// Matches every key of a bucket.
const ALL_KEYS: &str = ">";

/// A bucket of objects, looked up on first use.
pub(super) struct ObjectBucket {
    connection: Arc<Connection>,
    bucket: &'static str,
    limit: Duration,
    store: OnceCell<(ObjectStore, Stream)>,
}

/// A bucket of entries, looked up on first use.
pub(super) struct EntryBucket {
    connection: Arc<Connection>,
    bucket: &'static str,
    store: OnceCell<kv::Store>,
}

// === impl ObjectBucket ===

impl ObjectBucket {
    pub(super) fn new(connection: Arc<Connection>, bucket: &'static str, limit: Duration) -> Self {
        Self { connection, bucket, limit, store: OnceCell::new() }
    }

    async fn store(&self) -> Result<&(ObjectStore, Stream), Error> {
        self.store.get_or_try_init(|| self.look_up()).await
    }

    async fn look_up(&self) -> Result<(ObjectStore, Stream), Error> {
        let context = &self.connection.context;
        let store = context.get_object_store(self.bucket);
        let store = self.connection.bounded("look up object bucket", self.bucket, store).await?;
        let stream = context.get_stream(object_stream(self.bucket));
        let stream = self.connection.bounded("look up object bucket", self.bucket, stream).await?;
        Ok((store, stream))
    }

    /// Returns the description of an object; `None` if there is none or it was deleted.
    async fn info(&self, key: &str) -> Result<Option<ObjectInfo>, Error> {
        let (store, _) = self.store().await?;
        let info = async {
            match store.info(key).await {
                Ok(info) => Ok(Some(info).filter(|info| !info.deleted)),
                Err(error) if error.kind() == InfoErrorKind::NotFound => Ok(None),
                Err(error) => Err(error),
            }
        };
        self.connection.bounded("look up object in", self.bucket, info).await
    }

    /// Returns true if the object exists with exactly this content. Returns false for a damaged object, so that it is
    /// written again.
    async fn has(&self, key: &str, content: &Bytes) -> Result<bool, Error> {
        let present = self.info(key).await?;
        let Some(info) = present.filter(|info| info.digest.as_ref() == Some(&digest(content))) else {
            return Ok(false);
        };
        Ok(self.read(&info).await.is_ok_and(|present| present == content))
    }

    async fn read(&self, info: &ObjectInfo) -> Result<Bytes, Error> {
        let (_, stream) = self.store().await?;
        let subject = format!("$O.{}.C.{}", self.bucket, info.nuid);
        let mut content = BytesMut::with_capacity(info.size.min(MAX_RESERVED_BYTES));
        let mut next = None;
        for _ in 0..info.chunks {
            let chunk = async {
                match stream.direct_get_next_for_subject(subject.as_str(), next).await {
                    Ok(chunk) => Ok(Some(chunk)),
                    Err(error) if error.kind() == DirectGetErrorKind::NotFound => Ok(None),
                    Err(error) => Err(error),
                }
            };
            // The replica lags, or the object was replaced or deleted meanwhile. A retry resolves either.
            let chunk =
                self.connection.bounded("read object from", self.bucket, chunk).await?.ok_or_else(|| {
                    Error::new(ErrorKind::Unavailable, format!("object in {} lacks a chunk", self.bucket))
                })?;
            content.extend_from_slice(&chunk.payload);
            next = Some(chunk.sequence + 1);
        }
        Ok(content.freeze())
    }
}

#[async_trait]
impl Objects for ObjectBucket {
    async fn put(&self, key: &str, content: Bytes) -> Result<(), Error> {
        if self.has(key, &content).await? {
            return Ok(());
        }
        let (store, _) = self.store().await?;
        // A cursor fills each read, so that chunks have their maximum size.
        let mut content = Cursor::new(content);
        let put = store.put(key, &mut content);
        self.connection.bounded_by(self.limit, "put object into", self.bucket, put).await.map(drop)
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, Error> {
        let Some(info) = self.info(key).await? else { return Ok(None) };
        let content = self.read(&info).await?;
        match &info.digest {
            Some(expected) if *expected != digest(&content) => {
                Err(Error::new(ErrorKind::Other, format!("object in {} has a wrong digest", self.bucket)))
            }
            _ => Ok(Some(content)),
        }
    }

    async fn exists(&self, key: &str) -> Result<bool, Error> {
        Ok(self.info(key).await?.is_some())
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        let (store, _) = self.store().await?;
        let delete = async {
            match store.delete(key).await {
                Err(error) if error.kind() != DeleteErrorKind::NotFound => Err(error),
                Ok(()) | Err(_) => Ok(()),
            }
        };
        self.connection.bounded_by(self.limit, "delete object from", self.bucket, delete).await
    }
}

/// Returns a digest in the format of the object store.
fn digest(content: &[u8]) -> String {
    format!("SHA-256={}", URL_SAFE.encode(Sha256::digest(content)))
}

// === impl EntryBucket ===

impl EntryBucket {
    pub(super) fn new(connection: Arc<Connection>, bucket: &'static str) -> Self {
        Self { connection, bucket, store: OnceCell::new() }
    }

    async fn store(&self) -> Result<&kv::Store, Error> {
        let look_up = || async {
            let store = self.connection.context.get_key_value(self.bucket);
            self.connection.bounded("look up entry bucket", self.bucket, store).await
        };
        self.store.get_or_try_init(look_up).await
    }
}

#[async_trait]
impl Entries for EntryBucket {
    async fn get(&self, key: &str) -> Result<Option<Entry>, Error> {
        let entry = self.store().await?.entry(key);
        let entry = self.connection.bounded("read entry", key, entry).await?;
        Ok(entry.and_then(to_entry))
    }

    async fn create(&self, key: &str, value: Bytes) -> Result<u64, Error> {
        let create = self.store().await?.create(key, value);
        let create = async {
            match create.await {
                Err(error) if error.kind() == CreateErrorKind::AlreadyExists => Ok(None),
                created => created.map(Some),
            }
        };
        let created = self.connection.bounded("create entry", key, create).await?;
        created.ok_or_else(|| conflict(key))
    }

    async fn update(&self, key: &str, value: Bytes, revision: u64) -> Result<u64, Error> {
        let update = self.store().await?.update(key, value, revision);
        let update = async {
            match update.await {
                Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => Ok(None),
                updated => updated.map(Some),
            }
        };
        let updated = self.connection.bounded("update entry", key, update).await?;
        updated.ok_or_else(|| conflict(key))
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        let delete = self.store().await?.delete(key);
        self.connection.bounded("delete entry", key, delete).await
    }

    async fn watch(&self, key: &str) -> Result<BoxStream<'static, Result<Entry, Error>>, Error> {
        let watch = self.store().await?.watch_with_history(key);
        let watch = self.connection.bounded("watch entry", key, watch).await?;
        let key = key.to_owned();
        let later = watch.filter_map(move |item| {
            let entry = item.map_err(|cause| errors::wrap(format!("watch entry {key} failed"), cause));
            std::future::ready(entry.map(to_entry).transpose())
        });
        Ok(later.boxed())
    }

    async fn watch_all(&self) -> Result<BoxStream<'static, Result<Change, Error>>, Error> {
        let (store, bucket) = (self.store().await?, self.bucket);
        let info = self.connection.bounded("look up entry bucket", bucket, store.stream.get_info()).await?;
        let watch = store.watch_with_history(ALL_KEYS);
        let watch = self.connection.bounded("watch entries of", bucket, watch).await?;
        let is_empty = info.state.messages == 0;
        let mut is_behind = !is_empty;
        let later = watch.flat_map(move |item| {
            let is_last = is_behind && item.as_ref().is_ok_and(|entry| entry.delta == 0);
            is_behind &= !is_last;
            let change = item
                .map(to_change)
                .map_err(|cause| errors::wrap(format!("watch entries of {bucket} failed"), cause));
            stream::iter(std::iter::once(change).chain(is_last.then_some(Ok(Change::Present))))
        });
        let first = stream::iter(is_empty.then_some(Ok(Change::Present)));
        Ok(first.chain(later).boxed())
    }
}

fn to_change(entry: kv::Entry) -> Change {
    Change::Entry { key: entry.key.clone(), value: to_entry(entry).map(|entry| entry.value) }
}

/// Converts an entry. Returns `None` for a deletion.
fn to_entry(entry: kv::Entry) -> Option<Entry> {
    let is_value = entry.operation == Operation::Put;
    is_value.then_some(Entry { value: entry.value, revision: entry.revision })
}

fn conflict(key: &str) -> Error {
    Error::new(ErrorKind::Conflict, format!("entry {key} has changed"))
}
