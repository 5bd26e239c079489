//! The record of what a subscription received about an alert or a submission. It suppresses repeats and outdated
//! messages.

use gongkai_proto::v1;
use gongkai_worker::Context;

/// Maximum number of message ids kept. An alert changes only a few times.
const MAX_IDS: usize = 64;

/// What one subscription received about one alert.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Sent {
    /// Ids of the delivered messages, oldest first.
    #[prost(string, repeated, tag = "1")]
    ids: Vec<String>,
    /// Highest stream sequence delivered.
    #[prost(uint64, tag = "2")]
    sequence: u64,
    /// The state of the alert at that sequence.
    #[prost(enumeration = "v1::AlertState", tag = "3")]
    state: i32,
    /// Highest stream sequence that was not delivered at once: the message waits, or is given up.
    #[prost(uint64, tag = "4")]
    passed_over: u64,
    /// Identity of the stream that these sequences belong to; 0 if an earlier version wrote the record.
    #[prost(int64, tag = "5")]
    stream: i64,
}

/// How a message relates to the delivered ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Novelty {
    /// The message is new and must be delivered.
    New,
    /// The message was delivered before.
    Repeat,
    /// A newer message about this alert was delivered.
    Superseded,
}

// === impl Sent ===

impl Sent {
    /// Returns the key of the record about an alert or a submission of this id.
    #[must_use]
    pub(super) fn key(subscription: &str, id: &str) -> String {
        format!("{subscription}/{id}")
    }

    /// Assigns the record to this stream. Sequences of another stream are dropped; message ids and the state stay
    /// valid.
    #[must_use]
    pub(super) fn in_stream(mut self, stream: i64) -> Self {
        if self.stream != stream && self.stream != 0 {
            (self.sequence, self.passed_over) = (0, 0);
        }
        self.stream = stream;
        self
    }

    /// Compares a message with the delivered ones.
    #[must_use]
    pub(super) fn novelty(&self, context: &Context) -> Novelty {
        if self.ids.iter().any(|id| id == context.first_id()) {
            Novelty::Repeat
        } else if context.sequence < self.sequence {
            Novelty::Superseded
        } else {
            Novelty::New
        }
    }

    /// Returns true if the last delivered state is raised. The subscription must then receive the end of the alert.
    #[must_use]
    pub(super) fn is_raised(&self) -> bool {
        self.state() == v1::AlertState::Raised
    }

    /// Returns true if a message about the alert was delivered, waits, or is given up.
    #[must_use]
    pub(super) fn is_begun(&self) -> bool {
        !self.ids.is_empty() || self.passed_over > 0
    }

    /// Records that a message waits or is given up. Returns false if that is recorded already.
    pub(super) fn pass_over(&mut self, context: &Context) -> bool {
        let is_new = context.sequence > self.passed_over;
        self.passed_over = self.passed_over.max(context.sequence);
        is_new
    }

    /// Records a delivery.
    pub(super) fn record(&mut self, context: &Context, state: v1::AlertState) {
        if self.ids.len() == MAX_IDS {
            self.ids.remove(0);
        }
        self.ids.push(context.first_id().to_owned());
        if context.sequence >= self.sequence {
            self.sequence = context.sequence;
            self.set_state(state);
        }
    }
}

#[cfg(test)]
mod tests {
    use gongkai_worker::Once;
    use time::OffsetDateTime;

    use super::*;

    fn context(id: &str, sequence: u64) -> Context {
        Context {
            message_id: id.into(),
            subject: String::new(),
            sequence,
            logged_at: OffsetDateTime::UNIX_EPOCH,
            repetition: None,
            attempt: 1,
            trace_id: String::new(),
            once: Once::default(),
        }
    }

    #[test]
    fn a_message_is_told_once_and_never_after_a_newer_one() {
        let mut sent = Sent::default();
        assert_eq!(sent.novelty(&context("b", 7)), Novelty::New);
        sent.record(&context("b", 7), v1::AlertState::Raised);
        assert_eq!(sent.novelty(&context("b", 7)), Novelty::Repeat);
        assert_eq!(
            sent.novelty(&context("b", 20)),
            Novelty::Repeat,
            "a copy beyond the stream's duplicate window"
        );
        assert_eq!(sent.novelty(&context("a", 6)), Novelty::Superseded);
        assert_eq!(sent.novelty(&context("c", 8)), Novelty::New);
        assert!(sent.is_raised());
        sent.record(&context("c", 8), v1::AlertState::Resolved);
        assert!(!sent.is_raised());
    }

    #[test]
    fn sequences_of_a_stream_that_is_lost_say_nothing() {
        let mut sent = Sent::default().in_stream(1);
        sent.record(&context("raise", 700), v1::AlertState::Raised);
        sent.pass_over(&context("other", 701));
        let sent = sent.in_stream(2);
        assert_eq!(sent.novelty(&context("resolve", 8)), Novelty::New);
        assert_eq!(sent.novelty(&context("raise", 7)), Novelty::Repeat);
        assert!(sent.is_raised(), "its end must still be told");
        let mut early = Sent { passed_over: 3, ..Sent::default() }.in_stream(2);
        assert!(early.is_begun() && early.pass_over(&context("b", 4)));
        assert!(!early.in_stream(3).is_begun(), "what waited in the lost stream does not wait in this one");
    }

    #[test]
    fn an_older_message_told_at_the_same_time_does_not_change_the_state() {
        let mut sent = Sent::default();
        sent.record(&context("resolve", 8), v1::AlertState::Resolved);
        sent.record(&context("raise", 7), v1::AlertState::Raised);
        assert!(!sent.is_raised());
        for n in 0..2 * MAX_IDS {
            sent.record(&context(&n.to_string(), 9), v1::AlertState::Raised);
        }
        assert_eq!(sent.ids.len(), MAX_IDS);
    }
}
