//! Waivers (豁免): a person's decision that a finding may stand as it is, for a while.
//!
//! A waiver is for one finding of one report, by fingerprint, and for the values it stood on. A run of other rules, of
//! another reader, or over another revision finds the same trouble under the same fingerprint: the waiver survives. Where
//! an operand has changed, the person decided about something else: the waiver lapses. Nothing else ends it but its time
//! and a person; both are for good.

use time::OffsetDateTime;

use crate::{
    agency::{Region, ReportKey},
    finding::Severity,
};

/// A waiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    /// 16 hex digits.
    pub id: String,
    /// The report.
    pub key: ReportKey,
    /// The report's region, which the waiver's events carry.
    pub region: Region,
    /// The finding.
    pub fingerprint: String,
    /// [`Finding::operands_digest`](crate::Finding::operands_digest) when it was waived.
    pub operands_digest: String,
    /// The finding's rule.
    pub rule: String,
    /// The finding's weight when it was waived.
    pub severity: Severity,
    /// Why it may stand.
    pub reason: String,
    /// Who decided.
    pub person: String,
    /// When.
    pub created_at: OffsetDateTime,
    /// Until when, exclusive.
    pub expires_at: OffsetDateTime,
    /// What ended it.
    pub end: Option<WaiverEnd>,
}

/// The end of a waiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaiverEnd {
    /// When.
    pub at: OffsetDateTime,
    /// Who took it back and why; absent if its time ran out.
    pub revoked: Option<Revocation>,
}

/// A waiver taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// By whom.
    pub person: String,
    /// Why.
    pub reason: String,
}

impl Waiver {
    /// True if it lets a finding of its report stand: it has not ended, and the finding stands on what was waived.
    #[must_use]
    pub fn covers(&self, fingerprint: &str, operands_digest: &str) -> bool {
        self.end.is_none()
            && self.fingerprint == fingerprint
            && self.operands_digest == operands_digest
            && !operands_digest.is_empty()
    }
}
