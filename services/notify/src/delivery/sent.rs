//! What a subscription was told of an alert: makes a repeat harmless, and keeps old news from coming after new.

use gongkai_proto::v1;
use gongkai_worker::Context;

/// Message ids kept; an alert changes a few times in its life.
const MAX_IDS: usize = 64;

/// The record of one alert at one subscription.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Sent {
    /// Ids of the messages told, oldest first.
    #[prost(string, repeated, tag = "1")]
    ids: Vec<String>,
    /// Highest stream sequence told.
    #[prost(uint64, tag = "2")]
    sequence: u64,
    /// The state told with it.
    #[prost(enumeration = "v1::AlertState", tag = "3")]
    state: i32,
}

/// What to do with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Tell it.
    Tell,
    /// It was told before.
    Repeat,
    /// Something newer of this alert was told.
    Superseded,
}

// === impl Sent ===

impl Sent {
    /// The key of the record.
    #[must_use]
    pub(super) fn key(subscription: &str, alert: &v1::Alert) -> String {
        format!("{subscription}/{}", alert.alert_id)
    }

    /// Judges a message by what was told.
    #[must_use]
    pub(super) fn judge(&self, context: &Context) -> Verdict {
        if self.ids.contains(&context.message_id) {
            Verdict::Repeat
        } else if context.sequence < self.sequence {
            Verdict::Superseded
        } else {
            Verdict::Tell
        }
    }

    /// True if the subscription knows the alert as standing: it must hear of the end, whatever it asks for now.
    #[must_use]
    pub(super) fn stands(&self) -> bool {
        self.state() == v1::AlertState::Raised
    }

    /// Notes what was told.
    pub(super) fn note(&mut self, context: &Context, state: v1::AlertState) {
        if self.ids.len() == MAX_IDS {
            self.ids.remove(0);
        }
        self.ids.push(context.message_id.clone());
        if context.sequence >= self.sequence {
            self.sequence = context.sequence;
            self.set_state(state);
        }
    }
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;

    fn context(id: &str, sequence: u64) -> Context {
        Context {
            message_id: id.into(),
            subject: String::new(),
            sequence,
            logged_at: OffsetDateTime::UNIX_EPOCH,
            attempt: 1,
            trace_id: String::new(),
        }
    }

    #[test]
    fn a_message_is_told_once_and_never_after_a_newer_one() {
        let mut sent = Sent::default();
        assert_eq!(sent.judge(&context("b", 7)), Verdict::Tell);
        sent.note(&context("b", 7), v1::AlertState::Raised);
        assert_eq!(sent.judge(&context("b", 7)), Verdict::Repeat);
        assert_eq!(
            sent.judge(&context("b", 20)),
            Verdict::Repeat,
            "a copy beyond the stream's duplicate window"
        );
        assert_eq!(sent.judge(&context("a", 6)), Verdict::Superseded);
        assert_eq!(sent.judge(&context("c", 8)), Verdict::Tell);
        assert!(sent.stands());
        sent.note(&context("c", 8), v1::AlertState::Resolved);
        assert!(!sent.stands());
    }

    #[test]
    fn an_older_message_told_at_the_same_time_does_not_change_the_state() {
        let mut sent = Sent::default();
        sent.note(&context("resolve", 8), v1::AlertState::Resolved);
        sent.note(&context("raise", 7), v1::AlertState::Raised);
        assert!(!sent.stands());
        for n in 0..2 * MAX_IDS {
            sent.note(&context(&n.to_string(), 9), v1::AlertState::Raised);
        }
        assert_eq!(sent.ids.len(), MAX_IDS);
    }
}
