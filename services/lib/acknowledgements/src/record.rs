//! The acknowledgements in the stream of alerts.
//!
//! Each alert has a subject of its own for them, so that they are found without reading other messages. The message id
//! derives from the alert, from the time at which it was raised, and from who acknowledges it. The stream therefore stores
//! one of several simultaneous copies; a later copy is found before it is published.

use gongkai_model::Region;
use gongkai_proto::{
    convert::timestamp,
    subjects::{self, ACKNOWLEDGED_TYPE, STREAM_ALERTS},
    v1,
};
use gongkai_worker::{
    Output, Runtime,
    transport::{Error, ErrorKind, Message},
};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

/// Records and finds acknowledgements. Cheap to clone.
#[derive(Clone)]
pub struct Acknowledgements {
    runtime: Runtime,
}

/// Result of [`Acknowledgements::record`].
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// The acknowledgement in the stream: the new one, or the earlier one of the same person.
    pub acknowledgement: v1::Acknowledgement,
    /// False if there was an earlier one.
    pub is_new: bool,
}

// === impl Acknowledgements ===

impl Acknowledgements {
    #[must_use]
    pub fn new(runtime: Runtime) -> Self {
        Self { runtime }
    }

    /// Records an acknowledgement, unless the same person, or the same link, has acknowledged the alert since it was
    /// raised. Once this returns, the acknowledgement is durable. `alert_id` must be one token of a subject.
    ///
    /// # Errors
    /// The broker did not answer, or did not store it. It is safe to try again.
    pub async fn record(&self, new: v1::Acknowledgement) -> Result<Recorded, Error> {
        if let Some(known) = self.earlier(&new).await? {
            return Ok(Recorded { acknowledgement: known, is_new: false });
        }
        let subject =
            subjects::acknowledged_subject(&new.alert_id, new.region.parse().unwrap_or(Region::UNKNOWN));
        let id = message_id(&new);
        let event = v1::AlertAcknowledged { acknowledgement: Some(new.clone()) };
        let published = self.runtime.publish(&id, Output::new(subject, ACKNOWLEDGED_TYPE, &event)).await?;
        if !published.duplicate {
            let (alert_id, way) = (&new.alert_id, new.way().as_str_name());
            tracing::info!(alert_id, way, "alert acknowledged");
            return Ok(Recorded { acknowledgement: new, is_new: true });
        }
        // Another call was faster.
        let known = self.runtime.message(STREAM_ALERTS, published.sequence).await?;
        let known = known.and_then(|logged| decoded(logged.message));
        let lagging = || {
            Error::new(
                ErrorKind::Unavailable,
                "the replica that answered has not got the acknowledgement yet",
            )
        };
        Ok(Recorded { acknowledgement: known.ok_or_else(lagging)?, is_new: false })
    }

    /// Returns the acknowledgement that the same person, or the same link, made since the alert was raised.
    ///
    /// # Errors
    /// The broker did not answer.
    pub async fn earlier(&self, new: &v1::Acknowledgement) -> Result<Option<v1::Acknowledgement>, Error> {
        let is_earlier =
            |known: &v1::Acknowledgement| is_of_same(known, new) && raised_at(known) >= raised_at(new);
        Ok(self.of_alert(&new.alert_id).await?.into_iter().find(is_earlier))
    }

    /// Returns the acknowledgements of an alert that the stream keeps, the earliest first.
    ///
    /// # Errors
    /// The broker did not answer.
    pub async fn of_alert(&self, alert_id: &str) -> Result<Vec<v1::Acknowledgement>, Error> {
        let filters = [subjects::acknowledged_filter(alert_id)];
        let (mut found, mut after) = (Vec::new(), 0);
        while let Some((sequence, logged)) = self.runtime.first_after(STREAM_ALERTS, &filters, after).await? {
            found.extend(decoded(logged.message));
            after = sequence;
        }
        Ok(found)
    }

    /// Returns the earliest acknowledgement that applies to an open alert, or `None` if nobody takes care of it. `opened_at`
    /// is the `changed_at` of the [`v1::AlertRaised`] with which it was opened.
    ///
    /// # Errors
    /// The broker did not answer.
    pub async fn in_force(
        &self,
        alert_id: &str,
        opened_at: OffsetDateTime,
    ) -> Result<Option<v1::Acknowledgement>, Error> {
        let all = self.of_alert(alert_id).await?;
        Ok(all.into_iter().find(|known| raised_at(known) >= Some(opened_at)))
    }
}

/// Returns the time at which the alert was raised that an acknowledgement is about, or `None` if it names none.
#[must_use]
pub fn raised_at(acknowledgement: &v1::Acknowledgement) -> Option<OffsetDateTime> {
    timestamp::optional(acknowledgement.raised_at, "raised_at").ok().flatten()
}

/// Returns true if both are of the same person, or came by links to the same subscription.
fn is_of_same(one: &v1::Acknowledgement, other: &v1::Acknowledgement) -> bool {
    holder(one) == holder(other)
}

/// Returns who may acknowledge an alert once: a link's subscription, or a person.
fn holder(acknowledgement: &v1::Acknowledgement) -> (v1::AcknowledgementWay, &str) {
    match acknowledgement.way() {
        v1::AcknowledgementWay::Link => (v1::AcknowledgementWay::Link, &acknowledgement.subscription),
        way => (way, &acknowledgement.person),
    }
}

fn message_id(new: &v1::Acknowledgement) -> String {
    let (way, holder) = holder(new);
    let raised_at = raised_at(new).map_or(0, OffsetDateTime::unix_timestamp_nanos);
    let digest =
        Sha256::new().chain_update(way.as_str_name()).chain_update([0]).chain_update(holder).finalize();
    format!("{}.{raised_at}.acknowledged.{}", new.alert_id, hex::encode(&digest[..8]))
}

fn decoded(message: Message) -> Option<v1::Acknowledgement> {
    v1::AlertAcknowledged::try_from((message.subject.as_str(), message.payload)).ok()?.acknowledgement
}
