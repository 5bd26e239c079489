//! A pool for CPU work, limited to one job per core and separate from the threads that serve the network.

use std::sync::Arc;

use opentelemetry::Context;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::panics::{self, Panicked};

/// A limited number of slots for CPU work. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct CpuPool(Arc<Semaphore>);

impl CpuPool {
    /// Creates a pool with one slot per core.
    pub(crate) fn of_this_machine() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self(Arc::new(Semaphore::new(cores)))
    }

    /// Waits for a slot and runs `f` on a blocking thread, under the current trace.
    ///
    /// # Cancel safety
    /// Dropping the future before it has a slot cancels it without effect. After that `f` runs to completion and keeps
    /// its slot until then.
    pub(crate) async fn run<F, R>(&self, f: F) -> Result<R, Panicked>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        start(self.slot().await, f).await
    }

    async fn slot(&self) -> OwnedSemaphorePermit {
        self.0.clone().acquire_owned().await.expect("the semaphore is never closed")
    }
}

async fn start<F, R>(slot: OwnedSemaphorePermit, f: F) -> Result<R, Panicked>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    let context = Context::current();
    let task = tokio::task::spawn_blocking(move || {
        let _slot = slot;
        let _context = context.attach();
        panics::catch(f)
    });
    match task.await {
        Ok(result) => result,
        Err(error) => Err(Panicked { message: error.to_string(), location: None }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_costs_one_job() {
        let pool = CpuPool::of_this_machine();
        assert_eq!(pool.run(|| 2 + 2).await, Ok(4));
        assert!(pool.run(|| panic!("broken")).await.map(|(): ()| ()).is_err());
        assert_eq!(pool.run(|| 5).await, Ok(5));
    }
}
