//! A transport whose calls pass only while every stream and bucket is in place.
//!
//! A call waits for a check that is under way, and fails as `Lost` while a part is not in place. When the gate
//! closes, fetches and watches that passed it earlier end with `Lost`. A delivery from an earlier store is not
//! settled any more, because its sequence may belong to another message now.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt as _};
use tokio_util::sync::CancellationToken;

use super::Holdings;
use crate::transport::{
    Change, ConsumerLag, ConsumerSpec, Delivery, Entries, Entry, Error, ErrorKind, Logged, Message, Objects,
    Published, Pull, Requests, Settle, Storage, StreamState, Timer, Topology, TopologyPart, Transport,
};

/// A transport behind the gate. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Guarded {
    inner: Arc<dyn Transport>,
    holdings: Holdings,
}

impl Guarded {
    pub(crate) fn new(inner: Arc<dyn Transport>, holdings: Holdings) -> Self {
        Self { inner, holdings }
    }

    async fn pass(&self) -> Result<u64, Error> {
        self.holdings.pass(|| self.inner.losses()).await
    }

    /// Waits like [`Holdings::pass`], for an operation on the store of `epoch`.
    ///
    /// # Errors
    /// As for [`Holdings::pass`], and `Lost` if the store was replaced since `epoch`.
    async fn pass_at(&self, epoch: u64) -> Result<(), Error> {
        if self.pass().await? == epoch { Ok(()) } else { Err(changed()) }
    }

    /// Waits until a write may begin.
    async fn writing(&self, part: Option<TopologyPart>) -> Result<Writing<'_>, Error> {
        self.pass().await?;
        Ok(Writing { guard: self, part, losses: self.inner.losses() })
    }

    /// Makes the inspector check if a call failed as if a part were missing.
    fn observe<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        if let Err(error) = &result
            && matches!(error.kind, ErrorKind::Unavailable | ErrorKind::NotFound)
        {
            self.holdings.suspect();
        }
        result
    }
}

/// A write under way. It distinguishes a part that stores nothing from a lost connection.
struct Writing<'a> {
    guard: &'a Guarded,
    part: Option<TopologyPart>,
    losses: u64,
}

impl Writing<'_> {
    /// Records the result. A part that has stored nothing for a while counts as full, so that senders are asked to
    /// wait.
    fn ended<T>(self, sequence: impl Fn(&T) -> u64, result: Result<T, Error>) -> Result<T, Error> {
        let Some(part) = self.part else { return self.guard.observe(result) };
        match self.guard.observe(result) {
            Ok(stored) => {
                self.guard.holdings.stored(part, sequence(&stored));
                Ok(stored)
            }
            Err(error) if error.kind == ErrorKind::Full => {
                self.guard.holdings.overflowed(part);
                Err(error)
            }
            Err(error)
                if error.kind == ErrorKind::Unavailable && self.losses == self.guard.inner.losses() =>
            {
                let kind = if self.guard.holdings.refused(part) { ErrorKind::Full } else { error.kind };
                Err(Error { kind, ..error })
            }
            Err(error) => Err(error),
        }
    }
}

fn changed() -> Error {
    Error::new(ErrorKind::Lost, "the broker's store is not the one that this came from")
}

/// Ends `items` with `Lost` when the gate closes.
fn until_closed<T: Send + 'static>(
    items: BoxStream<'static, Result<T, Error>>,
    closing: CancellationToken,
) -> BoxStream<'static, Result<T, Error>> {
    let is_closed = closing.clone();
    let end =
        stream::once(async { Err(changed()) }).filter(move |_| std::future::ready(is_closed.is_cancelled()));
    items.take_until(closing.cancelled_owned()).chain(end).boxed()
}

#[async_trait]
impl Transport for Guarded {
    async fn declare(&self, topology: &Topology) -> Result<(), Error> {
        self.inner.declare(topology).await
    }

    async fn publish(&self, message: Message) -> Result<Published, Error> {
        let writing = self.writing(self.holdings.stream_of(&message.subject)).await?;
        writing.ended(|published: &Published| published.sequence, self.inner.publish(message).await)
    }

    async fn schedule(&self, timer: Timer) -> Result<Published, Error> {
        let writing = self.writing(self.holdings.stream_of(&timer.message.subject)).await?;
        writing.ended(|published: &Published| published.sequence, self.inner.schedule(timer).await)
    }

    async fn consumer(&self, spec: &ConsumerSpec) -> Result<Box<dyn Pull>, Error> {
        let epoch = self.pass().await?;
        let inner = self.observe(self.inner.consumer(spec).await)?;
        let stream = self.holdings.stream_named(&spec.stream);
        Ok(Box::new(GuardedPull { guard: self.clone(), epoch, stream, inner }))
    }

    fn objects(&self, bucket: &'static str) -> Arc<dyn Objects> {
        Arc::new(GuardedBucket { inner: self.inner.objects(bucket), guard: self.clone(), bucket })
    }

    fn entries(&self, bucket: &'static str) -> Arc<dyn Entries> {
        Arc::new(GuardedBucket { inner: self.inner.entries(bucket), guard: self.clone(), bucket })
    }

    async fn message(&self, stream: &str, sequence: u64) -> Result<Option<Logged>, Error> {
        self.pass().await?;
        self.observe(self.inner.message(stream, sequence).await)
    }

    async fn count(&self, stream: &str, filter: &str) -> Result<u64, Error> {
        self.pass().await?;
        self.observe(self.inner.count(stream, filter).await)
    }

    async fn consumer_lag(&self, stream: &str, durable: &str) -> Result<Option<ConsumerLag>, Error> {
        self.pass().await?;
        self.observe(self.inner.consumer_lag(stream, durable).await)
    }

