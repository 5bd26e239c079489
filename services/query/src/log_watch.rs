//! Compares a read model with the log from which it was built.

use std::sync::Arc;
use std::time::Duration;

use gongkai_proto::subjects::{self, Event, STREAM_REPORTS};
use gongkai_store::{LogIdentity, Mark, Store};
use gongkai_worker::Runtime;
use gongkai_worker::transport::{Error, StreamState};
use tokio::time::sleep;

/// The kinds of events that a read model contains.
pub const KINDS: [Event; 5] = [
    Event::ReportValidated,
    Event::ReportRejected,
    Event::ReportWithdrawn,
    Event::ReportWaived,
    Event::ReportErased,
];

/// Number of readings of a consumer that must agree that events are missing, because its replica may lag behind the
/// stream's.
const READINGS: u32 = 5;
/// Time between two readings.
const BETWEEN: Duration = Duration::from_millis(200);

/// Compares one read model with the log. Cheap to clone.
#[derive(Clone)]
pub struct LogWatch {
    runtime: Runtime,
    store: Arc<dyn Store>,
    log: LogIdentity,
}

/// The result of comparing the log with a read model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogComparison {
    /// The read model was built from this log.
    Same,
    /// The read model was built from another log; the text explains the difference.
    Other(String),
    /// An event is not found. A replica of the broker may lag behind, so compare again.
    Unsure(String),
}

impl LogWatch {
    /// Creates a comparison of `store`, which was built from `log`, with the broker's log.
    #[must_use]
    pub fn new(runtime: Runtime, store: Arc<dyn Store>, log: LogIdentity) -> Self {
        Self { runtime, store, log }
    }

    /// Compares identity and history: checks that the newest event of the read model is at its sequence in the log.
    ///
    /// Events are only ever appended to a log, so the earlier events are the same too.
    ///
    /// # Errors
    /// `NotFound`: there is no log. Otherwise the broker did not answer.
    pub async fn history(&self) -> Result<LogComparison, Error> {
        let newest = self.store.position().newest;
        let event = async {
            match newest {
                Some(mark) => self.runtime.message(STREAM_REPORTS, mark.sequence).await,
                None => Ok(None),
            }
        };
        let (state, event) = tokio::join!(self.runtime.stream_state(STREAM_REPORTS), event);
        let (state, event) = (state?, event?);
        if let Some(other) = self.other(&state, newest) {
            return Ok(LogComparison::Other(other));
        }
        let Some(newest) = newest.filter(|newest| newest.sequence >= state.first_sequence) else {
            return Ok(LogComparison::Same);
        };
        Ok(match event {
            Some(event) if event.logged_at == newest.logged_at => LogComparison::Same,
            Some(_) => {
                LogComparison::Other(format!("event {} of the log is another one now", newest.sequence))
            }
            None => LogComparison::Unsure(format!("event {} is gone from the log", newest.sequence)),
        })
    }

    /// Compares the events that the consumer settled with those in the read model. If the file is an older copy, the
    /// consumer has settled more.
    ///
    /// # Errors
    /// The broker did not answer.
    pub async fn completeness(&self) -> Result<LogComparison, Error> {
        let mut verdict = LogComparison::Same;
        for _ in 0..READINGS {
            verdict = self.complete_now().await?;
            if verdict == LogComparison::Same {
                break;
            }
            sleep(BETWEEN).await;
        }
        Ok(verdict)
    }

    async fn complete_now(&self) -> Result<LogComparison, Error> {
        // Read in this order, so that an event in between never looks like a missing one.
        let known = events(&self.runtime).await?;
        let durable = subjects::consumer_query(self.store.epoch());
        let lag = self.runtime.consumer_lag(STREAM_REPORTS, &durable).await?;
        let held = self.store.position().events;
        Ok(match lag {
            None if held == 0 => LogComparison::Same,
            None => LogComparison::Unsure(
                "its consumer is gone, which alone could tell that it is whole".to_owned(),
            ),
            Some(lag) if held + lag.outstanding < known => LogComparison::Unsure(format!(
                "it holds {held} of {} events that were stored in it: it is an older copy",
                known - lag.outstanding
            )),
            Some(_) => LogComparison::Same,
        })
    }

    fn other(&self, state: &StreamState, newest: Option<Mark>) -> Option<String> {
        if state.created != self.log.created {
            return Some(format!(
                "the log was created at {}, that of the read model at {}",
                state.created, self.log.created
            ));
        }
        if state.first_sequence < self.log.first_sequence {
            return Some(format!("the log begins at event {} again", state.first_sequence));
        }
        let (last, newest) = (state.last_sequence, newest?.sequence);
        (last < newest).then(|| {
            format!(
                "the log ends at event {last}, the read model holds event {newest}: the log is an older copy"
            )
        })
    }
}

/// Returns the number of events that a read model of the present log contains.
///
/// # Errors
/// `NotFound`: there is no log. Otherwise the broker did not answer.
pub async fn events(runtime: &Runtime) -> Result<u64, Error> {
    let mut known = 0;
    for kind in KINDS {
        known += runtime.count(STREAM_REPORTS, &kind.filter()).await?;
    }
    Ok(known)
}
