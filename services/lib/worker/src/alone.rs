//! Handling one message alone, so that a crash can be attributed to it.

use std::sync::Arc;

use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Which other messages wait while one is handled alone. DESIGN.md describes when that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Alone {
    /// All other messages of this process wait, whichever service handles them. Only then can a crash be attributed
    /// to this message.
    #[default]
    InProcess,
    /// Only the other messages of this consumer wait. For handlers that mostly wait for a remote party, such as the
    /// receiver of a webhook: a slow message then delays only its own consumer.
    InConsumer,
}

/// Lets any number of messages be in work, or one alone. Cheap to clone.
///
/// The lock is fair: a caller that asks to be alone waits only for earlier callers.
#[derive(Debug, Clone, Default)]
pub(crate) struct WorkFloor(Arc<RwLock<()>>);

impl WorkFloor {
    /// Waits until no message is handled alone. The message is in work until the guard is dropped.
    pub(crate) async fn among_others(&self) -> RwLockReadGuard<'_, ()> {
        self.0.read().await
    }

    /// Waits until no message is in work, and lets none start until the guard is dropped.
    pub(crate) async fn alone(&self) -> RwLockWriteGuard<'_, ()> {
        self.0.write().await
    }
}
