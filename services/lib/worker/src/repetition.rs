//! A message that is published once more: a replayed dead letter, or an event that is handled again by newer rules.
//!
//! The copy has an id of its own, because the broker drops an id that it saw within the duplicate window. Its header
//! `gongkai-first-copy` names the first copy, whose sequence and time the handler gets. So a repetition has the same effect as
//! another delivery of the first copy, however late it is: nothing ranks by the time of the repetition.

use time::OffsetDateTime;

use crate::transport::{Error, Headers, LINK_HEADER, MESSAGE_ID, Message};

/// Header of a repetition: sequence, time in Unix nanoseconds and id of the first copy in the same stream.
const FIRST_COPY: &str = "gongkai-first-copy";
/// Header of a replayed dead letter: the stream sequence of the dead letter, and the number of replays including this one.
const REPLAY: &str = "gongkai-replay";
/// Prefix of headers that the broker acts on. A repetition has none of the first copy's.
const BROKER_PREFIX: &str = "Nats-";

/// Where a repetition itself is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repetition {
    /// Id of the first copy.
    pub first_id: String,
    /// Stream sequence of the repetition.
    pub sequence: u64,
    /// When the stream stored the repetition.
    pub logged_at: OffsetDateTime,
}

/// The first copy of a message, in the same stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstCopy {
    /// Id of the message.
    pub id: String,
    /// Stream sequence of the message.
    pub sequence: u64,
    /// When the stream stored the message.
    pub logged_at: OffsetDateTime,
}

/// The dead letter that a message replays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplayOf {
    /// Stream sequence of the dead letter.
    pub sequence: u64,
    /// Number of replays of the message, including this one.
    pub replays: u32,
}

// === impl FirstCopy ===

impl FirstCopy {
    /// Returns the first copy that a repetition names, or `None` if the message is none.
    #[must_use]
    pub fn of(headers: &Headers) -> Option<Self> {
        let mut parts = headers.get(FIRST_COPY)?.splitn(3, ' ');
        let sequence = parts.next()?.parse().ok()?;
        let logged_at = OffsetDateTime::from_unix_timestamp_nanos(parts.next()?.parse().ok()?).ok()?;
        Some(Self { sequence, logged_at, id: parts.next()?.to_owned() })
    }

    fn header(&self) -> String {
        format!("{} {} {}", self.sequence, self.logged_at.unix_timestamp_nanos(), self.id)
    }
}

// === impl ReplayOf ===

impl ReplayOf {
    /// Returns the dead letter that a message replays, if it does.
    #[must_use]
    pub fn of(headers: &Headers) -> Option<Self> {
        Self::parse(headers.get(REPLAY)?)
    }

    /// Returns the dead letter that a message with these headers replays, if it does.
    #[must_use]
    pub fn of_pairs<'a>(headers: impl IntoIterator<Item = (&'a str, &'a str)>) -> Option<Self> {
        Self::parse(headers.into_iter().find(|(name, _)| *name == REPLAY)?.1)
    }

    fn parse(value: &str) -> Option<Self> {
        let (sequence, replays) = value.split_once(' ')?;
        Some(Self { sequence: sequence.parse().ok()?, replays: replays.parse().ok()? })
    }
}

/// Returns a message that has `message` handled once more, under its own `id` and in a trace of its own with a link to that of the
/// message. Without a first copy, the repetition counts as a new message.
///
/// # Errors
/// A header cannot be sent.
pub fn repeat(
    message: &Message,
    first: Option<&FirstCopy>,
    replay: Option<ReplayOf>,
    id: &str,
) -> Result<Message, Error> {
    let mut headers = Headers::new();
    let own = [FIRST_COPY, REPLAY];
    for (name, value) in message.headers.sorted() {
        if !name.starts_with(BROKER_PREFIX) && !own.contains(&name) {
            headers.insert(name, value)?;
        }
    }
    headers.insert(MESSAGE_ID, id)?;
    headers.insert(LINK_HEADER, "true")?;
    if let Some(first) = first {
        headers.insert(FIRST_COPY, &first.header())?;
    }
    if let Some(ReplayOf { sequence, replays }) = replay {
        headers.insert(REPLAY, &format!("{sequence} {replays}"))?;
    }
    Ok(Message { subject: message.subject.clone(), headers, payload: message.payload.clone() })
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::handler::Context;

    fn message(headers: &[(&str, &str)]) -> Message {
        let mut all = Headers::new();
        for (name, value) in headers {
            all.insert(name, value).unwrap();
        }
        Message { subject: "a.b".into(), headers: all, payload: "x".into() }
    }

    #[test]
    fn a_handler_gets_the_place_of_the_first_copy_and_the_id_of_the_repetition() {
        let sent = message(&[(MESSAGE_ID, "m 1"), ("traceparent", "t"), ("Nats-Scheduler", "timer")]);
        let at = datetime!(2026-01-02 03:04:05.000000006 UTC);
        let first = FirstCopy { id: "m 1".into(), sequence: 7, logged_at: at };
        let replay = ReplayOf { sequence: 3, replays: 2 };
        let again = repeat(&sent, Some(&first), Some(replay), "m 1.replay.3").unwrap();
        assert_eq!((again.subject.as_str(), &again.payload[..]), ("a.b", &b"x"[..]));
        assert_eq!(
            again.headers.sorted().iter().map(|(name, _)| *name).collect::<Vec<_>>(),
            [MESSAGE_ID, FIRST_COPY, LINK_HEADER, REPLAY, "traceparent"]
        );
        assert_eq!(ReplayOf::of(&again.headers), Some(replay));
        let later = at + time::Duration::hours(1);
        let context = Context::new(&again, ("S", 50), later, String::new());
        assert_eq!((context.message_id.as_str(), context.first_id()), ("m 1.replay.3", "m 1"));
        assert_eq!((context.sequence, context.logged_at, context.place()), (7, at, (50, later)));
    }

    #[test]
    fn without_a_first_copy_a_repetition_is_a_new_message() {
        let sent = message(&[("gongkai-first-copy", "1 1 old"), ("gongkai-replay", "1 1")]);
        let again = repeat(&sent, None, None, "m2").unwrap();
        assert_eq!((FirstCopy::of(&again.headers), ReplayOf::of(&again.headers)), (None, None));
        let context = Context::new(&again, ("S", 50), OffsetDateTime::UNIX_EPOCH, String::new());
        assert_eq!((context.first_id(), context.place().0), ("m2", 50));
    }

    #[test]
    fn a_malformed_header_names_nothing() {
        for bad in ["", "7", "7 1", "7 x id", "x 1 id"] {
            assert_eq!(FirstCopy::of(&message(&[(FIRST_COPY, bad)]).headers), None, "{bad}");
        }
        for bad in ["", "7", "7 x", "x 1", "7 1 2"] {
            assert_eq!(ReplayOf::of(&message(&[(REPLAY, bad)]).headers), None, "{bad}");
        }
    }
}
