//! The read model that is in use, and whether it may answer.
//!
//! A read model that lacks events of its log does not answer, because a part of the reports is not an answer. Neither
//! does one that is damaged or was built from another log. The code that detects this raises a [`Doubt`], and the
//! [keeper](crate::keeper) replaces the read model.

use std::sync::{Arc, PoisonError, RwLock};

use gongkai_store::Store;
use tokio::sync::mpsc;

use crate::error::QueryError;

/// Whether the read model may answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Availability {
    /// The read model is being opened and compared with its log; the text names what it waits for.
    Opening(String),
    /// The read model is being built from the log.
    Rebuilding {
        /// Number of events that the read model contains.
        done: u64,
        /// Number of events in the log when the rebuild began.
        total: u64,
    },
    /// The broker lost the log or has another one, and an operator has not decided yet; the text describes the loss.
    Lost(String),
    /// The read model does not match its log, and the configuration forbids replacing it; the text gives the reason.
    Refused(String),
    /// The read model contains every event of the log, apart from the usual lag.
    Ready,
}

/// Why a read model must be replaced.
#[derive(Debug)]
pub struct Doubt {
    /// Epoch of the read model.
    pub epoch: String,
    /// What is wrong with the read model.
    pub reason: String,
}

/// The read model that is in use. Cheap to clone.
#[derive(Clone)]
pub struct ReadModel(Arc<Inner>);

struct Inner {
    state: RwLock<State>,
    doubts: mpsc::Sender<Doubt>,
}

struct State {
    store: Option<Arc<dyn Store>>,
    condition: Availability,
}

impl ReadModel {
    /// Creates a read model that is being opened, and the receiver of doubts.
    #[must_use]
    pub fn opening() -> (Self, mpsc::Receiver<Doubt>) {
        // The first doubt is enough to replace a read model.
        let (doubts, raised) = mpsc::channel(1);
        let state = State { store: None, condition: Availability::Opening("the start".to_owned()) };
        (Self(Arc::new(Inner { state: RwLock::new(state), doubts })), raised)
    }

    /// Puts a read model into use, or removes the present one.
    pub fn set(&self, store: Option<Arc<dyn Store>>, condition: Availability) {
        *self.0.state.write().unwrap_or_else(PoisonError::into_inner) = State { store, condition };
    }

    /// Changes the availability of the read model in use.
    pub fn set_condition(&self, condition: Availability) {
        self.0.state.write().unwrap_or_else(PoisonError::into_inner).condition = condition;
    }

    /// Returns the store to read.
    ///
    /// # Errors
    /// The read model may not answer; the error gives the reason.
    pub fn store(&self) -> Result<Arc<dyn Store>, QueryError> {
        let state = self.0.state.read().unwrap_or_else(PoisonError::into_inner);
        match (&state.condition, &state.store) {
            (Availability::Ready, Some(store)) => Ok(store.clone()),
            (Availability::Rebuilding { done, total }, _) => {
                Err(QueryError::Rebuilding { done: *done, total: *total })
            }
            (Availability::Lost(what), _) => Err(QueryError::StoreLost(what.clone())),
            (Availability::Refused(reason), _) => Err(QueryError::Refused(reason.clone())),
            (Availability::Opening(what), _) => Err(QueryError::Opening(what.clone())),
            (Availability::Ready, None) => Err(QueryError::Opening("a store".to_owned())),
        }
    }

    /// Requests that the read model with this epoch be replaced.
    pub fn doubt(&self, epoch: &str, reason: impl Into<String>) {
        // If the channel is full, another doubt is pending. If it is closed, the keeper has ended, and the process
        // with it.
        self.0.doubts.try_send(Doubt { epoch: epoch.to_owned(), reason: reason.into() }).ok();
    }
}
