//! What a service is to the runtime: a name, a config section and one async function; and what it is given.

use async_trait::async_trait;
use serde::{Serialize, de::DeserializeOwned};

pub use crate::runtime::Runtime;

/// One of the services. Binaries hand it to [`crate::main`]; the all-in-one starts several in one process.
#[async_trait]
pub trait Service: Send + Sync + 'static {
    /// Short name: config section, `gongkai-<name>` binary and `service.name`, stage in message ids.
    const NAME: &'static str;
    /// Admin port if the config names none.
    const ADMIN_PORT: u16;
    /// Its section of the config; the default must run out of the box.
    type Config: DeserializeOwned + Serialize + Default + Clone + Send + Sync + 'static;

    /// Checks relations between settings, before any port is bound.
    ///
    /// # Errors
    /// Names the key and what to do.
    fn validate(config: &Self::Config) -> anyhow::Result<()>;

    /// Runs until `runtime.shutdown()` is cancelled and its own work is drained, or a fatal error.
    ///
    /// # Errors
    /// The process logs it and exits with failure.
    async fn run(config: Self::Config, runtime: Runtime) -> anyhow::Result<()>;
}
