//! Objects and entries.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt as _};

use super::{faults::Operation, link::Link};
use crate::transport::{Change, Entries, Entry, Error, Objects};

pub(super) struct ObjectBucket {
    pub(super) link: Arc<Link>,
    pub(super) bucket: &'static str,
}

pub(super) struct EntryBucket {
    pub(super) link: Arc<Link>,
    pub(super) bucket: &'static str,
}

#[async_trait]
impl Objects for ObjectBucket {
    async fn put(&self, key: &str, content: Bytes) -> Result<(), Error> {
        let call = self.link.enter(Operation::Put, key).await?;
        self.link.change(|state, _| {
            state.objects_mut(self.bucket)?.insert(key.to_owned(), content);
            Ok(())
        })?;
        call.leave(()).await
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, Error> {
        let call = self.link.enter(Operation::Get, key).await?;
        let content = self.link.read(|state, _| Ok(state.objects(self.bucket)?.get(key).cloned()))?;
        call.leave(content).await
    }

    async fn exists(&self, key: &str) -> Result<bool, Error> {
        let call = self.link.enter(Operation::Get, key).await?;
        let is_there = self.link.read(|state, _| Ok(state.objects(self.bucket)?.contains_key(key)))?;
        call.leave(is_there).await
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        let call = self.link.enter(Operation::Delete, key).await?;
        self.link.change(|state, _| {
            state.objects_mut(self.bucket)?.remove(key);
            Ok(())
        })?;
        call.leave(()).await
    }
}

impl EntryBucket {
    async fn write(&self, key: &str, value: Bytes, expected: Option<u64>) -> Result<u64, Error> {
        let call = self.link.enter(Operation::Write, key).await?;
        let revision =
            self.link.change(|state, _| state.entries_mut(self.bucket)?.write(key, Some(value), expected))?;
        call.leave(revision).await
    }
}

#[async_trait]
impl Entries for EntryBucket {
    async fn get(&self, key: &str) -> Result<Option<Entry>, Error> {
        let call = self.link.enter(Operation::Read, key).await?;
        let found = self.link.read(|state, _| Ok(state.entries(self.bucket)?.get(key)))?;
        call.leave(found.map(|(revision, value)| Entry { value, revision })).await
    }

    async fn create(&self, key: &str, value: Bytes) -> Result<u64, Error> {
        self.write(key, value, None).await
    }

    async fn update(&self, key: &str, value: Bytes, revision: u64) -> Result<u64, Error> {
        self.write(key, value, Some(revision)).await
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        let call = self.link.enter(Operation::Write, key).await?;
        self.link.change(|state, _| {
            state.entries_mut(self.bucket)?.delete(key);
            Ok(())
        })?;
        call.leave(()).await
    }

    async fn watch(&self, key: &str) -> Result<BoxStream<'static, Result<Entry, Error>>, Error> {
        let call = self.link.enter(Operation::Read, key).await?;
        let seen = self.link.read(|state, _| Ok(state.entries(self.bucket)?.watch_from(key)))?;
        let watch = Watch { link: self.link.clone(), bucket: self.bucket, key: key.to_owned(), seen };
        call.leave(stream::unfold(watch, Watch::next).boxed()).await
    }

    async fn watch_all(&self) -> Result<BoxStream<'static, Result<Change, Error>>, Error> {
        let call = self.link.enter(Operation::Read, self.bucket).await?;
        let present = self.link.read(|state, _| Ok(state.entries(self.bucket)?.len()))?;
        let watch =
            WatchAll { link: self.link.clone(), bucket: self.bucket, seen: 0, present: Some(present) };
        call.leave(stream::unfold(watch, WatchAll::next).boxed()).await
    }
}

/// A watch of all keys.
struct WatchAll {
    link: Arc<Link>,
    bucket: &'static str,
    seen: usize,
    /// Number of writes at the call, until that is told.
    present: Option<usize>,
}

impl WatchAll {
    async fn next(mut self) -> Option<(Result<Change, Error>, Self)> {
        let mut changed = self.link.changed.subscribe();
        loop {
            if self.present.is_some_and(|present| self.seen >= present) {
                self.present = None;
                return Some((Ok(Change::Present), self));
            }
            match self.link.read(|state, _| Ok(state.entries(self.bucket)?.write_at(self.seen))) {
                Ok(None) => changed.changed().await.expect("the watcher holds the sender"),
                Ok(Some((key, value))) => {
                    self.seen += 1;
                    return Some((Ok(Change::Entry { key, value }), self));
                }
                Err(error) => return Some((Err(error), self)),
            }
        }
    }
}

/// A watch of one key.
struct Watch {
    link: Arc<Link>,
    bucket: &'static str,
    key: String,
    seen: u64,
}

impl Watch {
    async fn next(mut self) -> Option<(Result<Entry, Error>, Self)> {
        let mut changed = self.link.changed.subscribe();
        loop {
            let later =
                self.link.read(|state, _| Ok(state.entries(self.bucket)?.after(&self.key, self.seen)));
            match later {
                Ok(None) => changed.changed().await.expect("the watcher holds the sender"),
                Ok(Some((revision, value))) => {
                    self.seen = revision;
                    return Some((Ok(Entry { value, revision }), self));
                }
                Err(error) => return Some((Err(error), self)),
            }
        }
    }
}
