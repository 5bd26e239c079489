//! What a service works with: publish, consume, buckets, time, tasks, instruments. Nothing here names a broker.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config::WorkerSettings;
use crate::consumer::{self, Supplies};
use crate::cpu::CpuPool;
pub use crate::cpu::Unfinished;
use crate::handler::Handler;
use crate::lifecycle::{Lifecycle, OnFailure};
use crate::liveness::Liveness;
use crate::metrics::{Counter, Histogram, Meters};
use crate::outage::Outage;
use crate::output::Output;
use crate::panics::Panicked;
use crate::plan::{Consume, Plan};
use crate::process::{Stage, Tools};
use crate::publisher::Publisher;
use crate::readiness::{Latch, Readiness};
use crate::stores::Noted;
use crate::trace::{self, Span, Tracer};
use crate::transport::{self, Entries, Message, Objects, Published, Transport};

/// What a service works with. Cheap to clone.
#[derive(Clone)]
pub struct Runtime(Arc<Inner>);

struct Inner {
    transport: Arc<dyn Transport>,
    tools: Tools,
    lifecycle: Lifecycle,
    readiness: Readiness,
    liveness: Liveness,
    meters: Meters,
    settings: WorkerSettings,
    cpu: CpuPool,
}

/// Builds a [`Runtime`]; the bootstrap does, and tests with a memory transport.
pub struct Builder {
    transport: Arc<dyn Transport>,
    clock: Clock,
    tracer: Tracer,
    meters: Meters,
    lifecycle: Lifecycle,
    outage: Outage,
    settings: WorkerSettings,
    dead_prefix: String,
    version: &'static str,
    cpu: CpuPool,
    readiness: Readiness,
    liveness: Liveness,
}

// === impl Runtime ===

impl Runtime {
    /// A runtime over a transport of the caller's, with default settings; [`Builder`] changes them.
    #[must_use]
    pub fn builder(service: &'static str, transport: Arc<dyn Transport>) -> Builder {
        Builder {
            transport,
            clock: Clock::system(),
            tracer: Tracer::silent(service),
            meters: Meters::local(),
            lifecycle: Lifecycle::default(),
            outage: Outage::default(),
            settings: WorkerSettings::default(),
            dead_prefix: "dead".to_owned(),
            version: env!("CARGO_PKG_VERSION"),
            cpu: CpuPool::of_this_machine(),
            readiness: Readiness::default(),
            liveness: Liveness::default(),
        }
    }

    /// Publishes and waits until the stream acknowledged. Adds `ce-*` headers, `Nats-Msg-Id`, content type and the
    /// current trace. An id in the output replaces `message_id`. An absent broker is tried again, with the same id,
    /// within `[worker] publish_budget_s`.
    ///
    /// # Errors
    /// Not acknowledged: it may or may not be in the stream. The caller may call again with the same id. `Full` and
    /// `Unavailable` are the sender's to wait for (503, `RESOURCE_EXHAUSTED`), the others no retry helps.
    ///
    /// # Cancel safety
    /// Dropping it leaves open whether the message was published; call again with the same id.
    pub async fn publish(&self, message_id: &str, mut output: Output) -> Result<Published, transport::Error> {
        let publisher = &self.0.tools.publisher;
        match output.message_id.take() {
            Some(own) => publisher.publish(&own, output).await,
            None => publisher.publish(message_id, output).await,
        }
    }

    /// Hands messages to `handler` until shutdown, then waits for those in work (at most `[worker] drain_timeout_s`).
    /// Holds a readiness latch until the consumer is bound.
    ///
    /// # Errors
    /// The stream is missing or we are not permitted: a deployment mistake. A broker that is away is waited for.
    pub async fn consume<H: Handler>(&self, consume: Consume, handler: H) -> anyhow::Result<()> {
        let plan = Plan::new(&self.0.settings, consume)?;
        let supplies = Supplies {
            transport: self.0.transport.clone(),
            lifecycle: self.0.lifecycle.clone(),
            liveness: self.0.liveness.clone(),
            outage: self.0.tools.outage.clone(),
            latch: self.latch("consumer"),
        };
        let stage = Stage::new(self.0.tools.clone(), &self.0.meters, &plan, handler);
        consumer::run(plan, stage, supplies).await
    }

    /// A bucket of objects.
    #[must_use]
    pub fn objects(&self, bucket: &'static str) -> Arc<dyn Objects> {
        Arc::new(Noted::new(self.0.transport.objects(bucket), self.0.tools.outage.clone()))
    }

    /// A bucket of entries.
    #[must_use]
    pub fn entries(&self, bucket: &'static str) -> Arc<dyn Entries> {
        Arc::new(Noted::new(self.0.transport.entries(bucket), self.0.tools.outage.clone()))
    }

