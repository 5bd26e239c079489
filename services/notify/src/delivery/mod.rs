//! Delivers alerts to subscriptions, through one durable consumer per subscription: an unreachable receiver delays no
//! other. The `callback_url` of a site is a receiver too, and its messages are the ends of the site's submissions.
//! The guarantees for alerts apply to them as well.
//!
//! Delivery is at least once. [`sent`] records deliveries so that redeliveries are not sent again. After a crash
//! between the receiver's 2xx and that record, the message is sent again under the same `webhook-id`, by which
//! receivers detect repeats. While the record waits for the broker, nothing is sent again.
//!
//! **A receiver that is away** has a [`WaitingQueue`]: it records the waiting alerts by their sequence and
//! acknowledges their messages, so that they do not occupy the consumer. A durable timer tries one of them at a time,
//! on a [`Schedule`]. Once one is delivered, the rest follow in the order of the stream ([`CatchUp`]), before any
//! newer alert. An alert that is not delivered by the end of the schedule becomes a dead letter.
//!
//! **A subscription with a [`Pace`]** collects its alerts in the same queue. The timer fires at the end of the window,
//! and what came within it goes as one message for each report, or as one digest if there are many ([`selection`] says
//! what of it).
//!
//! **A subscription at fault**, whose receiver answers 410, or again and again a redirect or a refusal, is suspended: one
//! dead letter tells operators, and all alerts wait until the subscription is mended. An alert that is refused while
//! others are accepted has its own attempts, and becomes a dead letter after the last.
//!
//! **Order.** Waiting alerts are delivered in the order of the stream. All others are delivered concurrently, except
//! that the end of an alert waits for its beginning.

mod backlog;
mod catch_up;
mod channel;
mod channels;
mod deadline_text;
mod filter;
mod interests;
mod letter;
mod message;
mod metrics;
mod notice;
mod pace;
mod pass;
mod quiet;
mod retry;
mod selection;
mod sent;
mod subscriber;
mod summary;
#[cfg(test)]
mod tests;
mod waiting_queue;

use std::sync::Arc;

use gongkai_proto::ReportEvent;
use gongkai_worker::{Context, Decision, Handler, Output};

use self::{letter::Envelope, notice::Notice, subscriber::Need};

pub use self::{
    backlog::Backlog,
    catch_up::CatchUp,
    channels::{Secrets, Security, Target, UnacceptableUrl, Unusable},
    filter::Filter,
    interests::{Interests, NoticeKind},
    message::Language,
    notice::Wanted,
    retry::Schedule,
    subscriber::Subscriber,
    waiting_queue::WaitingQueue,
};
pub(crate) use self::{
    channel::Channel,
    channels::{Alertmanager, Dingtalk, Email, Feishu, Log, MailServer, Platform, Robot, Webhook, Wecom},
    message::{Composer, ReportUrl},
    metrics::QueueLevels,
    pace::{Limit, Pace},
    quiet::Quiet,
};

/// Delivers alerts to one subscription as they are raised.
pub struct Deliverer {
    subscriber: Arc<Subscriber>,
    queue: Arc<WaitingQueue>,
}

// === impl Deliverer ===

impl Deliverer {
    /// Creates a handler that delivers to `subscriber`. Failed deliveries wait in `queue`.
    #[must_use]
    pub fn new(subscriber: Arc<Subscriber>, queue: Arc<WaitingQueue>) -> Self {
        Self { subscriber, queue }
    }

    /// Delivers an alert at once, unless it has to wait.
    async fn deliver(&self, notice: &Notice, need: Need, context: &Context) -> Result<(), Decision> {
        let is_held_back = || self.queue.hold_back(context.sequence, notice.id());
        // The beginning of an alert may itself be waiting.
        if is_held_back().await? || need == Need::AfterBeginning {
            return Ok(());
        }
        if self.subscriber.awaits_beginning(notice).await? && is_held_back().await? {
            return Ok(());
        }
        match self.subscriber.send(&Envelope::of_one(notice, context), &context.once).await {
            Ok(()) => self.subscriber.record(notice, context).await,
            Err(error) => {
                self.queue.start_waiting(context.sequence, &error).await?;
                self.subscriber.pass_over(notice, context).await
            }
        }
    }
}

#[async_trait::async_trait]
impl Handler for Deliverer {
    type Input = ReportEvent;

    async fn handle(&self, event: ReportEvent, context: &Context) -> Result<Vec<Output>, Decision> {
        let notice = Notice::of(event).ok_or_else(|| Decision::unexpected(context))?;
        if !notice.is_whole() {
            let text = "the message does not say what it is about, or its receipt is no JSON";
            return Err(Decision::bury("MALFORMED", anyhow::anyhow!(text)));
        }
        self.queue.ready()?;
        if context.once.is_done() {
            self.subscriber.record(&notice, context).await?;
            return Ok(Vec::new());
        }
        match self.subscriber.need(&notice, context).await? {
            Need::Never => {}
            _ if !self.queue.pace.is_free() => {
                let passes = self.queue.pace.lets_pass(notice.severity());
                self.queue.collect(context.sequence, passes).await?;
            }
            need => self.deliver(&notice, need, context).await?,
        }
        Ok(Vec::new())
    }
}
