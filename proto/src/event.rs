//! Decodes messages of the log: the only place where a subject determines the type of a payload.
//!
//! [`ReportEvent`] is the input of every consumer. The runtime does not depend on these messages; it creates a
//! handler's input from a subject and a payload with [`TryFrom`].

use prost::{Message, bytes::Bytes};

use crate::{subjects, v1};

/// An event of a report, or an alert or a notice about one, according to its subject.
#[derive(Debug, Clone, PartialEq)]
pub enum ReportEvent {
    /// A document was received.
    Received(Box<v1::DocumentReceived>),
    /// A document was read as a report.
    Parsed(Box<v1::ReportParsed>),
    /// A report was validated.
    Validated(Box<v1::ReportValidated>),
    /// A document was rejected.
    Rejected(Box<v1::ReportRejected>),
    /// A report was withdrawn.
    Withdrawn(Box<v1::ReportWithdrawn>),
    /// A waiver was granted or has ended.
    Waived(Box<v1::WaiverChanged>),
    /// Contents were erased.
    Erased(Box<v1::ReportErased>),
    /// An alert was raised.
    AlertRaised(Box<v1::Alert>),
    /// An alert was resolved.
    AlertResolved(Box<v1::Alert>),
    /// A submission ended.
    SubmissionEnded(Box<v1::SubmissionEnded>),
    /// A notice about a deadline, of any kind.
    Deadline(Box<v1::DeadlineNotice>),
}

/// Error: the message is not a known event. Bury it, because a retry does not help.
#[derive(Debug, thiserror::Error)]
pub enum Undecodable {
    /// The subject is not that of an event.
    #[error("nothing of ours travels on {0:?}")]
    Subject(String),
    /// The payload is not the message that the subject names.
    #[error("the payload is not what {0:?} carries")]
    Payload(String, #[source] prost::DecodeError),
    /// The alert is neither raised nor resolved.
    #[error("an alert in state {0} is neither raised nor resolved")]
    AlertState(i32),
}

impl ReportEvent {
    /// Decodes the payload of a message by its subject. Alerts share a subject and are distinguished by their state.
    ///
    /// # Errors
    /// The subject is not that of an event, or the payload is another message: bury it.
    pub fn decode(subject: &str, payload: Bytes) -> Result<Self, Undecodable> {
        use subjects::Event;
        let event = Event::of(subject).ok_or_else(|| Undecodable::Subject(subject.to_owned()))?;
        Ok(match event {
            Event::ReportReceived => Self::Received(message(subject, payload)?),
            Event::ReportParsed => Self::Parsed(message(subject, payload)?),
            Event::ReportValidated => Self::Validated(message(subject, payload)?),
            Event::ReportRejected => Self::Rejected(message(subject, payload)?),
            Event::ReportWithdrawn => Self::Withdrawn(message(subject, payload)?),
            Event::ReportWaived => Self::Waived(message(subject, payload)?),
            Event::ReportErased => Self::Erased(message(subject, payload)?),
            Event::SubmissionEnded => Self::SubmissionEnded(message(subject, payload)?),
            Event::AlertRaised | Event::AlertResolved => Self::alert(*message(subject, payload)?)?,
            Event::DeadlineReminded | Event::ReportMissing | Event::ReportLate => {
                Self::Deadline(message(subject, payload)?)
            }
        })
    }

    /// Decodes both kinds of alerts, which have the same encoding.
    fn alert(event: v1::AlertRaised) -> Result<Self, Undecodable> {
        let alert = Box::new(event.alert.unwrap_or_default());
        match alert.state() {
            v1::AlertState::Raised => Ok(Self::AlertRaised(alert)),
            v1::AlertState::Resolved => Ok(Self::AlertResolved(alert)),
            v1::AlertState::Unspecified => Err(Undecodable::AlertState(alert.state)),
        }
    }
}

impl TryFrom<(&str, Bytes)> for ReportEvent {
    type Error = Undecodable;

    fn try_from((subject, payload): (&str, Bytes)) -> Result<Self, Undecodable> {
        Self::decode(subject, payload)
    }
}

impl TryFrom<(&str, Bytes)> for v1::DeadLetter {
    type Error = Undecodable;

    fn try_from((subject, payload): (&str, Bytes)) -> Result<Self, Undecodable> {
        if subjects::token_after(subjects::DEAD_PREFIX, subject).is_none() {
            return Err(Undecodable::Subject(subject.to_owned()));
        }
        Ok(*message(subject, payload)?)
    }
}

impl TryFrom<(&str, Bytes)> for v1::DeadLetterSettled {
    type Error = Undecodable;

    fn try_from((subject, payload): (&str, Bytes)) -> Result<Self, Undecodable> {
        if !subjects::is_settled_subject(subject) {
            return Err(Undecodable::Subject(subject.to_owned()));
        }
        Ok(*message(subject, payload)?)
    }
}

impl TryFrom<(&str, Bytes)> for v1::AlertAcknowledged {
    type Error = Undecodable;

    fn try_from((subject, payload): (&str, Bytes)) -> Result<Self, Undecodable> {
        if !subjects::is_acknowledged_subject(subject) {
            return Err(Undecodable::Subject(subject.to_owned()));
        }
        Ok(*message(subject, payload)?)
    }
}

/// Returns the full name of the message type on a subject, or `None` for a subject that is not that of an event or a dead
/// letter.
#[must_use]
pub fn message_name(subject: &str) -> Option<&'static str> {
    use subjects::Event;
    if subjects::token_after(subjects::DEAD_PREFIX, subject).is_some() {
        return Some("gongkai.v1.DeadLetter");
    }
    if subjects::is_acknowledged_subject(subject) {
        return Some("gongkai.v1.AlertAcknowledged");
    }
    Some(match Event::of(subject)? {
        Event::ReportReceived => "gongkai.v1.DocumentReceived",
        Event::ReportParsed => "gongkai.v1.ReportParsed",
        Event::ReportValidated => "gongkai.v1.ReportValidated",
        Event::ReportRejected => "gongkai.v1.ReportRejected",
        Event::ReportWithdrawn => "gongkai.v1.ReportWithdrawn",
        Event::ReportWaived => "gongkai.v1.WaiverChanged",
        Event::ReportErased => "gongkai.v1.ReportErased",
        // Both kinds of alerts have one encoding.
        Event::AlertRaised | Event::AlertResolved => "gongkai.v1.AlertRaised",
        Event::SubmissionEnded => "gongkai.v1.SubmissionEnded",
        Event::DeadlineReminded | Event::ReportMissing | Event::ReportLate => "gongkai.v1.DeadlineNotice",
    })
}

fn message<M: Message + Default>(subject: &str, payload: Bytes) -> Result<Box<M>, Undecodable> {
    let decoded = M::decode(payload).map_err(|error| Undecodable::Payload(subject.to_owned(), error))?;
    Ok(Box::new(decoded))
}
