//! Deliveries in work: each is settled once, kept alive meanwhile, and never worked on twice at a time.
//!
//! A redelivery of a message that this process still works on (a late heartbeat, a reconnect) is neither worked on nor
//! settled by itself: the first copy settles for both, through the newest handle, because the broker tracks the stream
//! sequence and not the delivery. A handle that is dropped unsettled asks for redelivery after the retry delay.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::stream::{self, StreamExt as _};
use time::OffsetDateTime;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::retry::RetryPolicy;
use crate::transport::{Delivery, Error, Message, Settle};

/// The deliveries one consumer has in work, by stream sequence. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct InWork(Arc<Mutex<HashMap<u64, Arc<Slot>>>>);

/// The settle handles of one message.
struct Slot {
    since: Instant,
    current: tokio::sync::Mutex<Option<Box<dyn Settle>>>,
    /// Of a redelivery; takes the current one's place at the next use.
    newer: Mutex<Option<Box<dyn Settle>>>,
}

/// A delivery without its settle handle.
pub(crate) struct Arrived {
    pub(crate) message: Message,
    pub(crate) sequence: u64,
    pub(crate) attempt: u32,
    pub(crate) logged_at: OffsetDateTime,
}

/// The right to settle one message. Settling consumes it.
pub(crate) struct Held {
    sequence: u64,
    slot: Arc<Slot>,
    all: InWork,
    /// For a handle that is dropped unsettled; `None` once settled.
    on_drop: Option<(RetryPolicy, u32)>,
}

// === impl InWork ===

impl InWork {
    /// Takes a delivery into work; `None` if it is in work already. `retry` gives the redelivery delay if the handle is
    /// dropped.
    pub(crate) fn admit(&self, delivery: Delivery, retry: RetryPolicy) -> Option<(Arrived, Held)> {
        let Delivery { message, sequence, attempt, logged_at, settle } = delivery;
        let mut all = self.lock();
        if let Some(slot) = all.get(&sequence) {
            *slot.newer.lock().unwrap_or_else(PoisonError::into_inner) = Some(settle);
            return None;
        }
        let slot = Arc::new(Slot {
            since: Instant::now(),
            current: tokio::sync::Mutex::new(Some(settle)),
            newer: Mutex::default(),
        });
        all.insert(sequence, slot.clone());
        let held = Held { sequence, slot, all: self.clone(), on_drop: Some((retry, attempt)) };
        Some((Arrived { message, sequence, attempt, logged_at }, held))
    }

    /// Tells the broker every `beat`, for as long as this is polled, that what is in work goes on. A beat that fails is
    /// tried again at the next. What came within the last half beat has time until then.
    pub(crate) async fn beats(self, beat: Duration) {
        let mut beats = interval_at(Instant::now() + beat, beat);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            beats.tick().await;
            let slots: Vec<_> =
                self.lock().values().filter(|slot| slot.since.elapsed() >= beat / 2).cloned().collect();
            let progress = |slot: Arc<Slot>| async move {
                if let Err(error) = slot.progress().await {
                    tracing::debug!(error = &error as &dyn std::error::Error, "heartbeat failed");
                }
            };
            stream::iter(slots).for_each_concurrent(None, progress).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Arc<Slot>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Slot ===

impl Slot {
    fn newest(&self, current: &mut Option<Box<dyn Settle>>) {
        if let Some(newer) = self.newer.lock().unwrap_or_else(PoisonError::into_inner).take() {
            *current = Some(newer);
        }
    }

    async fn progress(&self) -> Result<(), Error> {
        let mut current = self.current.lock().await;
        self.newest(&mut current);
        match current.as_ref() {
            Some(settle) => settle.progress().await,
            None => Ok(()),
        }
    }
}

// === impl Held ===

impl Held {
    pub(crate) async fn ack(mut self) -> Result<(), Error> {
        match self.take().await {
            Some(settle) => settle.ack().await,
            None => Ok(()),
        }
    }

    pub(crate) async fn nak(mut self, delay: Duration) -> Result<(), Error> {
        match self.take().await {
            Some(settle) => settle.nak(delay).await,
            None => Ok(()),
        }
    }

    pub(crate) async fn term(mut self, reason: &str) -> Result<(), Error> {
        match self.take().await {
            Some(settle) => settle.term(reason).await,
            None => Ok(()),
        }
    }

    /// The newest handle. The entry stays until `self` is dropped, so that a redelivery during the settling is
    /// absorbed too.
    async fn take(&mut self) -> Option<Box<dyn Settle>> {
        let mut current = self.slot.current.lock().await;
        self.slot.newest(&mut current);
        self.on_drop = None;
        current.take()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.all.lock().remove(&self.sequence);
        let Some((retry, attempt)) = self.on_drop else { return };
        let delay = retry.delay(&self.sequence.to_string(), attempt);
        let slot = self.slot.clone();
        let Ok(tokio) = tokio::runtime::Handle::try_current() else { return };
        tokio.spawn(async move {
            let mut current = slot.current.lock().await;
            slot.newest(&mut current);
            if let Some(settle) = current.take() {
                // If it is not sent the message comes again after `ack_wait`.
                settle.nak(delay).await.ok();
            }
        });
    }
}
