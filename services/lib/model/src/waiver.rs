//! Waivers (销号): a person's decision to accept a finding for a while.
//!
//! A waiver covers one finding of one report, by its fingerprint, and the operands that the finding had. If other
//! rules, another reader or another revision give the same finding, the waiver still covers it. If an operand has
//! changed, the waiver lapses, because the person decided about other values. A waiver ends when it expires or a
//! person revokes it, and never resumes.

use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

use crate::{
    agency::{Region, ReportKey},
    finding::Severity,
};

/// A decision (销号) to accept one finding of a report until a date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    /// Id of the waiver, 16 hex digits.
    pub id: String,
    /// The report that has the finding.
    pub key: ReportKey,
    /// The report's region, which the waiver's events contain.
    pub region: Region,
    /// Fingerprint of the waived finding.
    pub fingerprint: String,
    /// [`Finding::operands_digest`](crate::Finding::operands_digest) at the time of the waiver.
    pub operands_digest: String,
    /// The finding's rule.
    pub rule: String,
    /// The finding's severity at the time of the waiver.
    pub severity: Severity,
    /// Reason that the person gave.
    pub reason: String,
    /// Person who granted the waiver.
    pub person: String,
    /// When the waiver was granted.
    pub created_at: OffsetDateTime,
    /// When the waiver expires.
    pub expires_at: OffsetDateTime,
    /// How the waiver ended; `None` while it is valid.
    pub end: Option<WaiverEnd>,
}

/// The end of a waiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaiverEnd {
    /// When the waiver ended.
    pub at: OffsetDateTime,
    /// Person and reason of the revocation; `None` if the waiver expired.
    pub revoked: Option<Revocation>,
}

/// A person's decision to end a waiver before its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// Person who revoked the waiver.
    pub person: String,
    /// Reason that the person gave.
    pub reason: String,
}

impl Waiver {
    /// Returns the same decision about the same finding of a report that was filed under another name.
    #[must_use]
    pub fn moved(&self, to: &ReportKey, fingerprint: &str) -> Self {
        Self {
            id: Self::moved_id(&self.id, to),
            key: to.clone(),
            fingerprint: fingerprint.to_owned(),
            ..self.clone()
        }
    }

    /// Returns the id of a waiver under another name of its report. Everyone derives the same one.
    #[must_use]
    pub fn moved_id(id: &str, to: &ReportKey) -> String {
        hex::encode(&Sha256::digest(format!("{id} {to}"))[..8])
    }

    /// Returns true if the waiver covers a finding of its report: it has not ended, and the finding has the operands
    /// that were waived.
    #[must_use]
    pub fn covers(&self, fingerprint: &str, operands_digest: &str) -> bool {
        self.end.is_none()
            && self.fingerprint == fingerprint
            && self.operands_digest == operands_digest
            && !operands_digest.is_empty()
    }
}
