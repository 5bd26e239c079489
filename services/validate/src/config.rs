//! `[validate]`: how much at once.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// `[validate]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Reports in work at once in this process. Rules use a core each; the others wait for storage meanwhile.
    pub concurrency: usize,
    /// Folder of local rule packs (`*.toml`) on top of the compiled-in rules; none if absent.
    pub rules: Option<PathBuf>,
}

impl Default for Config {
    fn default() -> Self {
        Self { concurrency: 16, rules: None }
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
