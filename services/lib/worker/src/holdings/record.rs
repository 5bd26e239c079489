//! The records of the broker's streams and buckets. The marker, the file and the memory have the same form.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::record_store::Record;
use crate::transport::{StreamState, TopologyPart};

/// The records of all streams and buckets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PartRecords {
    /// When an operator last accepted the present parts, in milliseconds since 1970. 0 if that never happened.
    pub accepted_ms: u64,
    /// The record of each part, by the part's display text.
    pub parts: BTreeMap<String, PartRecord>,
}

/// The record of one stream or bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartRecord {
    /// When the part was created, as RFC 3339. This identifies the part.
    pub created_at: String,
    /// Sequence of the last message in the part.
    pub last_sequence: u64,
}

// === impl PartRecords ===

impl PartRecords {
    /// Returns the record of a part.
    #[must_use]
    pub fn get(&self, part: TopologyPart) -> Option<&PartRecord> {
        self.parts.get(&part.to_string())
    }

    /// Records the present state of a part.
    pub fn set(&mut self, part: TopologyPart, held: &StreamState) {
        self.parts.insert(part.to_string(), PartRecord::from(held));
    }

    /// Returns true if there is no record.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Reads the records in a file. A missing file has none.
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

    /// Replaces the file in one step, so that a crash leaves either the old or the new content.
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
