//! `[parse]`: what one document may cost.

use gongkai_check::Limits;
use serde::{Deserialize, Serialize};

/// `[parse]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Documents in work at once in this process. Reading uses a core each; the others wait for storage meanwhile.
    pub concurrency: usize,
    /// Largest original in bytes; larger ones are rejected as `TOO_LARGE`.
    pub max_document_bytes: usize,
    /// Seconds one document may take to read; then it is rejected as `TOO_SLOW`.
    pub document_timeout_s: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { concurrency: 8, max_document_bytes: Limits::default().input_bytes, document_timeout_s: 20 }
    }
}

impl Config {
    /// Checks relations between settings.
    ///
    /// # Errors
    /// Names the key and what to do.
    pub fn validate(&self) -> anyhow::Result<()> {
        anyhow::ensure!(self.concurrency > 0, "parse.concurrency must be positive");
        anyhow::ensure!(self.max_document_bytes > 0, "parse.max_document_bytes must be positive");
        anyhow::ensure!(self.document_timeout_s > 0, "parse.document_timeout_s must be positive");
        Ok(())
    }

    pub(crate) fn limits(&self) -> Limits {
        Limits { input_bytes: self.max_document_bytes, ..Limits::default() }
    }
}
