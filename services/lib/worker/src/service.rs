//! [`Service`]: a name, a config section and an async function that runs on a [`Runtime`].

use async_trait::async_trait;
use serde::{Serialize, de::DeserializeOwned};

use crate::config::Config;
pub use crate::runtime::Runtime;

/// A service. A binary passes it to [`crate::main`]; the all-in-one starts several in one process.
#[async_trait]
pub trait Service: Send + Sync + 'static {
    /// Short name. It names the config section, the binary and `service.name` (`gongkai-<name>`), and the stage in
    /// message ids.
    const NAME: &'static str;
    /// Admin port if the config sets none.
    const ADMIN_PORT: u16;
    /// The config section. Its default must work on a single machine without further settings.
    type Config: DeserializeOwned + Serialize + Default + Clone + Send + Sync + 'static;

    /// Returns the service's section of the config, completed and checked.
    ///
    /// # Errors
    /// As for [`Config::section`], or a setting is invalid. Exit with code 64.
    fn configure(all: &Config) -> anyhow::Result<Self::Config>
    where
        Self: Sized,
    {
        let mut section = all.section(Self::NAME)?;
        Self::complete(&mut section, all)?;
        Self::validate(&section)?;
        Ok(section)
    }

    /// Copies the settings that the service needs from other sections. Called before [`Self::validate`].
    ///
    /// # Errors
    /// A value there has the wrong type. The error names the key.
    fn complete(_config: &mut Self::Config, _all: &Config) -> anyhow::Result<()> {
        Ok(())
    }

    /// Checks values and their relations. Called before any port is bound.
    ///
    /// # Errors
    /// A setting is invalid. The error names the key and how to correct it.
    fn validate(config: &Self::Config) -> anyhow::Result<()>;

    /// Runs until `runtime.shutdown()` is cancelled and the service has drained.
    ///
    /// # Errors
    /// The service cannot continue. The process logs the error and exits with failure.
    async fn run(config: Self::Config, runtime: Runtime) -> anyhow::Result<()>;
}
