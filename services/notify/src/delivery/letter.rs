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
    letters: Vec<Letter<'a>>,
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
    /// Creates an envelope with a letter for each notice.
    pub(super) fn new(notices: impl IntoIterator<Item = (&'a Notice, &'a Context)>) -> Self {
        Self { letters: notices.into_iter().map(|(notice, context)| Letter { notice, context }).collect() }
    }

    /// Returns the letters.
    pub(super) fn letters(&self) -> &[Letter<'a>] {
        &self.letters
    }

    /// Returns the id of the envelope, which follows from the messages in it. With one letter it is that letter's id.
    pub(super) fn id(&self) -> String {
        id_of(self.letters.iter().map(|letter| letter.context.first_id()))
    }
}

fn id_of<'a>(message_ids: impl IntoIterator<Item = &'a str>) -> String {
    let message_ids: Vec<_> = message_ids.into_iter().collect();
    format!("msg_{}", hex::encode(&Sha256::digest(message_ids.join("\n"))[..16]))
}
