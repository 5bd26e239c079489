//! The log from which a read model was built, and how much of it the model contains.
//!
//! Another log has other events under the same sequences. A read model therefore contains the events of one log: it
//! keeps the log's [`LogIdentity`], and the [`Mark`] of every event. The projector compares both with the log before
//! it writes.

use time::OffsetDateTime;

/// Identifies a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogIdentity {
    /// When the log's stream was created.
    pub created: OffsetDateTime,
    /// Sequence of the oldest event when the read model was started.
    pub first_sequence: u64,
}

/// Identifies an event of a log. Two logs, or two histories of one log, never have different events with the same
/// mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// The event's stream sequence.
    pub sequence: u64,
    /// When the log stored the event.
    pub logged_at: OffsetDateTime,
}

/// How much of the log a read model contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    /// Number of events.
    pub events: u64,
    /// The event with the highest sequence.
    pub newest: Option<Mark>,
}

impl Position {
    /// Counts the new events.
    pub(crate) fn add(&mut self, marks: &[Mark]) {
        self.events += marks.len() as u64;
        self.newest = self.newest.into_iter().chain(marks.iter().copied()).max_by_key(|mark| mark.sequence);
    }
}
