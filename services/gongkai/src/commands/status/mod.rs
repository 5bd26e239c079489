//! `gongkai status`: prints streams, consumers, lag, waiting alerts, dead letters, services' health and versions.

mod replicas;
mod retries;

use std::{path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use anyhow::Context as _;
use clap::ValueEnum;
use gongkai_notify::delivery::Backlog;
use gongkai_proto::subjects;
use gongkai_query::dead_letters::index::Letters;
use gongkai_worker::{
    Common, Config, RecordStore, Replica, Runtime, Service, Transport as _, WaitingMessage,
    config::AdminSettings,
    inert::redact,
    transport::{
        Error,
        jetstream::{JetStream, status::StreamStatus},
    },
};
use reqwest::{Client, header::DATE};
use serde::Serialize;

use crate::{
    printer::{Emphasis, Printer, clean, in_china},
    table::{self, Column, TableRow},
};

const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// 系统状态 / Show streams, consumers, lag, dead letters and the health of services
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  gongkai status
  gongkai status --config gongkai.toml --format json
  gongkai status --waiting
  gongkai status --nats-url nats://10.0.0.5:4222 --admin http://10.0.0.6:8081 --admin http://10.0.0.7:8082

Exit code: 0 no problem, 1 a service is not ready or there are dead letters, 2 the broker cannot be queried.")]
pub(crate) struct Args {
    #[command(flatten)]
    target: ServiceAddresses,
    /// Also list the messages that failed and wait for their next attempt, with its time
    #[arg(long)]
    waiting: bool,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: StatusFormat,
}

/// The broker of the deployment.
#[derive(Debug, clap::Args)]
pub(super) struct BrokerAddress {
    /// Config file of the services, with the addresses of the broker and of the admin ports
    #[arg(long, value_name = "FILE", env = "GONGKAI_CONFIG")]
    config: Option<PathBuf>,
    /// Address of the broker
    #[arg(long, value_name = "URL")]
    nats_url: Option<String>,
}

/// The deployment to examine.
#[derive(Debug, clap::Args)]
pub(super) struct ServiceAddresses {
    #[command(flatten)]
    pub(super) broker: BrokerAddress,
    /// Admin addresses to probe; default: those of the config, on this machine
    #[arg(long, value_name = "URL")]
    admin: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum StatusFormat {
    /// Tables for people
    #[default]
    Table,
    /// One JSON object
    Json,
}

#[derive(Debug, Serialize)]
struct DeploymentReport {
    services: Vec<Health>,
    /// The running services that the broker knows of.
    replicas: Vec<Replica>,
    streams: Vec<StreamStatus>,
    deliveries: Vec<Deliveries>,
    /// The messages that wait for another attempt, if they were requested.
    #[serde(skip_serializing_if = "Option::is_none")]
    retries: Option<Vec<WaitingMessage>>,
    /// Dead letters that were neither replayed nor dropped.
    dead_letters: usize,
}

/// The alerts that wait for the receiver of a subscription.
#[derive(Debug, Serialize)]
struct Deliveries {
    subscription: String,
    waiting: usize,
    /// Those of them that are collected for a digest, or wait for the morning.
    collecting: usize,
    /// False if the receiver accepts other alerts but not the waiting ones.
    receiver_away: bool,
    /// Nothing is delivered until the subscription is mended.
    suspended: bool,
}

/// The answer of a service's admin port.
#[derive(Debug, Default, Serialize)]
pub(super) struct Health {
    pub(super) service: String,
    pub(super) admin: String,
    pub(super) ready: bool,
    /// The reason why the service is not ready, or does not answer.
    pub(super) detail: String,
    /// True if the port answered at all.
    #[serde(skip)]
    pub(super) answered: bool,
    /// The `Date` of the answer.
    #[serde(skip)]
    pub(super) date: Option<String>,
}

#[derive(Debug, Serialize)]
struct ConsumerRow {
    stream: String,
    consumer: String,
    lag: u64,
    in_flight: usize,
    redelivered: usize,
    waiting: usize,
}

pub(crate) async fn run(args: &Args, out: &mut Printer) -> anyhow::Result<ExitCode> {
    let common = args.target.broker.common()?;
    let services = args.target.probe(&common).await?;
    // No logging: failures are in the error.
    let broker = JetStream::connect(&common.nats.transport("gongkai-status")?).await;
    let broker = broker.with_context(|| format!("couldn't reach the broker at {}", common.nats.url));
    let broker = match broker {
        Ok(broker) => broker,
        Err(error) => {
            if args.format == StatusFormat::Table {
                table::write(out, table::Format::Table, &services)?;
            }
            return Err(error);
        }
    };
    let streams = broker.status().await.context("couldn't list the streams")?;
    let deliveries = deliveries(&broker, &streams).await.context("couldn't read what waits")?;
    let replicas = replicas::list(&broker).await.context("couldn't read the register of services")?;
    let retries = match args.waiting {
        true => Some(retries::list(&broker).await.context("couldn't read the attempts of messages")?),
        false => None,
    };
    let dead_letters = dead_letters(broker, &streams).await.context("couldn't read the dead letters")?;
    let report = DeploymentReport { services, replicas, streams, deliveries, retries, dead_letters };
    match args.format {
        StatusFormat::Json => out.json(&report)?,
        StatusFormat::Table => write(out, &report)?,
    }
    let is_well = dead_letters == 0 && report.services.iter().all(|service| service.ready);
    Ok(ExitCode::from(u8::from(!is_well)))
}

/// Counts the dead letters that are open.
async fn dead_letters(broker: JetStream, streams: &[StreamStatus]) -> Result<usize, Error> {
    if !streams.iter().any(|stream| stream.name == subjects::STREAM_DEAD) {
        return Ok(0);
    }
    Letters::new(Runtime::builder("status", Arc::new(broker)).build()).open().await
}

/// Returns the waiting alerts by subscription. The subscriptions follow from the names of consumers.
async fn deliveries(broker: &JetStream, streams: &[StreamStatus]) -> Result<Vec<Deliveries>, Error> {
    let records = RecordStore::new(broker.entries(subjects::BUCKET_DELIVERIES), 1);
    let consumers = streams.iter().filter(|s| s.name == subjects::STREAM_ALERTS).flat_map(|s| &s.consumers);
    let mut all = Vec::new();
    for subscription in consumers.filter_map(|consumer| subjects::subscription_of(&consumer.name)) {
        let backlog = records.read::<Backlog>(subscription).await?.record;
        all.push(Deliveries {
            subscription: subscription.to_owned(),
            waiting: backlog.len(),
            collecting: backlog.collecting(),
            receiver_away: backlog.is_away(),
            suspended: backlog.is_suspended(),
        });
    }
    Ok(all)
}

impl BrokerAddress {
    /// Reads the config, with the broker's address from the command line.
    pub(super) fn config(&self) -> anyhow::Result<Config> {
        let config = Config::load(self.config.as_deref(), &subjects::SERVICES)?;
        Ok(match &self.nats_url {
            Some(url) => config.with("nats.url", url),
            None => config,
        })
    }

    /// Returns the sections that every service has.
    pub(super) fn common(&self) -> anyhow::Result<Common> {
        self.config()?.common()
    }
}

impl ServiceAddresses {
    /// Asks every admin port whether its service is ready.
    pub(super) async fn probe(&self, common: &Common) -> anyhow::Result<Vec<Health>> {
        probe_all(&targets(&self.admin, &common.admin)?).await
    }
}

/// Returns the services and their admin addresses.
fn targets(given: &[String], admin: &AdminSettings) -> anyhow::Result<Vec<(String, String)>> {
    if !given.is_empty() {
        let named = |url: &String| (String::new(), url.trim_end_matches('/').to_owned());
        return Ok(given.iter().map(named).collect());
    }
    let defaults = [
        (gongkai_ingest::Ingest::NAME, gongkai_ingest::Ingest::ADMIN_PORT),
        (gongkai_parse::Parse::NAME, gongkai_parse::Parse::ADMIN_PORT),
        (gongkai_validate::Validate::NAME, gongkai_validate::Validate::ADMIN_PORT),
        (gongkai_notify::Notify::NAME, gongkai_notify::Notify::ADMIN_PORT),
        (gongkai_query::Query::NAME, gongkai_query::Query::ADMIN_PORT),
    ];
    let mut targets = Vec::new();
    for (offset, (service, port)) in (0_u16..).zip(defaults) {
        let mut address = admin.address(port)?;
        // The all-in-one numbers its ports in the same way.
        if admin.port.is_some() {
            address.set_port(address.port().saturating_add(offset));
        }
        targets.push((service.to_owned(), format!("http://{address}")));
    }
    Ok(targets)
}

async fn probe_all(targets: &[(String, String)]) -> anyhow::Result<Vec<Health>> {
    rustls::crypto::ring::default_provider().install_default().ok();
    let client = Client::builder().timeout(PROBE_TIMEOUT).tls_certs_only([]).no_proxy().build()?;
    let probes = targets.iter().map(|(service, admin)| probe(&client, service, admin));
    Ok(futures::future::join_all(probes).await)
}

async fn probe(client: &Client, service: &str, admin: &str) -> Health {
    let answer = async {
        let response = client.get(format!("{admin}/readyz")).send().await?;
        let ready = response.status().is_success();
        let date = response.headers().get(DATE).and_then(|date| date.to_str().ok()).map(str::to_owned);
        Ok::<_, reqwest::Error>((ready, response.text().await?.trim().to_owned(), date))
    };
    let answer = answer.await;
    let answered = answer.is_ok();
    let (ready, detail, date) = answer.unwrap_or_else(|error| {
        let away = if error.is_timeout() { "no answer in time" } else { "nobody listens" };
        (false, away.to_owned(), None)
    });
    Health { service: service.to_owned(), admin: redact(admin).into_owned(), ready, detail, answered, date }
}

fn write(out: &mut Printer, report: &DeploymentReport) -> anyhow::Result<()> {
    let ours = |name: &str| name.to_lowercase().contains("gongkai");
    let streams: Vec<_> = report.streams.iter().filter(|stream| ours(&stream.name)).cloned().collect();
    let consumers: Vec<_> = streams
        .iter()
        .flat_map(|stream| stream.consumers.iter().map(move |consumer| (stream, consumer)))
        .map(|(stream, consumer)| ConsumerRow {
            stream: stream.name.clone(),
            consumer: consumer.name.clone(),
            lag: consumer.pending,
            in_flight: consumer.in_flight,
            redelivered: consumer.redelivered,
            waiting: consumer.waiting,
        })
        .collect();
    table::write(out, table::Format::Table, &report.services)?;
    out.line("")?;
    table::write(out, table::Format::Table, &report.replicas)?;
    out.line("")?;
    table::write(out, table::Format::Table, &streams)?;
    out.line("")?;
    table::write(out, table::Format::Table, &consumers)?;
    out.line("")?;
    if let Some(retries) = &report.retries {
        table::write(out, table::Format::Table, retries)?;
        out.line("")?;
    }
    if let Some(versions) = replicas::differing(&report.replicas) {
        out.line(out.styled(Emphasis::Yellow, &format!("版本不一致 versions differ: {versions}")))?;
    }
    for consumer in streams.iter().flat_map(|stream| &stream.consumers) {
        let Some(until) = consumer.paused_until else { continue };
        let line = format!("已暂停 paused: {} until {}", clean(&consumer.name), in_china(until));
        out.line(out.styled(Emphasis::Yellow, &line))?;
    }
    for deliveries in report.deliveries.iter().filter(|deliveries| deliveries.waiting > 0) {
        let Deliveries { subscription, waiting, .. } = deliveries;
        let subscription = clean(subscription);
        let (style, why) = deliveries.reason();
        let line = format!("待投递告警 alerts waiting for {subscription}: {waiting} ({why})");
        out.line(out.styled(style, &line))?;
    }
    let style = if report.dead_letters == 0 { Emphasis::Green } else { Emphasis::Red };
    out.line(out.styled(style, &format!("死信 dead letters: {}", report.dead_letters)))?;
    if report.dead_letters > 0 {
        out.line("  gongkai dead list --groups")?;
    }
    Ok(())
}

impl Deliveries {
    /// Returns why alerts wait, and how it is shown.
    fn reason(&self) -> (Emphasis, &'static str) {
        if self.suspended {
            (Emphasis::Red, "订阅已暂停，见死信 subscription is suspended: see the dead letters")
        } else if self.collecting == self.waiting {
            (Emphasis::Green, "汇集中 collected until their window ends")
        } else if self.receiver_away {
            (Emphasis::Yellow, "接收方不可达 receiver is away")
        } else {
            (Emphasis::Yellow, "接收方拒收 receiver fails on them")
        }
    }
}

impl Health {
    /// Returns the name of the service, or its address if the name is not known.
    pub(super) fn name(&self) -> &str {
        if self.service.is_empty() { &self.admin } else { &self.service }
    }
}

impl TableRow for Health {
    const COLUMNS: &'static [Column<Self>] = &[
        ("service", |health| health.service.clone()),
        ("admin", |health| health.admin.clone()),
        ("ready", |health| health.ready.to_string()),
        ("detail", |health| clean(&health.detail)),
    ];
}

impl TableRow for StreamStatus {
    const COLUMNS: &'static [Column<Self>] = &[
        ("stream", |stream| stream.name.clone()),
        ("messages", |stream| stream.messages.to_string()),
        ("bytes", |stream| stream.bytes.to_string()),
        ("last", |stream| stream.last_sequence.to_string()),
    ];
}

impl TableRow for ConsumerRow {
    const COLUMNS: &'static [Column<Self>] = &[
        ("stream", |row| row.stream.clone()),
        ("consumer", |row| row.consumer.clone()),
        ("lag", |row| row.lag.to_string()),
        ("in_flight", |row| row.in_flight.to_string()),
        ("redelivered", |row| row.redelivered.to_string()),
        ("waiting", |row| row.waiting.to_string()),
    ];
}
