//! One OS process that runs one or more services.
//!
//! The services share the connection, the signal handling and the CPU pool. Each has its own admin port, tracer and
//! instruments. If the broker is unavailable at the start, the process keeps trying to connect while the admin ports
//! already answer.
//!
//! A process stops in this order: turn readiness off, stop fetching, drain (bounded in time), flush telemetry, exit.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::Context as _;
use futures::future::BoxFuture;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::about::About;
use crate::admin::Admin;
use crate::alone::WorkFloor;
use crate::broker_figures::{StorageFigures, count_dead_letters};
use crate::clock::Clock;
use crate::config::Common;
use crate::cpu::CpuPool;
use crate::holdings::Holdings;
use crate::holdings::inspector::{Inspector, Orders};
use crate::holdings::objects;
use crate::liveness::Liveness;
use crate::outage::Outage;
use crate::panics::Caught;
use crate::readiness::Readiness;
use crate::runtime::Runtime;
use crate::service::Service;
use crate::shutdown::Shutdown;
use crate::telemetry::Telemetry;
use crate::transport::divided::Divided;
use crate::transport::jetstream::JetStream;
use crate::transport::s3::S3;
use crate::transport::{Error, ErrorKind, TopologyPart, Transport};

/// Extra time on top of a consumer's own drain timeout, so that it can log which messages it dropped.
const DRAIN_MARGIN: Duration = Duration::from_secs(3);

