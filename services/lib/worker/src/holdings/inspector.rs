//! Checks whether every stream and bucket is in place, and opens and closes the gate.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use futures::future::try_join_all;
use tokio::time::{Instant, sleep};

use super::judge::{Inventory, LostPart, is_accepted, judge, sentence};
use super::record::PartRecords;
use super::room::{Shortage, shortages};
use super::{Holdings, guarded::Guarded};
use crate::clock::Clock;
use crate::outage::Outage;
use crate::record_store::RecordStore;
use crate::transport::{Error, StreamState, Topology, TopologyPart, Transport};

/// Time between two checks.
const INTERVAL: Duration = Duration::from_secs(5);
/// Time between a suspicion and the check that it causes.
const SOON: Duration = Duration::from_millis(200);
/// Shortest time between two writes of the marker that only move sequences on.
const MARK_INTERVAL: Duration = Duration::from_secs(30);
/// Number of checks that fail in a row on a live connection before readiness reports it.
const FAILED_LOOKS: u32 = 2;
/// Key of the marker in its bucket.
const MARKER: &str = "marker";
/// Maximum number of lost races for the marker, which all processes write. After that, the next check writes it.
const MAX_RACES: u32 = 3;

/// What the inspector checks, and how.
pub(crate) struct Orders {
    pub(crate) topology: Topology,
    /// Bucket of the marker.
    pub(crate) marker: &'static str,
    /// File that records the parts.
    pub(crate) file: Option<PathBuf>,
    /// Whether to create lost parts again and accept replaced ones.
    pub(crate) recreate: bool,
}

pub(crate) struct Inspector {
    transport: Arc<dyn Transport>,
    orders: Orders,
    marker: Marker,
    clock: Clock,
    holdings: Holdings,
    outage: Outage,
    /// The parts that were in place at the last check.
    memory: Option<PartRecords>,
    /// The content of the file.
    filed: Option<PartRecords>,
    is_declared: bool,
    /// Parts that the last check found out of place. One check is not enough, because a cluster may be electing a
    /// leader.
    suspected: Vec<TopologyPart>,
    failed_looks: u32,
}

/// The marker in its bucket.
struct Marker {
    transport: Arc<dyn Transport>,
    bucket: &'static str,
    records: RecordStore,
    written: Option<Instant>,
}

/// The state of the broker's parts, and the records of the marker.
#[derive(Debug)]
pub struct Inspection {
    /// The state of every part.
    pub inventory: Inventory,
    /// The marker, if there is one.
    pub marker: Option<PartRecords>,
    /// The parts that differ from their remembered state.
    pub faults: Vec<LostPart>,
    /// The limits that are reached.
    pub shortages: Vec<Shortage>,
}

/// Looks up every stream and bucket and compares them with the marker in `bucket` and with the records in `file`
/// (`nats.marker_file`). Changes nothing.
///
/// # Errors
/// The broker did not answer or refused, or the file cannot be read.
pub async fn inspect(
    transport: &Arc<dyn Transport>,
    topology: &Topology,
    bucket: &'static str,
    file: Option<&Path>,
) -> anyhow::Result<Inspection> {
    let inventory = look(&**transport, topology).await?;
    let marker = Marker::new(transport.clone(), bucket).read().await?;
    let filed = remembered(file)?;
    let faults = judge(&inventory, marker.as_ref(), filed.as_ref());
    let shortages = shortages(&inventory, transport.storage().await?);
    Ok(Inspection { inventory, marker, faults, shortages })
}

/// Creates missing parts and marks the present ones as accepted. Running services accept them too, within seconds.
///
/// # Errors
/// The broker did not answer or refused. Parts that were created stay; call again.
pub async fn repair(
    transport: &Arc<dyn Transport>,
    topology: &Topology,
    bucket: &'static str,
    clock: &Clock,
) -> Result<(), Error> {
    transport.declare(topology).await?;
    let mut marker = Marker::new(transport.clone(), bucket);
    let present = marker.read().await?.unwrap_or_default();
    let inventory = look(&**transport, topology).await?;
    let known = PartRecords { accepted_ms: now_ms(clock), ..remember(present, &inventory) };
    marker.write(&known).await
}

// === impl Inspector ===

impl Inspector {
    pub(crate) fn new(
        transport: Arc<dyn Transport>,
        orders: Orders,
        clock: Clock,
        holdings: Holdings,
        outage: Outage,
    ) -> anyhow::Result<Self> {
        let filed = remembered(orders.file.as_deref())?;
        Ok(Self {
            marker: Marker::new(transport.clone(), orders.marker),
            memory: filed.clone(),
            filed,
            transport,
            orders,
            clock,
            holdings,
            outage,
            is_declared: false,
            suspected: Vec::new(),
            failed_looks: 0,
        })
    }

