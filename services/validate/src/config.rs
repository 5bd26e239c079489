//! `[validate]`: how much at once.

use serde::{Deserialize, Serialize};

/// `[validate]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Reports in work at once in this process. Rules use a core each; the others wait for storage meanwhile.
    pub concurrency: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { concurrency: 16 }
    }
}

impl Config {
    /// Checks relations between settings.
    ///
    /// # Errors
    /// Names the key and what to do.
    pub fn validate(&self) -> anyhow::Result<()> {
        anyhow::ensure!(self.concurrency > 0, "validate.concurrency must be positive");
        Ok(())
    }
}
