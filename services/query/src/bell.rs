//! Rings when the change feed has a new entry, so that watchers need not poll.

use tokio::sync::watch;

/// Rung by the projector, heard by every watcher. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Bell(watch::Sender<()>);

/// One watcher's ear.
#[derive(Debug)]
pub struct Ear(watch::Receiver<()>);

impl Bell {
    /// A bell nobody rang yet.
    #[must_use]
    pub fn new() -> Self {
        Self(watch::Sender::new(()))
    }

    /// Wakes every watcher that listens, and those that are about to.
    pub fn ring(&self) {
        self.0.send_replace(());
    }

    /// Hears what is rung from now on.
    #[must_use]
    pub fn listen(&self) -> Ear {
        Ear(self.0.subscribe())
    }
}

impl Default for Bell {
    fn default() -> Self {
        Self::new()
    }
}

impl Ear {
    /// Waits for a ring since the last call. Never returns if the bell is gone.
    ///
    /// # Cancel safety
    /// A ring that was not returned is returned by the next call.
    pub async fn rung(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
