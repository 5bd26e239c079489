//! The `[parse]` section: limits of one document.

use std::{thread, time::Duration};

use gongkai_isolation::ReadersSettings;
use gongkai_reading::Limits;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Maximum documents in flight in this process. Reading a document uses one core; others wait for storage
    /// meanwhile.
    pub concurrency: usize,
    /// Maximum size of an original in bytes. Larger ones are rejected as `TOO_LARGE`.
    pub max_document_bytes: usize,
    /// Maximum CPU time in seconds for one document. After that it is rejected as `TOO_SLOW`. A small document gets
    /// less: 4 s, and 4 s for each MiB.
    pub document_timeout_s: u64,
    /// Maximum bytes of memory for one document. A document that needs more is rejected as `TOO_LARGE`.
    pub document_memory_bytes: u64,
    /// Number of child processes that read documents, which limits the documents read at once. 0 means one for each
    /// core, as long as 900 MiB suffice for `document_memory_bytes` and 64 MiB each.
    pub readers: usize,
    /// Maximum documents of a backfill in flight in this process, while no others are in work. 0 means half of the
    /// cores, at least one.
    pub backfill_concurrency: usize,
}

impl Default for Config {
    fn default() -> Self {
        let ReadersSettings { memory_bytes, cpu, children, .. } = ReadersSettings::default();
        Self {
            concurrency: 8,
            max_document_bytes: Limits::default().input_bytes,
            document_timeout_s: cpu.as_secs(),
            document_memory_bytes: memory_bytes,
            readers: children,
            backfill_concurrency: 0,
        }
    }
}

impl Config {
    /// Checks values.
    ///
    /// # Errors
    /// A setting is invalid. The error names the key and how to correct it.
    pub fn validate(&self) -> anyhow::Result<()> {
        anyhow::ensure!(self.concurrency > 0, "parse.concurrency must be positive");
        anyhow::ensure!(self.max_document_bytes > 0, "parse.max_document_bytes must be positive");
        anyhow::ensure!(self.document_timeout_s > 0, "parse.document_timeout_s must be positive");
        anyhow::ensure!(self.document_memory_bytes > 0, "parse.document_memory_bytes must be positive");
        Ok(())
    }

    /// Returns the settings of the child processes.
    #[must_use]
    pub fn isolation(&self) -> ReadersSettings {
        ReadersSettings {
            children: self.readers,
            memory_bytes: self.document_memory_bytes,
            cpu: Duration::from_secs(self.document_timeout_s),
            ..ReadersSettings::default()
        }
    }

    /// Returns the number of documents of a backfill that may be in flight. Half of the cores stay free for a
    /// document that arrives meanwhile.
    pub(crate) fn backfill_concurrency(&self) -> usize {
        let cores = || thread::available_parallelism().map_or(1, usize::from);
        if self.backfill_concurrency > 0 { self.backfill_concurrency } else { (cores() / 2).max(1) }
    }

    /// Returns how long a message may be in work. Reading ends earlier, by its CPU limit or for lack of progress, but
    /// on a busy machine it can take long to use up the CPU time.
    pub(crate) fn deadline(&self) -> Duration {
        Duration::from_secs(self.document_timeout_s).saturating_mul(30)
    }

    /// Returns the limits of the readers. The time for a PDF is shorter than that of the document, so that its reader
    /// stops by itself and its child can continue.
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
