//! Publishes stored documents once more, to be read by a new registry.
//!
//! Each goes on the subject of backfills, as a repetition of its arrival. The message ids are the same until the document is
//! filed otherwise, so a repeated call changes nothing.

use gongkai_model::{Rank, ReportKey};
use gongkai_proto::{
    ReportEvent,
    convert::timestamp::timestamp,
    subjects::{self, Event, STREAM_REPORTS},
    v1::{DocumentReceived, ReportWithdrawn, Rereading},
};
use gongkai_worker::{Output, Runtime, transport};
use sha2::{Digest as _, Sha256};

use crate::error::QueryError;

/// Returns the event of the log at this sequence; `None` if the log does not have it.
pub(super) async fn logged(
    runtime: &Runtime,
    sequence: u64,
) -> Result<Option<ReportEvent>, transport::Error> {
    let found = runtime.message(STREAM_REPORTS, sequence).await?;
    Ok(found.and_then(|found| ReportEvent::decode(&found.message.subject, found.message.payload).ok()))
}

/// Returns the document that arrived at this sequence; `None` if the log does not have it.
pub(super) async fn received(
    runtime: &Runtime,
    sequence: u64,
) -> Result<Option<DocumentReceived>, transport::Error> {
    Ok(match logged(runtime, sequence).await? {
        Some(ReportEvent::Received(received)) => Some(*received),
        _ => None,
    })
}

/// Returns the message that has a document read again. `outcome` is the sequence of the event that the arrival led to.
pub(super) fn read_again(received: DocumentReceived, rereading: Rereading, outcome: u64) -> Output {
    let Rereading { filed_as, expected, registry, .. } = &rereading;
    let id = message_id(&received.submission_id, &format!("{filed_as} {expected} {registry} {outcome}"));
    let subject = subjects::backfill_subject(received.region.parse().unwrap_or_default());
    let event = DocumentReceived { rereading: Some(rereading), ..received };
    Output { message_id: Some(id), ..Output::new(subject, Event::ReportReceived.ce_type(), &event) }
}

/// Publishes a message that has an id of its own.
pub(super) async fn publish(runtime: &Runtime, output: Output) -> Result<(), QueryError> {
    runtime.publish("", output).await.map_err(QueryError::Broker)?;
    Ok(())
}

/// Publishes the withdrawal of a report for the report that it became. It takes effect when it did.
pub(super) async fn withdraw_again(runtime: &Runtime, rank: Rank, to: &ReportKey) -> Result<(), QueryError> {
    let event = logged(runtime, rank.sequence()).await.map_err(QueryError::Broker)?;
    let Some(ReportEvent::Withdrawn(withdrawn)) = event else { return Ok(()) };
    let subject = Event::ReportWithdrawn.subject(withdrawn.region.parse().unwrap_or_default());
    let id = message_id(&withdrawn.submission_id, &format!("{to} {}", rank.sequence()));
    let event = ReportWithdrawn {
        report: to.to_string(),
        event_time: Some(timestamp(rank.effective_at())),
        ..*withdrawn
    };
    let output = Output::new(subject, Event::ReportWithdrawn.ce_type(), &event);
    publish(runtime, Output { message_id: Some(id), ..output }).await
}

/// Returns an id that is the same for the same repetition of a submission's event.
fn message_id(submission_id: &str, repetition: &str) -> String {
    format!("{submission_id}.again.{}", hex::encode(&Sha256::digest(repetition)[..8]))
}
