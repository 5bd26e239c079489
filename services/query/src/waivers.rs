//! `gongkai.v1.AlertService`: what people decide about findings.
//!
//! A decision is an event of the log like any other: it is published here and stored by the projector, so every replica
//! comes to know it within moments and a rebuilt read model has it again. That a waiver's time ran out is an event too;
//! [`expire`] publishes it, so that nobody who reads the log needs a clock.

use std::time::Duration;

use gongkai_model::{Finding, ReportKey, Revocation, Waiver, WaiverEnd};
use gongkai_proto::convert::{timestamp, waiver as names};
use gongkai_proto::subjects::Event;
use gongkai_proto::v1;
use gongkai_store::query::WaiverQuery;
use gongkai_worker::{Output, Published, Runtime, transport};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use tonic::{Request, Response, Status};

use crate::answer;
use crate::name;
use crate::page::{self, Question};
use crate::reads::Reads;
use crate::refusal::Refusal;

/// Longest reason, in characters.
const MAX_REASON: usize = 2000;
/// Longest name of a person, in characters.
const MAX_PERSON: usize = 100;
/// Longest time, in days: nobody can foresee more, and an open end is none.
const MAX_DAYS: i64 = 3653;
/// Between two looks for waivers whose time ran out.
const SWEEP: Duration = Duration::from_secs(10);
/// Waivers ended in one look.
const BATCH: usize = 100;
/// Bytes of a waiver's id.
const ID_BYTES: usize = 8;

/// The service. Times are cut to microseconds, as the read model keeps them.
pub struct Waivers {
    runtime: Runtime,
    reads: Reads,
}

impl Waivers {
    /// Publishes with the runtime, looks things up in the read model.
    #[must_use]
    pub fn new(runtime: Runtime, reads: Reads) -> Self {
        Self { runtime, reads }
    }

    async fn create(&self, request: v1::CreateWaiverRequest) -> Result<v1::Waiver, Refusal> {
        let (key, fingerprint) = name::finding("finding", &request.finding)?;
        let reason = text("reason", &request.reason, MAX_REASON)?;
        let person = text("person", &request.person, MAX_PERSON)?;
        let now = self.runtime.clock().now().truncate_to_microsecond();
        let expires_at = expiry(request.expires_at, now)?;
        let explained = self.reads.run(move |store| store.explained(&key, &fingerprint)).await?;
        let explained = explained.ok_or(Refusal::FindingNotFound(request.finding))?;
        if let Some(known) = explained.found.waiver.filter(|known| known.expires_at > now) {
            return Err(Refusal::AlreadyWaived(names::waiver_name(&known.key, &known.id)));
        }
        let before = explained.waivers.len();
        let (key, finding) = (explained.found.key, explained.found.finding);
        if finding.operands_digest.is_empty() {
            return Err(Refusal::FindingOutdated);
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
        // Another call, or this one before, was faster than the read model.
        let known = || Refusal::AlreadyWaived(names::waiver_name(&waiver.key, &waiver.id));
        self.publish(&waiver, "granted", known).await
    }

    async fn revoke(&self, request: v1::RevokeWaiverRequest) -> Result<v1::Waiver, Refusal> {
        let (key, id) = name::waiver("name", &request.name)?;
        let reason = text("reason", &request.reason, MAX_REASON)?;
        let person = text("person", &request.person, MAX_PERSON)?;
        let found = self.reads.run(move |store| store.waiver(&key, &id)).await?;
        let waiver = found.ok_or(Refusal::WaiverNotFound(request.name))?;
        let at = self.runtime.clock().now().truncate_to_microsecond();
        if waiver.end.is_some() || waiver.expires_at <= at {
            return Err(Refusal::WaiverEnded);
        }
        let end = WaiverEnd { at, revoked: Some(Revocation { person, reason }) };
        self.publish(&Waiver { end: Some(end), ..waiver }, "revoked", || Refusal::WaiverEnded).await
    }

    async fn list(&self, request: v1::ListWaiversRequest) -> Result<v1::ListWaiversResponse, Refusal> {
        let question = Question::new(&["ListWaivers", &request.parent]);
        let query = WaiverQuery {
            scope: name::reports("parent", &request.parent)?,
            fingerprint: None,
            limit: page::size(request.page_size)?,
            after: question.cursor(&request.page_token)?,
        };
        let found = self.reads.run(move |store| store.waivers(&query)).await?;
        let waivers = found.items.iter().map(answer::waiver).collect();
        Ok(v1::ListWaiversResponse { waivers, next_page_token: question.token(found.next) })
    }

    /// Publishes a waiver as it stands since; `known` says what it means that the log has this already.
    async fn publish(
        &self,
        waiver: &Waiver,
        what: &str,
        known: impl FnOnce() -> Refusal,
    ) -> Result<v1::Waiver, Refusal> {
        if publish(&self.runtime, waiver, what).await.map_err(Refusal::Broker)?.duplicate {
            return Err(known());
        }
        tracing::info!(waiver = waiver.id, finding = waiver.fingerprint, report = %waiver.key, what, "waiver");
        Ok(waiver.into())
    }
}

/// Ends waivers whose time ran out, until shutdown. Several replicas end one alike: the event says the same, under the same
/// id.
///
/// # Errors
/// Never; what fails is tried again at the next look.
pub async fn expire(runtime: Runtime, reads: Reads) -> anyhow::Result<()> {
    let shutdown = runtime.shutdown();
    let mut ticks = tokio::time::interval(SWEEP);
    while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
        let now = runtime.clock().now();
        match reads.run(move |store| store.waivers_to_expire(now, BATCH)).await {
            Ok(due) => expire_all(&runtime, due).await,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "waivers not looked through");
            }
        }
    }
    Ok(())
}

