//! What is remembered of the broker's streams and buckets: in the marker, in a file and in memory, all in one form.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::record_store::Record;
use crate::transport::{Part, StreamState};

/// What is remembered of all streams and buckets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PartRecords {
    /// When an operator last accepted what was there, in milliseconds since 1970. 0 if that never happened.
    pub accepted_ms: u64,
    /// By part, as it is displayed.
    pub parts: BTreeMap<String, PartRecord>,
}

/// What is remembered of one stream or bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartRecord {
    /// When it was created, as RFC 3339: its identity.
    pub created_at: String,
    /// Sequence of the last message that it had stored.
    pub last_sequence: u64,
}

// === impl PartRecords ===

impl PartRecords {
    /// Returns what is remembered of a part.
    #[must_use]
    pub fn get(&self, part: Part) -> Option<&PartRecord> {
        self.parts.get(&part.to_string())
    }

    /// Remembers a part as it is now.
    pub fn set(&mut self, part: Part, held: &StreamState) {
        self.parts.insert(part.to_string(), PartRecord::from(held));
    }

    /// Returns true if nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Reads what a file remembers; nothing if it does not exist.
    ///
    /// # Errors
    /// The file cannot be read, or something else wrote it.
    pub(super) fn read(file: &Path) -> anyhow::Result<Self> {
        match std::fs::read(file) {
            Ok(text) => Ok(serde_json::from_slice(&text)?),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error.into()),
        }
    }

    /// Replaces the file in one step, so that a crash leaves the old one or the new one.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub(super) fn write(&self, file: &Path) -> std::io::Result<()> {
        let next = file.with_extension("new");
        let mut written = std::fs::File::create(&next)?;
        written.write_all(&serde_json::to_vec_pretty(self)?)?;
        written.sync_all()?;
        std::fs::rename(&next, file)
    }
}

impl Record for PartRecords {
    fn encode(&self) -> Bytes {
        serde_json::to_vec(self).expect("a map of strings and numbers is JSON").into()
    }

    fn decode(value: Bytes) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(serde_json::from_slice(&value)?)
    }
}

// === impl PartRecord ===

impl From<&StreamState> for PartRecord {
    fn from(held: &StreamState) -> Self {
        Self { created_at: text(held.created), last_sequence: held.last_sequence }
    }
}

/// Formats a time as RFC 3339.
pub(super) fn text(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).expect("a date of this era has an RFC 3339 form")
}
