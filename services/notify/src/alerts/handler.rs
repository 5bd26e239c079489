//! The handler of report events: it updates the state of a report and returns the alerts to publish.

use std::sync::Arc;

use gongkai_lifecycle::{TakenDown, UrlIndex, concerned, record_report, record_url_withdrawal};
use gongkai_model::{ReportKey, Severity, Waiver};
use gongkai_proto::{
    ReportEvent,
    convert::{self, history, timestamp::timestamp, waiver as names},
    v1,
};
use gongkai_worker::{
    Context, Decision, Handler, Output, RecordStore,
    transport::{Entries, Error},
};
use sha2::{Digest as _, Sha256};

use super::{
    group,
    state::{ReportAlerts, ReportUpdate, Transition, UpdateKind},
    waivers::{LeftWaiver, Waived},
};

/// Maximum number of lost races in a row for one record. After that the event is retried later.
const MAX_RACES: u32 = 16;

/// Follows the changes of reports.
#[async_trait::async_trait]
pub trait Follower: Send + Sync {
    /// Handles that the publications of a report may have changed, after that is saved.
    ///
    /// # Errors
    /// The event that brought the change must be handled again.
    async fn report_changed(&self, report: &ReportKey) -> Result<(), Error>;
}

/// Turns report events into alerts.
pub struct Alerter {
    records: RecordStore,
    bar: Severity,
    follower: Option<Arc<dyn Follower>>,
}

/// What the reports publish that an arrival left, and the alerts and waivers that left with it.
#[derive(Default)]
struct Left {
    outputs: Vec<Output>,
    alerts: Vec<v1::Alert>,
    waivers: Vec<LeftWaiver>,
}

// === impl Alerter ===

impl Alerter {
    /// Creates a handler over the bucket of alerts. Findings below `bar` raise no alert.
    #[must_use]
    pub fn new(entries: Arc<dyn Entries>, bar: Severity) -> Self {
        Self { records: RecordStore::new(entries, MAX_RACES), bar, follower: None }
    }

    /// Tells `follower` of each report that an event changes.
    #[must_use]
    pub fn followed_by(self, follower: Arc<dyn Follower>) -> Self {
        Self { follower: Some(follower), ..self }
    }

    /// Returns an alerter over the same records that nobody follows.
    pub(super) fn unfollowed(&self) -> Self {
        Self { records: self.records.clone(), bar: self.bar, follower: None }
    }

    async fn validated(
        &self,
        event: v1::ReportValidated,
        context: &Context,
    ) -> Result<Vec<Output>, Decision> {
        let (Some(origin), Some(report)) = (event.origin, event.report) else {
            return Err(malformed("origin or report is missing"));
        };
        if origin.kind() == v1::DocumentKind::Draft {
            return Ok(Vec::new());
        }
        let about = v1::Alert {
            report: report.name.clone(),
            agency_name: report.agency_name,
            year: report.year,
            region: origin.region.clone(),
            url: origin.url.clone(),
            content_hash: origin.content_hash.clone(),
            received_at: origin.received_at.filter(|_| event.trace_id == context.trace_id),
            ..Default::default()
        };
        // Of several readings of an arrival the last counts; earlier versions did not say which one it is.
        let reading = if event.parsed_sequence == 0 { context.sequence } else { event.parsed_sequence };
        let arrival = history::arrival(&origin, reading).map_err(unreadable)?;
        let report: ReportKey = report.name.parse().map_err(|_| malformed("report has no name"))?;
        let left = self.left(&event.moved_from, (arrival.rank.sequence(), reading), context).await?;
        let change = UpdateKind::Validated {
            validation: event.validation,
            superseded: event.superseded,
            taken_down: self.record_url(&arrival.url, &report).await?,
            alerts: group::alerts(&event.findings, self.bar, &about),
            carried: left.alerts,
            waivers: left.waivers.into_iter().filter_map(|waiver| under_name(waiver, &report)).collect(),
            arrival,
        };
        let outputs = self.apply(&report, &update_from(context, change)).await?;
        let outputs: Vec<Output> = left.outputs.into_iter().chain(outputs).collect();
        let (report, messages) = (report.to_string(), outputs.len());
        tracing::info!(submission_id = origin.submission_id, report, messages, "alerts compared");
        Ok(outputs)
    }

    /// Takes an arrival out of the reports under which it was filed before.
    async fn left(
        &self,
        reports: &[String],
        (arrival, event): (u64, u64),
        context: &Context,
    ) -> Result<Left, Decision> {
        let mut left = Left::default();
        let update = update_from(context, UpdateKind::Left { arrival, event });
        for report in reports {
            let report: ReportKey = report.parse().map_err(|_| malformed("a report has no name"))?;
            let state = self.changed(&report, &update).await?.0;
            left.outputs.extend(state.outputs());
            let (alerts, waivers) = state.left_with(&update.id);
            left.alerts.extend(alerts);
            left.waivers.extend(waivers);
        }
        Ok(left)
    }

