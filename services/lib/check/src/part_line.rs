//! The files of a submission, in the JSON line and on receipts.

use gongkai_model::{Part, PartContent};
use serde::{Deserialize, Serialize};

use crate::rejection_line::RejectionLine;

/// What a file was read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartRole {
    /// The report: its facts come from here.
    Carrier,
    /// The same report once more, or another report.
    Report,
    /// The file is not a report.
    Other,
}

/// One file of a submission that has attachments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartLine {
    /// Name of an attachment; absent for the main body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Media type as detected, else as declared; absent if unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// SHA-256 of the file's bytes.
    pub sha256: String,
    /// The role of the file.
    pub role: PartRole,
    /// Why the file is not a report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejection: Option<RejectionLine>,
}

impl From<&Part> for PartLine {
    fn from(part: &Part) -> Self {
        let (role, rejection) = match &part.content {
            PartContent::Carrier => (PartRole::Carrier, None),
            PartContent::Report { .. } => (PartRole::Report, None),
            PartContent::Other(rejection) => (PartRole::Other, Some(RejectionLine::from(rejection))),
        };
        Self {
            name: part.name.clone(),
            media_type: Some(part.media_type.clone()).filter(|name| !name.is_empty()),
            sha256: part.sha256.clone(),
            role,
            rejection,
        }
    }
}
