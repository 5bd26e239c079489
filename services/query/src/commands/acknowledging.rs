//! Acknowledges alerts: a person's statement to take care of one.

use gongkai_acknowledgements::Acknowledgements;
use gongkai_proto::convert::timestamp::timestamp;
use gongkai_proto::v1;
use gongkai_worker::Clock;

use super::text::{MAX_PERSON, MAX_REASON, optional_text, text};
use crate::alerts::index::AlertIndex;
use crate::error::QueryError;
use crate::name;

/// Acknowledges alerts. Times are cut to microseconds.
pub struct AcknowledgementCommands {
    index: AlertIndex,
    acknowledgements: Acknowledgements,
    clock: Clock,
}

impl AcknowledgementCommands {
    #[must_use]
    pub fn new(index: AlertIndex, acknowledgements: Acknowledgements, clock: Clock) -> Self {
        Self { index, acknowledgements, clock }
    }

    /// Acknowledges an open alert, or returns the earlier acknowledgement of the same person.
    ///
    /// # Errors
    /// The request is malformed, there is no such alert, it is resolved, or the broker is unreachable.
    pub async fn acknowledge(
        &self,
        request: v1::AcknowledgeAlertRequest,
    ) -> Result<v1::Acknowledgement, QueryError> {
        let id = name::alert("name", &request.name)?;
        let person = text("person", &request.person, MAX_PERSON)?;
        let comment = optional_text("comment", &request.comment, MAX_REASON)?;
        let found = self.index.find(id).await.map_err(QueryError::Broker)?;
        let found = found.ok_or_else(|| QueryError::AlertNotFound(request.name.clone()))?;
        if !found.is_open {
            return Err(QueryError::AlertResolved);
        }
        let acknowledgement = v1::Acknowledgement {
            alert_id: id.to_owned(),
            person,
            comment,
            acknowledged_at: Some(timestamp(self.clock.now().truncate_to_microsecond())),
            way: v1::AcknowledgementWay::Grpc.into(),
            subscription: String::new(),
            raised_at: Some(timestamp(found.opened_at)),
            region: found.region().to_owned(),
        };
        let recorded = self.acknowledgements.record(acknowledgement).await.map_err(QueryError::Broker)?;
        Ok(recorded.acknowledgement)
    }
}
