//! Raises alerts from findings and delivers each of them once to every subscription.
//!
//! This happens in two steps with a stream between them. [`alerts`] turns validated reports, withdrawn reports and
//! waivers into `AlertRaised` and `AlertResolved` messages. [`delivery`] delivers those to each subscription of the
//! config, through a durable consumer per subscription. Timers of the broker drive the retries for receivers that are
//! away.
//!
//! **No alert is lost between saving and publishing.** The state of a report (bucket `gongkai-alerts`) is saved by
//! compare-and-set before the runtime publishes. It includes the outputs of the last event. A redelivery of that
//! event returns the same messages under the same ids, and the next event of the report returns them again before its
//! own. The stream's duplicate window drops the copies; after that, the record of what each subscription received
//! (bucket `gongkai-deliveries`) does.
//!
//! **A lost bucket or stream loses no alert.** The log of reports is authoritative. From it the state of reports is
//! restored ([`alerts`]), and the alerts of a lost stream are raised again. The deliveries of a lost backlog are
//! restored from the stream of alerts ([`delivery`]).
//!
//! **Order does not matter.** An event about an older revision, or an older validation of the same revision, changes
//! nothing. A withdrawal applies to the revisions received before it, whichever event is handled first.
//!
//! Drafts raise no alerts.

pub mod alerts;
mod callback;
mod config;
pub mod deadlines;
pub mod delivery;
mod receiver;
mod receiver_name;
mod severity_name;
mod smtp;
mod streams;
mod subscription;

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use async_trait::async_trait;
use futures::future::{FutureExt as _, TryFutureExt as _, try_join_all};
use gongkai_proto::subjects::{self, Event};
use gongkai_registry::RegistryStore;
use gongkai_worker::{Alone, Consume, OnFailure, Runtime, Service};

use self::{
    alerts::{Alerter, Rebuilder},
    deadlines::{Evaluator, Sweeper},
    delivery::{
        CatchUp, Composer, Deliverer, NoticeKind, Pace, QueueLevels, Schedule, Subscriber, WaitingQueue,
        Wanted,
    },
    receiver::Receiver,
};
pub use self::{
    callback::CallbackSite,
    config::Config,
    smtp::Smtp,
    subscription::{ChannelKind, Subscription},
};

/// Maximum number of attempts for a timer that fired. An attempt fails only if the broker does, and giving the timer
/// up would stop all deliveries to the receiver.
const MOST_ATTEMPTS: u32 = 100_000;
/// Longest time to handle one timer, which may bury a whole backlog, or remind every agency of a list.
const LONGEST_CATCH_UP: Duration = Duration::from_mins(10);

/// The kinds of events that subscriptions may want. The ends of alerts share a subject with their beginnings.
const DELIVERED: [Event; 5] = [
    Event::AlertRaised,
    Event::SubmissionEnded,
    Event::DeadlineReminded,
    Event::ReportMissing,
    Event::ReportLate,
];

pub struct Notify;

#[async_trait]
impl Service for Notify {
    const NAME: &'static str = "notify";
    const ADMIN_PORT: u16 = 8084;
    type Config = Config;

    fn complete(config: &mut Config, all: &gongkai_worker::config::Config) -> anyhow::Result<()> {
        config.sites = all.excerpt("ingest.sites")?;
        Ok(())
    }

    fn validate(config: &Config) -> anyhow::Result<()> {
        config.check()
    }

    async fn run(config: Config, runtime: Runtime) -> anyhow::Result<()> {
        // Fails only if the same provider is installed already.
        drop(rustls::crypto::ring::default_provider().install_default());
        let subscriptions = config.effective_subscriptions();
        let schedule = config.schedule();
        let alerts = subscriptions
            .iter()
            .map(|subscription| deliver_alerts(subscription, &config, &schedule, &runtime));
        let ends = config.sites.iter().map(|(name, site)| deliver_ends(name, site, &schedule, &runtime));
        let deadlines = evaluator(&config, &runtime);
        let rebuilder = rebuilder(&config, deadlines.clone(), &runtime);
        tokio::try_join!(
            raise(rebuilder.clone(), &runtime),
            sweep(deadlines, rebuilder, &runtime),
            try_join_all(alerts),
            try_join_all(ends)
        )?;
        Ok(())
    }
}

/// Returns what evaluates deadlines, unless that is switched off.
fn evaluator(config: &Config, runtime: &Runtime) -> Option<Evaluator> {
    config.deadlines.enabled.then(|| {
        let (entries, objects) =
            (runtime.entries(subjects::BUCKET_AGENCIES), runtime.objects(subjects::BUCKET_REGISTRIES));
        let registry = RegistryStore::new(entries, objects).follow(runtime);
        Evaluator::new(config.deadlines.clone(), registry, runtime)
    })
}