    /// One message of a stream, by its sequence; `None` if there is none, or a replica that lags does not have it yet.
    ///
    /// # Errors
    /// No such stream, or the broker is away: try again.
    pub async fn message(&self, stream: &str, sequence: u64) -> Result<Option<Message>, transport::Error> {
        self.0.transport.message(stream, sequence).await
    }

    /// Cancelled when the process is to stop: take no more work, finish what runs.
    #[must_use]
    pub fn shutdown(&self) -> CancellationToken {
        self.0.lifecycle.soft.clone()
    }

    /// Cancelled when what still runs is dropped.
    #[must_use]
    pub fn hard_stop(&self) -> CancellationToken {
        self.0.lifecycle.hard.clone()
    }

    /// The only source of time.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.0.tools.clock.clone()
    }

    /// Keeps `/readyz` unready until released.
    pub fn latch(&self, name: &'static str) -> Latch {
        self.0.readiness.latch(name)
    }

    /// True while `/readyz` would say so, the broker's ping aside.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.0.readiness.is_ready()
    }

    /// The service's short name.
    #[must_use]
    pub fn service(&self) -> &'static str {
        self.0.tools.tracer.service()
    }

    /// The program's version.
    #[must_use]
    pub fn version(&self) -> &'static str {
        self.0.tools.version
    }

    /// Starts a background task; shutdown waits for it, the hard stop drops it. Its error or panic does what
    /// `on_failure` declares.
    pub fn spawn<F>(&self, name: &'static str, on_failure: OnFailure, task: F)
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        self.0.lifecycle.spawn(name, on_failure, self.root(task));
    }

    /// Runs CPU work on the pool that is sized to the cores, under the current trace.
    ///
    /// # Errors
    /// `f` panicked.
    ///
    /// # Cancel safety
    /// Dropping it does not stop `f` once it has started.
    pub async fn cpu<F, R>(&self, f: F) -> Result<R, Panicked>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        self.0.cpu.run(f).await
    }

    /// Runs CPU work like [`Self::cpu`], but waits only so long for its end. The wait for a free core does not count.
    ///
    /// # Errors
    /// `f` panicked or took too long. In the second case it runs on and keeps its core: `f` needs limits of its own.
    ///
    /// # Cancel safety
    /// As for [`Self::cpu`].
    pub async fn cpu_within<F, R>(&self, limit: Duration, f: F) -> Result<R, Unfinished>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        self.0.cpu.run_within(limit, f).await
    }

    /// Runs `future` as this service's work but in no trace yet, so that spans in it start new ones.
    pub fn root<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        Span::of(self.0.tools.tracer.base()).run(future)
    }

    /// An own counter, such as `gongkai.parse.documents` in `{document}`. Name it in METRICS.md.
    #[must_use]
    pub fn counter(&self, name: &'static str, unit: &'static str, description: &'static str) -> Counter {
        self.0.meters.counter(name, unit, description)
    }

    /// An own histogram, named in METRICS.md; with the unit `s` its buckets suit durations.
    #[must_use]
    pub fn histogram(&self, name: &'static str, unit: &'static str, description: &'static str) -> Histogram {
        self.0.meters.histogram(name, unit, description)
    }

    /// A layer that puts each HTTP or gRPC request under its trace.
    #[must_use]
    pub fn server_layer(&self) -> trace::ServerLayer {
        trace::ServerLayer::new(&self.0.tools.tracer)
    }
}

// === impl Builder ===

impl Builder {
    /// Tells this time instead of the machine's.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Settings of the `[worker]` section.
    #[must_use]
    pub fn settings(mut self, settings: WorkerSettings) -> Self {
        self.settings = settings;
        self
    }

    /// Subject prefix of dead letters; the service's name follows.
    #[must_use]
    pub fn dead_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.dead_prefix = prefix.into();
        self
    }

    /// The program's version, which dead letters carry.
    #[must_use]
    pub fn version(mut self, version: &'static str) -> Self {
        self.version = version;
        self
    }

    /// Stops with this token instead of one of its own.
    #[must_use]
    pub fn shutdown(mut self, soft: CancellationToken) -> Self {
        self.lifecycle.soft = soft;
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

    pub(crate) fn lifecycle(mut self, lifecycle: Lifecycle) -> Self {
        self.lifecycle = lifecycle;
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

    pub(crate) fn health(mut self, readiness: Readiness, liveness: Liveness) -> Self {
        (self.readiness, self.liveness) = (readiness, liveness);
        self
    }

    /// The runtime.
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
            version: self.version,
        };
        Runtime(Arc::new(Inner {
            transport: self.transport,
            tools,
            lifecycle: self.lifecycle,
            readiness: self.readiness,
            liveness: self.liveness,
            meters: self.meters,
            settings: self.settings,
            cpu: self.cpu,
        }))
    }
}
