//! The in-memory transport: JetStream's semantics without a server, with visible state and a fault plan.
//!
//! It keeps what the runtime builds on: sequences, the duplicate window, subject filters, shared durable pull
//! consumers, `ack_wait` with redelivery and attempt counts, `max_ack_pending`, `max_deliver` with its advisory, delayed
//! naks, progress and terms, objects, entries with compare-and-set. It does not keep age limits, byte limits or several
//! accounts. All time is tokio's, so that a test with paused time runs through hours at once; `logged_at` starts at a
//! fixed day.
//!
//! State is read with [`Memory::consumer_state`], [`Memory::settlements`], [`Memory::messages`]; tests wait with
//! [`Memory::until`] instead of sleeping. Faults are planned with [`Memory::plan`].
//!
//! The suite in `tests/transport.rs` runs the same cases over this and over a real server.

mod buckets;
mod consumer;
mod faults;
mod pull;
mod state;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use time::{OffsetDateTime, macros::datetime};
use tokio::{sync::watch, time::Instant};

use self::state::State;
pub use self::{
    faults::{Fault, Operation},
    state::{ConsumerState, Outcome, Settlement},
};
use super::{ConsumerSpec, Entries, Error, Message, Objects, Published, Pull, Topology, Transport, subject};

/// What `logged_at` counts from.
const EPOCH: OffsetDateTime = datetime!(2024-01-01 00:00 UTC);

/// A broker in this process. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Memory {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    faults: Mutex<Vec<Fault>>,
    calls: Mutex<HashMap<Operation, u64>>,
    changed: watch::Sender<()>,
    started: Instant,
}

// === impl Memory ===

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

impl Memory {
    /// An empty broker: streams and buckets come with [`Transport::declare`].
    #[must_use]
    pub fn new() -> Self {
        Self {
            shared: Arc::new(Shared {
                state: Mutex::default(),
                faults: Mutex::default(),
                calls: Mutex::default(),
                changed: watch::Sender::new(()),
                started: Instant::now(),
            }),
        }
    }

    /// Adds a fault; it applies to the next matching calls. Of several, the first planned applies first.
    pub fn plan(&self, fault: Fault) {
        lock(&self.shared.faults).push(fault);
    }

    /// Drops every planned fault: the broker is well again.
    pub fn heal(&self) {
        lock(&self.shared.faults).clear();
    }

    /// How often an operation was called, failed calls included.
    #[must_use]
    pub fn calls(&self, operation: Operation) -> u64 {
        lock(&self.shared.calls).get(&operation).copied().unwrap_or_default()
    }

    /// What waits, what is out and what is over for one consumer; `None` if it was never created.
    #[must_use]
    pub fn consumer_state(&self, stream: &str, durable: &str) -> Option<ConsumerState> {
        self.shared.read(|state, now| state.consumer_state(stream, durable, now))
    }

    /// Everything a consumer was told about its deliveries, in order. Empty if there is no such consumer.
    #[must_use]
    pub fn settlements(&self, stream: &str, durable: &str) -> Vec<Settlement> {
        self.shared.read(|state, _| state.settlements(stream, durable))
    }

    /// The messages on subjects that match `filter`, over all streams, in each stream's order.
    #[must_use]
    pub fn messages(&self, filter: &str) -> Vec<Message> {
        self.shared.read(|state, _| {
            state.messages().filter(|message| subject::matches(filter, &message.subject)).cloned().collect()
        })
    }

    /// Waits until `reached` holds; it is asked again after each change of the state.
    ///
    /// # Cancel safety
    /// Safe: it changes nothing.
    pub async fn until(&self, mut reached: impl FnMut(&Self) -> bool) {
        let mut changed = self.shared.changed.subscribe();
        while !reached(self) {
            changed.changed().await.expect("this transport holds the sender");
        }
    }
}

#[async_trait]
impl Transport for Memory {
    async fn declare(&self, topology: &Topology) -> Result<(), Error> {
        let call = self.shared.enter(Operation::Declare, "").await?;
        self.shared.change(|state, _| state.declare(topology));
        call.leave(())
    }

    async fn publish(&self, message: Message) -> Result<Published, Error> {
        let call = self.shared.enter(Operation::Publish, &message.subject).await?;
        let published = self.shared.change(|state, now| state.append(message, now))?;
        call.leave(published)
    }

    async fn consumer(&self, spec: &ConsumerSpec) -> Result<Box<dyn Pull>, Error> {
        let call = self.shared.enter(Operation::Consumer, &spec.durable).await?;
        self.shared.change(|state, _| state.bind(spec))?;
        call.leave(pull::bind(self.shared.clone(), spec))
    }

    fn objects(&self, bucket: &'static str) -> Arc<dyn Objects> {
        Arc::new(buckets::ObjectBucket { shared: self.shared.clone(), bucket })
    }

    fn entries(&self, bucket: &'static str) -> Arc<dyn Entries> {
        Arc::new(buckets::EntryBucket { shared: self.shared.clone(), bucket })
    }

    async fn message(&self, stream: &str, sequence: u64) -> Result<Option<Message>, Error> {
        let call = self.shared.enter(Operation::Get, stream).await?;
        let found = self.shared.read(|state, _| state.message(stream, sequence))?;
        call.leave(found)
    }

    async fn ping(&self) -> Result<(), Error> {
        self.shared.enter(Operation::Ping, "").await?.leave(())
    }
}

// === impl Shared ===

impl Shared {
    /// Looks at the state.
    fn read<T>(&self, look: impl FnOnce(&State, Instant) -> T) -> T {
        look(&lock(&self.state), Instant::now())
    }

    /// Changes the state and wakes whoever waits for it.
    fn change<T>(&self, act: impl FnOnce(&mut State, Instant) -> T) -> T {
        self.change_if(|state, now| (true, act(state, now)))
    }

    /// Changes the state, or finds that there is nothing to change.
    fn change_if<T>(&self, act: impl FnOnce(&mut State, Instant) -> (bool, T)) -> T {
        let (is_changed, result) = act(&mut lock(&self.state), Instant::now());
        if is_changed {
            self.changed.send_replace(());
        }
        result
    }

    /// Counts a call and applies the fault plan to it: waits, refuses, or marks its answer as lost.
    async fn enter(&self, operation: Operation, target: &str) -> Result<faults::Call, Error> {
        *lock(&self.calls).entry(operation).or_default() += 1;
        let hits = faults::take(&mut lock(&self.faults), operation, target);
        faults::Call::start(operation, hits).await
    }

    fn time_of(&self, instant: Instant) -> OffsetDateTime {
        EPOCH + instant.saturating_duration_since(self.started)
    }
}

/// A panic in a test's closure must not turn every later call into another panic.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
