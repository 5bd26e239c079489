//! The queue of one subscription, of what waits for a receiver that is away or for the end of a window: its saved
//! [`Backlog`] and the timer for the next attempt.
//!
//! The timer is set before the backlog is saved, so that no delivery waits without one. A timer carries the number of
//! its round. A timer of an earlier round that still fires only sets the current timer again, for the remaining time.
//! Programs and brokers may restart at any point. [`WaitingQueue::watch`] sets a timer that was lost.
//!
//! The backlog names alerts by sequence, so it stores the identity of their stream. After a loss it is checked before
//! anything is delivered ([`WaitingQueue::check`]).

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::{StreamExt as _, stream};
use gongkai_proto::subjects::{self, BUCKET_DELIVERIES, STREAM_ALERTS};
use gongkai_worker::{
    Decision, Output, RecordStore, Recurring, Runtime, spread_out,
    transport::{Error, ErrorKind, StreamState},
};
use prost::bytes::Bytes;
use time::OffsetDateTime;
use tokio::time::{MissedTickBehavior, interval};

use super::{
    backlog::{Backlog, Batch, HoldBack},
    channel,
    metrics::QueueLevels,
    pace::{Pace, millis},
    pass::Pass,
    retry::Schedule,
    subscriber::Subscriber,
};
use crate::streams::{CheckedEpoch, identity};

/// Maximum number of lost races in a row for one backlog. When a receiver becomes unreachable, all its deliveries
/// write it.
const MAX_RACES: u32 = 200;
/// Maximum number of alerts to search when the backlog is lost, newest first. They fit into one record.
const MAX_RECALLED: usize = 16_384;
/// Number of alerts to read ahead during that search.
const READ_AHEAD: usize = 32;
/// Pause before the broker is called again.
const PAUSE: Duration = Duration::from_secs(1);
/// Interval of the checks that a backlog has a timer.
const CHECK_INTERVAL: Duration = Duration::from_mins(1);
/// CloudEvents type of a timer that fired.
const CE_DUE: &str = "gongkai.delivery.due.v1";

/// A timer fired: the next attempt is due.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Due {
    /// The round in which the timer was set.
    #[prost(uint64, tag = "1")]
    pub(super) round: u64,
}

/// The queue of one subscription.
pub struct WaitingQueue {
    subscription: String,
    records: RecordStore,
    runtime: Runtime,
    pub(super) schedule: Schedule,
    pub(super) pace: Pace,
    /// Allows one change at a time in this process. Replicas race by compare-and-set.
    turn: tokio::sync::Mutex<()>,
    /// The epoch of the log for which the backlog was checked.
    checked: CheckedEpoch,
    /// The cell for the identity of the alert stream, which the check sets.
    stream: Arc<AtomicI64>,
    /// The receiver refuses deliveries.
    refused: Recurring,
    /// The receiver is away.
    away: Recurring,
}

// === impl Due ===

impl TryFrom<(&str, Bytes)> for Due {
    type Error = prost::DecodeError;

    fn try_from((_, payload): (&str, Bytes)) -> Result<Self, Self::Error> {
        prost::Message::decode(payload)
    }
}

// === impl WaitingQueue ===

impl WaitingQueue {
    /// Creates the queue of `subscriber`, whose alerts are delivered at `pace`, and after failures tried again after
    /// the delays of `schedule`. It accepts no alert before [`Self::watch`] runs.
    #[must_use]
    pub(crate) fn new(subscriber: &Subscriber, schedule: Schedule, pace: Pace, runtime: &Runtime) -> Self {
        Self {
            subscription: subscriber.name().to_owned(),
            checked: CheckedEpoch::none(),
            stream: subscriber.stream(),
            records: RecordStore::new(runtime.entries(BUCKET_DELIVERIES), MAX_RACES),
            runtime: runtime.clone(),
            schedule,
            pace,
            turn: tokio::sync::Mutex::default(),
            refused: Recurring::new(),
            away: Recurring::new(),
        }
    }

    /// Checks that the backlog belongs to the present stream of alerts.
    ///
    /// # Errors
    /// `Unavailable`: that is not known yet.
    pub(super) fn ready(&self) -> Result<(), Decision> {
        self.checked
            .ready(&self.runtime, || format!("what waits for {} is not checked yet", self.subscription))
    }

    /// Waits until the backlog was checked once, or until shutdown. The consumer must not exist before: without one,
    /// no delivery can have waited.
    pub async fn until_checked(&self) {
        self.checked.until_set(&self.runtime).await;
    }