async fn expire_all(runtime: &Runtime, due: Vec<Waiver>) {
    for waiver in due {
        let end = WaiverEnd { at: waiver.expires_at, revoked: None };
        let ended = Waiver { end: Some(end), ..waiver };
        match publish(runtime, &ended, "expired").await {
            Ok(_) => tracing::info!(waiver = ended.id, report = %ended.key, "waiver expired"),
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "waiver not ended, trying again soon"
                );
                return;
            }
        }
    }
}

async fn publish(runtime: &Runtime, waiver: &Waiver, what: &str) -> Result<Published, transport::Error> {
    let event = v1::WaiverChanged { waiver: Some(waiver.into()) };
    let output =
        Output::new(Event::ReportWaived.subject(waiver.region), Event::ReportWaived.ce_type(), &event);
    runtime.publish(&format!("waiver.{}.{what}", waiver.id), output).await
}

/// The id of the next waiver of a finding as it stands: two calls at once, or one that is sent again, make the same.
fn id(key: &ReportKey, finding: &Finding, before: usize) -> String {
    let mut hash = Sha256::new();
    for part in [&key.to_string(), &finding.fingerprint, &finding.operands_digest, &before.to_string()] {
        hash.update(part);
        hash.update([0]);
    }
    hex::encode(&hash.finalize()[..ID_BYTES])
}

fn text(field: &'static str, text: &str, most: usize) -> Result<String, Refusal> {
    let text = text.trim();
    let is_fine = !text.is_empty() && text.chars().count() <= most && !text.chars().any(char::is_control);
    if is_fine { Ok(text.to_owned()) } else { Err(Refusal::InvalidText { field, most }) }
}

fn expiry(wire: Option<prost_types::Timestamp>, now: OffsetDateTime) -> Result<OffsetDateTime, Refusal> {
    let at = timestamp::required(wire, "expires_at").map_err(|_| Refusal::InvalidExpiry)?;
    let at = at.truncate_to_microsecond();
    let most = now.checked_add(time::Duration::days(MAX_DAYS)).ok_or(Refusal::InvalidExpiry)?;
    if at > now && at <= most { Ok(at) } else { Err(Refusal::InvalidExpiry) }
}

#[tonic::async_trait]
impl v1::alert_service_server::AlertService for Waivers {
    async fn create_waiver(
        &self,
        request: Request<v1::CreateWaiverRequest>,
    ) -> Result<Response<v1::Waiver>, Status> {
        Ok(Response::new(self.create(request.into_inner()).await?))
    }

    async fn revoke_waiver(
        &self,
        request: Request<v1::RevokeWaiverRequest>,
    ) -> Result<Response<v1::Waiver>, Status> {
        Ok(Response::new(self.revoke(request.into_inner()).await?))
    }

    async fn list_waivers(
        &self,
        request: Request<v1::ListWaiversRequest>,
    ) -> Result<Response<v1::ListWaiversResponse>, Status> {
        Ok(Response::new(self.list(request.into_inner()).await?))
    }
}
