//! [`Builder`]: assembles a runtime.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Inner, Runtime};
use crate::alone::WorkFloor;
use crate::clock::Clock;
use crate::config::WorkerSettings;
use crate::cpu::CpuPool;
use crate::holdings::Holdings;
use crate::liveness::Liveness;
use crate::metrics::Meters;
use crate::outage::Outage;
use crate::own_stores::OwnStores;
use crate::process::Tools;
use crate::publisher::Publisher;
use crate::readiness::Readiness;
use crate::shutdown::Shutdown;
use crate::trace::Tracer;
use crate::transport::Transport;

/// Builds a [`Runtime`]. The bootstrap uses it, and so do tests with a memory transport.
pub struct Builder {
    transport: Arc<dyn Transport>,
    clock: Clock,
    tracer: Tracer,
    meters: Meters,
    shutdown: Shutdown,
    outage: Outage,
    settings: WorkerSettings,
    dead_prefix: String,
    version: &'static str,
    cpu: CpuPool,
    floor: WorkFloor,
    attempts: &'static str,
    readiness: Readiness,
    liveness: Liveness,
    holdings: Option<Holdings>,
}

impl Runtime {
    /// Starts building a runtime over `transport`, with default settings.
    #[must_use]
    pub fn builder(service: &'static str, transport: Arc<dyn Transport>) -> Builder {
        Builder {
            transport,
            clock: Clock::system(),
            tracer: Tracer::silent(service),
            meters: Meters::local(),
            shutdown: Shutdown::default(),
            outage: Outage::default(),
            settings: WorkerSettings::default(),
            dead_prefix: "dead".to_owned(),
            version: env!("CARGO_PKG_VERSION"),
            cpu: CpuPool::of_this_machine(),
            floor: WorkFloor::default(),
            attempts: "attempts",
            readiness: Readiness::default(),
            liveness: Liveness::default(),
            holdings: None,
        }
    }
}

// === impl Builder ===

impl Builder {
    /// Uses this clock instead of the machine's.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Sets the settings of the `[worker]` section.
    #[must_use]
    pub fn settings(mut self, settings: WorkerSettings) -> Self {
        self.settings = settings;
        self
    }

    /// Sets the subject prefix of dead letters. The service's short name is appended.
    #[must_use]
    pub fn dead_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.dead_prefix = prefix.into();
        self
    }

    /// Sets the bucket of entries for the attempts of messages that were delivered more than once. It must be declared.
    #[must_use]
    pub fn attempts(mut self, bucket: &'static str) -> Self {
        self.attempts = bucket;
        self
    }

    /// Sets the program's version, which dead letters carry.
    #[must_use]
    pub fn version(mut self, version: &'static str) -> Self {
        self.version = version;
        self
    }

    /// Uses this token for the soft stop.
    #[must_use]
    pub fn shutdown(mut self, soft: CancellationToken) -> Self {
        self.shutdown.soft = soft;
        self
    }

    pub(crate) fn tracer(mut self, tracer: Tracer) -> Self {
        self.tracer = tracer;
        self
    }

    pub(crate) fn meters(mut self, meters: Meters) -> Self {
        self.meters = meters;
        self
    }

    pub(crate) fn shutdown_of_process(mut self, shutdown: Shutdown) -> Self {
        self.shutdown = shutdown;
        self
    }

    pub(crate) fn outage(mut self, outage: Outage) -> Self {
        self.outage = outage;
        self
    }

    pub(crate) fn cpu(mut self, cpu: CpuPool) -> Self {
        self.cpu = cpu;
        self
    }

    pub(crate) fn holdings(mut self, holdings: Holdings) -> Self {
        self.holdings = Some(holdings);
        self
    }

    pub(crate) fn floor(mut self, floor: WorkFloor) -> Self {
        self.floor = floor;
        self
    }

    pub(crate) fn health(mut self, readiness: Readiness, liveness: Liveness) -> Self {
        (self.readiness, self.liveness) = (readiness, liveness);
        self
    }

    /// Builds the runtime.
    #[must_use]
    pub fn build(self) -> Runtime {
        let budget = Duration::from_secs(self.settings.publish_budget_s);
        let publisher = Publisher::new(
            self.transport.clone(),
            self.clock.clone(),
            self.tracer.clone(),
            &self.meters,
            budget,
            self.outage.clone(),
        );
        let tools = Tools {
            publisher,
            dead_subject: format!("{}.{}", self.dead_prefix, self.tracer.service()),
            tracer: self.tracer,
            clock: self.clock,
            outage: self.outage,
            stores: OwnStores::new(self.readiness.clone(), self.meters.clone()),
            soft: self.shutdown.soft.clone(),
            version: self.version,
        };
        Runtime(Arc::new(Inner {
            transport: self.transport,
            tools,
            shutdown: self.shutdown,
            readiness: self.readiness,
            liveness: self.liveness,
            meters: self.meters,
            settings: self.settings,
            cpu: self.cpu,
            floor: self.floor,
            holdings: self.holdings,
            attempts: self.attempts,
            consumers: watch::Sender::default(),
        }))
    }
}