    pub(super) async fn read(&self) -> Result<Backlog, Error> {
        Ok(self.records.read(&self.subscription).await?.record)
    }

    /// Adds an alert to the queue if it must not be delivered now. Returns true if it waits.
    ///
    /// # Errors
    /// `Unavailable`, also if there is no room: the alert then stays in its stream, with all that follow.
    pub(super) async fn hold_back(&self, sequence: u64, alert_id: &str) -> Result<bool, Decision> {
        let now_ms = self.now_ms();
        // Most alerts need not wait, so this check does not wait for its turn.
        if self.read().await?.hold_back(sequence, alert_id, now_ms) == HoldBack::Deliver {
            return Ok(false);
        }
        let _turn = self.turn.lock().await;
        let hold_back = |backlog: &mut Backlog| {
            let admission = backlog.hold_back(sequence, alert_id, now_ms);
            (admission == HoldBack::Wait, admission)
        };
        match self.records.change(&self.subscription, hold_back).await?.1 {
            HoldBack::Deliver => Ok(false),
            HoldBack::Wait => Ok(true),
            HoldBack::Full => Err(self.full()),
        }
    }

    /// Adds an alert that is delivered at the pace of the subscription. `passes` is true if quiet hours do not hold it
    /// back.
    ///
    /// # Errors
    /// `Unavailable`, also if there is no room: the alert then stays in its stream, with all that follow.
    pub(super) async fn collect(&self, sequence: u64, passes: bool) -> Result<(), Decision> {
        let now_ms = self.now_ms();
        let collect = |backlog: &mut Backlog| backlog.collect(sequence, passes, &self.pace, now_ms);
        let backlog = self.update(collect).await?;
        if backlog.holds(sequence) { Ok(()) } else { Err(self.full()) }
    }

    fn full(&self) -> Decision {
        let text = format!("too many alerts wait for the receiver of {}", self.subscription);
        if self.runtime.shutdown().is_cancelled() {
            return Decision::retry(anyhow::anyhow!(text));
        }
        Decision::Unavailable(Error::new(ErrorKind::Full, text))
    }

    /// Returns the due deliveries that are in no batch and have to be planned. While no message can be sent, or the
    /// receiver fails on batches, they are left to gather.
    pub(super) fn unplanned(&self, backlog: &Backlog) -> Vec<u64> {
        let now_ms = self.now_ms();
        let is_limited = backlog.limit_ms(&self.pace, now_ms) > 0;
        if self.pace.is_free() || is_limited || backlog.is_failing() && backlog.has_batches() {
            return Vec::new();
        }
        backlog.unplanned(&self.pace, now_ms)
    }

    /// Saves what goes together.
    pub(super) async fn plan(&self, batches: &[Vec<u64>]) -> Result<Backlog, Decision> {
        let plan = |backlog: &mut Backlog| {
            backlog.plan(batches);
            None
        };
        Ok(self.update(plan).await?)
    }

    /// Returns up to `most` batches to try now.
    pub(super) fn due(&self, backlog: &Backlog, most: usize) -> Vec<Batch> {
        let now_ms = self.now_ms();
        if backlog.limit_ms(&self.pace, now_ms) > 0 {
            return Vec::new();
        }
        backlog.due(&self.pace, now_ms, most)
    }

    /// Returns true if an attempt can be made at once.
    pub(super) fn is_due(&self, backlog: &Backlog) -> bool {
        let next = backlog.next_attempt(&self.schedule, &self.pace, None, self.now_ms());
        next.is_some_and(|next| next.is_zero())
    }

    /// Adds an alert whose delivery failed.
    pub(super) async fn start_waiting(&self, sequence: u64, error: &channel::Error) -> Result<(), Decision> {
        let now_ms = self.now_ms();
        let start =
            |backlog: &mut Backlog| backlog.start_waiting(sequence, &self.schedule, error.wish(), now_ms);
        self.update(start).await?;
        let (subscription, error) = (&self.subscription, error as &dyn std::error::Error);
        if let Some(failures) = self.refused.due() {
            tracing::warn!(
                subscription,
                sequence,
                failures,
                error,
                "receiver did not take an alert; it waits"
            );
        }
        Ok(())
    }

