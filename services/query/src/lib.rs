//! The gRPC facade over the read model, and the projector that fills it.
//!
//! Read in this order: [`projector`] turns events into writes; [`service`], [`agencies`] and [`alerts`] turn requests into
//! reads, over [`name`], [`filter`] and [`page`]; [`commands`] holds the requests that change something; [`watch`] follows the
//! change feed; [`error`] lists why a request fails; [`server`] puts it on the network. Nothing here calls another service.

pub mod agencies;
pub mod alerts;
pub mod answer;
pub mod auth;

pub mod commands;
pub mod config;
pub mod error;
pub mod filter;
pub mod health;
pub mod name;
pub mod notifier;
pub mod page;
pub mod projector;
pub mod reads;
pub mod server;
pub mod service;
pub mod watch;

use std::sync::Arc;

use anyhow::Context as _;
use async_trait::async_trait;
use gongkai_proto::subjects;
use gongkai_registry::RegistryStore;
use gongkai_store::Store;
use gongkai_store::sqlite::{Options, SqliteStore};
use gongkai_worker::{OnFailure, Runtime, Service};
use tokio::net::TcpListener;

use agencies::Agencies;
use alerts::Alerts;
use commands::WaiverCommands;
pub use config::Config;
use notifier::ChangeNotifier;
use projector::Projector;
use reads::Reads;
use server::Services;
use service::Reports;
use watch::Watchers;

/// The service.
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
        let listener = server::bind(&config).await?;
        run_on(listener, config, runtime).await
    }
}

/// Runs [`Query`] on a listener that the caller has bound.
///
/// # Errors
/// The read model cannot be opened, or the consumer or the listener failed: the process cannot go on.
pub async fn run_on(listener: TcpListener, config: Config, runtime: Runtime) -> anyhow::Result<()> {
    let latch = runtime.latch("read model");
    let store = open(&config).await?;
    tracing::info!(address = %listener.local_addr()?, epoch = store.epoch(), "serving");
    let changes = ChangeNotifier::new();
    let reads = Reads::new(store.clone(), config.max_requests, config.request_timeout());
    let watchers = Watchers::new(reads.clone(), changes.clone(), config.max_watchers, runtime.shutdown());
    let consume = projector::consume(store.epoch());
    let projector = Projector::new(store, runtime.objects(subjects::BUCKET_TEXTS), changes);
    let projecting = runtime.consume(consume, projector);
    let store = RegistryStore::new(
        runtime.entries(subjects::BUCKET_AGENCIES),
        runtime.objects(subjects::BUCKET_REGISTRIES),
    );
    let registry = store.clone().follow(&runtime).await;
    let agencies = Agencies::new(store, registry, reads.clone());
    let log = commands::Log::new(runtime.clone());
    let alerts = Alerts::new(WaiverCommands::new(log.clone(), reads.clone()), reads.clone());
    runtime.spawn("waivers", OnFailure::ShutDown, commands::expire(log, reads.clone()));
    latch.release();
    let services = Services { reports: Reports::new(reads, watchers), agencies, alerts };
    let serving = server::serve(&config, runtime.clone(), listener, services);
    tokio::try_join!(projecting, serving)?;
    Ok(())
}

async fn open(config: &Config) -> anyhow::Result<Arc<dyn Store>> {
    let (path, readers) = (config.database.clone(), config.readers);
    let options = Options { readers, ..Options::default() };
    let opened = tokio::task::spawn_blocking(move || SqliteStore::open(&path, options)).await?;
    let store =
        opened.with_context(|| format!("couldn't open query.database = {}", config.database.display()))?;
    Ok(Arc::new(store))
}
