//! Determines whether a document is already the current content of its report.

use super::incoming::HashedDocument;
use crate::{
    places::{LastAccepted, micros},
    receipt_store::ReceiptStore,
    submission::event_time,
};
use gongkai_model::{RejectionCode, ReportKey};
use gongkai_proto::v1::{Receipt, SubmissionState};
use gongkai_worker::transport::Error;
use time::OffsetDateTime;

/// How a document relates to the current content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repetition {
    /// The document is not the current content, or that is uncertain.
    New,
    /// The document is the current content, and its time is not later.
    Redundant,
    /// The document is the current content, and its time is later.
    Later,
}

/// Compares a document with an earlier submission of the same content, `seen`. `report` is the one that its sender
/// names.
///
/// # Errors
/// The broker did not answer.
pub(super) async fn repetition(
    receipts: &ReceiptStore,
    incoming: &HashedDocument,
    report: Option<&ReportKey>,
    seen: &LastAccepted,
    now: OffsetDateTime,
) -> Result<Repetition, Error> {
    if seen.submission_id.is_empty() {
        return Ok(Repetition::New);
    }
    let first = receipts.get(&seen.submission_id).await?.unwrap_or_default();
    if first.state() == SubmissionState::Dead || rests_on_resources(&first) {
        return Ok(Repetition::New);
    }
    // The places of the earlier submission count too: it may have been withdrawn or replaced there before it was
    // read.
    for place in incoming.places.iter().chain(&seen.places) {
        if !receipts.place(place).await?.is_of(seen, micros(now)) {
            return Ok(Repetition::New);
        }
    }
    let rank = match first.report.as_str() {
        // The content was not read yet, or is not a report: it may have been withdrawn by the name that its sender
        // gives.
        "" => match report {
            Some(report) if receipts.is_withdrawn_after(report, seen).await? => None,
            _ => Some(seen.rank()),
        },
        report => receipts.current_rank(report, &incoming.content_hash).await?,
    };
    let Some(rank) = rank else { return Ok(Repetition::New) };
    let stated = event_time(incoming.submission.declared.event_time);
    let is_later = stated.is_some_and(|stated| stated.min(now) > rank.effective_at());
    Ok(if is_later { Repetition::Later } else { Repetition::Redundant })
}

/// Returns true if a document was rejected for lack of time or memory, or because of a crash: another attempt may
/// succeed.
pub(super) fn rests_on_resources(receipt: &Receipt) -> bool {
    receipt.rejection.as_ref().is_some_and(|rejection| {
        let code = rejection.code.parse::<RejectionCode>();
        rejection.retryable || code.is_ok_and(RejectionCode::rests_on_resources)
    })
}
