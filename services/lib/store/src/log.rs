//! Which log a read model was made from, and how much of it.
//!
//! Another log gives the same sequences to other events. A read model therefore holds the events of one log: it keeps the
//! log's [`LogIdentity`], and of every event its [`Mark`]. Whoever fills it compares both with the log before it writes.

use time::OffsetDateTime;

/// Identifies a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogIdentity {
    /// When the log's stream was created.
    pub created: OffsetDateTime,
    /// Sequence of the oldest event when the read model was begun.
    pub first_sequence: u64,
}

/// Identifies an event of a log: two logs, or two histories of one, never give both to different events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// The event's stream sequence.
    pub sequence: u64,
    /// When the log stored it.
    pub logged_at: OffsetDateTime,
}

/// How much of the log a read model holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    /// Number of events.
    pub events: u64,
    /// The event with the highest sequence.
    pub newest: Option<Mark>,
}

impl Position {
    /// Counts events that were not there before.
    pub(crate) fn add(&mut self, marks: &[Mark]) {
        self.events += marks.len() as u64;
        self.newest = self.newest.into_iter().chain(marks.iter().copied()).max_by_key(|mark| mark.sequence);
    }
}
