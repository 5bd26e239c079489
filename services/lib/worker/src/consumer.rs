//! The consumer loop: it fetches at most as many messages as there are free permits and starts each as it arrives.
//!
//! A permit stands for one message in flight, so no message waits in the client while its `ack_wait` runs. Each message
//! is a job ([`crate::process`]) in the consumer's [job set](crate::job_set).
//!
//! To shut down, the loop stops fetching and acquires all permits. Once it holds them all, no job is running. DESIGN.md
//! says what happens on a failure between any two steps.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::future::FutureExt as _;
use futures::stream::{BoxStream, StreamExt as _};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::delivery::InFlight;
use crate::handler::Handler;
use crate::job_set::JobSet;
use crate::liveness::{Liveness, Pulse};
use crate::outage::Outage;
use crate::plan::Plan;
use crate::process::Stage;
use crate::readiness::{Latch, Readiness};
use crate::recurring::Recurring;
use crate::shutdown::Shutdown;
use crate::transport::{Delivery, Error, ErrorKind, Pull, Transport};

/// A fetch that returns no message in less than this counts as failed, so that the loop cannot spin.
const TOO_SOON: Duration = Duration::from_millis(20);
/// How long to wait for more permits while few are free. Fetching messages one at a time is the slowest way.
const GATHER: Duration = Duration::from_millis(1);
/// How long to wait for dropped jobs to end.
const AFTER_HARD_STOP: Duration = Duration::from_secs(1);

/// What the loop needs from its process.
pub(crate) struct Supplies {
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) shutdown: Shutdown,
    pub(crate) liveness: Liveness,
    pub(crate) outage: Outage,
    /// Released once the consumer is bound.
    pub(crate) latch: Latch,
    /// Provides the latch that is held while a lost consumer is bound again.
    pub(crate) readiness: Readiness,
}

struct Loop<H: Handler> {
    stage: Arc<Stage<H>>,
    transport: Arc<dyn Transport>,
    plan: Plan,
    permits: Arc<Semaphore>,
    work: ActiveWork,
    soft: CancellationToken,
    /// The process's hard stop.
    hard: CancellationToken,
    pulse: Pulse,
    outage: Outage,
    readiness: Readiness,
    /// Failed fetches in a row.
    failed: u32,
    /// Failed fetches that are no outage.
    refused: Recurring,
}

/// The messages in work.
struct ActiveWork {
    in_flight: InFlight,
    _heartbeats: AbortOnDropHandle<()>,
    jobs: JobSet,
    /// Drops the jobs of this consumer only.
    hard: CancellationToken,
}

/// Consumes until shutdown, then drains.
pub(crate) async fn run<H: Handler>(plan: Plan, stage: Stage<H>, supplies: Supplies) -> anyhow::Result<()> {
    let mut this = Loop::new(plan, stage, &supplies);
    let Some(mut pull) = this.bind(Binding::First).await? else { return Ok(()) };
    supplies.latch.release();
    tracing::info!(stream = this.plan.spec.stream, durable = this.plan.spec.durable, "consuming");
    let result = this.consume(&mut pull).await;
    this.drain().await;
    result
}

/// Whether the consumer was bound before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Binding {
    First,
    Again,
}

// === impl ActiveWork ===

impl ActiveWork {
    fn new(hard: &CancellationToken, heartbeat: Duration) -> Self {
        let hard = hard.child_token();
        let in_flight = InFlight::default();
        Self {
            jobs: JobSet::new(&hard),
            _heartbeats: AbortOnDropHandle::new(tokio::spawn(in_flight.clone().heartbeats(heartbeat))),
            in_flight,
            hard,
        }
    }
}

// === impl Loop ===

impl<H: Handler> Loop<H> {
    fn new(plan: Plan, stage: Stage<H>, supplies: &Supplies) -> Self {
        let hard = supplies.shutdown.hard.clone();
        Self {
            permits: Arc::new(Semaphore::new(plan.concurrency)),
            work: ActiveWork::new(&hard, plan.heartbeat),
            soft: supplies.shutdown.soft.clone(),
            hard,
            pulse: supplies.liveness.pulse(format!("consumer {}", plan.spec.durable), plan.stalled_after()),
            outage: supplies.outage.clone(),
            readiness: supplies.readiness.clone(),
            stage: Arc::new(stage),
            transport: supplies.transport.clone(),
            failed: 0,
            refused: Recurring::new(),
            plan,
        }
    }

    /// Binds the consumer, and creates it if it is missing. Retries while the broker is unavailable, and while a stream
    /// that existed before is missing. Returns `None` on shutdown.
    async fn bind(&mut self, binding: Binding) -> anyhow::Result<Option<Box<dyn Pull>>> {
        while !self.soft.is_cancelled() {
            self.pulse.beat();
            match self.transport.consumer(&self.plan.spec).await {
                Ok(pull) => return Ok(Some(pull)),
                Err(error)
                    if error.kind == ErrorKind::Denied
                        || (error.kind == ErrorKind::NotFound && binding == Binding::First) =>
                {
                    let name = &self.plan.spec.durable;
                    return Err(anyhow::Error::new(error).context(format!("couldn't bind consumer {name}")));
                }
                Err(error) => self.pause_after(&error).await,
            }
        }
        Ok(None)
    }

