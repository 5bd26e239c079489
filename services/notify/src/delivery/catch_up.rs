//! Delivers the waiting deliveries of a receiver, in order and one at a time.
//!
//! Each subscription has a consumer of its own for the timers that fire, with one message in flight over all
//! replicas, so that two replicas never work on one backlog. A run ends when the receiver is away or when nothing is
//! due. A long run ends with a new timer that continues it, so that no message stays in flight forever.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use gongkai_proto::{ReportEvent, subjects::STREAM_ALERTS};
use gongkai_worker::{
    Context, Decision, Handler, Message, Once, Output, Runtime, trace::TraceSpan, transport::Logged,
};
use tokio::time::Instant;

use super::{
    backlog::{Backlog, Waiting},
    channel::Error,
    notice::Notice,
    pass::Pass,
    subscriber::{Need, Subscriber},
    waiting_queue::{Due, WaitingQueue},
};

/// Maximum number of deliveries between two writes of the backlog.
const BATCH: usize = 32;
/// Longest run, apart from its last request.
const LONGEST_RUN: Duration = Duration::from_secs(20);

/// Delivers the waiting alerts of one subscription. Handles its timers.
pub struct CatchUp {
    subscriber: Arc<Subscriber>,
    queue: Arc<WaitingQueue>,
    runtime: Runtime,
    /// Deliveries of this run that must not be repeated if the runtime repeats the run, by sequence.
    told: Mutex<HashMap<u64, Once>>,
}

/// A delivery that waits, with its message.
struct Loaded {
    message: Message,
    notice: Notice,
    context: Context,
    span: TraceSpan,
}

/// The result of one delivery.
enum Tried {
    Delivered,
    /// The message was delivered before, is no longer needed, or is buried.
    Over,
    Failed(Error),
}

// === impl CatchUp ===

impl CatchUp {
    /// Creates the handler of the timers of `queue`, whose deliveries are for `subscriber`.
    #[must_use]
    pub fn new(subscriber: Arc<Subscriber>, queue: Arc<WaitingQueue>, runtime: &Runtime) -> Self {
        Self { subscriber, queue, runtime: runtime.clone(), told: Mutex::default() }
    }

    async fn run(&self, mut backlog: Backlog) -> Result<(), Decision> {
        let until = Instant::now() + LONGEST_RUN;
        loop {
            let batch = backlog.due(self.queue.now_ms(), BATCH);
            let mut pass = self.pass(&batch, &backlog, until).await?;
            self.bury_spent(&backlog, &mut pass).await?;
            let continues = Instant::now() < until && !self.is_stopping();
            backlog = self.queue.record(&pass, continues).await?;
            self.told().clear();
            if pass.is_away() || !continues || backlog.due(self.queue.now_ms(), 1).is_empty() {
                return Ok(());
            }
        }
    }

    /// Tries deliveries one after the other, until one shows that the receiver is away.
    async fn pass(&self, batch: &[Waiting], backlog: &Backlog, until: Instant) -> Result<Pass, Decision> {
        let mut pass = Pass::default();
        for waiting in batch {
            if self.is_stopping() || Instant::now() >= until {
                break;
            }
            let sequence = waiting.sequence;
            let loaded = self.load(waiting).await?;
            let alert_id = loaded.as_ref().map(|loaded| loaded.notice.id().to_owned()).unwrap_or_default();
            if backlog.is_behind(sequence, &alert_id) || pass.has_failed(&alert_id) {
                pass.behind.push((sequence, alert_id));
                continue;
            }
            let tried = match &loaded {
                Some(loaded) => loaded.span.clone().run(self.try_one(loaded)).await?,
                None => Tried::Failed(Error::missing()),
            };
            match tried {
                Tried::Delivered => pass.delivered(sequence),
                Tried::Over => pass.done.push(sequence),
                Tried::Failed(error) if pass.fail(sequence, alert_id, &error) => break,
                Tried::Failed(_) => {}
            }
        }
        Ok(pass.finish())
    }

    async fn try_one(&self, loaded: &Loaded) -> Result<Tried, Decision> {
        let Loaded { message, notice, context, .. } = loaded;
        if !context.once.is_done() && self.subscriber.need(notice, context).await? != Need::Now {
            return Ok(Tried::Over);
        }
        if context.attempt > 1 {
            self.subscriber.metrics.retried();
        }
        match self.subscriber.send(notice, context).await {
            Ok(()) => {
                self.subscriber.record(notice, context).await?;
                Ok(Tried::Delivered)
            }
            Err(error) if error.may_pass() => Ok(Tried::Failed(error)),
            Err(error) => {
                self.subscriber.bury(notice, context, message, &error).await?;
                Ok(Tried::Over)
            }
        }
    }

    /// Buries the deliveries that are given up with this pass.
    async fn bury_spent(&self, backlog: &Backlog, pass: &mut Pass) -> Result<(), Decision> {
        let now_ms = self.queue.now_ms();
        let mut after = backlog.clone();
        after.apply(pass, &self.queue.schedule, now_ms);
        for sequence in after.spent(&self.queue.schedule, now_ms) {
            let waiting = after.get(sequence).cloned().unwrap_or_default();
            match self.load(&waiting).await? {
                Some(Loaded { message, notice, context, span }) => {
                    let error = Error::Exhausted(pass.cause.clone());
                    let buried = self.subscriber.bury(&notice, &context, &message, &error);
                    span.run(buried).await?;
                }
                None => tracing::error!(sequence, "alert is no longer in its stream and was never delivered"),
            }
            pass.done.push(sequence);
        }
        Ok(())
    }

    /// Reads an alert by its sequence. Returns `None` if it is not in its stream, or not on the replica that
    /// answered.
    async fn load(&self, waiting: &Waiting) -> Result<Option<Loaded>, Decision> {
        let logged = self.runtime.message(STREAM_ALERTS, waiting.sequence).await?;
        let Some(Logged { message, logged_at }) = logged else { return Ok(None) };
        let event = ReportEvent::try_from((message.subject.as_str(), message.payload.clone()));
        let Some(notice) = event.ok().and_then(Notice::of) else { return Ok(None) };
        let span = self.runtime.continue_trace(&message, "deliver");
        let place = (STREAM_ALERTS, waiting.sequence);
        let context = Context {
            attempt: waiting.failures + 1,
            once: self.told().entry(waiting.sequence).or_default().clone(),
            ..Context::new(&message, place, logged_at, span.trace_id())
        };
        Ok(Some(Loaded { message, notice, context, span }))
    }

    fn told(&self) -> MutexGuard<'_, HashMap<u64, Once>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_stopping(&self) -> bool {
        self.runtime.shutdown().is_cancelled()
    }
}

#[async_trait]
impl Handler for CatchUp {
    type Input = Due;

    async fn handle(&self, due: Due, _: &Context) -> Result<Vec<Output>, Decision> {
        self.queue.ready()?;
        let backlog = self.queue.read().await?;
        if !backlog.is_empty() {
            if due.round == backlog.round() {
                self.run(backlog).await?;
            } else {
                self.queue.reset_timer(&backlog).await?;
            }
        }
        Ok(Vec::new())
    }
}
