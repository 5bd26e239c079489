//! Grants and revokes waivers: a person's decision to accept a finding.

use gongkai_model::{Finding, ReportKey, Revocation, Waiver, WaiverEnd};
use gongkai_proto::convert::{timestamp, waiver as names};
use gongkai_proto::v1;
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

use super::log::Log;
use super::text::{MAX_PERSON, MAX_REASON, text};
use crate::error::QueryError;
use crate::name;
use crate::reads::Reads;

/// Maximum duration of a waiver, in days.
const MAX_DAYS: i64 = 3653;
/// Number of bytes of a waiver's id.
const ID_BYTES: usize = 8;

/// Grants and revokes waivers. Times are cut to microseconds, as in the read model.
pub struct WaiverCommands {
    log: Log,
    reads: Reads,
}

impl WaiverCommands {
    #[must_use]
    pub fn new(log: Log, reads: Reads) -> Self {
        Self { log, reads }
    }

    /// Waives a finding for a limited time.
    ///
    /// # Errors
    /// The request is malformed, there is no such finding, it is waived already, or the broker is unreachable.
    pub async fn create(&self, request: v1::CreateWaiverRequest) -> Result<v1::Waiver, QueryError> {
        let (key, fingerprint) = name::finding("finding", &request.finding)?;
        let reason = text("reason", &request.reason, MAX_REASON)?;
        let person = text("person", &request.person, MAX_PERSON)?;
        let now = self.log.runtime.clock().now().truncate_to_microsecond();
        let expires_at = expiry(request.expires_at, now)?;
        let explained = self.reads.run(move |store| store.explained(&key, &fingerprint)).await?;
        let explained = explained.ok_or(QueryError::FindingNotFound(request.finding))?;
        if let Some(known) = explained.found.waiver.filter(|known| known.expires_at > now) {
            return Err(QueryError::AlreadyWaived(names::waiver_name(&known.key, &known.id)));
        }
        let before = explained.waivers.len();
        let (key, finding) = (explained.found.key, explained.found.finding);
        if finding.operands_digest.is_empty() {
            return Err(QueryError::FindingOutdated);
        }
        let region = explained.revision.origin.region;
        let waiver = Waiver {
            id: id(&key, &finding, before),
            key,
            region,
            fingerprint: finding.fingerprint,
            operands_digest: finding.operands_digest,
            rule: finding.rule,
            severity: finding.severity,
            reason,
            person,
            created_at: now,
            expires_at,
            end: None,
        };
        // Another call, or an earlier copy of this one, is not in the read model yet.
        let known = || QueryError::AlreadyWaived(names::waiver_name(&waiver.key, &waiver.id));
        self.publish(&waiver, "granted", known).await
    }

    /// Revokes a waiver.
    ///
    /// # Errors
    /// The request is malformed, there is no such waiver, it has ended already, or the broker is unreachable.
    pub async fn revoke(&self, request: v1::RevokeWaiverRequest) -> Result<v1::Waiver, QueryError> {
        let (key, id) = name::waiver("name", &request.name)?;
        let reason = text("reason", &request.reason, MAX_REASON)?;
        let person = text("person", &request.person, MAX_PERSON)?;
        let found = self.reads.run(move |store| store.waiver(&key, &id)).await?;
        let waiver = found.ok_or(QueryError::WaiverNotFound(request.name))?;
        let at = self.log.runtime.clock().now().truncate_to_microsecond();
        if waiver.end.is_some() || waiver.expires_at <= at {
            return Err(QueryError::WaiverEnded);
        }
        let end = WaiverEnd { at, revoked: Some(Revocation { person, reason }) };
        self.publish(&Waiver { end: Some(end), ..waiver }, "revoked", || QueryError::WaiverEnded).await
    }

    /// Publishes the new state of a waiver. Fails with `known` if it is already in the log.
    async fn publish(
        &self,
        waiver: &Waiver,
        what: &str,
        known: impl FnOnce() -> QueryError,
    ) -> Result<v1::Waiver, QueryError> {
        if self.log.publish(waiver, what).await.map_err(QueryError::Broker)?.duplicate {
            return Err(known());
        }
        tracing::info!(waiver = waiver.id, finding = waiver.fingerprint, report = %waiver.key, what, "waiver");
        Ok(waiver.into())
    }
}

/// Returns the id of a finding's next waiver. Simultaneous or repeated calls get the same id.
fn id(key: &ReportKey, finding: &Finding, before: usize) -> String {
    let mut hash = Sha256::new();
    for part in [&key.to_string(), &finding.fingerprint, &finding.operands_digest, &before.to_string()] {
        hash.update(part);
        hash.update([0]);
    }
    hex::encode(&hash.finalize()[..ID_BYTES])
}

fn expiry(wire: Option<prost_types::Timestamp>, now: OffsetDateTime) -> Result<OffsetDateTime, QueryError> {
    let at = timestamp::required(wire, "expires_at").map_err(|_| QueryError::InvalidExpiry)?;
    let at = at.truncate_to_microsecond();
    let most = now.checked_add(time::Duration::days(MAX_DAYS)).ok_or(QueryError::InvalidExpiry)?;
    if at > now && at <= most { Ok(at) } else { Err(QueryError::InvalidExpiry) }
}
