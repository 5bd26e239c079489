//! The consumer loop: a permit first, then at most as many messages as there are permits, each handed on as it arrives.
//!
//! A permit is a message in work; nothing waits in the client while its `ack_wait` runs. Each message is a job of its own
//! ([`crate::process`]) in the consumer's [lane](crate::lane). Shutdown is one thought: stop fetching, then acquire all permits; who holds them all knows that
//! nothing runs. What happens on a failure between any two steps is in DESIGN.md.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;
use futures::future::FutureExt as _;
use futures::stream::{BoxStream, StreamExt as _};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::config::WorkerSettings;
use crate::delivery::InWork;
use crate::handler::Handler;
use crate::lane::Lane;
use crate::liveness::Pulse;
use crate::outage::Outage;
use crate::process::Stage;
use crate::retry::RetryPolicy;
use crate::runtime::Runtime;
use crate::transport::{ConsumerSpec, Delivery, Error, ErrorKind, Pull};

/// How far the server's delivery limit is above ours: room for crashes during the last attempt.
const SERVER_MARGIN: u32 = 4;
/// A fetch that ends sooner than this without a message counts as failed: no hot loop.
const TOO_SOON: Duration = Duration::from_millis(20);
/// While few permits are free, more are waited for this long: fetches of one are the slowest way to take messages.
const GATHER: Duration = Duration::from_millis(1);
/// What dropped tasks may take to go.
const AFTER_HARD_STOP: Duration = Duration::from_secs(1);

/// What to consume, and how. `None` takes the value of the `[worker]` section.
#[derive(Debug, Clone, Default)]
pub struct Consume {
    /// The stream.
    pub stream: String,
    /// The durable name; replicas with the same name share the work.
    pub durable: String,
    /// Subject filters; empty takes all.
    pub filters: Vec<String>,
    /// Messages in work at once in this process.
    pub concurrency: Option<usize>,
    /// Time after which a delivery that showed no progress comes again. Progress is shown every third of it.
    pub ack_wait: Option<Duration>,
    /// Unsettled deliveries over all replicas; at least `concurrency` × replicas.
    pub max_ack_pending: Option<u32>,
    /// Deliveries until a message that cannot be handled is buried. The server's own limit is four more.
    pub max_attempts: Option<u32>,
    /// Longest time a handler may take for one message.
    pub deadline: Option<Duration>,
    /// One message at a time, in stream order, over all replicas; a retry holds back what follows.
    pub ordered: bool,
}

/// [`Consume`] with every value known and the relations checked.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) spec: ConsumerSpec,
    pub(crate) concurrency: usize,
    pub(crate) heartbeat: Duration,
    pub(crate) deadline: Duration,
    pub(crate) retry: RetryPolicy,
    expires: Duration,
    drain_timeout: Duration,
}

struct Loop<H: Handler> {
    stage: Arc<Stage<H>>,
    plan: Plan,
    permits: Arc<Semaphore>,
    in_work: InWork,
    _beats: AbortOnDropHandle<()>,
    lane: Lane,
    soft: CancellationToken,
    /// Drops the messages in work; of this consumer only.
    hard: CancellationToken,
    pulse: Pulse,
    outage: Outage,
    /// Failed fetches in a row.
    failed: u32,
}

/// Consumes until shutdown, and drains.
pub(crate) async fn run<H: Handler>(runtime: Runtime, consume: Consume, handler: H) -> anyhow::Result<()> {
    let plan = Plan::new(&runtime.0.settings, consume)?;
    let latch = runtime.latch("consumer");
    let mut this = Loop::new(&runtime, plan, handler);
    let Some(mut pull) = this.bind(&runtime).await? else { return Ok(()) };
    latch.release();
    tracing::info!(stream = this.plan.spec.stream, durable = this.plan.spec.durable, "consuming");
    let result = this.consume(&runtime, &mut pull).await;
    this.drain().await;
    result
}

// === impl Consume, Plan ===

impl Consume {
    /// Takes the messages of a stream under a durable name, with the settings of the `[worker]` section.
    #[must_use]
    pub fn new<F: Into<String>>(
        stream: impl Into<String>,
        durable: impl Into<String>,
        filters: impl IntoIterator<Item = F>,
    ) -> Self {
        let filters = filters.into_iter().map(Into::into).collect();
        Self { stream: stream.into(), durable: durable.into(), filters, ..Self::default() }
    }

    /// One message at a time, in stream order.
    #[must_use]
    pub fn ordered(mut self) -> Self {
        self.ordered = true;
        self
    }
}

