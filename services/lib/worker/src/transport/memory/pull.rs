//! Fetching and settling.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt as _};
use tokio::time::Instant;

use super::{
    Shared,
    faults::Operation,
    state::{Next, Outcome, Settlement, Taken},
};
use crate::transport::{ConsumerSpec, Delivery, Error, Pull, Settle};

/// A pull on a consumer that exists.
pub(super) fn bind(shared: Arc<Shared>, spec: &ConsumerSpec) -> Box<dyn Pull> {
    Box::new(MemoryPull { shared, spec: Arc::new(spec.clone()) })
}

struct MemoryPull {
    shared: Arc<Shared>,
    spec: Arc<ConsumerSpec>,
}

#[async_trait]
impl Pull for MemoryPull {
    async fn fetch(
        &mut self,
        max: usize,
        expires: Duration,
    ) -> Result<BoxStream<'static, Result<Delivery, Error>>, Error> {
        let call = self.shared.enter(Operation::Fetch, &self.spec.durable).await?;
        let batch = Batch {
            shared: self.shared.clone(),
            spec: self.spec.clone(),
            left: max,
            ends: Instant::now() + expires,
        };
        call.leave(stream::unfold(batch, Batch::next).boxed())
    }
}

/// What is left of one fetch.
struct Batch {
    shared: Arc<Shared>,
    spec: Arc<ConsumerSpec>,
    left: usize,
    ends: Instant,
}

impl Batch {
    async fn next(mut self) -> Option<(Result<Delivery, Error>, Self)> {
        if self.left == 0 {
            return None;
        }
        match self.wait().await {
            Ok(None) => None,
            Ok(Some(delivery)) => {
                self.left -= 1;
                Some((Ok(delivery), self))
            }
            Err(error) => {
                self.left = 0;
                Some((Err(error), self))
            }
        }
    }

    /// Waits for a message until the batch ends.
    async fn wait(&self) -> Result<Option<Delivery>, Error> {
        let mut changed = self.shared.changed.subscribe();
        loop {
            let now = Instant::now();
            if now >= self.ends {
                return Ok(None);
            }
            let due = match self.take()? {
                Next::Message(taken) => return self.deliver(taken).await.map(Some),
                Next::Nothing(due) => due,
            };
            let wake = due.map_or(self.ends, |due| due.min(self.ends));
            tokio::select! {
                // Both arms only wake: the state is looked at again on every turn.
                result = changed.changed() => result.expect("the batch holds the sender"),
                () = tokio::time::sleep_until(wake) => {}
            }
        }
    }

    fn take(&self) -> Result<Next, Error> {
        let (stream, durable) = (&self.spec.stream, &self.spec.durable);
        self.shared.change_if(|state, now| {
            let next = state.take(stream, durable, now);
            // Waking on an empty look would have two waiting batches wake each other for ever.
            (matches!(next, Ok(Next::Message(_))), next)
        })
    }

    /// The message is out from here on: what the plan fails or a dropped stream loses comes again after `ack_wait`.
    async fn deliver(&self, taken: Taken) -> Result<Delivery, Error> {
        let call = self.shared.enter(Operation::Deliver, &self.spec.durable).await?;
        let settle = MemorySettle {
            shared: self.shared.clone(),
            spec: self.spec.clone(),
            subject: taken.stored.message.subject.clone(),
            sequence: taken.sequence,
            attempt: taken.attempt,
            delivery: taken.delivery,
        };
        call.leave(Delivery {
            message: taken.stored.message,
            sequence: taken.sequence,
            attempt: taken.attempt,
            logged_at: self.shared.time_of(taken.stored.at),
            settle: Box::new(settle),
        })
    }
}

struct MemorySettle {
    shared: Arc<Shared>,
    spec: Arc<ConsumerSpec>,
    subject: String,
    sequence: u64,
    attempt: u32,
    delivery: u64,
}

impl MemorySettle {
    async fn settle(&self, operation: Operation, outcome: Outcome) -> Result<(), Error> {
        let call = self.shared.enter(operation, &self.subject).await?;
        let settlement = Settlement { sequence: self.sequence, attempt: self.attempt, outcome };
        self.shared.change(|state, now| state.settle(&self.spec, settlement, self.delivery, now))?;
        call.leave(())
    }
}

#[async_trait]
impl Settle for MemorySettle {
    async fn progress(&self) -> Result<(), Error> {
        let call = self.shared.enter(Operation::Progress, &self.subject).await?;
        self.shared.change(|state, now| state.progress(&self.spec, self.sequence, now))?;
        call.leave(())
    }

    async fn ack(self: Box<Self>) -> Result<(), Error> {
        self.settle(Operation::Ack, Outcome::Acked).await
    }

    async fn nak(self: Box<Self>, delay: Duration) -> Result<(), Error> {
        self.settle(Operation::Nak, Outcome::Naked(delay)).await
    }

    async fn term(self: Box<Self>, reason: &str) -> Result<(), Error> {
        self.settle(Operation::Term, Outcome::Terminated(reason.to_owned())).await
    }
}
