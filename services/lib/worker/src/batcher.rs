//! [`Batcher`]: one call, such as a transaction, for what many handlers do at the same time.
//!
//! A handler works on one message, and each message ends on its own. What is costly for one message and not for many,
//! above all waiting for the disk, goes through a batcher: it collects what concurrent handlers pass to it while it is
//! busy, and returns to each the result of its own item. [`by_halves`] keeps one bad item from failing the others.

use tokio::sync::{mpsc, oneshot};
use tokio_util::task::AbortOnDropHandle;

/// Collects items from concurrent callers and handles them in batches. Its task ends when it is dropped.
pub struct Batcher<T, R> {
    items: mpsc::Sender<(T, oneshot::Sender<R>)>,
    _task: AbortOnDropHandle<()>,
}

// === impl Batcher ===

impl<T: Send + 'static, R: Send + 'static> Batcher<T, R> {
    /// Starts a batcher. `handle` gets the items that arrived while it was busy, up to `max`, and returns a result for
    /// each, in their order. Must be called within the tokio runtime.
    pub fn start<F>(max: usize, mut handle: impl FnMut(Vec<T>) -> F + Send + 'static) -> Self
    where
        F: Future<Output = Vec<R>> + Send,
    {
        let (items, mut queue) = mpsc::channel(max);
        let run = async move {
            let mut batch = Vec::new();
            while queue.recv_many(&mut batch, max).await > 0 {
                let (items, callers): (Vec<T>, Vec<oneshot::Sender<R>>) = batch.drain(..).unzip();
                let results = handle(items).await;
                for (result, caller) in results.into_iter().zip(callers) {
                    // Fails only if the caller was dropped.
                    caller.send(result).ok();
                }
            }
        };
        Self { items, _task: AbortOnDropHandle::new(tokio::spawn(run)) }
    }

    /// Handles an item in the next batch and returns its result. Returns `None` if `handle` panicked.
    ///
    /// # Cancel safety
    /// If the future is dropped, the item may or may not be handled.
    pub async fn call(&self, item: T) -> Option<R> {
        let (caller, result) = oneshot::channel();
        self.items.send((item, caller)).await.ok()?;
        result.await.ok()
    }
}

/// Handles all items by one call of `all`. If that fails because of one of them, handles each half in the same way, so
/// that only items that fail alone fail. Returns a result for each item.
///
/// `shared` copies an error that concerns every item, such as a full disk; it returns `None` for any other.
pub fn by_halves<T, R: Clone, E>(
    items: &[T],
    all: &mut impl FnMut(&[T]) -> Result<R, E>,
    shared: fn(&E) -> Option<E>,
) -> Vec<Result<R, E>> {
    if items.is_empty() {
        return Vec::new();
    }
    let error = match all(items) {
        Ok(done) => return items.iter().map(|_| Ok(done.clone())).collect(),
        Err(error) => error,
    };
    let copies: Vec<_> = items[1..].iter().map_while(|_| shared(&error)).collect();
    if copies.len() + 1 == items.len() {
        return copies.into_iter().chain([error]).map(Err).collect();
    }
    let (left, right) = items.split_at(items.len() / 2);
    let mut results = by_halves(left, all, shared);
    results.extend(by_halves(right, all, shared));
    results
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use futures::future::join_all;
    use tokio::sync::Semaphore;

    use super::*;

    #[tokio::test]
    async fn items_that_arrive_meanwhile_are_handled_together_and_answered_one_by_one() {
        let (gate, sizes) = (Arc::new(Semaphore::new(0)), Arc::new(Mutex::new(Vec::new())));
        let (opened, seen) = (gate.clone(), sizes.clone());
        let batcher = Batcher::start(64, move |items: Vec<u32>| {
            seen.lock().unwrap().push(items.len());
            let opened = opened.clone();
            async move {
                opened.acquire().await.unwrap().forget();
                items.into_iter().map(|item| item * 2).collect()
            }
        });
        let first = batcher.call(0);
        let rest = async {
            while sizes.lock().unwrap().is_empty() {
                tokio::task::yield_now().await;
            }
            gate.add_permits(10);
            join_all((1..100).map(|item| batcher.call(item))).await
        };
        let (first, rest) = tokio::join!(first, rest);
        assert_eq!(first, Some(0));
        assert!(rest.into_iter().zip(1..).all(|(result, item)| result == Some(item * 2)));
        let sizes = sizes.lock().unwrap();
        assert!(sizes.iter().sum::<usize>() == 100 && sizes.len() < 10, "{sizes:?}");
    }

    #[tokio::test]
    async fn a_panic_ends_the_batcher_and_no_caller_waits() {
        let batcher = Batcher::start(1, |_: Vec<u32>| async { panic!("ours") });
        let result: Option<u32> = batcher.call(1).await;
        assert_eq!((result, batcher.call(2).await), (None, None));
    }

    #[test]
    fn one_bad_item_fails_alone() {
        let items: Vec<u32> = (0..64).collect();
        let mut calls = 0;
        let mut all = |items: &[u32]| {
            calls += 1;
            if items.contains(&17) { Err("17 is odd") } else { Ok(()) }
        };
        let results = by_halves(&items, &mut all, |_| None);
        let failed: Vec<_> = results.iter().zip(&items).filter(|(result, _)| result.is_err()).collect();
        assert_eq!(failed, [(&Err("17 is odd"), &17)]);
        assert_eq!((results.len(), calls), (64, 13));
    }

    #[test]
    fn an_error_that_concerns_all_is_met_once() {
        let mut calls = 0;
        let mut all = |_: &[u32]| {
            calls += 1;
            Err::<(), _>("full")
        };
        assert_eq!(by_halves(&[1, 2, 3], &mut all, |error| Some(*error)), [Err("full"); 3]);
        assert!(by_halves(&[], &mut all, |error| Some(*error)).is_empty());
        assert_eq!(calls, 1);
    }
}