    async fn consume(&mut self, pull: &mut Box<dyn Pull>) -> anyhow::Result<()> {
        let mut closing = self.transport.closing();
        loop {
            let started = Instant::now();
            // A loss is noticed even while no permit is free: the messages in work may be waiting for the lost store.
            let result = match closing.run_until_cancelled(self.permits()).await {
                Some(Some(permits)) => match self.fetch(pull, permits).await {
                    Some(result) => result,
                    None => break,
                },
                Some(None) => break,
                None => Err(Error::new(ErrorKind::Lost, "the broker's store is lost")),
            };
            match result {
                Ok(0) if started.elapsed() < TOO_SOON => self.pause().await,
                Ok(_) => self.failed = 0,
                Err(error) => {
                    if error.kind == ErrorKind::Lost {
                        self.drop_work();
                    }
                    self.pause_after(&error).await;
                    if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Lost) {
                        let latch = self.readiness.latch("consumer");
                        let Some(rebound) = self.bind(Binding::Again).await? else { break };
                        latch.release();
                        tracing::info!(durable = self.plan.spec.durable, "consuming again");
                        *pull = rebound;
                        closing = self.transport.closing();
                    }
                }
            }
        }
        Ok(())
    }

    /// Fetches messages, starts each and returns their number. Returns `None` on shutdown.
    async fn fetch(
        &mut self,
        pull: &mut Box<dyn Pull>,
        permits: OwnedSemaphorePermit,
    ) -> Option<Result<usize, Error>> {
        self.pulse.beat();
        let fetched = tokio::select! {
            fetched = pull.fetch(permits.num_permits(), self.plan.expires) => fetched,
            () = self.soft.cancelled() => return None,
        };
        Some(match fetched {
            Ok(messages) => self.start_each(messages, permits).await,
            Err(error) => Err(error),
        })
    }

    /// Waits for at least one permit and acquires all that are free. Returns `None` on shutdown. Nothing else
    /// acquires permits.
    async fn permits(&self) -> Option<OwnedSemaphorePermit> {
        let mut permits = loop {
            tokio::select! {
                biased;
                () = self.soft.cancelled() => return None,
                permit = self.permits.clone().acquire_owned() => break permit.ok()?,
                // A loop that waits for slow handlers is not stalled.
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

    /// Starts each message as it arrives, releases the permits that are left over, and returns the number of messages.
    async fn start_each(
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
        let Some((incoming, handle)) = self.work.in_flight.admit(delivery, self.plan.retry) else {
            self.stage.instruments.absorbed.add(1);
            return;
        };
        let stage = self.stage.clone();
        self.work.jobs.start(Box::pin(async move {
            let _permit = permit;
            let _in_flight = stage.instruments.in_flight();
            stage.process(incoming, handle).await;
        }));
    }

    /// Drops the messages in work, because they come from a lost store. Messages that are still in it are delivered
    /// again.
    fn drop_work(&mut self) {
        self.work.hard.cancel();
        self.work = ActiveWork::new(&self.hard, self.plan.heartbeat);
    }

    async fn pause_after(&mut self, error: &Error) {
        self.stage.instruments.fetch_failures.add(1);
        self.outage.seen(error);
        if !error.kind.is_outage()
            && let Some(failures) = self.refused.due()
        {
            let cause = error as &dyn std::error::Error;
            tracing::warn!(error = cause, durable = self.plan.spec.durable, failures, "fetch failed");
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

    /// Waits until no job is running, which holding all permits proves.
    async fn drain(&self) {
        let all = u32::try_from(self.plan.concurrency).unwrap_or(u32::MAX);
        let in_work = self.plan.concurrency - self.permits.available_permits();
        if in_work > 0 {
            tracing::info!(durable = self.plan.spec.durable, in_work, "draining");
        }
        let drained = tokio::select! {
            drained = timeout(self.plan.drain_timeout, self.permits.acquire_many(all)) => drained.is_ok(),
            () = self.work.hard.cancelled() => false,
        };
        if !drained {
            let in_work = self.plan.concurrency - self.permits.available_permits();
            tracing::warn!(
                durable = self.plan.spec.durable,
                in_work,
                "messages dropped at the hard stop; they will be redelivered"
            );
            self.work.hard.cancel();
            timeout(AFTER_HARD_STOP, self.permits.acquire_many(all)).await.ok();
        }
    }
}

/// Naks messages that arrived after the shutdown began, so that another replica gets them at once instead of after
/// `ack_wait`.
async fn give_back(mut messages: BoxStream<'static, Result<Delivery, Error>>) {
    while let Some(Some(Ok(delivery))) = messages.next().now_or_never() {
        // If the nak is not sent, the message is redelivered after `ack_wait`.
        delivery.settle.nak(Duration::ZERO).await.ok();
    }
}