/// A running process.
pub struct Process {
    about: About,
    common: Common,
    telemetry: Telemetry,
    shutdown: Shutdown,
    outage: Outage,
    holdings: Holdings,
    cpu: CpuPool,
    floor: WorkFloor,
    /// The S3 store with its buckets, if objects are not stored in the broker.
    objects: Option<(S3, Vec<&'static str>)>,
    transport: Arc<OnceLock<Arc<dyn Transport>>>,
    /// Cancelled once `transport` is set.
    connected: CancellationToken,
    services: JoinSet<(&'static str, anyhow::Result<()>)>,
    admin_stop: CancellationToken,
    started: u16,
}

impl Process {
    /// Installs telemetry and signal handlers, and starts connecting. Must be called within the tokio runtime.
    ///
    /// # Errors
    /// A setting is invalid. Nothing was started; report the error and exit.
    pub fn boot(about: About, common: Common) -> anyhow::Result<Self> {
        // Fails only if the same provider is installed already.
        rustls::crypto::ring::default_provider().install_default().ok();
        let settings = common.nats.transport(about.program)?;
        let this = Self::prepare(about, common)?;
        this.handle_signals()?;
        // The task ends with the process; nothing waits for it.
        tokio::spawn(crate::heap::trim());
        let (slot, connected, outage) = (this.transport.clone(), this.connected.clone(), this.outage.clone());
        let holdings = this.holdings.clone();
        let (orders, objects) = (this.orders(), this.objects.clone());
        let soft = this.shutdown.soft.clone();
        this.shutdown.spawn("connect", crate::OnFailure::ShutDown, async move {
            let opening = async {
                let transport = retry_while_unavailable(&outage, || JetStream::connect(&settings)).await?;
                let transport = with_objects(Arc::new(transport), objects);
                let mut inspector = Inspector::new(transport, orders, Clock::system(), holdings, outage)?;
                inspector.open().await?;
                anyhow::Ok(inspector)
            };
            let inspector = tokio::select! {
                opened = opening => opened.context("couldn't use the broker")?,
                () = soft.cancelled() => return Ok(()),
            };
            tracing::info!("connected to the broker");
            // Nothing else sets the cell.
            slot.set(Arc::new(inspector.guarded())).ok();
            connected.cancel();
            // Never stopped: messages still need it while they drain.
            tokio::spawn(inspector.watch());
            Ok(())
        });
        Ok(this)
    }

    /// Like [`Self::boot`], but over the given transport and without signal handlers: for tests.
    ///
    /// # Errors
    /// A setting is invalid, or the topology could not be declared.
    pub async fn boot_over(
        about: About,
        common: Common,
        transport: Arc<dyn Transport>,
    ) -> anyhow::Result<Self> {
        let this = Self::prepare(about, common)?;
        let (holdings, outage) = (this.holdings.clone(), this.outage.clone());
        let transport = with_objects(transport, this.objects.clone());
        let mut inspector = Inspector::new(transport, this.orders(), Clock::system(), holdings, outage)?;
        inspector.open().await?;
        // The cell is new, so it is empty.
        this.transport.set(Arc::new(inspector.guarded())).ok();
        tokio::spawn(inspector.watch());
        this.connected.cancel();
        Ok(this)
    }

    /// Starts a service and its admin server. Returns the address of the admin server.
    ///
    /// # Errors
    /// A setting is invalid, or the admin port is taken. The service was not started.
    pub async fn spawn<S: Service>(&mut self, config: S::Config) -> anyhow::Result<SocketAddr> {
        S::validate(&config)?;
        let (tracer, meters) = self.telemetry.of_service(S::NAME)?;
        let (readiness, liveness) = (Readiness::default(), Liveness::default());
        let latch = readiness.latch("broker");
        let admin = Admin {
            liveness: liveness.clone(),
            readiness: readiness.clone(),
            holdings: self.holdings.clone(),
            meters: meters.clone(),
            transport: self.transport.clone(),
            soft: self.shutdown.soft.clone(),
            token: self.common.admin.secret()?,
            verbosity: self.telemetry.verbosity(),
        };
        let bound = admin.serve(self.admin_address(S::ADMIN_PORT)?, self.admin_stop.clone()).await?;
        tracing::info!(service = S::NAME, admin = %bound, version = self.about.version, "starting");
        let settings = self.common.worker.clone();
        let About { dead_prefix, attempts, replicas, version, .. } = self.about;
        let instance = self.telemetry.instance().to_owned();
        let (shutdown, outage) = (self.shutdown.clone(), self.outage.clone());
        let (cpu, floor, holdings) = (self.cpu.clone(), self.floor.clone(), self.holdings.clone());
        let (slot, connected) = (self.transport.clone(), self.connected.clone());
        let parts: Vec<_> = self.about.topology.parts().collect();
        let dead_stream =
            self.holdings.stream_of(&format!("{dead_prefix}.{}", S::NAME)).and_then(stream_named);
        let base = crate::trace::TraceSpan::of(tracer.base());
        let run = async move {
            tokio::select! {
                () = connected.cancelled() => {}
                () = shutdown.soft.cancelled() => return Ok(()),
            }
            let transport = slot.get().expect("set before the token is cancelled").clone();
            let storage = StorageFigures::new(&meters, parts.into_iter());
            let _storage = AbortOnDropHandle::new(tokio::spawn(holdings.clone().show_storage(storage)));
            let _dead = dead_stream.map(|stream| {
                let (meters, transport) = (meters.clone(), transport.clone());
                let subject = format!("{dead_prefix}.{}", S::NAME);
                AbortOnDropHandle::new(tokio::spawn(count_dead_letters(meters, transport, stream, subject)))
            });
            let runtime = Runtime::builder(S::NAME, transport)
                .settings(settings)
                .dead_prefix(dead_prefix)
                .attempts(attempts)
                .version(version)
                .tracer(tracer)
                .meters(meters)
                .shutdown_of_process(shutdown)
                .outage(outage)
                .cpu(cpu)
                .floor(floor)
                .holdings(holdings)
                .health(readiness, liveness)
                .build();
            latch.release();
            runtime.register(replicas, instance);
            Caught(Box::pin(S::run(config, runtime))).await.map_err(anyhow::Error::new).flatten()
        };
        self.services.spawn(base.run(async move { (S::NAME, run.await) }));
        Ok(bound)
    }

    /// Returns the token of the soft stop. Cancelling it stops the process in order, as the first signal does.
    #[must_use]
    pub fn shutdown(&self) -> CancellationToken {
        self.shutdown.soft.clone()
    }

    /// Returns a function whose future completes once the broker answers but stores nothing. To recover, restart the
    /// broker once its disk has room.
    pub fn broker_stuck(&self) -> impl Fn() -> BoxFuture<'static, ()> + use<> {
        let holdings = self.holdings.clone();
        move || {
            let holdings = holdings.clone();
            Box::pin(async move { holdings.until_stuck().await })
        }
    }

    /// Runs until a signal arrives or a service ends by itself, which is a failure. Then stops everything in order.
    pub async fn run_until_stopped(mut self) -> ExitCode {
        let mut failed = tokio::select! {
            () = self.shutdown.soft.cancelled() => false,
            // If a signal arrived at the same time, the service may have drained and ended in order.
            Some(ended) = self.services.join_next() => !report(ended, self.shutdown.soft.is_cancelled()),
        };
        self.shutdown.soft.cancel();
        tracing::info!("stopping");
        failed |= !self.drain().await;
        failed |= self.shutdown.has_failed();
        self.admin_stop.cancel();
        tracing::info!("stopped");
        let telemetry = self.telemetry;
        // A panic in the exporter loses spans and nothing else.
        tokio::task::spawn_blocking(move || telemetry.flush()).await.ok();
        if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }

    fn prepare(mut about: About, common: Common) -> anyhow::Result<Self> {
        common.validate()?;
        // The broker does not hold the buckets of an S3 store.
        let objects = common.objects.s3()?.map(|store| (store, std::mem::take(&mut about.topology.objects)));
        let (holdings, outage) = (Holdings::new(&about.topology), Outage::default());
        if let Some((store, _)) = &objects {
            holdings.set_objects(Some("the object store has not been asked yet".to_owned()));
            // The task ends with the process; nothing waits for it.
            tokio::spawn(objects::watch(store.clone(), holdings.clone(), outage.clone()));
        }
        Ok(Self {
            holdings,
            telemetry: Telemetry::install(&common.telemetry, about.version, Clock::system())?,
            about,
            common,
            shutdown: Shutdown::default(),
            outage,
            cpu: CpuPool::of_this_machine(),
            floor: WorkFloor::default(),
            objects,
            transport: Arc::default(),
            connected: CancellationToken::new(),
            services: JoinSet::new(),
            admin_stop: CancellationToken::new(),
            started: 0,
        })
    }

    /// Returns the inspector's settings, from the config.
    fn orders(&self) -> Orders {
        Orders {
            topology: self.about.topology.clone(),
            marker: self.about.marker,
            file: self.common.nats.marker_file.clone(),
            recreate: self.common.nats.recreate,
        }
    }

    fn handle_signals(&self) -> anyhow::Result<()> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let shutdown = self.shutdown.clone();
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                if shutdown.soft.is_cancelled() {
                    tracing::warn!("second signal; dropping what still runs");
                    shutdown.hard.cancel();
                    return;
                }
                tracing::info!("signal; finishing what runs");
                shutdown.soft.cancel();
            }
        });
        Ok(())
    }

    /// Returns the admin address of the next service: its default port, the next one after the configured port, or a
    /// free one.
    fn admin_address(&mut self, default_port: u16) -> anyhow::Result<SocketAddr> {
        let mut address = self.common.admin.address(default_port)?;
        if let Some(port) = self.common.admin.port.filter(|port| *port != 0) {
            address.set_port(port.checked_add(self.started).context("admin.port is too high")?);
        }
        self.started += 1;
        Ok(address)
    }

    /// Waits for services and background tasks. Returns false if one failed or had to be dropped.
    async fn drain(&mut self) -> bool {
        let limit = Duration::from_secs(self.common.worker.drain_timeout_s) + DRAIN_MARGIN;
        let (services, shutdown) = (&mut self.services, &self.shutdown);
        let mut is_clean = true;
        let all = async {
            while let Some(ended) = services.join_next().await {
                is_clean &= report(ended, true);
            }
            shutdown.drained().await;
        };
        let drained = tokio::select! {
            drained = timeout(limit, all) => drained.is_ok(),
            () = hard_stop(shutdown) => false,
        };
        if !drained {
            tracing::warn!("not drained in time; dropping what still runs");
            self.shutdown.hard.cancel();
            self.services.shutdown().await;
        }
        is_clean && drained
    }
}