impl Plan {
    pub(crate) fn new(settings: &WorkerSettings, consume: Consume) -> anyhow::Result<Self> {
        let concurrency =
            if consume.ordered { 1 } else { consume.concurrency.unwrap_or(settings.concurrency) };
        // The broker itself holds back what follows an unsettled message: order holds over replicas and retries.
        let max_ack_pending =
            if consume.ordered { 1 } else { consume.max_ack_pending.unwrap_or(settings.max_ack_pending) };
        let attempts = consume.max_attempts.unwrap_or(settings.max_attempts);
        let ack_wait = consume.ack_wait.unwrap_or(Duration::from_secs(settings.ack_wait_s));
        ensure!(concurrency >= 1, "consumer {}: concurrency must be at least 1", consume.durable);
        ensure!(attempts >= 1, "consumer {}: max_attempts must be at least 1", consume.durable);
        ensure!(!ack_wait.is_zero(), "consumer {}: ack_wait must be above 0", consume.durable);
        ensure!(
            concurrency <= max_ack_pending as usize,
            "consumer {}: concurrency ({concurrency}) must not exceed max_ack_pending ({max_ack_pending})",
            consume.durable,
        );
        Ok(Self {
            spec: ConsumerSpec {
                stream: consume.stream,
                durable: consume.durable,
                filters: consume.filters,
                ack_wait,
                max_ack_pending,
                max_deliver: attempts.saturating_add(SERVER_MARGIN),
            },
            concurrency,
            heartbeat: ack_wait / 3,
            deadline: consume.deadline.unwrap_or(Duration::from_secs(settings.deadline_s)),
            retry: RetryPolicy {
                base: Duration::from_millis(settings.retry_base_ms),
                max: Duration::from_secs(settings.retry_max_s),
                attempts,
            },
            expires: Duration::from_secs(settings.fetch_expires_s),
            drain_timeout: Duration::from_secs(settings.drain_timeout_s),
        })
    }

    /// A loop that did not beat for so long is stalled.
    fn stalled_after(&self) -> Duration {
        self.expires * 2 + Duration::from_secs(30)
    }
}

// === impl Loop ===

impl<H: Handler> Loop<H> {
    fn new(runtime: &Runtime, plan: Plan, handler: H) -> Self {
        let inner = &runtime.0;
        let hard = inner.lifecycle.hard.child_token();
        let in_work = InWork::default();
        Self {
            permits: Arc::new(Semaphore::new(plan.concurrency)),
            lane: Lane::new(&hard),
            _beats: AbortOnDropHandle::new(tokio::spawn(in_work.clone().beats(plan.heartbeat))),
            in_work,
            soft: inner.lifecycle.soft.clone(),
            hard,
            pulse: inner.liveness.pulse(format!("consumer {}", plan.spec.durable), plan.stalled_after()),
            outage: inner.outage.clone(),
            stage: Arc::new(Stage::new(runtime, &plan, handler)),
            failed: 0,
            plan,
        }
    }

