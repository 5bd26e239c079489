//! Buckets that report to [`Outage`], so that an outage is logged once, whichever call meets it first.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt as _};

use crate::outage::Outage;
use crate::transport::{Change, Entries, Entry, Error, Objects};

/// A bucket that reports the result of each call to [`Outage`].
pub(crate) struct Monitored<B: ?Sized> {
    bucket: Arc<B>,
    outage: Outage,
}

impl<B: ?Sized> Monitored<B> {
    pub(crate) fn new(bucket: Arc<B>, outage: Outage) -> Self {
        Self { bucket, outage }
    }

    /// Reports the result of a write.
    fn written<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        match &result {
            Ok(_) => self.outage.accepted(),
            Err(error) => self.outage.seen(error),
        };
        result
    }
}

impl Monitored<dyn Objects> {
    /// Reports the result of a call to the object store, which is the broker's or one beside it.
    fn objects<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        if result.is_ok() {
            self.outage.objects_answered();
        }
        result
    }
}

#[async_trait]
impl Objects for Monitored<dyn Objects> {
    async fn put(&self, key: &str, content: Bytes) -> Result<(), Error> {
        self.objects(self.written(self.bucket.put(key, content).await))
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, Error> {
        self.objects(self.outage.heard(self.bucket.get(key).await))
    }

    async fn exists(&self, key: &str) -> Result<bool, Error> {
        self.objects(self.outage.heard(self.bucket.exists(key).await))
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        self.objects(self.outage.heard(self.bucket.delete(key).await))
    }
}

#[async_trait]
impl Entries for Monitored<dyn Entries> {
    async fn get(&self, key: &str) -> Result<Option<Entry>, Error> {
        self.outage.heard(self.bucket.get(key).await)
    }

    async fn create(&self, key: &str, value: Bytes) -> Result<u64, Error> {
        self.written(self.bucket.create(key, value).await)
    }

    async fn update(&self, key: &str, value: Bytes, revision: u64) -> Result<u64, Error> {
        self.written(self.bucket.update(key, value, revision).await)
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        self.outage.heard(self.bucket.delete(key).await)
    }

    async fn watch(&self, key: &str) -> Result<BoxStream<'static, Result<Entry, Error>>, Error> {
        let (later, outage) = (self.outage.heard(self.bucket.watch(key).await)?, self.outage.clone());
        Ok(later.map(move |entry| outage.heard(entry)).boxed())
    }

    async fn watch_all(&self) -> Result<BoxStream<'static, Result<Change, Error>>, Error> {
        let (later, outage) = (self.outage.heard(self.bucket.watch_all().await)?, self.outage.clone());
        Ok(later.map(move |change| outage.heard(change)).boxed())
    }
}