    /// Returns the transport behind the gate.
    pub(crate) fn guarded(&self) -> Guarded {
        Guarded::new(self.transport.clone(), self.holdings.clone())
    }

    /// Checks until every part is in place, or until it is certain which are not. In the second case the gate is
    /// closed.
    ///
    /// # Errors
    /// The broker refuses a stream or bucket. An operator has to correct that.
    pub(crate) async fn open(&mut self) -> Result<(), Error> {
        loop {
            match self.survey().await {
                Ok(true) => return Ok(()),
                Ok(false) if self.holdings.is_closed() => return Ok(()),
                Ok(false) => {}
                Err(error) if error.kind.is_outage() => self.failed(&error).await,
                Err(error) => return Err(error),
            }
            self.pause().await;
        }
    }

    /// Checks regularly. Never returns.
    pub(crate) async fn watch(mut self) {
        loop {
            self.pause().await;
            if let Err(error) = self.survey().await {
                self.failed(&error).await;
            }
        }
    }

    async fn pause(&self) {
        tokio::select! {
            () = sleep(INTERVAL) => {}
            () = self.holdings.suspected() => sleep(SOON).await,
        }
    }

    /// Checks once. Returns true if everything is in place.
    async fn survey(&mut self) -> Result<bool, Error> {
        let losses = self.transport.losses();
        // Read before the check: the answers may or may not include a message that is stored meanwhile.
        let memory = self.memory();
        let inventory = look(&*self.transport, &self.orders.topology).await?;
        let marker = self.marker.read().await?;
        self.failed_looks = 0;
        let faults = judge(&inventory, marker.as_ref(), memory.as_ref());
        if !faults.is_empty() && !self.orders.recreate {
            self.refuse(&faults);
            return Ok(false);
        }
        self.suspected.clear();
        if !faults.is_empty() {
            tracing::warn!(
                lost = sentence(&faults),
                "accepting what is there, because nats.recreate is true"
            );
        }
        let inventory = self.complete(inventory).await?;
        let shortages = shortages(&inventory, self.transport.storage().await?);
        let storage = |(part, held): &(_, Option<StreamState>)| Some((*part, held.as_ref()?.storage));
        self.holdings.set_storage(inventory.iter().filter_map(storage).collect());
        let is_changed = memory.as_ref().is_some_and(|memory| is_another(memory, &inventory));
        let mut known = remember(marker.clone().unwrap_or_default(), &inventory);
        if faults.is_empty() {
            let accepted = memory.as_ref().map_or(0, |memory| memory.accepted_ms);
            known.accepted_ms = known.accepted_ms.max(accepted);
        } else {
            known.accepted_ms = now_ms(&self.clock);
        }
        if memory.as_ref().is_some_and(|memory| is_accepted(marker.as_ref(), memory)) {
            tracing::info!("working with what an operator accepted");
        }
        self.mark(marker.as_ref(), &known).await;
        self.file(&known);
        let accepted_ms = known.accepted_ms;
        self.memory = Some(known);
        self.holdings.open(losses, is_changed, accepted_ms, &shortages);
        Ok(true)
    }

    /// Returns the records of the last check, with the sequences of messages stored since.
    fn memory(&self) -> Option<PartRecords> {
        let mut memory = self.memory.clone()?;
        for part in self.orders.topology.parts() {
            if let Some(seen) = memory.parts.get_mut(&part.to_string()) {
                seen.last_sequence = seen.last_sequence.max(self.holdings.last(part));
            }
        }
        Some(memory)
    }

    /// Closes the gate if the previous check found the same faults.
    fn refuse(&mut self, faults: &[LostPart]) {
        let parts: Vec<_> = faults.iter().map(|fault| fault.part).collect();
        if self.suspected != parts {
            self.suspected = parts;
            self.holdings.suspect();
            return;
        }
        let obstacle = sentence(faults);
        if self.holdings.close(obstacle.clone(), parts) {
            tracing::error!(
                lost = obstacle,
                "the broker does not hold what it held; nothing is done until it does"
            );
        }
    }

    /// Creates missing parts. The first call also widens existing ones.
    async fn complete(&mut self, inventory: Inventory) -> Result<Inventory, Error> {
        let is_complete = inventory.iter().all(|(_, held)| held.is_some());
        if self.is_declared && is_complete {
            return Ok(inventory);
        }
        self.transport.declare(&self.orders.topology).await?;
        self.is_declared = true;
        look(&*self.transport, &self.orders.topology).await
    }

