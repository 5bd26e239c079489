//! The in-memory transport: the semantics of JetStream without a server, with visible state and planned faults.
//!
//! It implements the features that the runtime relies on: sequences, the duplicate window, subject filters, shared
//! durable pull consumers, `ack_wait` with redelivery and attempt counts, `max_ack_pending`, delayed naks, progress
//! and terms, timers, objects, entries with compare-and-set. It has no age limits, size limits or accounts. All time
//! is tokio's, so a test with paused time passes hours at once. `logged_at` starts at a fixed day.
//!
//! Tests inspect the state with [`Memory::consumer_state`], [`Memory::settlements`] and [`Memory::messages`], wait
//! with [`Memory::until`] instead of sleeping, plan faults with [`Memory::plan`], and let a process die with
//! [`Memory::cut`].
//!
//! `transport_test_suite!` runs the same cases over this transport and over a real server.

mod buckets;
mod consumer;
mod faults;
mod link;
mod pull;
mod shared;
mod state;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

pub use self::{
    faults::{Fault, Operation},
    link::Cut,
    state::{ConsumerState, Settlement, SettlementOutcome},
};
use self::{
    link::Link,
    shared::{Shared, lock},
    state::{State, Stored},
};
use super::{
    ConsumerLag, ConsumerSpec, Entries, Error, Logged, Message, Objects, Published, Pull, Storage,
    StreamState, Timer, Topology, TopologyPart, Transport, subject,
};

/// A broker in this process. Cheap to clone. All clones share its state and one connection.
#[derive(Clone)]
pub struct Memory {
    link: Arc<Link>,
}

// === impl Memory ===

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

impl Memory {
    /// Creates an empty broker. [`Transport::declare`] adds streams and buckets.
    #[must_use]
    pub fn new() -> Self {
        Self { link: Link::new(Arc::new(Shared::new())) }
    }

    /// Returns another connection to the same broker, for a second process.
    #[must_use]
    pub fn connection(&self) -> Self {
        Self { link: self.link.another() }
    }

    /// Cuts this connection now: no call through it takes effect any more, and none returns.
    pub fn cut(&self) {
        self.link.is_cut.cancel();
    }

    /// Cuts this connection at a later call.
    pub fn cut_at(&self, cut: Cut) {
        self.link.cut_at(cut);
    }

    /// Waits until this connection is cut.
    ///
    /// # Cancel safety
    /// Cancel safe.
    pub async fn until_cut(&self) {
        self.link.is_cut.cancelled().await;
    }

    /// Adds a fault, which applies to the next matching calls. Faults apply in the order in which they were planned.
    pub fn plan(&self, fault: Fault) {
        lock(&self.link.faults).push(fault);
    }

    /// Removes every planned fault.
    pub fn heal(&self) {
        lock(&self.link.faults).clear();
    }

    /// Deletes a stream or bucket with everything in it, as an operator or a damaged disk would.
    pub fn lose(&self, part: TopologyPart) {
        self.link.change(|state, _| state.lose(part));
    }

    /// Removes the messages of a stream after this sequence, as an older copy of its store would.
    pub fn forget_after(&self, stream: &str, sequence: u64) {
        self.link.change(|state, _| state.forget_after(stream, sequence));
    }

    /// Counts a lost connection. The content stays.
    pub fn disconnect(&self) {
        self.link.change(|state, _| state.disconnect());
    }

    /// Returns how often an operation was called, including failed calls.
    #[must_use]
    pub fn calls(&self, operation: Operation) -> u64 {
        lock(&self.link.calls).get(&operation).copied().unwrap_or_default()
    }

    /// Returns the counts of one consumer; `None` if it was never created.
    #[must_use]
    pub fn consumer_state(&self, stream: &str, durable: &str) -> Option<ConsumerState> {
        self.link.read(|state, now| state.consumer_state(stream, durable, now))
    }

    /// Returns all settlements of a consumer, in order. Empty if there is no such consumer.
    #[must_use]
    pub fn settlements(&self, stream: &str, durable: &str) -> Vec<Settlement> {
        self.link.read(|state, _| state.settlements(stream, durable))
    }

    /// Returns the messages of all streams whose subjects match `filter`, in the order of each stream.
    #[must_use]
    pub fn messages(&self, filter: &str) -> Vec<Message> {
        self.logged(filter).into_iter().map(|logged| logged.message).collect()
    }

    /// Like [`Self::messages`], with the times at which they were stored.
    #[must_use]
    pub fn logged(&self, filter: &str) -> Vec<Logged> {
        self.link.read(|state, _| {
            let matching =
                state.messages().filter(|stored| subject::matches(filter, &stored.message.subject));
            matching.map(|stored| self.as_logged(stored.clone())).collect()
        })
    }

