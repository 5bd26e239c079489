//! The parse stage: reads a received document into facts with provenance, or rejects it with a code.
//!
//! [`handler`] is the stage itself, and [`backfill`] delays old documents. [`gongkai_reading::Declared`] resolves the
//! agency of a report.

pub mod backfill;
pub mod config;
pub mod handler;
mod metrics;

use anyhow::Context as _;
use async_trait::async_trait;
use gongkai_isolation::Readers;
use gongkai_proto::subjects::{self, Event};
use gongkai_registry::RegistryStore;
use gongkai_worker::{Consume, Runtime, Service};

pub use config::Config;
pub use handler::Reader;

pub struct Parse;

#[async_trait]
impl Service for Parse {
    const NAME: &'static str = "parse";
    const ADMIN_PORT: u16 = 8082;
    type Config = Config;

    fn validate(config: &Config) -> anyhow::Result<()> {
        config.validate()
    }

    async fn run(config: Config, runtime: Runtime) -> anyhow::Result<()> {
        let live = Consume {
            concurrency: Some(config.concurrency),
            deadline: Some(config.deadline()),
            ..Consume::new(
                subjects::STREAM_REPORTS,
                subjects::CONSUMER_PARSE,
                [Event::ReportReceived.filter()],
            )
        };
        let backfill = Consume {
            concurrency: Some(config.backfill_concurrency()),
            deadline: Some(config.deadline() + backfill::LONGEST_TURN),
            ..Consume::new(
                subjects::STREAM_REPORTS,
                subjects::CONSUMER_PARSE_BACKFILL,
                [subjects::backfill_filter()],
            )
        };
        let store = RegistryStore::new(
            runtime.entries(subjects::BUCKET_AGENCIES),
            runtime.objects(subjects::BUCKET_REGISTRIES),
        );
        let registry = store.follow(&runtime);
        let readers = Readers::new(&config.isolation()).context("couldn't make readers")?;
        let (latch, prepared) = (runtime.latch("readers"), readers.clone());
        runtime.remark("readers", runtime.cpu(move || prepared.prepare()).await??);
        latch.release();
        let reader = Reader::new(&config, &runtime, readers, registry.read().await);
        let (newest, oldest) = backfill::handlers(reader, runtime.clone());
        tokio::try_join!(runtime.consume(live, newest), runtime.consume(backfill, oldest))?;
        Ok(())
    }
}
