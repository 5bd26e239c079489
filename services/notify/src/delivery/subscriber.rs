//! A subscription with its channel: decides whether it receives an alert, sends it, and records that.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

use futures::StreamExt as _;
use gongkai_proto::{subjects::BUCKET_DELIVERIES, v1};
use gongkai_worker::{Context, Decision, Message, RecordStore, Runtime, UpDownCounter};
use sha2::{Digest, Sha256};
use tokio::time::timeout;

use super::{
    body::{self, WebhookBody},
    channel::Channel,
    filter::Filter,
    metrics::Metrics,
    sent::{Novelty, Sent},
    webhook::Error,
};

/// Most lost races in a row for one record. After that the alert is retried later.
const MAX_RACES: u32 = 16;
/// How long the end of an alert waits for its beginning, which another replica may be sending. Longer than a request takes.
const ORDER_WAIT: Duration = Duration::from_secs(20);

/// A subscription and its receiver.
pub struct Subscriber {
    name: String,
    filter: Filter,
    channel: Channel,
    records: RecordStore,
    runtime: Runtime,
    pub(super) metrics: Metrics,
    /// The receiver answered 410.
    is_gone: AtomicBool,
    /// Identity of the stream of alerts.
    stream: Arc<AtomicI64>,
}

/// Whether a subscription must receive an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// It must, and has not yet.
    Now,
    /// It must if it received the beginning of the alert, which it has not yet.
    AfterBeginning,
    /// It must not, or has already.
    Never,
}

// === impl Subscriber ===

impl Subscriber {
    /// Creates a subscription that receives over `channel` what passes `filter`.
    #[must_use]
    pub fn new(name: String, filter: Filter, channel: Channel, runtime: &Runtime) -> Self {
        Self {
            metrics: Metrics::new(&name, runtime),
            records: RecordStore::new(runtime.entries(BUCKET_DELIVERIES), MAX_RACES),
            runtime: runtime.clone(),
            name,
            filter,
            channel,
            is_gone: AtomicBool::new(false),
            stream: Arc::default(),
        }
    }

    /// Returns where the identity of the stream is set that the alerts come from.
    pub(super) fn stream(&self) -> Arc<AtomicI64> {
        self.stream.clone()
    }

    async fn sent(&self, alert: &v1::Alert) -> Result<Sent, Decision> {
        let sent = self.records.read::<Sent>(&self.key(alert)).await?.record;
        Ok(sent.in_stream(self.stream.load(Ordering::Acquire)))
    }

