//! Wakes watchers when the change feed has a new entry, so that they need not poll.

use tokio::sync::watch;

/// Wakes watchers after each change that the projector writes. Clones notify the same listeners.
#[derive(Debug, Clone)]
pub struct ChangeNotifier(watch::Sender<()>);

/// Receives the notifications of a [`ChangeNotifier`].
#[derive(Debug)]
pub struct ChangeListener(watch::Receiver<()>);

impl ChangeNotifier {
    /// Creates a notifier without listeners.
    #[must_use]
    pub fn new() -> Self {
        Self(watch::Sender::new(()))
    }

    /// Wakes every listener. One that is not waiting returns at once from its next [`ChangeListener::changed`].
    pub fn notify(&self) {
        self.0.send_replace(());
    }

    /// Returns a listener for notifications from now on.
    #[must_use]
    pub fn listen(&self) -> ChangeListener {
        ChangeListener(self.0.subscribe())
    }
}

impl Default for ChangeNotifier {
    fn default() -> Self {
        Self::new()
    }
}

impl ChangeListener {
    /// Waits for a notification since the last call. Never returns once the notifier is dropped.
    ///
    /// # Cancel safety
    /// Cancel safe: if the future is dropped, the next call returns the notification.
    pub async fn changed(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