    /// Returns the timers that have not fired.
    #[must_use]
    pub fn timers(&self) -> Vec<Timer> {
        self.link.read(|state, _| state.timers().cloned().collect())
    }

    /// Waits until `reached` returns true. It is called again after each change of the state.
    ///
    /// # Cancel safety
    /// Cancel safe: it changes nothing.
    pub async fn until(&self, mut reached: impl FnMut(&Self) -> bool) {
        let mut changed = self.link.changed.subscribe();
        while !reached(self) {
            changed.changed().await.expect("this transport holds the sender");
        }
    }

    fn as_logged(&self, stored: Stored) -> Logged {
        let Stored { message, at } = stored;
        Logged { message, logged_at: self.link.time_of(at) }
    }
}

#[async_trait]
impl Transport for Memory {
    async fn declare(&self, topology: &Topology) -> Result<(), Error> {
        let call = self.link.enter(Operation::Declare, "").await?;
        self.link.change(|state, now| state.declare(topology, now));
        call.leave(()).await
    }

    async fn publish(&self, message: Message) -> Result<Published, Error> {
        let call = self.link.enter(Operation::Publish, &message.subject).await?;
        let published = self.link.change(|state, now| state.append(message, now))?;
        call.leave(published).await
    }

    async fn schedule(&self, timer: Timer) -> Result<Published, Error> {
        let call = self.link.enter(Operation::Schedule, &timer.message.subject).await?;
        let after = timer.after;
        let set = self.link.change(|state, now| state.schedule(timer, now))?;
        tokio::spawn(fire_after(self.link.broker(), after));
        call.leave(set).await
    }

    async fn consumer(&self, spec: &ConsumerSpec) -> Result<Box<dyn Pull>, Error> {
        let call = self.link.enter(Operation::Consumer, &spec.durable).await?;
        self.link.change(|state, _| state.bind(spec))?;
        call.leave(pull::bind(self.link.clone(), spec)).await
    }

    fn objects(&self, bucket: &'static str) -> Arc<dyn Objects> {
        Arc::new(buckets::ObjectBucket { link: self.link.clone(), bucket })
    }

    fn entries(&self, bucket: &'static str) -> Arc<dyn Entries> {
        Arc::new(buckets::EntryBucket { link: self.link.clone(), bucket })
    }

    async fn message(&self, stream: &str, sequence: u64) -> Result<Option<Logged>, Error> {
        let call = self.link.enter(Operation::Get, stream).await?;
        let found = self.link.read(|state, _| state.message(stream, sequence))?;
        call.leave(found.map(|stored| self.as_logged(stored))).await
    }

    async fn count(&self, stream: &str, filter: &str) -> Result<u64, Error> {
        let call = self.link.enter(Operation::Inspect, stream).await?;
        let count = self.link.read(|state, _| state.count(stream, filter))?;
        call.leave(count).await
    }

    async fn consumer_lag(&self, stream: &str, durable: &str) -> Result<Option<ConsumerLag>, Error> {
        let call = self.link.enter(Operation::Inspect, stream).await?;
        let lag = self.link.read(|state, now| state.consumer_lag(stream, durable, now))?;
        call.leave(lag).await
    }

    async fn first_after(
        &self,
        stream: &str,
        filters: &[String],
        sequence: u64,
    ) -> Result<Option<(u64, Logged)>, Error> {
        let call = self.link.enter(Operation::Inspect, stream).await?;
        let first = self.link.read(|state, _| state.first_after(stream, filters, sequence))?;
        call.leave(first.map(|(sequence, stored)| (sequence, self.as_logged(stored)))).await
    }

    async fn held(&self, part: TopologyPart) -> Result<Option<StreamState>, Error> {
        let call = self.link.enter(Operation::Inspect, &part.to_string()).await?;
        let held = self.link.read(|state, _| state.held(part));
        call.leave(held.map(|(created, first_sequence, last_sequence)| StreamState {
            created: self.link.time_of(created),
            first_sequence,
            last_sequence,
            storage: Storage::default(),
        }))
        .await
    }

    fn losses(&self) -> u64 {
        self.link.read(|state, _| state.losses())
    }

    async fn ping(&self) -> Result<(), Error> {
        self.link.enter(Operation::Ping, "").await?.leave(()).await
    }
}

/// Fires the timers that are due after `after`. Skips a timer that was replaced meanwhile.
async fn fire_after(shared: Arc<Shared>, after: Duration) {
    tokio::time::sleep(after).await;
    shared.change(State::fire);
}
