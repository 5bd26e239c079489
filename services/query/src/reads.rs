//! Reads the store from async code, on threads that may block, with limits of number and time.

use std::sync::Arc;
use std::time::Duration;

use gongkai_store::{Error, Store};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::error::QueryError;

/// Read access to the store. Cheap to clone.
#[derive(Clone)]
pub struct Reads {
    store: Arc<dyn Store>,
    slots: Arc<Semaphore>,
    limit: Duration,
}

impl Reads {
    /// At most `slots` reads at once, each for at most `limit`, waiting for a slot included.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, slots: usize, limit: Duration) -> Self {
        Self { store, slots: Arc::new(Semaphore::new(slots)), limit }
    }

    /// The read model's epoch.
    #[must_use]
    pub fn epoch(&self) -> String {
        self.store.epoch().to_owned()
    }

    /// Runs a read.
    ///
    /// # Errors
    /// The read failed or exceeded its time limit.
    ///
    /// # Cancel safety
    /// A read that has begun runs to its end after the future is dropped. It keeps its slot until then, so abandoned reads
    /// cannot pile up.
    pub async fn run<T, F>(&self, read: F) -> Result<T, QueryError>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Store) -> Result<T, Error> + Send + 'static,
    {
        let (store, slots) = (self.store.clone(), self.slots.clone());
        let work = async move {
            let slot = slots.acquire_owned().await.expect("nobody closes the semaphore");
            let done = tokio::task::spawn_blocking(move || {
                let done = read(&*store);
                drop(slot);
                done
            });
            done.await.unwrap_or_else(|panic| Err(Error::Backend(Box::new(panic))))
        };
        Ok(timeout(self.limit, work).await.map_err(|_| QueryError::TooSlow)??)
    }
}