    /// Records the result of a pass over the backlog `before`, and sets the timer of the next attempt unless the caller
    /// `continues` at once.
    pub(super) async fn record(
        &self,
        before: &Backlog,
        pass: &Pass,
        continues: bool,
    ) -> Result<Backlog, Decision> {
        let now_ms = self.now_ms();
        let apply = |backlog: &mut Backlog| {
            backlog.apply(pass, &self.schedule, now_ms);
            backlog.record_sent(&pass.sent_ms, &self.pace);
            let next = backlog.next_attempt(&self.schedule, &self.pace, pass.wish, now_ms);
            next.filter(|next| !next.is_zero() || !continues)
        };
        let backlog = self.update(apply).await?;
        self.log(before, pass, &backlog);
        Ok(backlog)
    }

    fn log(&self, before: &Backlog, pass: &Pass, backlog: &Backlog) {
        let (subscription, waiting) = (&self.subscription, backlog.len());
        let error = &pass.cause;
        if pass.is_away() {
            if backlog.is_suspended() && !before.is_suspended() {
                tracing::error!(subscription, waiting, error, "subscription is suspended; its alerts wait");
            } else if let Some(failures) = self.away.due() {
                tracing::warn!(subscription, waiting, failures, error, "receiver is away; its alerts wait");
            }
        } else if pass.is_accepted && before.is_failing() {
            tracing::info!(subscription, waiting, "receiver has recovered");
        }
    }

    /// Sets the timer of the current round again.
    pub(super) async fn reset_timer(&self, backlog: &Backlog) -> Result<(), Error> {
        match backlog.left(self.now_ms()) {
            Some(after) => self.set_timer(backlog.round(), after).await,
            None => Ok(()),
        }
    }

