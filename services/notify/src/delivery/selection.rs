//! What of a batch is delivered: of each alert the last state, unless the subscription knows it already.

use std::collections::BTreeMap;

use gongkai_worker::Decision;

use super::{
    letter::{Envelope, Letter},
    subscriber::{Need, Subscriber},
};

/// The letters of a batch, and what becomes of each.
pub(super) struct Selection<'a> {
    letters: Vec<(Letter<'a>, Fate)>,
    cancelled: usize,
}

/// What becomes of a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Sent,
    /// A later letter about the same alert makes it needless, or is cancelled by it.
    Passed,
    /// It was delivered before, or is not wanted.
    Ignored,
}

// === impl Selection ===

impl<'a> Selection<'a> {
    /// Selects everything, for a batch that was sent already.
    pub(super) fn all(letters: Vec<Letter<'a>>) -> Self {
        Self { letters: letters.into_iter().map(|letter| (letter, Fate::Sent)).collect(), cancelled: 0 }
    }

    /// Selects the last letter about each alert. An alert that was raised and resolved within the batch cancels out.
    pub(super) async fn new(subscriber: &Subscriber, all: Vec<Letter<'a>>) -> Result<Self, Decision> {
        let mut letters = Vec::with_capacity(all.len());
        // Of each alert the last letter that counts, and whether it has an earlier one.
        let mut last: BTreeMap<&str, (usize, bool)> = BTreeMap::new();
        for (at, letter) in all.into_iter().enumerate() {
            let Letter { notice, context } = letter;
            let need = subscriber.need(notice, context).await?;
            let earlier = last.get(notice.id()).copied();
            // The end of an alert counts that is not wanted by itself, but whose beginning is.
            let counts = need == Need::Now || need == Need::AfterBeginning && earlier.is_some();
            letters.push((letter, if counts { Fate::Sent } else { Fate::Ignored }));
            if counts {
                if let Some((earlier, _)) = earlier {
                    letters[earlier].1 = Fate::Passed;
                }
                last.insert(notice.id(), (at, earlier.is_some()));
            }
        }
        let mut cancelled = 0;
        for (at, has_earlier) in last.into_values() {
            let notice = letters[at].0.notice;
            if has_earlier && notice.is_resolved() && !subscriber.is_told_of(notice).await? {
                letters[at].1 = Fate::Passed;
                cancelled += 1;
            }
        }
        Ok(Self { letters, cancelled })
    }

    /// Returns true if nothing is to be sent.
    pub(super) fn is_empty(&self) -> bool {
        self.letters.iter().all(|(_, fate)| *fate != Fate::Sent)
    }

    pub(super) fn envelope(&self) -> Envelope<'a> {
        let ids = self.letters.iter().map(|(letter, _)| letter.context.first_id());
        let sent = self.letters.iter().filter(|(_, fate)| *fate == Fate::Sent);
        Envelope::new(ids, sent.map(|(letter, _)| *letter).collect(), self.cancelled)
    }

    /// Records what the subscription knows after the batch was sent, or needed not be.
    pub(super) async fn record(&self, subscriber: &Subscriber) -> Result<(), Decision> {
        for (Letter { notice, context }, fate) in &self.letters {
            match fate {
                Fate::Sent => subscriber.record(notice, context).await?,
                Fate::Passed => subscriber.settle(notice, context).await?,
                Fate::Ignored => {}
            }
        }
        Ok(())
    }
}
