//! Fetching and settling messages.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt as _};
use tokio::time::Instant;

use super::{
    faults::Operation,
    link::Link,
    state::{Next, Settlement, SettlementOutcome, TakenMessage},
};
use crate::transport::{ConsumerSpec, Delivery, Error, Pull, Settle};

/// Creates a pull on an existing consumer.
pub(super) fn bind(link: Arc<Link>, spec: &ConsumerSpec) -> Box<dyn Pull> {
    Box::new(MemoryPull { link, spec: Arc::new(spec.clone()) })
}

struct MemoryPull {
    link: Arc<Link>,
    spec: Arc<ConsumerSpec>,
}

#[async_trait]
impl Pull for MemoryPull {
    async fn fetch(
        &mut self,
        max: usize,
        expires: Duration,
    ) -> Result<BoxStream<'static, Result<Delivery, Error>>, Error> {
        let call = self.link.enter(Operation::Fetch, &self.spec.durable).await?;
        let batch = PullRest {
            link: self.link.clone(),
            spec: self.spec.clone(),
            left: max,
            ends: Instant::now() + expires,
        };
        call.leave(stream::unfold(batch, PullRest::next).boxed()).await
    }
}

/// The rest of one fetch.
struct PullRest {
    link: Arc<Link>,
    spec: Arc<ConsumerSpec>,
    left: usize,
    ends: Instant,
}

impl PullRest {
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
        let mut changed = self.link.changed.subscribe();
        loop {
            self.link.while_whole().await;
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
                // Both arms only wake the loop, which then reads the state again.
                result = changed.changed() => result.expect("the batch holds the sender"),
                () = tokio::time::sleep_until(wake) => {}
            }
        }
    }

    fn take(&self) -> Result<Next, Error> {
        let (stream, durable) = (&self.spec.stream, &self.spec.durable);
        self.link.change_if(|state, now| {
            let next = state.take(stream, durable, now);
            // Waking others without a change would let two waiting batches wake each other forever.
            (matches!(next, Ok(Next::Message(_))), next)
        })
    }

    /// Delivers a message. It counts as delivered now: if a planned fault or a dropped stream loses it, it is
    /// redelivered after `ack_wait`.
    async fn deliver(&self, taken: TakenMessage) -> Result<Delivery, Error> {
        let call = self.link.enter(Operation::Deliver, &self.spec.durable).await?;
        let settle = MemorySettle {
            link: self.link.clone(),
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
            logged_at: self.link.time_of(taken.stored.at),
            settle: Box::new(settle),
        })
        .await
    }
}

struct MemorySettle {
    link: Arc<Link>,
    spec: Arc<ConsumerSpec>,
    subject: String,
    sequence: u64,
    attempt: u32,
    delivery: u64,
}

impl MemorySettle {
    async fn settle(&self, operation: Operation, outcome: SettlementOutcome) -> Result<(), Error> {
        let call = self.link.enter(operation, &self.subject).await?;
        let settlement = Settlement { sequence: self.sequence, attempt: self.attempt, outcome };
        self.link.change(|state, now| state.settle(&self.spec, settlement, self.delivery, now))?;
        call.leave(()).await
    }
}

#[async_trait]
impl Settle for MemorySettle {
    async fn progress(&self) -> Result<(), Error> {
        let call = self.link.enter(Operation::Progress, &self.subject).await?;
        self.link.change(|state, now| state.progress(&self.spec, self.sequence, now))?;
        call.leave(()).await
    }

    async fn ack(self: Box<Self>) -> Result<(), Error> {
        self.settle(Operation::Ack, SettlementOutcome::Acked).await
    }

    async fn nak(self: Box<Self>, delay: Duration) -> Result<(), Error> {
        self.settle(Operation::Nak, SettlementOutcome::Naked(delay)).await
    }

    async fn term(self: Box<Self>, reason: &str) -> Result<(), Error> {
        self.settle(Operation::Term, SettlementOutcome::Terminated(reason.to_owned())).await
    }
}
