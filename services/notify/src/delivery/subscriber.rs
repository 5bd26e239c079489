//! A subscription with its channel: decides whether it receives an alert, sends it, and records that.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use futures::StreamExt as _;
use gongkai_proto::subjects::BUCKET_DELIVERIES;
use gongkai_worker::{Context, Decision, Message, Once, RecordStore, Runtime};
use tokio::time::timeout;

use super::{
    channel::{Channel, Error},
    letter::Envelope,
    metrics::Metrics,
    notice::{Notice, Wanted},
    sent::{Novelty, Sent},
};

/// Maximum number of lost races in a row for one record. After that the alert is retried later.
const MAX_RACES: u32 = 16;
/// How long the end of an alert waits for its beginning, which another replica may be sending. Longer than a request
/// can take.
const ORDER_WAIT: Duration = Duration::from_secs(20);

/// A subscription and its receiver.
pub struct Subscriber {
    name: String,
    wanted: Wanted,
    channel: Box<dyn Channel>,
    records: RecordStore,
    runtime: Runtime,
    pub(super) metrics: Metrics,
    /// Identity of the stream of alerts.
    stream: Arc<AtomicI64>,
}

/// Whether a subscription must receive an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// The subscription must receive the alert, and has not yet.
    Now,
    /// The subscription must receive the end of the alert, but only after its beginning, which was not delivered yet.
    AfterBeginning,
    /// The subscription must not receive the alert, or has received it already.
    Never,
}

// === impl Subscriber ===

impl Subscriber {
    /// Creates a subscription that receives the `wanted` messages over `channel`.
    #[must_use]
    pub(crate) fn new(name: String, wanted: Wanted, channel: Box<dyn Channel>, runtime: &Runtime) -> Self {
        Self {
            metrics: Metrics::new(&name, runtime),
            records: RecordStore::new(runtime.entries(BUCKET_DELIVERIES), MAX_RACES),
            runtime: runtime.clone(),
            name,
            wanted,
            channel,
            stream: Arc::default(),
        }
    }

    /// Returns the cell with the identity of the alert stream.
    pub(super) fn stream(&self) -> Arc<AtomicI64> {
        self.stream.clone()
    }

    async fn sent(&self, notice: &Notice) -> Result<Sent, Decision> {
        let sent = self.records.read::<Sent>(&self.key(notice)).await?.record;
        Ok(sent.in_stream(self.stream.load(Ordering::Acquire)))
    }

    async fn change(
        &self,
        notice: &Notice,
        mut change: impl FnMut(&mut Sent) -> bool + Send,
    ) -> Result<(), Decision> {
        let stream = self.stream.load(Ordering::Acquire);
        let change = |sent: &mut Sent| {
            *sent = std::mem::take(sent).in_stream(stream);
            (change(sent), ())
        };
        self.records.change(&self.key(notice), change).await?;
        Ok(())
    }

    /// Returns the name of the subscription.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Decides whether the subscription must receive the notice.
    pub(super) async fn need(&self, notice: &Notice, context: &Context) -> Result<Need, Decision> {
        if !self.wanted.takes(notice) {
            return Ok(Need::Never);
        }
        let sent = self.sent(notice).await?;
        // A subscription that received the raised alert receives its end, even if its remaining findings no longer
        // pass the filter.
        let is_end = notice.is_resolved();
        let is_wanted = self.wanted.wants(notice) || is_end && sent.is_raised();
        Ok(match sent.novelty(context) {
            Novelty::New if is_wanted => Need::Now,
            Novelty::New if is_end && self.wanted.covers(notice) => Need::AfterBeginning,
            Novelty::Superseded if is_wanted => {
                let (subscription, id) = (&self.name, notice.id());
                tracing::debug!(subscription, id, "superseded message skipped");
                Need::Never
            }
            Novelty::New | Novelty::Repeat | Novelty::Superseded => Need::Never,
        })
    }

    /// Waits until the beginning of an ended alert was sent, is queued, or is given up, at most for the time that
    /// sending can take. Returns false if there was nothing to wait for.
    pub(super) async fn awaits_beginning(&self, notice: &Notice) -> Result<bool, Decision> {
        if !notice.is_resolved() || self.sent(notice).await?.is_begun() {
            return Ok(false);
        }
        let stream = self.stream.load(Ordering::Acquire);
        let mut changes = self.records.watch::<Sent>(&self.key(notice)).await?;
        let begun = async {
            while let Some(sent) = changes.next().await {
                if sent?.in_stream(stream).is_begun() {
                    break;
                }
            }
            Ok::<_, Decision>(())
        };
        timeout(ORDER_WAIT, begun).await.unwrap_or(Ok(()))?;
        Ok(true)
    }

    /// Returns true if the subscription was told that the alert is raised.
    pub(super) async fn is_told_of(&self, notice: &Notice) -> Result<bool, Decision> {
        Ok(self.sent(notice).await?.is_raised())
    }

    /// Sends an envelope, once: if the handler is repeated because the broker is unavailable, it is not sent again.
    pub(super) async fn send(&self, envelope: &Envelope<'_>, once: &Once) -> Result<(), Error> {
        let attempt = async {
            let result = self.channel.send(envelope).await;
            self.metrics.attempted(&result);
            result
        };
        once.run(attempt).await
    }

    /// Records that the alert was sent.
    pub(super) async fn record(&self, notice: &Notice, context: &Context) -> Result<(), Decision> {
        self.settle(notice, context).await?;
        tracing::info!(
            subscription = self.name,
            id = notice.id(),
            report = notice.report(),
            attempt = context.attempt,
            "delivered"
        );
        if let Notice::Alert(alert) = notice {
            self.metrics.delivered(alert, context);
        }
        Ok(())
    }

    /// Records that the subscription knows the state of the alert, by this message or by a later one.
    pub(super) async fn settle(&self, notice: &Notice, context: &Context) -> Result<(), Decision> {
        let record = |sent: &mut Sent| {
            let is_new = sent.novelty(context) != Novelty::Repeat;
            sent.record(context, notice.state());
            is_new
        };
        self.change(notice, record).await
    }

    /// Records that the alert waits or is given up, so that the next message about it does not wait for this one.
    pub(super) async fn pass_over(&self, notice: &Notice, context: &Context) -> Result<(), Decision> {
        self.change(notice, |sent| sent.pass_over(context)).await
    }

    /// Buries an alert that waited.
    pub(super) async fn bury(
        &self,
        notice: &Notice,
        context: &Context,
        message: &Message,
        error: &Error,
    ) -> Result<(), Decision> {
        let cause = anyhow::Error::new(error.clone());
        self.runtime.bury(&self.name, context, message, error.code(), &cause).await?;
        self.metrics.dead();
        self.pass_over(notice, context).await
    }

    /// Tells operators, by a dead letter with the first alert that waits, that nothing is delivered until the
    /// subscription is mended.
    pub(super) async fn announce(
        &self,
        context: &Context,
        message: &Message,
        fault: &Error,
    ) -> Result<(), Decision> {
        let name = &self.name;
        let cause = anyhow::Error::new(fault.clone());
        let cause = cause.context(format!("subscription {name} is suspended and its alerts wait: mend it"));
        Ok(self.runtime.bury(name, context, message, fault.code(), &cause).await?)
    }

    fn key(&self, notice: &Notice) -> String {
        Sent::key(&self.name, notice.id())
    }
}
