//! Turns by key: work of one key is done one at a time, work of different keys concurrently.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

/// The turns of all keys. Cheap to clone.
#[derive(Clone, Default)]
pub struct Turns(Arc<Mutex<HashMap<String, Arc<AsyncMutex<()>>>>>);

/// A turn. It ends when the value is dropped.
pub struct Turn {
    key: String,
    turns: Turns,
    /// The turn, which is released before the key is examined.
    turn: Option<OwnedMutexGuard<()>>,
}

impl Turns {
    /// Waits for the turn of a key, in order of arrival.
    ///
    /// # Cancel safety
    /// Cancel safe: dropping the future gives up the place in the queue.
    pub async fn take(&self, key: &str) -> Turn {
        let turn = self.all().entry(key.to_owned()).or_default().clone();
        // The turn is created before the wait, so that a dropped wait cleans up as well.
        let mut held = Turn { key: key.to_owned(), turns: self.clone(), turn: None };
        held.turn = Some(turn.lock_owned().await);
        held
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, Arc<AsyncMutex<()>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.turn = None;
        let mut all = self.turns.all();
        // No other caller waits for the turn: each waiting one has a clone that was made under the lock.
        if all.get(&self.key).is_some_and(|turn| Arc::strong_count(turn) == 1) {
            all.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_key_waits_and_another_does_not() {
        let turns = Turns::default();
        let first = turns.take("a").await;
        let mut second = Box::pin(turns.take("a"));
        assert!(futures::poll!(&mut second).is_pending());
        drop(turns.take("b").await);
        drop(first);
        drop(second.await);
        assert!(turns.all().is_empty());
    }

    #[tokio::test]
    async fn who_gives_up_leaves_nothing_behind() {
        let turns = Turns::default();
        let first = turns.take("a").await;
        {
            let mut second = Box::pin(turns.take("a"));
            assert!(futures::poll!(&mut second).is_pending());
        }
        drop(first);
        assert!(turns.all().is_empty());
    }
}
