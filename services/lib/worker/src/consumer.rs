//! The consumer loop: a permit first, then at most as many messages as there are permits, each handed on as it arrives.
//!
//! A permit is a message in work; nothing waits in the client while its `ack_wait` runs. Each message is a job of its own
//! ([`crate::process`]) in the consumer's [lane](crate::lane). Shutdown is one thought: stop fetching, then acquire all permits; who holds them all knows that
//! nothing runs. What happens on a failure between any two steps is in DESIGN.md.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::future::FutureExt as _;
use futures::stream::{BoxStream, StreamExt as _};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::delivery::InWork;
use crate::handler::Handler;
use crate::lane::Lane;
use crate::lifecycle::Lifecycle;
use crate::liveness::{Liveness, Pulse};
use crate::outage::Outage;
use crate::plan::Plan;
use crate::process::Stage;
use crate::readiness::Latch;
use crate::transport::{Delivery, Error, ErrorKind, Pull, Transport};

/// A fetch that ends sooner than this without a message counts as failed: no hot loop.
const TOO_SOON: Duration = Duration::from_millis(20);
/// While few permits are free, more are waited for this long: fetches of one are the slowest way to take messages.
const GATHER: Duration = Duration::from_millis(1);
/// What dropped tasks may take to go.
const AFTER_HARD_STOP: Duration = Duration::from_secs(1);

/// What the loop needs of its process.
pub(crate) struct Supplies {
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) liveness: Liveness,
    pub(crate) outage: Outage,
    /// Released once the consumer is bound.
    pub(crate) latch: Latch,
}

struct Loop<H: Handler> {
    stage: Arc<Stage<H>>,
    transport: Arc<dyn Transport>,
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
pub(crate) async fn run<H: Handler>(plan: Plan, stage: Stage<H>, supplies: Supplies) -> anyhow::Result<()> {
    let mut this = Loop::new(plan, stage, &supplies);
    let Some(mut pull) = this.bind().await? else { return Ok(()) };
    supplies.latch.release();
    tracing::info!(stream = this.plan.spec.stream, durable = this.plan.spec.durable, "consuming");
    let result = this.consume(&mut pull).await;
    this.drain().await;
    result
}

// === impl Loop ===

impl<H: Handler> Loop<H> {
    fn new(plan: Plan, stage: Stage<H>, supplies: &Supplies) -> Self {
        let hard = supplies.lifecycle.hard.child_token();
        let in_work = InWork::default();
        Self {
            permits: Arc::new(Semaphore::new(plan.concurrency)),
            lane: Lane::new(&hard),
            _beats: AbortOnDropHandle::new(tokio::spawn(in_work.clone().beats(plan.heartbeat))),
            in_work,
            soft: supplies.lifecycle.soft.clone(),
            hard,
            pulse: supplies.liveness.pulse(format!("consumer {}", plan.spec.durable), plan.stalled_after()),
            outage: supplies.outage.clone(),
            stage: Arc::new(stage),
            transport: supplies.transport.clone(),
            failed: 0,
            plan,
        }
    }

    /// Binds the consumer; a broker that is away is waited for. `None` on shutdown.
    async fn bind(&mut self) -> anyhow::Result<Option<Box<dyn Pull>>> {
        while !self.soft.is_cancelled() {
            self.pulse.beat();
            match self.transport.consumer(&self.plan.spec).await {
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

    async fn consume(&mut self, pull: &mut Box<dyn Pull>) -> anyhow::Result<()> {
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
                        let Some(again) = self.bind().await? else { break };
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
