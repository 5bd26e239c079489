//! Tells the right people: alerts from findings, delivered once.
//!
//! Two steps, with a stream between them. [`alerts`] turns validated and withdrawn reports and waivers into `AlertRaised` and
//! `AlertResolved`; [`delivery`] brings those to each subscription of the config, by a durable consumer of its own.
//!
//! **Nothing is lost between saving and publishing.** The state of a report (bucket `gongkai-alerts`) is saved by
//! compare-and-set before the runtime publishes. It keeps what the last event gave out, so a redelivery of that event
//! gives the same messages under the same ids, and the next event of the report gives them once more before its own.
//! Repeats end at the stream's duplicate window, and beyond it at the record of what each subscription was told
//! (bucket `gongkai-deliveries`).
//!
//! **Order does not matter.** An event of an older revision, or an older validation of the same one, changes nothing;
//! a withdrawal counts for the revisions received before it, whichever is handled first.
//!
//! Drafts never alert.

pub mod alerts;
mod config;
pub mod delivery;

use anyhow::Context as _;
use async_trait::async_trait;
use futures::future::try_join_all;
use gongkai_proto::subjects::{self, Event};
use gongkai_worker::{Consume, Runtime, Service};

pub use self::config::{ChannelKind, Config, Subscription};
use self::{
    alerts::Alerter,
    delivery::{Channel, Deliverer, Webhook},
};

/// Lost races in a row for one record before a message is tried again later.
const MAX_RACES: u32 = 16;

/// The service.
pub struct Notify;

#[async_trait]
impl Service for Notify {
    const NAME: &'static str = "notify";
    const ADMIN_PORT: u16 = 8084;
    type Config = Config;

    fn validate(config: &Config) -> anyhow::Result<()> {
        config.check()
    }

    async fn run(config: Config, runtime: Runtime) -> anyhow::Result<()> {
        // Once a process; another service may have been faster, with the same.
        drop(rustls::crypto::ring::default_provider().install_default());
        let subscriptions = config.effective_subscriptions();
        let deliveries =
            try_join_all(subscriptions.iter().map(|subscription| deliver(subscription, &runtime)));
        tokio::try_join!(raise(&config, &runtime), deliveries)?;
        Ok(())
    }
}

async fn raise(config: &Config, runtime: &Runtime) -> anyhow::Result<()> {
    let alerter = Alerter::new(runtime.entries(subjects::BUCKET_ALERTS), config.min_severity);
    let kinds = [Event::ReportValidated, Event::ReportWithdrawn, Event::ReportWaived];
    let consume = Consume::new(subjects::STREAM_REPORTS, subjects::CONSUMER_NOTIFY, kinds.map(Event::filter));
    runtime.consume(consume, alerter).await
}

async fn deliver(subscription: &Subscription, runtime: &Runtime) -> anyhow::Result<()> {
    let name = subscription.name.clone();
    let channel = match subscription.channel {
        ChannelKind::Log => Channel::Log,
        ChannelKind::Webhook => {
            let (target, secrets) = subscription.webhook().with_context(|| format!("subscription {name}"))?;
            Channel::Webhook(Box::new(Webhook::new(target, secrets, runtime.clock())?))
        }
    };
    let durable = subjects::consumer_delivery(&name);
    let mut consume = Consume::new(subjects::STREAM_ALERTS, durable, [Event::AlertRaised.filter()]);
    consume.max_attempts = Some(delivery::MAX_ATTEMPTS);
    runtime.consume(consume, Deliverer::new(name, subscription.filter()?, channel, runtime)).await
}
