//! `make chaos`: two replicas of every service over a real broker, whose processes are killed, suspended and ended
//! while offices publish, correct and withdraw reports. Afterwards the invariants of ARCHITECTURE.md must hold.
//!
//! - [`office`]: the steps of one office, and the content that is current in the end.
//! - [`fault`]: the faults that are injected meanwhile.
//! - [`receiver`]: the receiver of alerts.
//! - [`verdict`]: the invariants that must hold in the end.

pub mod fault;
pub mod office;
pub mod receiver;
pub mod verdict;

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    chaos::{
        fault::Faults,
        office::{Accepted, Office},
        receiver::Receiver,
        verdict::Judge,
    },
    deployment::{Deployment, Plan},
};

/// The parameters of a run.
#[derive(Debug, Clone, Copy)]
pub struct Order {
    /// Seed of the offices' steps and of the faults. Times differ from run to run, so the same seed gives the same
    /// plans but not the same interleaving.
    pub seed: u64,
    /// Duration of faults and work.
    pub duration: Duration,
    /// Number of offices that work at the same time.
    pub offices: usize,
}

/// The result of a run.
#[derive(Debug)]
pub struct RunResult {
    /// Number of submissions by final state.
    pub states: BTreeMap<String, usize>,
    /// Number of faults by kind.
    pub faults: BTreeMap<&'static str, usize>,
    /// Number of calls that the receiver of alerts accepted, and of those whose id it had accepted before.
    pub delivered: (usize, usize),
    /// Time from the last fault until every invariant held.
    pub recovery: Duration,
    /// Violations of invariants, one sentence each.
    pub violations: Vec<String>,
}

/// Performs a run.
///
/// # Panics
/// If the deployment cannot be started.
pub async fn run(order: Order) -> RunResult {
    let receiver = Receiver::start().await;
    let config = format!(
        "[[notify.subscriptions]]\nname = \"office\"\nchannel = \"webhook\"\nurl = \"{}\"\nsecret = \"{}\"\n",
        receiver.url(),
        receiver::SECRET
    );
    let mut deployment = Deployment::start(&Plan { replicas: 2, fronts: 2, config, ..Plan::default() }).await;
    let doors: Arc<[String]> = deployment.fronts("ingest").into();
    let until = Instant::now() + order.duration;
    let offices: Vec<_> = (0..order.offices)
        .map(|number| tokio::spawn(Office::new(order.seed, number).work(Arc::clone(&doors), until)))
        .collect();
    let faults = Faults::new(order.seed, receiver.clone()).run(&mut deployment, until).await;
    let mut records = Vec::new();
    for office in offices {
        records.push(office.await.expect("an office does not panic"));
    }
    let ended = Instant::now();
    let verdict = Judge { deployment: &deployment, receiver: &receiver, faults: &faults };
    let accepted: Vec<&Accepted> = records.iter().flat_map(|office| &office.accepted).collect();
    let (states, mut violations) = verdict.submissions(&accepted).await;
    violations.extend(verdict.at_rest(&records).await);
    violations.extend(faults.violations.iter().cloned());
    RunResult {
        states,
        faults: faults.counts.clone(),
        delivered: receiver.totals(),
        recovery: ended.elapsed(),
        violations,
    }
}
