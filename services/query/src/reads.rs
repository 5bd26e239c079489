//! Reads the store from async code on blocking threads, with limits on the number and the time of reads.

use std::sync::Arc;
use std::time::Duration;

use gongkai_store::{Error, Store};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::error::QueryError;
use crate::read_model::ReadModel;

/// Read access to the read model. Cheap to clone.
#[derive(Clone)]
pub struct Reads {
    model: ReadModel,
    slots: Arc<Semaphore>,
    limit: Duration,
}

impl Reads {
    /// Allows at most `slots` reads at once, each for at most `limit`, including the wait for a slot.
    #[must_use]
    pub fn new(model: ReadModel, slots: usize, limit: Duration) -> Self {
        Self { model, slots: Arc::new(Semaphore::new(slots)), limit }
    }

    /// Runs a read.
    ///
    /// # Errors
    /// The read model may not answer now, or the read failed or exceeded its time limit. If a read finds damage, the
    /// read model is replaced.
    ///
    /// # Cancel safety
    /// A read that has begun continues to its end after the future is dropped. It keeps its slot until then, so
    /// abandoned reads cannot pile up.
    pub async fn run<T, F>(&self, read: F) -> Result<T, QueryError>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Store) -> Result<T, Error> + Send + 'static,
    {
        let (store, slots) = (self.model.store()?, self.slots.clone());
        let epoch = store.epoch().to_owned();
        let work = async move {
            let slot = slots.acquire_owned().await.expect("nobody closes the semaphore");
            let done = tokio::task::spawn_blocking(move || {
                let done = read(&*store);
                drop(slot);
                done
            });
            done.await.unwrap_or_else(|panic| Err(Error::Backend(Box::new(panic))))
        };
        match timeout(self.limit, work).await.map_err(|_| QueryError::TooSlow)? {
            Err(error @ Error::Damaged(_)) => {
                self.model.doubt(&epoch, error.to_string());
                Err(error.into())
            }
            Err(Error::Closed) => Err(QueryError::Opening("another store".to_owned())),
            done => Ok(done?),
        }
    }
}
