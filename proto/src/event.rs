//! Messages of the log as the events they are: the one place that tells by a subject what a payload holds.
//!
//! [`ReportEvent`] is what every consumer takes. The runtime knows no message of ours, so the seam between the two is the
//! standard library's: what a handler takes is made from a subject and a payload with [`TryFrom`].

use prost::{Message, bytes::Bytes};

use crate::{subjects, v1};

/// An event of a report's life or an alert about it, whichever its subject names.
#[derive(Debug, Clone, PartialEq)]
pub enum ReportEvent {
    /// A document came in.
    Received(Box<v1::DocumentReceived>),
    /// It was read.
    Parsed(Box<v1::ReportParsed>),
    /// It was checked.
    Validated(Box<v1::ReportValidated>),
    /// It is no report, or unreadable.
    Rejected(Box<v1::ReportRejected>),
    /// Its publisher took it down.
    Withdrawn(Box<v1::ReportWithdrawn>),
    /// A person let a finding stand, or that came to its end.
    Waived(Box<v1::WaiverChanged>),
    /// Trouble was seen for the first time, or is no longer waived.
    AlertRaised(Box<v1::Alert>),
    /// The trouble is over.
    AlertResolved(Box<v1::Alert>),
}

/// A message that is no event of ours: bury it, it will not improve.
#[derive(Debug, thiserror::Error)]
pub enum Undecodable {
    /// No kind of event travels on the subject.
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
    /// Decodes the payload of a message as the subject says. Alerts share a subject and are told apart by their state.
    ///
    /// # Errors
    /// Nothing of ours travels on the subject, or the payload is something else: bury the message.
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
            Event::AlertRaised | Event::AlertResolved => Self::alert(*message(subject, payload)?)?,
        })
    }

    /// Both messages look alike on the wire.
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

fn message<M: Message + Default>(subject: &str, payload: Bytes) -> Result<Box<M>, Undecodable> {
    let decoded = M::decode(payload).map_err(|error| Undecodable::Payload(subject.to_owned(), error))?;
    Ok(Box::new(decoded))
}
