//! What one attempt delivers: a notice, or several that go together.

use gongkai_worker::Context;
use sha2::{Digest as _, Sha256};

use super::notice::Notice;

/// A notice, with its place in the log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Letter<'a> {
    pub(super) notice: &'a Notice,
    pub(super) context: &'a Context,
}

/// The letters of one attempt, oldest first. There is at least one.
#[derive(Debug)]
pub(crate) struct Envelope<'a> {
    /// The same for every attempt.
    id: String,
    letters: Vec<Letter<'a>>,
    /// Number of alerts that ended before they were delivered, and are left out.
    cancelled: usize,
}

// === impl Letter ===

impl Letter<'_> {
    /// Returns the id of the letter, which is the same for every attempt. It contains no full stops, which separate the
    /// signed parts of a webhook.
    pub(super) fn id(&self) -> String {
        id_of([self.context.first_id()])
    }
}

// === impl Envelope ===

impl<'a> Envelope<'a> {
    /// Creates an envelope for a batch of messages with these ids. Of a batch of one, the id is that of the letter.
    pub(super) fn new<'m>(
        message_ids: impl IntoIterator<Item = &'m str>,
        letters: Vec<Letter<'a>>,
        cancelled: usize,
    ) -> Self {
        Self { id: id_of(message_ids), letters, cancelled }
    }

    /// Creates an envelope with one letter.
    pub(super) fn of_one(notice: &'a Notice, context: &'a Context) -> Self {
        Self::new([context.first_id()], vec![Letter { notice, context }], 0)
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Returns the letters.
    pub(super) fn letters(&self) -> &[Letter<'a>] {
        &self.letters
    }

    /// Returns the number of alerts that ended before they were delivered, and are left out.
    pub(super) fn cancelled(&self) -> usize {
        self.cancelled
    }
}

fn id_of<'a>(message_ids: impl IntoIterator<Item = &'a str>) -> String {
    let message_ids: Vec<_> = message_ids.into_iter().collect();
    format!("msg_{}", hex::encode(&Sha256::digest(message_ids.join("\n"))[..16]))
}
