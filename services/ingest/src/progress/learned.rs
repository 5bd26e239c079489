//! Restores the records of acceptance from the log: for a submission after whose publication ingest stopped, and
//! after the bucket was lost.

use gongkai_ownership::{Owners, Thing};
use gongkai_proto::v1::{self, DocumentKind, DocumentReceived, Origin, ReportWithdrawn, Sender};
use gongkai_worker::{Context, transport::Error};

use crate::{
    calls::Attempt,
    places::{LastAccepted, micros},
    receipt_store::ReceiptStore,
    submission::{content_key, event_id, event_time, places_of, said, said_by_withdrawal},
};

/// Records a document from the log.
pub(super) async fn document(
    receipts: &ReceiptStore,
    owners: &Owners,
    event: &DocumentReceived,
    context: &Context,
) -> Result<(), Error> {
    let stated = event_time(event.event_time);
    if !event.event_source.is_empty() {
        let attempt = Attempt {
            submission_id: event.submission_id.clone(),
            said: said(event),
            content_hash: event.content_hash(),
            event_time_us: stated.map(micros),
            begun_us: micros(context.logged_at),
            before: event.supersedes.clone(),
            renews: event.renews.clone(),
        };
        let first_id = event_id(&event.event_source, &event.event_id);
        receipts.learn_attempt(&first_id, &attempt).await?;
    }
    // A draft replaces nothing.
    if event.kind() == DocumentKind::Draft {
        return Ok(());
    }
    if let Some(site) = site_of(event.sender.as_ref()).filter(|_| !event.url.is_empty()) {
        owners.learn(Thing::Address(&event.url), site, context.sequence).await?;
    }
    let agency = event.agency.clone().unwrap_or_default();
    let seen = LastAccepted {
        submission_id: event.submission_id.clone(),
        sequence: context.sequence,
        content_key: content_key(event),
        places: places_of(&agency, event.year, &event.url, &event.region),
        log_epoch: receipts.log_epoch(),
        ..LastAccepted::default()
    };
    receipts.end_at(&seen.at(stated, context.logged_at)).await
}

/// Records a withdrawal from the log. Withdrawals of earlier versions do not contain the id of the call.
pub(super) async fn withdrawal(
    receipts: &ReceiptStore,
    owners: &Owners,
    event: &ReportWithdrawn,
    context: &Context,
) -> Result<(), Error> {
    if let Some(site) = site_of(event.sender.as_ref()) {
        let address = (!event.url.is_empty()).then_some(Thing::Address(&event.url));
        let report = (!event.report.is_empty()).then_some(Thing::Report(&event.report));
        for thing in address.into_iter().chain(report) {
            owners.learn(thing, site, context.sequence).await?;
        }
    }
    let stated = event_time(event.event_time);
    if !event.event_source.is_empty() {
        let attempt = Attempt {
            submission_id: event.submission_id.clone(),
            said: said_by_withdrawal(event),
            content_hash: String::new(),
            event_time_us: stated.map(micros),
            begun_us: micros(context.logged_at),
            before: event.supersedes.clone(),
            renews: event.renews.clone(),
        };
        let first_id = event_id(&event.event_source, &event.event_id);
        receipts.learn_attempt(&first_id, &attempt).await?;
    }
    let seen = LastAccepted {
        submission_id: event.submission_id.clone(),
        sequence: context.sequence,
        content_key: String::new(),
        places: places(event),
        log_epoch: receipts.log_epoch(),
        ..LastAccepted::default()
    };
    receipts.end_at(&seen.at(stated, context.logged_at)).await
}

/// Records the owner of a report that parse has read.
pub(super) async fn report(owners: &Owners, name: &str, origin: &Origin) -> Result<(), Error> {
    if origin.sender_site.is_empty() {
        return Ok(());
    }
    owners.learn(Thing::Report(name), &origin.sender_site, origin.received_sequence).await
}

/// Returns what a withdrawal applies to, as [`ReceiptStore::hit`] does.
pub(super) async fn hit(
    receipts: &ReceiptStore,
    event: &ReportWithdrawn,
) -> Result<(v1::Withdrawal, String), Error> {
    receipts.hit(&places(event), event.report.parse().ok().as_ref()).await
}

/// Returns the authenticated site of the sender.
fn site_of(sender: Option<&Sender>) -> Option<&str> {
    sender.map(|sender| sender.site.as_str()).filter(|site| !site.is_empty())
}

fn places(event: &ReportWithdrawn) -> Vec<String> {
    places_of(&event.agency.clone().unwrap_or_default(), event.year, &event.url, &event.region)
}