    async fn first_after(
        &self,
        stream: &str,
        filters: &[String],
        sequence: u64,
    ) -> Result<Option<(u64, Logged)>, Error> {
        self.pass().await?;
        self.observe(self.inner.first_after(stream, filters, sequence).await)
    }

    async fn held(&self, part: TopologyPart) -> Result<Option<StreamState>, Error> {
        self.pass().await?;
        self.observe(self.inner.held(part).await)
    }

    /// Requests and their replies concern no stream or bucket.
    async fn requests(&self, subject: &str, group: &str) -> Result<Requests, Error> {
        self.inner.requests(subject, group).await
    }

    async fn send(&self, message: Message) -> Result<(), Error> {
        self.inner.send(message).await
    }

    async fn storage(&self) -> Result<Storage, Error> {
        self.pass().await?;
        self.observe(self.inner.storage().await)
    }

    fn losses(&self) -> u64 {
        self.inner.losses()
    }

    fn closing(&self) -> CancellationToken {
        self.holdings.closing()
    }

    async fn ping(&self) -> Result<(), Error> {
        self.inner.ping().await
    }
}

struct GuardedPull {
    guard: Guarded,
    epoch: u64,
    stream: Option<TopologyPart>,
    inner: Box<dyn Pull>,
}

#[async_trait]
impl Pull for GuardedPull {
    async fn fetch(
        &mut self,
        max: usize,
        expires: Duration,
    ) -> Result<BoxStream<'static, Result<Delivery, Error>>, Error> {
        let closing = self.guard.holdings.closing();
        self.guard.pass_at(self.epoch).await?;
        let batch = self.guard.observe(self.inner.fetch(max, expires).await)?;
        let (guard, epoch, stream) = (self.guard.clone(), self.epoch, self.stream);
        let guarded = batch.map(move |delivery| {
            guard.observe(delivery).map(|delivery| {
                if let Some(stream) = stream {
                    guard.holdings.seen(stream, delivery.sequence);
                }
                let Delivery { settle: inner, .. } = delivery;
                let settle = Box::new(GuardedSettle { guard: guard.clone(), epoch, inner });
                Delivery { settle, ..delivery }
            })
        });
        Ok(until_closed(guarded.boxed(), closing))
    }
}

struct GuardedSettle {
    guard: Guarded,
    epoch: u64,
    inner: Box<dyn Settle>,
}

#[async_trait]
impl Settle for GuardedSettle {
    async fn progress(&self) -> Result<(), Error> {
        self.guard.pass_at(self.epoch).await?;
        self.inner.progress().await
    }

    async fn ack(self: Box<Self>) -> Result<(), Error> {
        self.guard.pass_at(self.epoch).await?;
        self.inner.ack().await
    }

    async fn nak(self: Box<Self>, delay: Duration) -> Result<(), Error> {
        self.guard.pass_at(self.epoch).await?;
        self.inner.nak(delay).await
    }

    async fn term(self: Box<Self>, reason: &str) -> Result<(), Error> {
        self.guard.pass_at(self.epoch).await?;
        self.inner.term(reason).await
    }
}

struct GuardedBucket<B: ?Sized> {
    inner: Arc<B>,
    guard: Guarded,
    bucket: &'static str,
}

#[async_trait]
impl Objects for GuardedBucket<dyn Objects> {
    async fn put(&self, key: &str, content: Bytes) -> Result<(), Error> {
        let writing = self.guard.writing(Some(TopologyPart::Objects(self.bucket))).await?;
        writing.ended(|()| 0, self.inner.put(key, content).await)
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, Error> {
        self.guard.pass().await?;
        self.guard.observe(self.inner.get(key).await)
    }

    async fn exists(&self, key: &str) -> Result<bool, Error> {
        self.guard.pass().await?;
        self.guard.observe(self.inner.exists(key).await)
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        let writing = self.guard.writing(Some(TopologyPart::Objects(self.bucket))).await?;
        writing.ended(|()| 0, self.inner.delete(key).await)
    }
}

#[async_trait]
impl Entries for GuardedBucket<dyn Entries> {
    async fn get(&self, key: &str) -> Result<Option<Entry>, Error> {
        self.guard.pass().await?;
        self.guard.observe(self.inner.get(key).await)
    }

    async fn create(&self, key: &str, value: Bytes) -> Result<u64, Error> {
        let writing = self.guard.writing(Some(TopologyPart::Entries(self.bucket))).await?;
        writing.ended(|revision| *revision, self.inner.create(key, value).await)
    }

    async fn update(&self, key: &str, value: Bytes, revision: u64) -> Result<u64, Error> {
        let writing = self.guard.writing(Some(TopologyPart::Entries(self.bucket))).await?;
        writing.ended(|revision| *revision, self.inner.update(key, value, revision).await)
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        let writing = self.guard.writing(Some(TopologyPart::Entries(self.bucket))).await?;
        writing.ended(|()| 0, self.inner.delete(key).await)
    }

    async fn watch(&self, key: &str) -> Result<BoxStream<'static, Result<Entry, Error>>, Error> {
        let closing = self.guard.holdings.closing();
        self.guard.pass().await?;
        let values = self.guard.observe(self.inner.watch(key).await)?;
        Ok(until_closed(values, closing))
    }

    async fn watch_all(&self) -> Result<BoxStream<'static, Result<Change, Error>>, Error> {
        let closing = self.guard.holdings.closing();
        self.guard.pass().await?;
        let changes = self.guard.observe(self.inner.watch_all().await)?;
        Ok(until_closed(changes, closing))
    }
}
