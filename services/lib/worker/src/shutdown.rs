//! Shutdown in two stages: *soft* (start no more work, finish the running work) and *hard* (drop the running work).
//!
//! The first signal cancels the soft token; a second signal or the drain timeout cancels the hard token. The effect
//! of a failed background task is declared where the task is started: [`OnFailure`].

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::panics::Caught;

/// The effect of a failed background task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// The failure is logged and the service continues without the task.
    Log,
    /// The process drains, stops and exits with failure.
    ShutDown,
}

/// The two shutdown tokens, and the background tasks that observe them. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shutdown {
    pub(crate) soft: CancellationToken,
    pub(crate) hard: CancellationToken,
    tasks: TaskTracker,
    failed: Arc<AtomicBool>,
}

impl Shutdown {
    /// Starts a background task, which the hard token drops.
    ///
    /// A task may return `Ok` early. Its error or panic has the effect declared by `on_failure`.
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

    /// Returns true if a task with [`OnFailure::ShutDown`] failed.
    pub(crate) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    /// Waits until every background task has ended.
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
        let shutdown = Shutdown::default();
        shutdown.spawn("harmless", OnFailure::Log, async { anyhow::bail!("gone") });
        shutdown.drained().await;
        assert!(!shutdown.soft.is_cancelled());
        shutdown.spawn("vital", OnFailure::ShutDown, async { panic!("gone") });
        shutdown.drained().await;
        assert!(shutdown.soft.is_cancelled() && shutdown.has_failed());
    }
}