    /// Binds the consumer; a broker that is away is waited for. `None` on shutdown.
    async fn bind(&mut self, runtime: &Runtime) -> anyhow::Result<Option<Box<dyn Pull>>> {
        while !self.soft.is_cancelled() {
            self.pulse.beat();
            match runtime.0.transport.consumer(&self.plan.spec).await {
                Ok(pull) => return Ok(Some(pull)),
                Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Denied) => {
                    let name = &self.plan.spec.durable;
                    return Err(anyhow::Error::new(error).context(format!("couldn't bind consumer {name}")));
                }
                Err(error) => self.pause_after(&error).await,
            }
        }
        Ok(None)
    }

    async fn consume(&mut self, runtime: &Runtime, pull: &mut Box<dyn Pull>) -> anyhow::Result<()> {
        while let Some(permits) = self.permits().await {
            self.pulse.beat();
            let started = Instant::now();
            let fetched = tokio::select! {
                fetched = pull.fetch(permits.num_permits(), self.plan.expires) => fetched,
                () = self.soft.cancelled() => break,
            };
            let result = match fetched {
                Ok(messages) => self.hand_on(messages, permits).await,
                Err(error) => Err(error),
            };
            match result {
                Ok(0) if started.elapsed() < TOO_SOON => self.pause().await,
                Ok(_) => self.failed = 0,
                Err(error) => {
                    self.pause_after(&error).await;
                    if error.kind == ErrorKind::NotFound {
                        let Some(again) = self.bind(runtime).await? else { break };
                        *pull = again;
                    }
                }
            }
        }
        Ok(())
    }

    /// The free permits, at least one; `None` on shutdown. Permits are taken here only.
    async fn permits(&self) -> Option<OwnedSemaphorePermit> {
        let mut permits = loop {
            tokio::select! {
                biased;
                () = self.soft.cancelled() => return None,
                permit = self.permits.clone().acquire_owned() => break permit.ok()?,
                // Waiting for slow handlers is health, not a stall.
                () = sleep(Duration::from_secs(5)) => self.pulse.beat(),
            }
        };
        let enough = u32::try_from(self.plan.concurrency / 4).unwrap_or(u32::MAX);
        let missing =
            enough.saturating_sub(u32::try_from(self.permits.available_permits()).unwrap_or(u32::MAX) + 1);
        if missing > 0
            && let Ok(Ok(more)) = timeout(GATHER, self.permits.clone().acquire_many_owned(enough - 1)).await
        {
            permits.merge(more);
        }
        let free = u32::try_from(self.permits.available_permits()).unwrap_or(u32::MAX);
        if free > 0
            && let Ok(more) = self.permits.clone().try_acquire_many_owned(free)
        {
            permits.merge(more);
        }
        Some(permits)
    }

    /// Hands each message on as it arrives; permits that are left over are free again. Says how many came.
    async fn hand_on(
        &mut self,
        mut messages: BoxStream<'static, Result<Delivery, Error>>,
        mut permits: OwnedSemaphorePermit,
    ) -> Result<usize, Error> {
        let mut count = 0;
        let soft = self.soft.clone();
        let mut stop = pin!(soft.cancelled());
        loop {
            let next = tokio::select! {
                biased;
                next = messages.next() => next,
                () = &mut stop => {
                    give_back(messages).await;
                    return Ok(count);
                }
            };
            let Some(delivery) = next else { return Ok(count) };
            let delivery = delivery?;
            count += 1;
            self.outage.answered();
            if let Some(permit) = permits.split(1) {
                self.start(delivery, permit);
            }
        }
    }

    fn start(&mut self, delivery: Delivery, permit: OwnedSemaphorePermit) {
        let Some((arrived, held)) = self.in_work.admit(delivery, self.plan.retry) else {
            self.stage.instruments.absorbed.add(1);
            return;
        };
        let stage = self.stage.clone();
        self.lane.start(Box::pin(async move {
            let _permit = permit;
            let _in_work = stage.instruments.in_work();
            stage.process(arrived, held).await;
        }));
    }

    async fn pause_after(&mut self, error: &Error) {
        self.stage.instruments.fetch_failures.add(1);
        self.outage.seen(error);
        if !error.kind.is_outage() {
            let cause = error as &dyn std::error::Error;
            tracing::warn!(error = cause, durable = self.plan.spec.durable, "fetch failed");
        }
        self.pause().await;
    }

    /// Sleeps longer after each failure in a row, up to 5 s.
    async fn pause(&mut self) {
        self.failed = self.failed.saturating_add(1);
        let pause = Duration::from_millis(100) * 2_u32.pow(self.failed.min(6));
        tokio::select! {
            () = sleep(pause.min(Duration::from_secs(5))) => {}
            () = self.soft.cancelled() => {}
        }
    }

    /// Waits for the messages in work: all permits held means that nothing runs.
    async fn drain(&self) {
        let all = u32::try_from(self.plan.concurrency).unwrap_or(u32::MAX);
        let in_work = self.plan.concurrency - self.permits.available_permits();
        if in_work > 0 {
            tracing::info!(durable = self.plan.spec.durable, in_work, "draining");
        }
        let drained = tokio::select! {
            drained = timeout(self.plan.drain_timeout, self.permits.acquire_many(all)) => drained.is_ok(),
            () = self.hard.cancelled() => false,
        };
        if !drained {
            let in_work = self.plan.concurrency - self.permits.available_permits();
            tracing::warn!(
                durable = self.plan.spec.durable,
                in_work,
                "messages dropped at the hard stop; they come again"
            );
            self.hard.cancel();
            timeout(AFTER_HARD_STOP, self.permits.acquire_many(all)).await.ok();
        }
    }
}

/// Returns what arrived after the shutdown began, so that another replica has it at once and not after `ack_wait`.
async fn give_back(mut messages: BoxStream<'static, Result<Delivery, Error>>) {
    while let Some(Some(Ok(delivery))) = messages.next().now_or_never() {
        // If it is not sent the message comes again after `ack_wait`.
        delivery.settle.nak(Duration::ZERO).await.ok();
    }
}
