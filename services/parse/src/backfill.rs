//! Backfill: old documents in bulk, read when no newer document waits.
//!
//! They have a subject and a consumer of their own, so that no other document waits behind them in parse.
//! [`Backfill`] starts one only while no other document is in work here and validate keeps up, so that no other
//! report waits behind many of them in the later stages either. While other documents keep coming, it also rests
//! after each of its own, because the later stages share the cores. A backfill is never delayed indefinitely: after
//! [`LONGEST_TURN`] a document is read although others are in work.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use gongkai_proto::{ReportEvent, subjects};
use gongkai_worker::{Context, Decision, Handler, Output, Runtime};
use tokio::{
    sync::watch,
    time::{self, Instant},
};

use crate::handler::Reader;

/// Maximum time that a fetched document of a backfill waits for its turn.
pub const LONGEST_TURN: Duration = Duration::from_secs(5);

/// For this long after the last other document, a backfill rests after each of its own documents, `REST` times as
/// long as that document took.
const LATELY: Duration = Duration::from_secs(10);
const REST: u32 = 3;

/// Maximum number of reports that validate may be behind by while a backfill continues.
const VALIDATE_BEHIND: u64 = 8;

/// Time between two checks of validate while it is behind.
const LOOK: Duration = Duration::from_millis(100);

/// Reads documents as they arrive, and counts those in work.
pub struct Live {
    reader: Arc<Reader>,
    in_work: watch::Sender<LiveLoad>,
}

/// The documents in work that are not part of a backfill.
#[derive(Debug, Clone, Copy, Default)]
struct LiveLoad {
    count: usize,
    /// When the last of them ended.
    last: Option<Instant>,
}

/// Reads documents of a backfill.
pub struct Backfill {
    reader: Arc<Reader>,
    live: watch::Receiver<LiveLoad>,
    runtime: Runtime,
    /// Milliseconds spent on the last document.
    last_took: AtomicU64,
}

/// Creates the handlers of both consumers over one reader.
#[must_use]
pub fn handlers(reader: Reader, runtime: Runtime) -> (Live, Backfill) {
    let (reader, (in_work, live)) = (Arc::new(reader), watch::channel(LiveLoad::default()));
    (
        Live { reader: reader.clone(), in_work },
        Backfill { reader, live, runtime, last_took: AtomicU64::new(0) },
    )
}

/// A document in work, until it is dropped.
struct Working<'l>(&'l watch::Sender<LiveLoad>);

impl<'l> Working<'l> {
    fn begin(in_work: &'l watch::Sender<LiveLoad>) -> Self {
        in_work.send_modify(|in_work| in_work.count += 1);
        Self(in_work)
    }
}

impl Drop for Working<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|in_work| {
            *in_work = LiveLoad { count: in_work.count - 1, last: Some(Instant::now()) };
        });
    }
}

#[async_trait]
impl Handler for Live {
    type Input = ReportEvent;

    async fn handle(&self, event: ReportEvent, context: &Context) -> Result<Vec<Output>, Decision> {
        let _working = Working::begin(&self.in_work);
        self.reader.handle(event, context).await
    }
}

// === impl Backfill ===

impl Backfill {
    /// Rests, and waits until no other document is in work here and validate keeps up.
    async fn turn(&self) {
        let mut live = self.live.clone();
        if live.borrow().last.is_some_and(|last| last.elapsed() < LATELY) {
            time::sleep(Duration::from_millis(self.last_took.load(Ordering::Relaxed)) * REST).await;
        }
        // The sender lives as long as the other consumer; without it, no document is in work.
        while live.wait_for(|in_work| in_work.count == 0).await.is_ok() && self.is_validate_behind().await {
            time::sleep(LOOK).await;
        }
    }

    /// Returns true if validate is behind. Also false if that is unknown: there is no validate yet, or the broker
    /// does not answer.
    async fn is_validate_behind(&self) -> bool {
        let lag = self.runtime.consumer_lag(subjects::STREAM_REPORTS, subjects::CONSUMER_VALIDATE).await;
        lag.ok().flatten().is_some_and(|lag| lag.outstanding > VALIDATE_BEHIND)
    }
}

#[async_trait]
impl Handler for Backfill {
    type Input = ReportEvent;

    async fn handle(&self, event: ReportEvent, context: &Context) -> Result<Vec<Output>, Decision> {
        time::timeout(LONGEST_TURN, self.turn()).await.ok();
        let begun = Instant::now();
        let outputs = self.reader.handle(event, context).await;
        let took = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_took.store(took, Ordering::Relaxed);
        outputs
    }
}
