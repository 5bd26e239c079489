//! The register of running services: one entry for each service of each process, which expires when that ends.
//!
//! A replica writes its entry every [`BEAT`] and deletes it when it stops in order. The entry of one that crashed, or
//! that does not reach the broker, expires after [`EXPIRY_S`].

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::record_store::RecordStore;
use crate::recurring::Recurring;
use crate::transport::Entries;

/// Age in seconds at which an entry of the register expires.
pub const EXPIRY_S: u32 = 60;
/// Time between two writes of an entry: two may fail before it expires.
const BEAT: Duration = Duration::from_secs(18);
/// Maximum number of lost races for an entry, which only its own replica writes.
const MAX_RACES: u32 = 4;

/// A running service of one process.
#[derive(Clone, PartialEq, Serialize, prost::Message)]
pub struct Replica {
    /// Short name of the service.
    #[prost(string, tag = "1")]
    pub service: String,
    /// Random id of the process, `service.instance.id` in traces.
    #[prost(string, tag = "2")]
    pub instance: String,
    /// Version of the program.
    #[prost(string, tag = "3")]
    pub version: String,
    /// Name of the machine. Empty if it has none.
    #[prost(string, tag = "4")]
    pub host: String,
    /// When the service started, RFC 3339.
    #[prost(string, tag = "5")]
    pub started_at: String,
    /// Durable consumers that the service shares, sorted.
    #[prost(string, repeated, tag = "6")]
    pub consumers: Vec<String>,
}

/// Keeps the entry of a replica in the register until `soft` is cancelled. `consumers` are those of the entry.
pub(crate) async fn keep(
    register: Arc<dyn Entries>,
    mut replica: Replica,
    mut consumers: watch::Receiver<BTreeSet<String>>,
    soft: CancellationToken,
) -> anyhow::Result<()> {
    let records = RecordStore::new(register, MAX_RACES);
    let key = format!("{}/{}", replica.service, replica.instance);
    let failure = Recurring::new();
    let mut beats = interval(BEAT);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = beats.tick() => {}
            Ok(()) = consumers.changed() => {}
            () = soft.cancelled() => break,
        }
        replica.consumers = consumers.borrow_and_update().iter().cloned().collect();
        let write = |entry: &mut Replica| {
            entry.clone_from(&replica);
            (true, ())
        };
        if let Err(error) = records.change(&key, write).await
            && !error.kind.is_outage()
            && let Some(failures) = failure.due()
        {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, failures, "this replica is not in the register");
        }
    }
    // An entry that is not deleted expires.
    records.forget(&key).await.ok();
    Ok(())
}

/// Returns the name of this machine, or an empty text if it has none.
pub(crate) fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
