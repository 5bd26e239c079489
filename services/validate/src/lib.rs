//! Checks a parsed report against the rule packs.
//!
//! Read [`handler`]: it is the stage. [`mask`] keeps personal data out of the log.

pub mod config;
pub mod handler;
pub mod mask;

use async_trait::async_trait;
use gongkai_proto::subjects::{self, Event};
use gongkai_worker::{Consume, Runtime, Service};

pub use config::Config;
pub use handler::Checker;

/// The service.
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
                [Event::ReportParsed.filter()],
            )
        };
        let rules = gongkai_check::rule_set(config.rules.as_deref())?;
        runtime.consume(consume, Checker::new(&runtime, rules)).await
    }
}
