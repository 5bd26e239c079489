//! An index of the stream of alerts.
//!
//! The stream is the only record: it has what notify raised and resolved, and what people acknowledged. The index keeps what
//! lists and filters need, and no findings. It drops what the stream no longer keeps.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use gongkai_proto::{ReportEvent, convert::timestamp, subjects::STREAM_ALERTS, v1};
use gongkai_worker::Runtime;
use gongkai_worker::transport::{Error, ErrorKind, Logged};
use time::OffsetDateTime;

use super::standing::{Entry, Standing};
use crate::stream_index::{Digest, StreamIndex};

/// Number of alerts read at once.
const READ_AHEAD: usize = 16;

/// The stream of alerts. Cheap to clone.
#[derive(Clone)]
pub struct AlertIndex {
    index: StreamIndex<AlertDigest>,
}

/// What the stream has about each alert.
#[derive(Default)]
struct AlertDigest {
    alerts: HashMap<Arc<str>, AlertLog>,
    /// The first sequence that is kept.
    first: u64,
}

/// The messages about one alert by their sequence. Those about several alerts are never compared.
#[derive(Default)]
struct AlertLog(BTreeMap<u64, Entry>);

// === impl AlertIndex ===

impl AlertIndex {
    #[must_use]
    pub fn new(runtime: Runtime) -> Self {
        Self { index: StreamIndex::new(runtime, STREAM_ALERTS) }
    }

    /// Returns the alerts that `wanted` selects, in no order.
    ///
    /// # Errors
    /// The broker did not answer.
    pub async fn matching(&self, wanted: impl Fn(&Standing) -> bool) -> Result<Vec<Standing>, Error> {
        let all = |digest: &AlertDigest| {
            let standings = digest.alerts.iter().filter_map(|(id, log)| Standing::of(id, &log.0));
            standings.filter(|standing| wanted(standing)).collect()
        };
        self.index.read(all).await
    }

    /// Returns an alert, or `None` if the stream has none of this id.
    ///
    /// # Errors
    /// The broker did not answer.
    pub async fn find(&self, alert_id: &str) -> Result<Option<Standing>, Error> {
        let find = |digest: &AlertDigest| {
            digest.alerts.get_key_value(alert_id).and_then(|(id, log)| Standing::of(id, &log.0))
        };
        self.index.read(find).await
    }

    /// Reads whole alerts, each as it was last raised or resolved.
    ///
    /// # Errors
    /// The broker did not answer, or the replica that answered lags behind.
    pub async fn load(&self, standings: &[Standing]) -> Result<Vec<v1::Alert>, Error> {
        let sequences: Vec<u64> = standings.iter().map(|standing| standing.last).collect();
        stream::iter(sequences).map(|sequence| self.alert(sequence)).buffered(READ_AHEAD).try_collect().await
    }

    async fn alert(&self, sequence: u64) -> Result<v1::Alert, Error> {
        let lagging =
            || Error::new(ErrorKind::Unavailable, "the replica that answered has not got the alert yet");
        let Logged { message, .. } = self.index.message(sequence).await?.ok_or_else(lagging)?;
        match ReportEvent::decode(&message.subject, message.payload) {
            Ok(ReportEvent::AlertRaised(alert) | ReportEvent::AlertResolved(alert)) => Ok(*alert),
            _ => Err(Error::new(ErrorKind::Other, "the message is no alert")),
        }
    }
}

// === impl AlertDigest ===

impl Digest for AlertDigest {
    fn add(&mut self, sequence: u64, logged: Logged) {
        let Some((alert_id, entry)) = entry(logged) else { return };
        self.alerts.entry(alert_id.into()).or_default().0.insert(sequence, entry);
    }

    fn forget_before(&mut self, first: u64) {
        if first <= self.first {
            return;
        }
        self.first = first;
        self.alerts.retain(|_, log| {
            log.0 = log.0.split_off(&first);
            !log.0.is_empty()
        });
    }
}

/// Returns what the index keeps of a message; `None` if it is not about an alert.
fn entry(Logged { message, logged_at }: Logged) -> Option<(String, Entry)> {
    let acknowledged = v1::AlertAcknowledged::try_from((message.subject.as_str(), message.payload.clone()));
    if let Ok(event) = acknowledged {
        let acknowledgement = event.acknowledgement?;
        return Some((acknowledgement.alert_id.clone(), Entry::Acknowledged(Arc::new(acknowledgement))));
    }
    match ReportEvent::decode(&message.subject, message.payload).ok()? {
        ReportEvent::AlertRaised(alert) | ReportEvent::AlertResolved(alert) => {
            let at: OffsetDateTime =
                timestamp::optional(alert.changed_at, "changed_at").ok().flatten().unwrap_or(logged_at);
            let id = alert.alert_id.clone();
            Some((id, Entry::changed(*alert, at)))
        }
        _ => None,
    }
}