/// Returns the transport with its objects in the store that the config names.
fn with_objects(broker: Arc<dyn Transport>, objects: Option<(S3, Vec<&'static str>)>) -> Arc<dyn Transport> {
    match objects {
        Some((store, buckets)) => Arc::new(Divided::new(broker, store, buckets)),
        None => broker,
    }
}

/// Waits for the hard stop, and then long enough for the consumers to log the dropped messages.
async fn hard_stop(shutdown: &Shutdown) {
    shutdown.hard.cancelled().await;
    sleep(Duration::from_millis(1500)).await;
}

/// Returns the name of a part that is a stream.
fn stream_named(part: TopologyPart) -> Option<&'static str> {
    match part {
        TopologyPart::Stream(name) => Some(name),
        TopologyPart::Objects(_) | TopologyPart::Entries(_) => None,
    }
}

/// Logs how a service ended. Returns false unless it ended in order.
fn report(ended: Result<(&'static str, anyhow::Result<()>), tokio::task::JoinError>, stopping: bool) -> bool {
    match ended {
        Ok((_, Ok(()))) if stopping => true,
        Ok((service, Ok(()))) => {
            tracing::error!(service, "service ended by itself");
            false
        }
        Ok((service, Err(error))) => {
            tracing::error!(service, error = format!("{error:#}"), "service failed");
            false
        }
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "service dropped");
            false
        }
    }
}

/// Retries `call` while the broker is unavailable. Any other failure is returned, since it needs an operator.
async fn retry_while_unavailable<T, F: Future<Output = Result<T, Error>>>(
    outage: &Outage,
    call: impl Fn() -> F,
) -> Result<T, Error> {
    loop {
        match call().await {
            Err(error) if error.kind == ErrorKind::Unavailable => {
                outage.seen(&error);
            }
            result => {
                outage.answered();
                return result;
            }
        }
        sleep(Duration::from_secs(1)).await;
    }
}
