//! Faults that are injected into a running deployment, one after the other, each undone before the next.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use fastrand::Rng;
use gongkai_proto::subjects;

use crate::{
    chaos::receiver::Receiver,
    deployment::{Deployment, Signal},
};

/// Pause between two faults, in milliseconds.
const PAUSE: std::ops::Range<u64> = 1_000..5_000;
/// Duration of a suspension or outage, in milliseconds. Some are shorter than `ack_wait`, some longer.
const OUTAGE: std::ops::Range<u64> = 500..20_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    KillProcess,
    KillService,
    SuspendProcess,
    TerminateProcess,
    KillBroker,
    SuspendBroker,
    DeleteConsumer,
    SilenceReceiver,
}

const ALL: [(Fault, &str); 8] = [
    (Fault::KillProcess, "process killed"),
    (Fault::KillService, "service killed"),
    (Fault::SuspendProcess, "process suspended"),
    (Fault::TerminateProcess, "process terminated"),
    (Fault::KillBroker, "broker killed"),
    (Fault::SuspendBroker, "broker suspended"),
    (Fault::DeleteConsumer, "consumer deleted"),
    (Fault::SilenceReceiver, "receiver down"),
];

/// The faults of a run.
#[derive(Debug)]
pub struct Faults {
    rng: Rng,
    receiver: Receiver,
}

/// The faults that were injected.
#[derive(Debug, Clone, Default)]
pub struct Done {
    /// Number of faults by kind.
    pub counts: BTreeMap<&'static str, usize>,
    /// Violations during the run, one sentence each.
    pub violations: Vec<String>,
}

impl Done {
    /// Returns the number of crashes of notify and the broker. After each, an alert may be delivered once more.
    #[must_use]
    pub fn crashes(&self) -> usize {
        let of = |kind| self.counts.get(kind).copied().unwrap_or_default();
        of("process killed") + of("service killed") + of("broker killed")
    }
}

impl Faults {
    /// Creates the faults of a seed.
    #[must_use]
    pub fn new(seed: u64, receiver: Receiver) -> Self {
        Self { rng: Rng::with_seed(seed ^ 0xFA17), receiver }
    }

    /// Injects faults until the time is over, and leaves everything running.
    ///
    /// # Panics
    /// If a process does not become ready again; the message contains its log.
    pub async fn run(mut self, deployment: &mut Deployment, until: Instant) -> Done {
        let mut done = Done::default();
        while Instant::now() < until {
            let (fault, kind) = ALL[self.rng.usize(0..ALL.len())];
            *done.counts.entry(kind).or_default() += 1;
            if let Err(violation) = self.cause(fault, deployment).await {
                done.violations.push(violation);
            }
            tokio::time::sleep(Duration::from_millis(self.rng.u64(PAUSE))).await;
        }
        deployment.ready().await;
        done
    }

    async fn cause(&mut self, fault: Fault, deployment: &mut Deployment) -> Result<(), String> {
        let process = self.rng.usize(0..deployment.processes());
        let outage = Duration::from_millis(self.rng.u64(OUTAGE));
        match fault {
            Fault::KillProcess => {
                deployment.signal(process, Signal::Kill);
                deployment.replace(process).await;
            }
            Fault::KillService => deployment.kill_and_restart(deployment.name(process)),
            Fault::SuspendProcess => {
                deployment.suspend(process);
                tokio::time::sleep(outage).await;
                deployment.signal(process, Signal::Continue);
            }
            Fault::TerminateProcess => {
                deployment.signal(process, Signal::Terminate);
                if !deployment.replace(process).await {
                    return Err(format!("{} did not end cleanly on SIGTERM", deployment.name(process)));
                }
            }
            Fault::KillBroker => deployment.broker().restart().await,
            Fault::SuspendBroker => {
                deployment.broker().pause();
                tokio::time::sleep(outage).await;
                deployment.broker().resume();
            }
            Fault::DeleteConsumer => self.delete_consumer(deployment).await,
            Fault::SilenceReceiver => {
                self.receiver.set_down(true);
                tokio::time::sleep(outage).await;
                self.receiver.set_down(false);
            }
        }
        Ok(())
    }

    /// Deletes one of the durable consumers on the log, as a careless operator would.
    async fn delete_consumer(&mut self, deployment: &mut Deployment) {
        let consumers = [subjects::CONSUMER_PARSE, subjects::CONSUMER_VALIDATE, subjects::CONSUMER_NOTIFY];
        let consumer = consumers[self.rng.usize(0..consumers.len())];
        let url = deployment.broker().url();
        let Ok(client) = async_nats::connect(url).await else { return };
        let context = async_nats::jetstream::new(client);
        // This may fail, because a service may be creating it again.
        drop(context.delete_consumer_from_stream(consumer, subjects::STREAM_REPORTS).await);
    }
}
