//! The handler over report events: reads and saves the states, returns what they say.

use std::sync::Arc;

use gongkai_model::{ReportKey, Severity};
use gongkai_proto::{
    ReportEvent,
    convert::{report, timestamp::timestamp, waiver as names},
    v1,
};
use gongkai_worker::{Context, Decision, Handler, Output, RecordStore, transport::Entries};

use super::{
    group,
    place::Place,
    state::{Change, Event, ReportAlerts, Step},
    waivers::Waived,
};
use crate::MAX_RACES;

/// Turns report events into alerts.
pub struct Alerter {
    ledger: RecordStore,
    bar: Severity,
}

// === impl Alerter ===

impl Alerter {
    /// Over the bucket of alerts; findings below `bar` are not told.
    #[must_use]
    pub fn new(entries: Arc<dyn Entries>, bar: Severity) -> Self {
        Self { ledger: RecordStore::new(entries, MAX_RACES), bar }
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
        if report.name.parse::<ReportKey>().is_err() {
            return Err(malformed("report has no name"));
        }
        let about = v1::Alert {
            report: report.name.clone(),
            agency_name: report.agency_name,
            year: report.year,
            region: origin.region,
            url: origin.url.clone(),
            content_hash: origin.content_hash,
            received_at: origin.received_at.filter(|_| event.trace_id == context.trace_id),
            ..Default::default()
        };
        let withdrawn_at = self.note_place(&origin.url, &report.name).await?;
        // A newer content stands: what an older one says is history.
        if event.superseded {
            return Ok(Vec::new());
        }
        let change = Change::Validated {
            received_sequence: origin.received_sequence,
            validation: event.validation,
            alerts: group::alerts(&event.findings, self.bar, &about),
            withdrawn_at,
            url: origin.url,
        };
        self.apply(&report.name, &event_of(context, change)).await
    }

    /// By URL it takes down what stood there, by agency and year the report wherever it stood.
    async fn withdrawn(
        &self,
        event: v1::ReportWithdrawn,
        context: &Context,
    ) -> Result<Vec<Output>, Decision> {
        let mut outputs = Vec::new();
        let named = report::withdrawn(&event).map(|key| key.to_string());
        if let Some(report) = &named {
            let change = Change::Withdrawn { url: String::new(), before: context.sequence };
            outputs.extend(self.apply(report, &event_of(context, change)).await?);
        }
        if event.url.is_empty() {
            return Ok(outputs);
        }
        let note = |place: &mut Place| (place.withdraw(context.sequence), ());
        let (place, ()) = self.ledger.change(&Place::key(&event.url), note).await?;
        let at_url = event_of(context, Change::Withdrawn { url: event.url, before: context.sequence });
        for report in place.reports.iter().filter(|report| named.as_ref() != Some(report)) {
            outputs.extend(self.apply(report, &at_url).await?);
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
        self.apply(&report.to_string(), &event_of(context, Change::Waived(waived))).await
    }

    /// Notes that the report stood at the URL; returns the sequence of the URL's newest withdrawal, 0 for none.
    async fn note_place(&self, url: &str, report: &str) -> Result<u64, Decision> {
        if url.is_empty() {
            return Ok(0);
        }
        let note = |place: &mut Place| (place.add(report), ());
        Ok(self.ledger.change(&Place::key(url), note).await?.0.withdrawn_at)
    }

    async fn apply(&self, report: &str, event: &Event) -> Result<Vec<Output>, Decision> {
        let apply = |state: &mut ReportAlerts| {
            let step = state.apply(event);
            (step == Step::Advanced, step)
        };
        let (state, step) = self.ledger.change(&format!("reports/{report}"), apply).await?;
        Ok(if step == Step::Stale { Vec::new() } else { state.outputs() })
    }
}

#[async_trait::async_trait]
impl Handler for Alerter {
    type Input = ReportEvent;

    async fn handle(&self, input: ReportEvent, context: &Context) -> Result<Vec<Output>, Decision> {
        match input {
            ReportEvent::Validated(event) => self.validated(*event, context).await,
            ReportEvent::Withdrawn(event) => self.withdrawn(*event, context).await,
            ReportEvent::Waived(event) => self.waived(*event, context).await,
            _ => Err(Decision::unexpected(context)),
        }
    }
}

fn event_of(context: &Context, change: Change) -> Event {
    Event {
        id: context.message_id.clone(),
        sequence: context.sequence,
        at: timestamp(context.published_at),
        trace_id: context.trace_id.clone(),
        change,
    }
}

fn malformed(what: &'static str) -> Decision {
    Decision::bury("MALFORMED", anyhow::anyhow!(what))
}
