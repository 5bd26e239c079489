//! Delivers the waiting deliveries of a receiver, in order and one batch at a time.
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
use futures::{StreamExt as _, TryStreamExt as _, stream};
use gongkai_proto::{ReportEvent, subjects::STREAM_ALERTS};
use gongkai_worker::{
    Context, Decision, Handler, Message, Once, Output, Runtime, trace::TraceSpan, transport::Logged,
};
use tokio::time::Instant;

use super::{
    backlog::{Backlog, Batch, Waiting},
    channel::Error,
    letter::Letter,
    notice::Notice,
    pass::{Pass, Tried},
    selection::Selection,
    subscriber::Subscriber,
    waiting_queue::{Due, WaitingQueue},
};

/// Maximum number of deliveries between two writes of the backlog. With a pace it is one message, whose time counts.
const BATCHES: usize = 32;
/// Number of alerts to read ahead.
const READ_AHEAD: usize = 32;
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

/// The result of one batch.
enum Outcome {
    Delivered,
    /// Its messages were delivered before or are no longer needed.
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
        let most = if self.queue.pace.is_free() { BATCHES } else { 1 };
        loop {
            backlog = self.plan(backlog).await?;
            let batches = self.queue.due(&backlog, most);
            let mut pass = self.pass(&batches, &backlog, until).await?;
            self.bury_and_announce(&backlog, &mut pass).await?;
            let continues = Instant::now() < until && !self.is_stopping();
            let is_away = pass.is_away();
            backlog = self.queue.record(&backlog, &pass, continues).await?;
            self.told().clear();
            if is_away || !continues || !self.queue.is_due(&backlog) {
                return Ok(());
            }
        }
    }

    /// Saves which of the due deliveries go together. While the receiver is away they are left to wait for more.
    async fn plan(&self, backlog: Backlog) -> Result<Backlog, Decision> {
        let fresh = self.queue.unplanned(&backlog);
        if fresh.is_empty() {
            return Ok(backlog);
        }
        let waiting = fresh.iter().filter_map(|sequence| backlog.get(*sequence));
        let loaded = self.load_all(waiting).await?;
        let report = |loaded: &Option<Loaded>| {
            loaded.as_ref().and_then(|loaded| loaded.notice.report()).map(str::to_owned)
        };
        let due: Vec<_> = fresh.iter().copied().zip(loaded.iter().map(report)).collect();
        self.queue.plan(&self.queue.pace.batches(&due)).await
    }

    /// Tries batches one after the other, until one shows that the receiver is away.
    async fn pass(&self, batches: &[Batch], backlog: &Backlog, until: Instant) -> Result<Pass, Decision> {
        let mut pass = Pass::default();
        for batch in batches {
            if self.is_stopping()
                || Instant::now() >= until
                || self.try_batch(batch, backlog, &mut pass).await?
            {
                break;
            }
        }
        Ok(pass.finish())
    }

    /// Tries a batch. Returns true if the receiver is away.
    async fn try_batch(&self, batch: &Batch, backlog: &Backlog, pass: &mut Pass) -> Result<bool, Decision> {
        let waiting = batch.sequences.iter().filter_map(|sequence| backlog.get(*sequence));
        let mut found = Vec::new();
        for (sequence, loaded) in batch.sequences.iter().copied().zip(self.load_all(waiting).await?) {
            let alert_id = loaded.as_ref().map(|loaded| loaded.notice.id().to_owned()).unwrap_or_default();
            let tried = Tried { sequence, alert_id };
            if backlog.is_behind(sequence, &tried.alert_id) || pass.has_failed(&tried.alert_id) {
                pass.behind.push(tried);
                continue;
            }
            match loaded {
                Some(loaded) => found.push((tried, loaded)),
                None if pass.fail(&[tried], &Error::missing()) => return Ok(true),
                None => {}
            }
        }
        let (tried, loaded): (Vec<_>, Vec<_>) = found.into_iter().unzip();
        let Some(first) = loaded.first() else { return Ok(false) };
        match first.span.clone().run(self.deliver(&loaded)).await? {
            Outcome::Over => pass.done.extend(tried.iter().map(|tried| tried.sequence)),
            Outcome::Delivered => {
                pass.sent_ms.push(self.queue.now_ms());
                pass.delivered(&tried);
            }
            Outcome::Failed(error) => {
                pass.sent_ms.push(self.queue.now_ms());
                return Ok(pass.fail(&tried, &error));
            }
        }
        Ok(false)
    }

    /// Delivers what is needed of a batch.
    async fn deliver(&self, loaded: &[Loaded]) -> Result<Outcome, Decision> {
        let once = &loaded[0].context.once;
        let letters =
            loaded.iter().map(|Loaded { notice, context, .. }| Letter { notice, context }).collect();
        let selection = if once.is_done() {
            Selection::all(letters)
        } else {
            Selection::new(&self.subscriber, letters).await?
        };
        if selection.is_empty() {
            selection.record(&self.subscriber).await?;
            return Ok(Outcome::Over);
        }
        if loaded[0].context.attempt > 1 {
            self.subscriber.metrics.retried();
        }
        match self.subscriber.send(&selection.envelope(), once).await {
            Ok(()) => {
                selection.record(&self.subscriber).await?;
                Ok(Outcome::Delivered)
            }
            Err(error) => Ok(Outcome::Failed(error)),
        }
    }

    /// Buries the deliveries that are given up with this pass, and tells operators of a fault of the subscription, once
    /// for as long as it lasts.
    async fn bury_and_announce(&self, backlog: &Backlog, pass: &mut Pass) -> Result<(), Decision> {
        let now_ms = self.queue.now_ms();
        let mut after = backlog.clone();
        after.apply(pass, &self.queue.schedule, now_ms);
        for sequence in after.spent(&self.queue.schedule, now_ms) {
            self.bury(after.get(sequence), &Error::Exhausted(pass.cause.clone())).await?;
            pass.done.push(sequence);
        }
        match &pass.fault {
            Some(fault) if after.is_suspended() && !backlog.is_suspended_for(fault.code()) => {
                self.announce(backlog, pass, fault).await
            }
            _ => Ok(()),
        }
    }

    async fn bury(&self, waiting: Option<&Waiting>, error: &Error) -> Result<(), Decision> {
        let Some(waiting) = waiting else { return Ok(()) };
        let sequence = waiting.sequence;
        match self.load(waiting).await? {
            Some(Loaded { message, notice, context, span }) => {
                span.run(self.subscriber.bury(&notice, &context, &message, error)).await
            }
            None => {
                tracing::error!(sequence, "alert is no longer in its stream and was never delivered");
                Ok(())
            }
        }
    }

    async fn announce(&self, backlog: &Backlog, pass: &Pass, fault: &Error) -> Result<(), Decision> {
        let first = pass.away.iter().min().and_then(|sequence| backlog.get(*sequence));
        let Some(first) = first else { return Ok(()) };
        if let Some(Loaded { message, context, span, .. }) = self.load(first).await? {
            span.run(self.subscriber.announce(&context, &message, fault)).await?;
        }
        Ok(())
    }

    async fn load_all(
        &self,
        waiting: impl Iterator<Item = &Waiting>,
    ) -> Result<Vec<Option<Loaded>>, Decision> {
        let waiting: Vec<_> = waiting.cloned().collect();
        let load = |waiting: Waiting| async move { self.load(&waiting).await };
        stream::iter(waiting).map(load).buffered(READ_AHEAD).try_collect().await
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
