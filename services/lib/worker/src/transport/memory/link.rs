//! One process's connection to the broker. It can be cut at any call, as the death of the process would.

use std::{
    future::pending,
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio_util::sync::CancellationToken;

use super::{
    faults::{self, FaultedCall, Operation},
    shared::{Shared, lock},
};
use crate::transport::Error;

/// When a connection is cut: at its `call`-th call from now, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The call has no effect.
    Before {
        /// Number of the call.
        call: u64,
    },
    /// The call takes effect, and its answer is lost.
    After {
        /// Number of the call.
        call: u64,
    },
}

/// A connection. A call through it after it was cut has no effect and never returns.
pub(super) struct Link {
    shared: Arc<Shared>,
    /// Steps until the cut. Each call has two: before its effect and after it.
    steps: AtomicU64,
    pub(super) is_cut: CancellationToken,
}

impl Link {
    pub(super) fn new(shared: Arc<Shared>) -> Arc<Self> {
        Arc::new(Self { shared, steps: AtomicU64::new(u64::MAX), is_cut: CancellationToken::new() })
    }

    /// Returns another connection to the same broker.
    pub(super) fn another(&self) -> Arc<Self> {
        Self::new(self.shared.clone())
    }

    /// Returns the broker's state, which a cut does not change.
    pub(super) fn broker(&self) -> Arc<Shared> {
        self.shared.clone()
    }

    pub(super) fn cut_at(&self, cut: Cut) {
        let steps = match cut {
            Cut::Before { call } => call * 2,
            Cut::After { call } => call * 2 + 1,
        };
        self.steps.store(steps, Ordering::Relaxed);
    }

    /// Counts a call and applies the fault plan: the call is delayed, refused, or its answer marked as lost.
    pub(super) async fn enter(&self, operation: Operation, target: &str) -> Result<Entered<'_>, Error> {
        self.step().await;
        *lock(&self.shared.calls).entry(operation).or_default() += 1;
        let hits = faults::take(&mut lock(&self.shared.faults), operation, target);
        let call = FaultedCall::start(operation, hits).await;
        // The connection may have been cut during a delay.
        self.while_whole().await;
        Ok(Entered { link: self, call: call? })
    }

    /// Cuts the connection if this is its last step.
    async fn step(&self) {
        let left = self.steps.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        if left.is_err() {
            self.is_cut.cancel();
        }
        self.while_whole().await;
    }

    /// Returns at once while the connection is up, and never once it is cut.
    pub(super) async fn while_whole(&self) {
        if self.is_cut.is_cancelled() {
            pending::<()>().await;
        }
    }
}

impl Deref for Link {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.shared
    }
}

/// A call in progress through a connection.
pub(super) struct Entered<'a> {
    link: &'a Link,
    call: FaultedCall,
}

impl Entered<'_> {
    /// Ends a call that took effect.
    ///
    /// # Errors
    /// The plan loses its answer.
    pub(super) async fn leave<T>(self, answer: T) -> Result<T, Error> {
        self.link.step().await;
        self.call.leave(answer)
    }
}
