//! Handles a message that may have crashed the process while no other is handled.

use std::sync::Arc;

use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Which other messages wait while one is handled alone. DESIGN.md says when a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Alone {
    /// No other message of this process, whichever service takes it. Only then is a crash certainly this message's doing.
    #[default]
    InProcess,
    /// No other message of this consumer. For handlers that mostly wait for somebody else, such as the receiver of a webhook:
    /// a slow one holds up its own consumer and nothing else.
    InConsumer,
}

/// Either any number of messages are in work, or one alone. Cheap to clone.
///
/// It is fair: a caller that asks to be alone waits only for earlier callers.
#[derive(Debug, Clone, Default)]
pub(crate) struct WorkFloor(Arc<RwLock<()>>);

impl WorkFloor {
    /// Waits until no message is alone. The message is in work until the guard is dropped.
    pub(crate) async fn among_others(&self) -> RwLockReadGuard<'_, ()> {
        self.0.read().await
    }

    /// Waits until nothing is in work, and keeps it so until the guard is dropped.
    pub(crate) async fn alone(&self) -> RwLockWriteGuard<'_, ()> {
        self.0.write().await
    }
}
