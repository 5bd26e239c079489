//! From alerts to people: one durable consumer a subscription, so that a receiver that is away holds up nobody else.
//!
//! A message is told at least once; [`Sent`] makes that once in effect for what we can see. A crash between the
//! receiver's 2xx and our note of it sends the same `webhook-id` again, by which receivers tell repeats.

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
    sent::{Sent, Verdict},
};
pub use self::{
    filter::Filter,
    retry::MAX_ATTEMPTS,
    signature::{Secrets, Unusable},
    target::{Refused, Target},
    webhook::Webhook,
};
use crate::MAX_RACES;

/// How a subscription is told.
pub enum Channel {
    /// A signed POST.
    Webhook(Box<Webhook>),
    /// A line in the log.
    Log,
}

/// Tells one subscription.
pub struct Deliverer {
    subscription: String,
    filter: Filter,
    channel: Channel,
    ledger: RecordStore,
    metrics: Metrics,
}

// === impl Deliverer ===

impl Deliverer {
    /// Tells `subscription` what `filter` lets through; what was told is kept in the runtime's bucket of deliveries.
    #[must_use]
    pub fn new(subscription: String, filter: Filter, channel: Channel, runtime: &Runtime) -> Self {
        let ledger = RecordStore::new(runtime.entries(BUCKET_DELIVERIES), MAX_RACES);
        Self { subscription, filter, channel, ledger, metrics: Metrics::new(runtime) }
    }

    async fn tell(&self, alert: &v1::Alert, context: &Context) -> Result<(), Decision> {
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
        let sent: Sent = self.ledger.read(&key).await?.record;
        // Who was told of the beginning hears of the end, though what is left of the alert may pass no filter.
        let wanted = self.filter.wants(&alert) || body::is_resolved(&alert) && sent.stands();
        if !wanted {
            return Ok(Vec::new());
        }
        match sent.judge(context) {
            Verdict::Repeat => return Ok(Vec::new()),
            Verdict::Superseded => {
                tracing::debug!(
                    subscription = self.subscription,
                    alert_id = alert.alert_id,
                    "superseded alert skipped"
                );
                return Ok(Vec::new());
            }
            Verdict::Tell => self.tell(&alert, context).await?,
        }
        self.metrics.told(&alert, context);
        let note =
            |sent: &mut Sent| (sent.judge(context) != Verdict::Repeat, sent.note(context, alert.state()));
        self.ledger.change(&key, note).await?;
        Ok(Vec::new())
    }
}

/// The same for every attempt. The specification keeps full stops out of it: they part what is signed.
fn webhook_id(message_id: &str) -> String {
    format!("msg_{}", hex::encode(&Sha256::digest(message_id)[..16]))
}
