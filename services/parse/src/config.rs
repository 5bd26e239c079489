//! `[parse]`: what one document may cost.

use std::time::Duration;

use gongkai_reading::Limits;
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

    /// What a reader may spend. A PDF is given up before the document's time ends, so that its reader ends too and does not
    /// go on for an answer that nobody waits for.
    pub(crate) fn limits(&self) -> Limits {
        let drawing_time = Duration::from_secs(self.document_timeout_s) * 3 / 4;
        Limits { input_bytes: self.max_document_bytes, drawing_time, ..Limits::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pdf_is_given_up_before_its_document() {
        assert_eq!(Config::default().limits().drawing_time, Limits::default().drawing_time);
        let config = Config { document_timeout_s: 8, ..Config::default() };
        assert_eq!(config.limits().drawing_time, Duration::from_secs(6));
    }
}
