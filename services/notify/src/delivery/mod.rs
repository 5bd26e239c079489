//! Delivers alerts to subscriptions, through one durable consumer per subscription: an unreachable receiver delays nobody
//! else.
//!
//! Delivery is at least once. [`Sent`] records deliveries so that redeliveries are not sent again. After a crash between the
//! receiver's 2xx and that record, the message is sent again under the same `webhook-id`, by which receivers detect repeats.
//! While the record waits for the broker, nothing is sent again.

mod body;
mod filter;
mod metrics;
mod retry;
mod sent;
mod signature;
mod target;
mod webhook;

use gongkai_proto::{ReportEvent, subjects::BUCKET_DELIVERIES, v1};
use gongkai_worker::{Context, Decision, Handler, Output, RecordStore, Runtime};
use sha2::{Digest, Sha256};

use self::{
    body::Body,
    metrics::Metrics,
    sent::{Novelty, Sent},
};
pub use self::{
    filter::Filter,
    retry::MAX_ATTEMPTS,
    signature::{Secrets, Unusable},
    target::{Refused, Target},
    webhook::Webhook,
};

/// Most lost races in a row for one record. After that the alert is retried later.
const MAX_RACES: u32 = 16;

/// How a subscription is notified.
pub enum Channel {
    Webhook(Box<Webhook>),
    Log,
}

/// Delivers alerts to one subscription.
pub struct Deliverer {
    subscription: String,
    filter: Filter,
    channel: Channel,
    records: RecordStore,
    metrics: Metrics,
}

// === impl Deliverer ===

impl Deliverer {
    /// Creates a handler that delivers to `subscription` what passes `filter`.
    #[must_use]
    pub fn new(subscription: String, filter: Filter, channel: Channel, runtime: &Runtime) -> Self {
        let records = RecordStore::new(runtime.entries(BUCKET_DELIVERIES), MAX_RACES);
        Self { subscription, filter, channel, records, metrics: Metrics::new(runtime) }
    }

    async fn deliver(&self, alert: &v1::Alert, context: &Context) -> Result<(), Decision> {
        match &self.channel {
            Channel::Log => {
                self.log(alert);
                Ok(())
            }
            Channel::Webhook(webhook) => {
                let body = serde_json::to_string(&Body::new(alert, context.sequence))
                    .map_err(|error| Decision::bury("MALFORMED", error))?;
                let sent = webhook.send(&webhook_id(&context.message_id), body).await;
                sent.map_err(|error| self.decide(error, alert, context))
            }
        }
    }

    fn log(&self, alert: &v1::Alert) {
        let body::Summary { message, message_en } = body::summary(alert);
        tracing::info!(
            subscription = self.subscription,
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

    fn decide(&self, error: webhook::Error, alert: &v1::Alert, context: &Context) -> Decision {
        let code = match &error {
            webhook::Error::Later { wish, .. } => {
                let delay = retry::delay(context.attempt, *wish);
                return Decision::retry_after(delay, error);
            }
            webhook::Error::Gone => "GONE",
            webhook::Error::Redirected(_) => "REDIRECTED",
            webhook::Error::Refused(_) => "REFUSED",
            webhook::Error::Forbidden(_) => "FORBIDDEN_ADDRESS",
        };
        tracing::warn!(
            subscription = self.subscription,
            alert_id = alert.alert_id,
            code,
            error = &error as &dyn std::error::Error,
            "alert not delivered, no retry"
        );
        Decision::bury(code, error)
    }
}

#[async_trait::async_trait]
impl Handler for Deliverer {
    type Input = ReportEvent;

    async fn handle(&self, event: ReportEvent, context: &Context) -> Result<Vec<Output>, Decision> {
        let (ReportEvent::AlertRaised(alert) | ReportEvent::AlertResolved(alert)) = event else {
            return Err(Decision::unexpected(context));
        };
        if alert.alert_id.is_empty() {
            return Err(Decision::bury("MALFORMED", anyhow::anyhow!("alert has no id")));
        }
        let key = Sent::key(&self.subscription, &alert);
        let sent: Sent = self.records.read(&key).await?.record;
        // A subscription that received the raised alert receives its end, even if the rest of it no longer passes the filter.
        let wanted = self.filter.wants(&alert) || body::is_resolved(&alert) && sent.is_raised();
        if !wanted {
            return Ok(Vec::new());
        }
        match sent.novelty(context) {
            Novelty::Repeat => return Ok(Vec::new()),
            Novelty::Superseded => {
                tracing::debug!(
                    subscription = self.subscription,
                    alert_id = alert.alert_id,
                    "superseded alert skipped"
                );
                return Ok(Vec::new());
            }
            // What follows may have to wait for the broker. The receiver is not told again meanwhile.
            Novelty::New => context.once.run(self.deliver(&alert, context)).await?,
        }
        self.metrics.delivered(&alert, context);
        let record =
            |sent: &mut Sent| (sent.novelty(context) != Novelty::Repeat, sent.record(context, alert.state()));
        self.records.change(&key, record).await?;
        Ok(Vec::new())
    }
}

/// Returns the `webhook-id`, which is the same for every attempt. It contains no full stops, which separate the signed parts.
fn webhook_id(message_id: &str) -> String {
    format!("msg_{}", hex::encode(&Sha256::digest(message_id)[..16]))
}
