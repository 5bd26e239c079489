//! Accepts reports over HTTP and gRPC, stores them in the object store and publishes them to JetStream.
//!
//! Read the modules in this order. [`intake`] accepts a submission, step by step. [`http`] and [`grpc`] are the two
//! servers in front of it, behind one [`admission`] and each with its [`connections`], and [`nats`] accepts requests
//! through the broker; [`adapters`], [`cloudevent`], [`publication`] and [`submission`] decode what they receive, and [`reception`]
//! handles events and documents in the same way for every server. [`rates`] limits the events of a site. [`dry_run`]
//! checks drafts. [`auth`], [`proxied`] and [`signature`] decide who
//! may call, and return the [`actor`] on whose behalf a call acts. [`calls`] recognises repetitions, [`places`]
//! records what may have replaced a document. [`receipt_store`], [`state`] and [`progress`] keep the receipts,
//! [`listing`] lists them, [`rebuild`] restores them from the log, [`outcomes`] logs and counts the ends of submissions, and [`endings`] publishes them
//! for sites. [`erasure`]
//! erases reports.

pub mod acknowledgement_links;
pub mod actor;
pub mod adapters;
pub mod admission;
pub mod auth;
pub mod blocking;
pub mod calls;
pub mod checked_draft;
pub mod cloudevent;
pub mod config;
pub mod connections;
pub mod contents;
pub mod door;
pub mod dry_run;
pub mod endings;
pub mod erasure;
pub mod error;
pub mod fetch;
pub mod fields;
pub mod grpc;
pub mod health;
pub mod http;
pub mod intake;
pub mod language;
pub mod listing;
mod metrics;
pub mod nats;
mod outcomes;
pub mod places;
pub mod progress;
pub mod proxied;
pub mod publication;
pub mod rates;
pub mod rebuild;
pub mod receipt;
pub mod receipt_store;
pub mod reception;
pub mod review;
pub mod server;
pub mod signature;
pub mod state;
pub mod submission;
pub mod times;
pub mod turns;

use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use tokio::net::TcpListener;

use connections::Connections;
use gongkai_proto::subjects::{BUCKET_AGENCIES, BUCKET_REGISTRIES};
use gongkai_registry::RegistryStore;
use gongkai_worker::{Clock, Runtime, Service};

pub use config::Config;

pub struct Ingest;

/// The bound sockets of both servers.
pub struct Listeners {
    pub http: TcpListener,
    pub grpc: TcpListener,
}

#[async_trait]
impl Service for Ingest {
    const NAME: &'static str = "ingest";
    const ADMIN_PORT: u16 = 8081;
    type Config = Config;

    fn complete(config: &mut Config, all: &gongkai_worker::config::Config) -> anyhow::Result<()> {
        config.subscriptions = all.excerpt::<config::Receivers>("notify")?.subscriptions;
        Ok(())
    }

    fn validate(config: &Config) -> anyhow::Result<()> {
        config.validate()?;
        adapters::validate(config)?;
        // Read the secrets too, so that a bad one is reported before anything starts.
        let clock = Clock::system();
        adapters::Adapters::new(config, &clock)?;
        config.acknowledgements.signing_key()?;
        auth::Authenticator::new(config, clock).map(drop)
    }

    async fn run(config: Config, runtime: Runtime) -> anyhow::Result<()> {
        let listeners = Listeners::bind(&config).await?;
        run_on(listeners, config, runtime).await
    }
}

// === impl Listeners ===

impl Listeners {
    /// Binds both addresses of the config.
    ///
    /// # Errors
    /// An address is in use. The error names the key to change.
    pub async fn bind(config: &Config) -> anyhow::Result<Self> {
        let bind = |key: &'static str, address| async move {
            TcpListener::bind(address)
                .await
                .with_context(|| format!("couldn't listen on {address}; set ingest.{key} to another address"))
        };
        Ok(Self {
            http: bind("http_address", config.http_address).await?,
            grpc: bind("grpc_address", config.grpc_address).await?,
        })
    }
}

/// Runs [`Ingest`] on the given listeners until shutdown.
///
/// # Errors
/// A secret cannot be read, or a consumer or server failed. The process cannot continue.
pub async fn run_on(listeners: Listeners, config: Config, runtime: Runtime) -> anyhow::Result<()> {
    let auth = auth::Authenticator::new(&config, runtime.clock())?;
    if config.takes_unsigned() && config.is_behind_proxy() {
        tracing::warn!(
            public_url = config.public_url,
            "calls from this machine need no credentials, and a proxy on it makes everybody look like this machine; configure \
             credentials and set ingest.unsigned_on_loopback to false"
        );
    }
    let registry = RegistryStore::new(runtime.entries(BUCKET_AGENCIES), runtime.objects(BUCKET_REGISTRIES));
    let registry = registry.follow(&runtime);
    let fetcher = fetch::Fetcher::new(&config)?;
    let intake = intake::Intake::new(&config, runtime.clone(), fetcher.clone(), registry.clone());
    let dry_run = dry_run::DryRun::new(&config, runtime.clone(), fetcher, registry.latest())?;
    dry_run.prepare().await?;
    let adapters = adapters::Adapters::new(&config, &runtime.clock())?;
    let admission = admission::Admission::new(&config, runtime.shutdown());
    let router =
        http::router(&config, &runtime, intake.clone(), &auth, dry_run.clone(), adapters, admission.clone())?;
    let header_timeout = Duration::from_secs(config.header_timeout_s);
    let connections = Connections::new(config.max_connections, header_timeout);
    let (http, grpc) = (listeners.http.local_addr()?, listeners.grpc.local_addr()?);
    tracing::info!(%http, %grpc, "serving");
    let serving_http = async {
        tokio::select! {
            () = server::serve(listeners.http, router, connections, header_timeout, runtime.shutdown()) => {}
            // Requests that outlast the drain are dropped. Their senders call again.
            () = runtime.drained() => {}
        }
        anyhow::Ok(())
    };
    let reception = reception::Reception::new(intake.clone(), auth.clone(), dry_run.clone());
    let requests = nats::CmsRequests::new(runtime.clone(), reception, auth.clone(), admission.clone());
    let submissions = grpc::Submissions::new(&config, &runtime, intake, dry_run, &auth, admission);
    let receipts = receipt_store::ReceiptStore::new(&runtime);
    let endings = endings::Endings::new(&config);
    let rebuilding = rebuild::keep(runtime.clone(), receipts.clone(), endings.clone());
    let stages = progress::Stages::new(&runtime).telling(endings.clone());
    let stages = runtime.consume(progress::Stages::consume(), stages);
    let dead = runtime.consume(progress::Dead::consume(), progress::Dead::new(receipts).telling(endings));
    tokio::try_join!(
        Box::pin(serving_http),
        Box::pin(submissions.serve(listeners.grpc, &runtime)),
        Box::pin(requests.serve()),
        Box::pin(stages),
        Box::pin(rebuilding),
        Box::pin(dead)
    )?;
    Ok(())
}
