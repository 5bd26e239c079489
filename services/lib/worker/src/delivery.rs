//! Deliveries in flight. Each is settled once, kept alive until then, and never handled twice at the same time.
//!
//! A late heartbeat or a reconnect can redeliver a message that this process is still handling. The redelivery is
//! absorbed: its acknowledgement handle replaces the older one, and settling the first copy settles both, because the
//! broker tracks stream sequences and not deliveries. Dropping an [`AckHandle`] unsettled asks for redelivery after the
//! retry delay.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::stream::{self, StreamExt as _};
use time::OffsetDateTime;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::retry::RetryPolicy;
use crate::transport::{Delivery, Error, Message, Settle};

/// The deliveries of one consumer that are in flight, by stream sequence. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct InFlight(Arc<Mutex<HashMap<u64, Arc<SettlementSlot>>>>);

/// The settling side of one message in flight.
struct SettlementSlot {
    since: Instant,
    current: tokio::sync::Mutex<Option<Box<dyn Settle>>>,
    /// The settling side of a redelivery. Replaces `current` at the next use.
    newer: Mutex<Option<Box<dyn Settle>>>,
}

/// A delivery without its settling side.
pub(crate) struct Incoming {
    pub(crate) message: Message,
    pub(crate) sequence: u64,
    /// Number of this delivery, from 1.
    pub(crate) delivery: u32,
    pub(crate) logged_at: OffsetDateTime,
}

/// Settles one message. Settling consumes the handle.
pub(crate) struct AckHandle {
    /// Number of the delivery, from 1.
    pub(crate) delivery: u32,
    sequence: u64,
    slot: Arc<SettlementSlot>,
    all: InFlight,
    /// Gives the redelivery delay if the handle is dropped unsettled. `None` once settled.
    on_drop: Option<RetryPolicy>,
}

// === impl InFlight ===

impl InFlight {
    /// Adds a delivery. Returns `None` if its message is in flight already; the redelivery is then absorbed.
    ///
    /// `retry` gives the redelivery delay if the handle is dropped unsettled.
    pub(crate) fn admit(&self, delivery: Delivery, retry: RetryPolicy) -> Option<(Incoming, AckHandle)> {
        let Delivery { message, sequence, attempt, logged_at, settle } = delivery;
        let mut all = self.lock();
        if let Some(slot) = all.get(&sequence) {
            *slot.newer.lock().unwrap_or_else(PoisonError::into_inner) = Some(settle);
            return None;
        }
        let slot = Arc::new(SettlementSlot {
            since: Instant::now(),
            current: tokio::sync::Mutex::new(Some(settle)),
            newer: Mutex::default(),
        });
        all.insert(sequence, slot.clone());
        let handle = AckHandle { delivery: attempt, sequence, slot, all: self.clone(), on_drop: Some(retry) };
        Some((Incoming { message, sequence, delivery: attempt, logged_at }, handle))
    }

    /// Reports progress on every message in flight, once per `beat`, for as long as the future is polled.
    ///
    /// Messages younger than half a beat are skipped until the next one. A failed heartbeat is retried with the next
    /// one.
    pub(crate) async fn heartbeats(self, beat: Duration) {
        let mut beats = interval_at(Instant::now() + beat, beat);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            beats.tick().await;
            let slots: Vec<_> =
                self.lock().values().filter(|slot| slot.since.elapsed() >= beat / 2).cloned().collect();
            let progress = |slot: Arc<SettlementSlot>| async move {
                if let Err(error) = slot.progress().await {
                    tracing::debug!(error = &error as &dyn std::error::Error, "heartbeat failed");
                }
            };
            stream::iter(slots).for_each_concurrent(None, progress).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Arc<SettlementSlot>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl SettlementSlot ===

impl SettlementSlot {
    /// Replaces `current` if a redelivery brought a newer one.
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

// === impl AckHandle ===

impl AckHandle {
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

    /// Takes the newest settling side. The message stays in flight until `self` is dropped, so that a redelivery during
    /// the settling is absorbed too.
    async fn take(&mut self) -> Option<Box<dyn Settle>> {
        let mut current = self.slot.current.lock().await;
        self.slot.newest(&mut current);
        self.on_drop = None;
        current.take()
    }
}

impl Drop for AckHandle {
    fn drop(&mut self) {
        self.all.lock().remove(&self.sequence);
        let Some(retry) = self.on_drop else { return };
        let delay = retry.delay(&self.sequence.to_string(), self.delivery);
        let slot = self.slot.clone();
        let Ok(tokio) = tokio::runtime::Handle::try_current() else { return };
        tokio.spawn(async move {
            let mut current = slot.current.lock().await;
            slot.newest(&mut current);
            if let Some(settle) = current.take() {
                // If the nak is not sent, the message is redelivered after `ack_wait`.
                settle.nak(delay).await.ok();
            }
        });
    }
}
