//! The gRPC facade over the read model, and the projector that fills it.
//!
//! Read in this order: [`keeper`] opens the read model and compares it with its log; [`projector`] turns events into
//! writes; [`service`], [`agencies`] and [`alerts`] turn requests into reads, over [`name`], [`filter`] and [`page`];
//! [`dead_letters`] shows the messages that could not be handled; [`stream_index`] keeps an index of a stream in memory; [`commands`] has the requests that change something; [`watch`] follows the change feed; [`error`] lists why a
//! request fails; [`server`] serves them over gRPC. Nothing here calls another service.

pub mod agencies;
pub mod alerts;
pub mod answer;
pub mod auth;

pub mod commands;
pub mod config;
pub mod dead_letters;
pub mod error;
pub mod filter;
pub mod health;
pub mod keeper;
pub mod log_watch;
pub mod name;
pub mod notifier;
pub mod page;
pub mod projector;
pub mod read_model;
pub mod reads;
pub mod server;
pub mod service;
pub mod stream_index;
pub mod watch;

use anyhow::Context as _;
use async_trait::async_trait;
use gongkai_acknowledgements::Acknowledgements;
use gongkai_isolation::{Readers, ReadersSettings};
use gongkai_proto::subjects;
use gongkai_registry::RegistryStore;
use gongkai_worker::filesystem::ensure_local;
use gongkai_worker::{OnFailure, Runtime, Service};
use tokio::net::TcpListener;

use agencies::Agencies;
use alerts::{Alerts, index::AlertIndex};
use commands::{
    AcknowledgementCommands, DeadLetterCommands, LateRejections, Refiling, Reprocessing, WaiverCommands,
};
pub use config::Config;
use dead_letters::{Operations, index::Letters, trial::Trials};
use keeper::Keeper;
use notifier::ChangeNotifier;
use read_model::ReadModel;
use reads::Reads;
use server::Services;
use service::Reports;
use watch::Watchers;

pub struct Query;

#[async_trait]
impl Service for Query {
    const NAME: &'static str = "query";
    const ADMIN_PORT: u16 = 8085;
    type Config = Config;

    fn validate(config: &Config) -> anyhow::Result<()> {
        config.validate()
    }

    async fn run(config: Config, runtime: Runtime) -> anyhow::Result<()> {
        ensure_local(&config.database, "query.database")?;
        let listener = server::bind(&config).await?;
        run_on(listener, config, runtime).await
    }
}

/// Runs [`Query`] on a listener that the caller has bound.
///
/// # Errors
/// The read model's file cannot be opened, or the consumer or the listener failed: the process cannot continue.
pub async fn run_on(listener: TcpListener, config: Config, runtime: Runtime) -> anyhow::Result<()> {
    tracing::info!(address = %listener.local_addr()?, "serving");
    let changes = ChangeNotifier::new();
    let (model, doubts) = ReadModel::opening();
    let reads = Reads::new(model.clone(), config.max_requests, config.request_timeout());
    let watchers = Watchers::new(reads.clone(), changes.clone(), config.max_watchers, runtime.shutdown());
    let store = RegistryStore::new(
        runtime.entries(subjects::BUCKET_AGENCIES),
        runtime.objects(subjects::BUCKET_REGISTRIES),
    );
    let late = LateRejections::new(runtime.clone(), store.clone());
    let keeping = Keeper::new(&config, runtime.clone(), model, changes, late).run(doubts);
    let registry = store.clone().follow(&runtime);
    let refiling = Refiling::new(runtime.clone(), reads.clone(), store.clone());
    let reprocessing = Reprocessing::new(runtime.clone(), reads.clone(), store.clone());
    // Readers start when a trial first needs one.
    let readers = Readers::new(&ReadersSettings { children: 1, ..ReadersSettings::default() })
        .context("couldn't make readers")?;
    let trials = Trials::new(&runtime, readers, registry.latest());
    let agencies = Agencies::new(store, registry, reads.clone(), refiling);
    let log = commands::Log::new(runtime.clone());
    let index = AlertIndex::new(runtime.clone());
    let acknowledgements = Acknowledgements::new(runtime.clone());
    let acknowledging = AcknowledgementCommands::new(index.clone(), acknowledgements, runtime.clock());
    let waiving = WaiverCommands::new(log.clone(), reads.clone());
    let alerts = Alerts::new(waiving, acknowledging, index, reads.clone());
    runtime.spawn("waivers", OnFailure::ShutDown, commands::expire(log.clone(), reads.clone()));
    runtime.spawn("moved-waivers", OnFailure::ShutDown, commands::move_waivers(log, reads.clone()));
    let letters = Letters::new(runtime.clone());
    let commands = DeadLetterCommands::new(runtime.clone(), letters.clone(), trials);
    let operations = Operations::new(letters, commands, reprocessing);
    let services = Services { reports: Reports::new(reads, watchers), agencies, alerts, operations };
    let serving = server::serve(&config, runtime.clone(), listener, services);
    tokio::try_join!(keeping, serving)?;
    Ok(())
}
