//! The buckets as services see them: what fails for want of a broker or of room is noted, so that an outage is one clear
//! line whatever call met it first.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;

use crate::outage::Outage;
use crate::transport::{Entries, Entry, Error, Objects};

/// A bucket whose failures are noted.
pub(crate) struct Noted<B: ?Sized> {
    bucket: Arc<B>,
    outage: Outage,
}

impl<B: ?Sized> Noted<B> {
    pub(crate) fn new(bucket: Arc<B>, outage: Outage) -> Self {
        Self { bucket, outage }
    }

    /// Of a call that only reads: its success says nothing about room.
    fn read<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        match &result {
            Ok(_) => self.outage.answered(),
            Err(error) => self.outage.seen(error),
        };
        result
    }

    fn written<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        match &result {
            Ok(_) => self.outage.accepted(),
            Err(error) => self.outage.seen(error),
        };
        result
    }
}

#[async_trait]
impl Objects for Noted<dyn Objects> {
    async fn put(&self, key: &str, content: Bytes) -> Result<(), Error> {
        self.written(self.bucket.put(key, content).await)
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, Error> {
        self.read(self.bucket.get(key).await)
    }

    async fn exists(&self, key: &str) -> Result<bool, Error> {
        self.read(self.bucket.exists(key).await)
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        self.read(self.bucket.delete(key).await)
    }
}

#[async_trait]
impl Entries for Noted<dyn Entries> {
    async fn get(&self, key: &str) -> Result<Option<Entry>, Error> {
        self.read(self.bucket.get(key).await)
    }

    async fn create(&self, key: &str, value: Bytes) -> Result<u64, Error> {
        self.written(self.bucket.create(key, value).await)
    }

    async fn update(&self, key: &str, value: Bytes, revision: u64) -> Result<u64, Error> {
        self.written(self.bucket.update(key, value, revision).await)
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        self.read(self.bucket.delete(key).await)
    }

    async fn watch(&self, key: &str) -> Result<BoxStream<'static, Result<Entry, Error>>, Error> {
        self.read(self.bucket.watch(key).await)
    }
}