async fn sweep(deadlines: Option<Evaluator>, reports: Rebuilder, runtime: &Runtime) -> anyhow::Result<()> {
    let Some(evaluator) = deadlines else { return Ok(()) };
    let sweeper = Sweeper::new(evaluator, reports);
    runtime.spawn("deadlines", OnFailure::Log, sweeper.clone().watch());
    runtime
        .consume(timer(subjects::CONSUMER_DEADLINES.to_owned(), subjects::DUE_DEADLINES.to_owned()), sweeper)
        .await
}

/// Returns what turns report events into alerts, and lets deadlines be evaluated.
fn rebuilder(config: &Config, deadlines: Option<Evaluator>, runtime: &Runtime) -> Rebuilder {
    let alerter = Alerter::new(runtime.entries(subjects::BUCKET_ALERTS), config.min_severity);
    let alerter = match deadlines {
        Some(deadlines) => alerter.followed_by(Arc::new(deadlines)),
        None => alerter,
    };
    Rebuilder::new(alerter, runtime)
}

async fn raise(rebuilder: Rebuilder, runtime: &Runtime) -> anyhow::Result<()> {
    let watching = rebuilder.clone().watch().map_err(anyhow::Error::new);
    runtime.spawn("alert records", OnFailure::ShutDown, watching);
    runtime.spawn("open alerts", OnFailure::Log, alerts::open::count(runtime.clone()));
    let filters = alerts::KINDS.map(Event::filter);
    let consume = Consume::new(subjects::STREAM_REPORTS, subjects::CONSUMER_NOTIFY, filters);
    runtime.consume(consume, rebuilder).await
}

async fn deliver_alerts(
    subscription: &Subscription,
    config: &Config,
    schedule: &Schedule,
    runtime: &Runtime,
) -> anyhow::Result<()> {
    let name = subscription.name.clone();
    let receiver = subscription.receiver(&config.smtp).with_context(|| format!("subscription {name}"))?;
    let channel = receiver.open(config.composer(subscription)?, runtime.clock())?;
    let interests = subscription.interests()?;
    let is_wanted = |event: &Event| match event {
        Event::AlertRaised => interests.has(NoticeKind::Finding),
        Event::SubmissionEnded => interests.has(NoticeKind::Rejected),
        // The registry may name the subscription for an agency.
        _ => true,
    };
    let events: Vec<Event> = DELIVERED.into_iter().filter(is_wanted).collect();
    let wanted = Wanted::Alerts(subscription.filter()?, interests);
    let pace = subscription.pace()?;
    let subscriber = Subscriber::new(name, wanted, channel, runtime);
    deliver(events.into_iter(), subscriber, (schedule, pace), runtime).await
}

/// Delivers the ends of a site's submissions, if it has a `callback_url`.
async fn deliver_ends(
    site_name: &str,
    site: &CallbackSite,
    schedule: &Schedule,
    runtime: &Runtime,
) -> anyhow::Result<()> {
    let Some((target, secrets)) = site.webhook(site_name)? else { return Ok(()) };
    let channel = Receiver::Webhook(target, secrets).open(Composer::default(), runtime.clock())?;
    let (name, wanted) = (subjects::callback(site_name), Wanted::EndsOf(site_name.to_owned()));
    let events = std::iter::once(Event::SubmissionEnded);
    let paced = (schedule, Pace::default());
    deliver(events, Subscriber::new(name, wanted, channel, runtime), paced, runtime).await
}

async fn deliver(
    events: impl Iterator<Item = Event>,
    subscriber: Subscriber,
    (schedule, pace): (&Schedule, Pace),
    runtime: &Runtime,
) -> anyhow::Result<()> {
    let (name, subscriber) = (subscriber.name().to_owned(), Arc::new(subscriber));
    let queue = Arc::new(WaitingQueue::new(&subscriber, schedule.clone(), pace, runtime));
    let watching = queue.clone().watch(QueueLevels::new(&name, runtime));
    runtime.spawn("backlog", OnFailure::Log, watching.map(Ok));
    let durable = subjects::consumer_delivery(&name);
    let mut messages = Consume::new(subjects::STREAM_ALERTS, durable, events.map(Event::filter));
    messages.alone = Alone::InConsumer;
    queue.until_checked().await;
    let deliverer = Deliverer::new(subscriber.clone(), queue.clone());
    let catch_up = CatchUp::new(subscriber, queue, runtime);
    let due = timer(subjects::consumer_due(&name), subjects::due_delivery(&name));
    tokio::try_join!(runtime.consume(messages, deliverer), runtime.consume(due, catch_up))?;
    Ok(())
}

/// Returns the consumer of a timer that fires on `subject`, with one message in work over all replicas.
fn timer(durable: String, subject: String) -> Consume {
    Consume {
        concurrency: Some(1),
        max_ack_pending: Some(1),
        max_attempts: Some(MOST_ATTEMPTS),
        deadline: Some(LONGEST_CATCH_UP),
        alone: Alone::InConsumer,
        ..Consume::new(subjects::STREAM_TIMERS, durable, [subject])
    }
}