    /// Writes the marker if it differs from the known records, but at most every [`MARK_INTERVAL`] if only sequences
    /// differ.
    async fn mark(&mut self, present: Option<&PartRecords>, known: &PartRecords) {
        let is_due = self.marker.written.is_none_or(|written| written.elapsed() >= MARK_INTERVAL);
        let is_due = is_due || present.is_none_or(|present| !is_like(present, known));
        if !is_due || present == Some(known) {
            return;
        }
        // The marker is needed only after a loss. The next check tries again.
        if let Err(error) = self.marker.write(known).await
            && !self.outage.seen(&error)
        {
            tracing::debug!(error = &error as &dyn std::error::Error, "marker not written");
        }
    }

    fn file(&mut self, known: &PartRecords) {
        let Some(file) = self.orders.file.as_ref().filter(|_| self.filed.as_ref() != Some(known)) else {
            return;
        };
        match known.write(file) {
            Ok(()) => self.filed = Some(known.clone()),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, file = %file.display(), "couldn't write nats.marker_file");
            }
        }
    }

    /// Records a failed check. On a live connection, readiness reports it: the broker is reachable but its JetStream
    /// is not.
    async fn failed(&mut self, error: &Error) {
        self.outage.seen(error);
        self.holdings.set_storage(Vec::new());
        self.failed_looks += 1;
        if self.failed_looks >= FAILED_LOOKS && self.transport.ping().await.is_ok() {
            let cause = error.source.as_ref().map(|cause| format!(": {cause}")).unwrap_or_default();
            self.holdings.hinder(format!("the broker answers, but its JetStream does not ({error}{cause})"));
        }
    }
}

// === impl Marker ===

impl Marker {
    fn new(transport: Arc<dyn Transport>, bucket: &'static str) -> Self {
        let records = RecordStore::new(transport.entries(bucket), MAX_RACES);
        Self { transport, bucket, records, written: None }
    }

    async fn read(&self) -> Result<Option<PartRecords>, Error> {
        if self.transport.held(TopologyPart::Entries(self.bucket)).await?.is_none() {
            return Ok(None);
        }
        let known = self.records.read::<PartRecords>(MARKER).await?.record;
        Ok(Some(known).filter(|known| !known.is_empty()))
    }

    async fn write(&mut self, known: &PartRecords) -> Result<(), Error> {
        let topology = Topology { entries: vec![self.bucket], ..Topology::default() };
        self.transport.declare(&topology).await?;
        let replace = |present: &mut PartRecords| {
            let is_changed = present != known && present.accepted_ms <= known.accepted_ms;
            if is_changed {
                present.clone_from(known);
            }
            (is_changed, ())
        };
        self.records.change(MARKER, replace).await?;
        self.written = Some(Instant::now());
        Ok(())
    }
}

async fn look(transport: &dyn Transport, topology: &Topology) -> Result<Inventory, Error> {
    let look_up = |part| async move { Ok((part, transport.held(part).await?)) };
    try_join_all(topology.parts().map(look_up)).await
}

/// Returns `known` with every part as it is now.
fn remember(mut known: PartRecords, inventory: &Inventory) -> PartRecords {
    for (part, held) in inventory {
        if let Some(held) = held {
            known.set(*part, held);
        }
    }
    known
}

/// Returns true if a remembered part was replaced by another.
fn is_another(memory: &PartRecords, inventory: &Inventory) -> bool {
    let now = remember(PartRecords::default(), inventory);
    let differs = |(name, seen): (&String, &super::record::PartRecord)| {
        memory.parts.get(name).is_some_and(|known| {
            known.created_at != seen.created_at || seen.last_sequence < known.last_sequence
        })
    };
    now.parts.iter().any(differs)
}

/// Returns true if two records differ in sequences only.
fn is_like(one: &PartRecords, other: &PartRecords) -> bool {
    let identities = |known: &PartRecords| -> Vec<_> {
        known.parts.iter().map(|(name, seen)| (name.clone(), seen.created_at.clone())).collect()
    };
    one.accepted_ms == other.accepted_ms && identities(one) == identities(other)
}

fn now_ms(clock: &Clock) -> u64 {
    u64::try_from(clock.now().unix_timestamp_nanos() / 1_000_000).unwrap_or_default()
}

/// Returns the records in `file`, or `None` if no file is configured or it does not exist yet.
fn remembered(file: Option<&Path>) -> anyhow::Result<Option<PartRecords>> {
    let Some(file) = file else { return Ok(None) };
    let known = PartRecords::read(file)
        .with_context(|| format!("couldn't read {} (nats.marker_file)", file.display()))?;
    Ok(Some(known).filter(|known| !known.is_empty()))
}