    /// Until shutdown, keeps the levels of the queue, and makes sure that what waits has a timer. A suspended receiver
    /// is tried again at once.
    pub(crate) async fn watch(self: Arc<Self>, levels: QueueLevels) {
        let shutdown = self.runtime.shutdown();
        let is_resumed = AtomicBool::new(false);
        while !shutdown.is_cancelled() {
            let epoch = self.runtime.log_epoch();
            let kept = async {
                self.check(epoch).await?;
                self.resume(&is_resumed).await?;
                self.follow(&levels).await
            };
            let followed = tokio::select! {
                followed = kept => followed,
                () = self.runtime.until_epoch_after(epoch) => continue,
                () = shutdown.cancelled() => return,
            };
            if let Err(error) = followed {
                let (subscription, error) = (&self.subscription, &error as &dyn std::error::Error);
                tracing::debug!(subscription, error, "backlog not followed");
            }
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = shutdown.cancelled() => {}
            }
        }
    }

    /// Assigns the backlog to the present stream of alerts, and restores waiting deliveries if the backlog is lost.
    ///
    /// Alerts that waited in a lost stream are raised again from the log of reports. If the backlog itself is lost,
    /// every alert that may have waited in it waits again: the record of deliveries, or else the receiver, drops the
    /// delivered ones.
    async fn check(&self, epoch: u64) -> Result<(), Error> {
        let state = self.runtime.stream_state(STREAM_ALERTS).await?;
        let stream = identity(&state);
        let known = self.read().await?.stream();
        let durable = subjects::consumer_delivery(&self.subscription);
        let is_new = || async {
            let lag = self.runtime.consumer_lag(STREAM_ALERTS, &durable).await?;
            Ok::<_, Error>(epoch == 0 && lag.is_none())
        };
        let recalled = if known == 0 && !is_new().await? { self.recent(&state).await? } else { Vec::new() };
        let is_changed = known != stream;
        if is_changed {
            let (found, dropped) = (AtomicUsize::new(0), AtomicUsize::new(0));
            let adopt = |backlog: &mut Backlog| {
                // Another replica may have checked the backlog meanwhile.
                let is_done = backlog.stream() == stream;
                let recalled: &[_] = if is_done { &[] } else { &recalled };
                found.store(recalled.len(), Ordering::Relaxed);
                dropped.store(backlog.move_to(stream), Ordering::Relaxed);
                backlog.recall(recalled);
                (!is_done && !backlog.is_empty()).then_some(Duration::ZERO)
            };
            self.update(adopt).await?;
            let (subscription, recalled, dropped) =
                (&self.subscription, found.into_inner(), dropped.into_inner());
            if recalled > 0 || dropped > 0 {
                tracing::warn!(
                    subscription,
                    recalled,
                    dropped,
                    "what waits was lost: recent alerts are looked through, and those of a lost stream raised again"
                );
            }
        }
        self.stream.store(stream, Ordering::Release);
        self.checked.set(epoch);
        Ok(())
    }

    /// Returns the alerts of the stream that may still wait, by sequence and time.
    async fn recent(&self, state: &StreamState) -> Result<Vec<(u64, i64)>, Error> {
        let since_ms = self.now_ms().saturating_sub(millis(self.schedule.total()));
        let read =
            |sequence| async move { Ok((sequence, self.runtime.message(STREAM_ALERTS, sequence).await?)) };
        let backwards = (state.first_sequence.max(1)..=state.last_sequence).rev();
        let mut read = stream::iter(backwards).map(read).buffered(READ_AHEAD);
        let mut recent = Vec::new();
        while let Some(message) = read.next().await {
            let (sequence, Some(logged)) = message? else { continue };
            let logged_ms = unix_ms(logged.logged_at);
            if logged_ms < since_ms {
                break;
            }
            if recent.len() == MAX_RECALLED {
                let subscription = &self.subscription;
                tracing::error!(
                    subscription,
                    sequence,
                    "more alerts may have waited than are looked through: those up to here are not"
                );
                break;
            }
            recent.push((sequence, logged_ms));
        }
        Ok(recent)
    }

    /// Lets a suspended receiver be tried at once, once in the life of this process: the subscription may be mended.
    async fn resume(&self, is_resumed: &AtomicBool) -> Result<(), Error> {
        if !is_resumed.load(Ordering::Relaxed) && self.read().await?.is_suspended() {
            self.update(|backlog| backlog.resume().then_some(Duration::ZERO)).await?;
        }
        is_resumed.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Follows the backlog until the watch ends.
    async fn follow(&self, levels: &QueueLevels) -> Result<(), Error> {
        let mut changes = self.records.watch::<Backlog>(&self.subscription).await?;
        let mut checks = interval(CHECK_INTERVAL);
        checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut is_waiting = true;
        loop {
            tokio::select! {
                change = changes.next() => {
                    let Some(backlog) = change.transpose()? else { return Ok(()) };
                    is_waiting = !backlog.is_empty();
                    levels.set(&backlog);
                }
                _ = checks.tick() => if is_waiting { self.ensure_timer().await? },
            }
        }
    }

    /// Sets the timer if a delivery waits and there is no timer. Usually there is one, or its message is being
    /// handled.
    async fn ensure_timer(&self) -> Result<(), Error> {
        let backlog = self.read().await?;
        let Some(after) = backlog.left(self.now_ms()) else { return Ok(()) };
        let (name, due) = self.timer(backlog.round());
        if self.runtime.schedule_unless_set(&name, due, after).await? {
            tracing::debug!(subscription = self.subscription, waiting = backlog.len(), "timer set again");
        }
        Ok(())
    }

    /// Changes the backlog. If `change` returns a delay, starts a new round with a timer.
    async fn update(&self, change: impl Fn(&mut Backlog) -> Option<Duration>) -> Result<Backlog, Error> {
        let _turn = self.turn.lock().await;
        let mut is_timer_due = false;
        let mut race = 0;
        loop {
            let mut versioned = self.records.read::<Backlog>(&self.subscription).await?;
            let backlog = &mut versioned.record;
            let now_ms = self.now_ms();
            if let Some(after) = change(backlog) {
                let after = spread_out(after, &self.subscription, backlog.round());
                backlog.start_round(now_ms.saturating_add(millis(after)));
                is_timer_due = true;
            }
            // A timer that was set before a lost race may have replaced the winner's timer.
            if is_timer_due && let Some(after) = backlog.left(now_ms) {
                self.set_timer(backlog.round(), after).await?;
            }
            if self.records.save(&self.subscription, &versioned).await? {
                return Ok(versioned.record);
            }
            self.records.lost(&self.subscription, race).await?;
            race += 1;
        }
    }

    async fn set_timer(&self, round: u64, after: Duration) -> Result<(), Error> {
        let (name, due) = self.timer(round);
        self.runtime.schedule(&name, due, after).await
    }

    fn timer(&self, round: u64) -> (String, Output) {
        let due = Output::new(subjects::due_delivery(&self.subscription), CE_DUE, &Due { round });
        (subjects::timer_delivery(&self.subscription), due)
    }

    pub(super) fn now_ms(&self) -> i64 {
        unix_ms(self.runtime.clock().now())
    }
}

fn unix_ms(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX)
}
