//! A document that is being accepted.

use crate::{
    calls::{Attempt, CallStatement},
    submission::{Submission, SubmissionIdentity, content_key, said},
};
use gongkai_proto::v1::{ContentRef, DocumentReceived, Sender};
use prost_types::Timestamp;

/// A document that is hashed, with the event for the log.
pub(super) struct HashedDocument {
    pub(super) submission: Submission,
    pub(super) event: DocumentReceived,
    pub(super) content_hash: String,
    pub(super) content_key: String,
    pub(super) places: Vec<String>,
}

// === impl HashedDocument ===

impl HashedDocument {
    /// Hashes the document. That is slow for a large one.
    pub(super) fn new(submission: Submission, sender: Option<Sender>, now: Timestamp) -> Self {
        let event = DocumentReceived { sender, ..submission.received(submission.references(), now) };
        Self {
            content_hash: event.content_hash(),
            content_key: content_key(&event),
            places: submission.declared.places(),
            submission,
            event,
        }
    }

    /// Sets the time of the call that began the attempt, and the submission that the attempt renews.
    pub(super) fn begun_by(&mut self, attempt: &Attempt) {
        let event_time = attempt.event_time(self.submission.declared.event_time);
        self.submission.declared.event_time = event_time;
        self.event.event_time = event_time;
        self.event.renews.clone_from(&attempt.renews);
    }

    pub(super) fn statement(&self) -> CallStatement {
        let is_key = matches!(self.submission.identity, SubmissionIdentity::Key { .. });
        let DocumentReceived { kind, content, attachments, .. } = self.event.clone();
        // An idempotency key identifies the files, whatever the metadata.
        let content = content.map(|content| ContentRef { charset: String::new(), ..content });
        let files = DocumentReceived { kind, content, attachments, ..DocumentReceived::default() };
        CallStatement {
            first_id: self.submission.id(&self.content_hash),
            said: said(if is_key { &files } else { &self.event }),
            content_hash: self.content_hash.clone(),
            event_time_us: self.submission.declared.event_time_us(),
            may_supersede: !is_key,
        }
    }
}
