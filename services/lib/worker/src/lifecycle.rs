//! Two stages of stopping: *soft* (take no more work, finish what runs) and *hard* (drop it).
//!
//! The first signal cancels the soft token, a second one or the drain timeout the hard one. What a failing background
//! task means is declared where it is started: [`OnFailure`].

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::panics::Caught;

/// What the failure of a background task does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// It is logged; the service goes on without the task.
    Log,
    /// The process drains, stops, and exits with failure.
    ShutDown,
}

/// The two tokens, and the background tasks that listen to them. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lifecycle {
    pub(crate) soft: CancellationToken,
    pub(crate) hard: CancellationToken,
    tasks: TaskTracker,
    failed: Arc<AtomicBool>,
}

impl Lifecycle {
    /// Starts a background task. A task that returns early, cleanly, is done; its error or panic does what
    /// `on_failure` says. The hard token drops it.
    pub(crate) fn spawn<F>(&self, name: &'static str, on_failure: OnFailure, task: F)
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let this = self.clone();
        self.tasks.spawn(async move {
            let result = tokio::select! {
                result = Caught(Box::pin(task)) => result.map_err(anyhow::Error::new).flatten(),
                () = this.hard.cancelled() => return,
            };
            let Err(error) = result else { return };
            tracing::error!(task = name, error = format!("{error:#}"), "background task failed");
            if on_failure == OnFailure::ShutDown {
                this.failed.store(true, Ordering::Release);
                this.soft.cancel();
            }
        });
    }

    /// True if a task failed that the process cannot go on without.
    pub(crate) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    /// Waits until every background task is done.
    pub(crate) async fn drained(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_failed_task_does_what_was_declared() {
        let lifecycle = Lifecycle::default();
        lifecycle.spawn("harmless", OnFailure::Log, async { anyhow::bail!("gone") });
        lifecycle.drained().await;
        assert!(!lifecycle.soft.is_cancelled());
        lifecycle.spawn("vital", OnFailure::ShutDown, async { panic!("gone") });
        lifecycle.drained().await;
        assert!(lifecycle.soft.is_cancelled() && lifecycle.has_failed());
    }
}
