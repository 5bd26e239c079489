//! `[validate]`: concurrency and local rules.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Maximum number of reports handled at once in this process. Rules use one core per report; other reports wait
    /// for storage meanwhile.
    pub concurrency: usize,
    /// Folder of local rule packs (`*.toml`) in addition to the compiled-in rules; none if absent.
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
    /// A setting is invalid; the message names the key.
    pub fn validate(&self) -> anyhow::Result<()> {
        anyhow::ensure!(self.concurrency > 0, "validate.concurrency must be positive");
        Ok(())
    }
}
