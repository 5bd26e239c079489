//! A transport with its objects in an S3 store and everything else in the broker.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use super::{
    ConsumerLag, ConsumerSpec, Entries, Error, ErrorKind, Logged, Message, Objects, Published, Pull,
    Requests, Storage, StreamState, Timer, Topology, TopologyPart, Transport, s3::S3,
};

/// The broker and an S3 store as one transport.
pub struct Divided {
    broker: Arc<dyn Transport>,
    store: S3,
    /// The buckets of objects.
    buckets: Vec<&'static str>,
}

/// A bucket that is not declared.
struct Undeclared(&'static str);

// === impl Divided ===

impl Divided {
    /// Creates a transport that keeps the objects of `buckets` in `store`. These buckets must not be in the topology
    /// that is declared and looked up in the broker.
    #[must_use]
    pub fn new(broker: Arc<dyn Transport>, store: S3, buckets: Vec<&'static str>) -> Self {
        Self { broker, store, buckets }
    }
}

#[async_trait]
impl Transport for Divided {
    async fn declare(&self, topology: &Topology) -> Result<(), Error> {
        self.broker.declare(&Topology { objects: Vec::new(), ..topology.clone() }).await
    }

    async fn publish(&self, message: Message) -> Result<Published, Error> {
        self.broker.publish(message).await
    }

    async fn schedule(&self, timer: Timer) -> Result<Published, Error> {
        self.broker.schedule(timer).await
    }

    async fn consumer(&self, spec: &ConsumerSpec) -> Result<Box<dyn Pull>, Error> {
        self.broker.consumer(spec).await
    }

    fn objects(&self, bucket: &'static str) -> Arc<dyn Objects> {
        if self.buckets.contains(&bucket) { self.store.objects(bucket) } else { Arc::new(Undeclared(bucket)) }
    }

    fn entries(&self, bucket: &'static str) -> Arc<dyn Entries> {
        self.broker.entries(bucket)
    }

    async fn message(&self, stream: &str, sequence: u64) -> Result<Option<Logged>, Error> {
        self.broker.message(stream, sequence).await
    }

    async fn count(&self, stream: &str, filter: &str) -> Result<u64, Error> {
        self.broker.count(stream, filter).await
    }

    async fn consumer_lag(&self, stream: &str, durable: &str) -> Result<Option<ConsumerLag>, Error> {
        self.broker.consumer_lag(stream, durable).await
    }

    async fn first_after(
        &self,
        stream: &str,
        filters: &[String],
        sequence: u64,
    ) -> Result<Option<(u64, Logged)>, Error> {
        self.broker.first_after(stream, filters, sequence).await
    }

    async fn held(&self, part: TopologyPart) -> Result<Option<StreamState>, Error> {
        self.broker.held(part).await
    }

    async fn requests(&self, subject: &str, group: &str) -> Result<Requests, Error> {
        self.broker.requests(subject, group).await
    }

    async fn send(&self, message: Message) -> Result<(), Error> {
        self.broker.send(message).await
    }

    async fn storage(&self) -> Result<Storage, Error> {
        self.broker.storage().await
    }

    fn losses(&self) -> u64 {
        self.broker.losses()
    }

    fn closing(&self) -> CancellationToken {
        self.broker.closing()
    }

    async fn ping(&self) -> Result<(), Error> {
        self.broker.ping().await
    }
}

// === impl Undeclared ===

impl Undeclared {
    fn error<T>(&self) -> Result<T, Error> {
        Err(Error::new(ErrorKind::NotFound, format!("no object bucket {} is declared", self.0)))
    }
}

#[async_trait]
impl Objects for Undeclared {
    async fn put(&self, _key: &str, _content: Bytes) -> Result<(), Error> {
        self.error()
    }

    async fn get(&self, _key: &str) -> Result<Option<Bytes>, Error> {
        self.error()
    }

    async fn exists(&self, _key: &str) -> Result<bool, Error> {
        self.error()
    }

    async fn delete(&self, _key: &str) -> Result<(), Error> {
        self.error()
    }
}
