//! Checks parsed reports against the rule packs, and against each other.
//!
//! Read DESIGN.md, then [`handler`], which is the stage. `gongkai-neighbours` stores an agency's reports and reads
//! the data of parents and siblings, `revalidator` applies the rules, `notices` notifies relatives of a change, and
//! `refiling` takes an arrival that was read again out of the reports that it left.

pub mod config;
mod document;
pub mod handler;
mod inputs_digest;
mod metrics;
mod notices;
mod refiling;
mod revalidation;
mod revalidator;
mod verdict;

use async_trait::async_trait;
use gongkai_proto::subjects::{self, Event};
use gongkai_registry::RegistryStore;
use gongkai_worker::{Consume, Runtime, Service};

pub use config::Config;
pub use handler::Validator;

/// Dead letter code: this version cannot read the event as a report.
const UNREADABLE_EVENT: &str = "UNREADABLE_EVENT";

pub struct Validate;

#[async_trait]
impl Service for Validate {
    const NAME: &'static str = "validate";
    const ADMIN_PORT: u16 = 8083;
    type Config = Config;

    fn validate(config: &Config) -> anyhow::Result<()> {
        config.validate()
    }

    async fn run(config: Config, runtime: Runtime) -> anyhow::Result<()> {
        let consume = Consume {
            concurrency: Some(config.concurrency),
            ..Consume::new(
                subjects::STREAM_REPORTS,
                subjects::CONSUMER_VALIDATE,
                [Event::ReportParsed, Event::ReportWithdrawn, Event::ReportErased].map(Event::filter),
            )
        };
        let rules = gongkai_rules::rule_set(config.rules.as_deref())?;
        let store = RegistryStore::new(
            runtime.entries(subjects::BUCKET_AGENCIES),
            runtime.objects(subjects::BUCKET_REGISTRIES),
        );
        let registry = store.follow(&runtime).read().await;
        runtime.consume(consume, Validator::new(&runtime, rules, registry)).await
    }
}
