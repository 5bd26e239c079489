//! The identity of a stream, and whether the stored sequences were checked against the present streams.

use gongkai_worker::{
    Decision, Runtime,
    transport::{Error, ErrorKind, StreamState},
};
use tokio::sync::watch;

/// The epoch of the log for which the stored state was checked. Nothing is handled before the check.
#[derive(Debug)]
pub(crate) struct CheckedEpoch(watch::Sender<Option<u64>>);

// === impl CheckedEpoch ===

impl CheckedEpoch {
    /// Creates the state before the first check.
    pub(crate) fn none() -> Self {
        Self(watch::Sender::new(None))
    }

    pub(crate) fn set(&self, epoch: u64) {
        self.0.send_replace(Some(epoch));
    }

    /// Checks that the epoch is that of the present log.
    ///
    /// # Errors
    /// `Unavailable` with the text of `what` if it is not, or not known yet.
    pub(crate) fn ready(&self, runtime: &Runtime, what: impl FnOnce() -> String) -> Result<(), Decision> {
        if *self.0.borrow() == Some(runtime.log_epoch()) {
            return Ok(());
        }
        Err(Decision::Unavailable(Error::new(ErrorKind::Unavailable, what())))
    }

    /// Waits until the first check, or until shutdown.
    pub(crate) async fn until_set(&self, runtime: &Runtime) {
        let mut checked = self.0.subscribe();
        // The sender lives as long as `self`, so the wait ends with a value.
        let set = async { drop(checked.wait_for(Option::is_some).await) };
        runtime.shutdown().run_until_cancelled(set).await;
    }
}

/// Identifies a stream by its creation time: a stream that was deleted and created again has the same name and other
/// messages.
#[must_use]
pub(crate) fn identity(state: &StreamState) -> i64 {
    i64::try_from(state.created.unix_timestamp_nanos()).unwrap_or(i64::MAX)
}