    async fn change(
        &self,
        alert: &v1::Alert,
        mut change: impl FnMut(&mut Sent) -> bool + Send,
    ) -> Result<(), Decision> {
        let stream = self.stream.load(Ordering::Acquire);
        let change = |sent: &mut Sent| {
            *sent = std::mem::take(sent).in_stream(stream);
            (change(sent), ())
        };
        self.records.change(&self.key(alert), change).await?;
        Ok(())
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Creates the up-down counter of deliveries that wait for the receiver.
    #[must_use]
    pub fn waiting(&self) -> UpDownCounter {
        self.metrics.waiting.clone()
    }

    /// Decides whether the subscription must receive the alert.
    pub(super) async fn need(&self, alert: &v1::Alert, context: &Context) -> Result<Need, Decision> {
        let sent = self.sent(alert).await?;
        // A subscription that received the raised alert receives its end, even if the rest of it no longer passes the filter.
        let is_end = body::is_resolved(alert);
        let is_wanted = self.filter.wants(alert) || is_end && sent.is_raised();
        Ok(match sent.novelty(context) {
            Novelty::New if is_wanted => Need::Now,
            Novelty::New if is_end && self.filter.covers(alert) => Need::AfterBeginning,
            Novelty::Superseded if is_wanted => {
                let (subscription, alert_id) = (&self.name, &alert.alert_id);
                tracing::debug!(subscription, alert_id, "superseded alert skipped");
                Need::Never
            }
            Novelty::New | Novelty::Repeat | Novelty::Superseded => Need::Never,
        })
    }

    /// Waits until the beginning of an alert that ended was sent, waits or is given up, or for as long as sending it could take. Returns
    /// false if there was nothing to wait for.
    pub(super) async fn awaits_beginning(&self, alert: &v1::Alert) -> Result<bool, Decision> {
        if !body::is_resolved(alert) || self.sent(alert).await?.is_begun() {
            return Ok(false);
        }
        let stream = self.stream.load(Ordering::Acquire);
        let mut changes = self.records.watch::<Sent>(&self.key(alert)).await?;
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

    /// Sends the alert, once for the context: if the handler is repeated because the broker is unavailable, the alert
    /// is not sent again.
    pub(super) async fn send(&self, alert: &v1::Alert, context: &Context) -> Result<(), Error> {
        let result = context.once.run(self.transmit(alert, context)).await;
        if matches!(result, Err(Error::Gone)) && !self.is_gone.swap(true, Ordering::AcqRel) {
            let subscription = &self.name;
            tracing::error!(
                subscription,
                "receiver is gone for good; nothing more is sent until notify restarts"
            );
        }
        result
    }

    async fn transmit(&self, alert: &v1::Alert, context: &Context) -> Result<(), Error> {
        let webhook = match &self.channel {
            Channel::Log => {
                self.log(alert);
                return Ok(());
            }
            Channel::Webhook(webhook) => webhook,
        };
        if self.is_gone.load(Ordering::Acquire) {
            return Err(Error::Gone);
        }
        let body = serde_json::to_string(&WebhookBody::new(alert, context.sequence));
        let body = body.expect("a body has string keys and no maps");
        webhook.send(&webhook_id(&context.message_id), body).await
    }

    /// Records that the alert was sent.
    pub(super) async fn record(&self, alert: &v1::Alert, context: &Context) -> Result<(), Decision> {
        let record = |sent: &mut Sent| {
            let is_new = sent.novelty(context) != Novelty::Repeat;
            sent.record(context, alert.state());
            is_new
        };
        self.change(alert, record).await?;
        self.metrics.delivered(alert, context);
        Ok(())
    }

    /// Records that the alert waits or is given up, so that the next message about it does not wait for this one.
    pub(super) async fn pass_over(&self, alert: &v1::Alert, context: &Context) -> Result<(), Decision> {
        self.change(alert, |sent| sent.pass_over(context)).await
    }

    /// Buries an alert that waited.
    pub(super) async fn bury(
        &self,
        alert: &v1::Alert,
        context: &Context,
        message: &Message,
        error: &Error,
    ) -> Result<(), Decision> {
        let cause = anyhow::Error::new(error.clone());
        self.runtime.bury(&self.name, context, message, error.code(), &cause).await?;
        self.metrics.dead();
        self.pass_over(alert, context).await
    }

    fn key(&self, alert: &v1::Alert) -> String {
        Sent::key(&self.name, alert)
    }

    fn log(&self, alert: &v1::Alert) {
        let body::SummaryText { message, message_en } = body::summary(alert);
        tracing::info!(
            subscription = self.name,
            alert_id = alert.alert_id,
            state = if body::is_resolved(alert) { "resolved" } else { "raised" },
            severity = body::severity_name(alert.severity),
            report = alert.report,
            agency_name = alert.agency_name,
            cause = alert.cause,
            findings = alert.findings.len(),
            message_zh = message,
            message_en,
            url = alert.url,
            trace_id = alert.trace_id,
            "alert"
        );
    }
}

/// Returns the `webhook-id`, which is the same for every attempt. It contains no full stops, which separate the signed parts.
fn webhook_id(message_id: &str) -> String {
    format!("msg_{}", hex::encode(&Sha256::digest(message_id)[..16]))
}