    /// Applies a withdrawal: by URL to every report that arrived there, by name to that report.
    async fn withdrawn(
        &self,
        event: &v1::ReportWithdrawn,
        context: &Context,
    ) -> Result<Vec<Output>, Decision> {
        let withdrawal =
            history::withdrawal(event, context.sequence, context.logged_at).map_err(unreadable)?;
        let index = match withdrawal.url.as_str() {
            "" => UrlIndex::default(),
            url => {
                let take = |index: &mut UrlIndex| record_url_withdrawal(index, withdrawal.rank);
                let change = |record: &mut v1::UrlIndexRecord| history::change_index(record, take);
                self.records.change(&url_key(url), change).await?.1
            }
        };
        let mut outputs = Vec::new();
        for (report, taken_down) in concerned(&withdrawal, &index) {
            let event = update_from(context, UpdateKind::Withdrawn(taken_down));
            outputs.extend(self.apply(&report, &event).await?);
        }
        Ok(outputs)
    }

    /// Resolves the alerts of erased contents, in every report that they were read as.
    async fn erased(&self, event: &v1::ReportErased, context: &Context) -> Result<Vec<Output>, Decision> {
        let erasure = history::erasure(event).map_err(unreadable)?;
        let mut outputs = Vec::new();
        for report in &erasure.reports {
            let event = update_from(context, UpdateKind::Erased(erasure.content_hashes.clone()));
            outputs.extend(self.apply(report, &event).await?);
        }
        Ok(outputs)
    }

    async fn waived(&self, event: v1::WaiverChanged, context: &Context) -> Result<Vec<Output>, Decision> {
        let Some(waiver) = event.waiver else { return Err(malformed("waiver is missing")) };
        let Some((report, fingerprint)) = names::of_finding(&waiver.finding) else {
            return Err(malformed("waiver names no finding"));
        };
        let waived = Waived {
            fingerprint: fingerprint.to_owned(),
            is_ended: waiver.state() != v1::WaiverState::Active,
            name: waiver.name,
            operands_digest: waiver.operands_digest,
        };
        self.apply(&report, &update_from(context, UpdateKind::Waived(waived))).await
    }

    /// Records that the report arrived at the URL. Returns the withdrawal of that URL with the highest rank.
    async fn record_url(&self, url: &str, report: &ReportKey) -> Result<Option<TakenDown>, Decision> {
        if url.is_empty() {
            return Ok(None);
        }
        let take = |index: &mut UrlIndex| record_report(index, report);
        let change = |record: &mut v1::UrlIndexRecord| history::change_index(record, take);
        let (_, index) = self.records.change(&url_key(url), change).await?;
        Ok(index.withdrawn.map(|rank| TakenDown { rank, url: url.to_owned() }))
    }

    async fn apply(&self, report: &ReportKey, event: &ReportUpdate) -> Result<Vec<Output>, Decision> {
        let (state, step) = self.changed(report, event).await?;
        Ok(if step == Transition::Stale { Vec::new() } else { state.outputs() })
    }

    async fn changed(
        &self,
        report: &ReportKey,
        event: &ReportUpdate,
    ) -> Result<(ReportAlerts, Transition), Decision> {
        let apply = |state: &mut ReportAlerts| {
            let step = state.apply(event);
            (step == Transition::Advanced, step)
        };
        let changed = self.records.change(&report_key(report), apply).await?;
        if let Some(follower) = &self.follower {
            follower.report_changed(report).await?;
        }
        Ok(changed)
    }
}

#[async_trait::async_trait]
impl Handler for Alerter {
    type Input = ReportEvent;

    async fn handle(&self, input: ReportEvent, context: &Context) -> Result<Vec<Output>, Decision> {
        match input {
            ReportEvent::Validated(event) => self.validated(*event, context).await,
            ReportEvent::Withdrawn(event) => self.withdrawn(&event, context).await,
            ReportEvent::Waived(event) => self.waived(*event, context).await,
            ReportEvent::Erased(event) => self.erased(&event, context).await,
            _ => Err(Decision::unexpected(context)),
        }
    }
}

/// Returns a waiver under the name that it has with its report's new name.
fn under_name(waiver: LeftWaiver, report: &ReportKey) -> Option<LeftWaiver> {
    let (_, id) = names::of_waiver(&waiver.name)?;
    Some(LeftWaiver { name: names::waiver_name(report, &Waiver::moved_id(id, report)), ..waiver })
}

fn update_from(context: &Context, change: UpdateKind) -> ReportUpdate {
    ReportUpdate {
        id: context.first_id().to_owned(),
        sequence: context.sequence,
        at: timestamp(context.logged_at),
        trace_id: context.trace_id.clone(),
        change,
    }
}

fn unreadable(error: convert::Error) -> Decision {
    Decision::bury("MALFORMED", error)
}

/// Returns the key of a URL's record: its digest, because a URL may have characters that a key must not have.
fn url_key(url: &str) -> String {
    format!("urls/{}", hex::encode(&Sha256::digest(url)[..16]))
}

/// Returns the key of a report's record.
#[must_use]
pub fn report_key(report: &ReportKey) -> String {
    format!("reports/{report}")
}

fn malformed(what: &'static str) -> Decision {
    Decision::bury("MALFORMED", anyhow::anyhow!(what))
}
