//! A lane: one task that runs a consumer's messages side by side.
//!
//! One task a message would be simpler, but the connection's own task is then woken, and run, after each message's every
//! step, and writes one message at a time. A lane takes all its messages one step further before the connection has its
//! turn, which writes them together; and a message stays on one core, where its state is at hand. Several lanes a
//! consumer cost a tenth more CPU time a hop than one (`benches/hops.rs`), and one takes many thousand messages a second.
//!
//! The price: a handler that blocks its thread holds up its consumer. CPU work belongs on [`crate::Runtime::cpu`]. A
//! panic ends its own message only.

use std::future::Future;
use std::pin::{Pin, pin};

use futures::stream::{FuturesUnordered, StreamExt as _};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::panics::Caught;

type Job = Caught<Box<dyn Future<Output = ()> + Send>>;

/// The lane of one consumer. Dropping it lets what runs end by itself.
#[derive(Debug)]
pub(crate) struct Lane(mpsc::UnboundedSender<Job>);

impl Lane {
    /// `hard` drops whatever runs.
    pub(crate) fn new(hard: &CancellationToken) -> Self {
        // Not bounded here: each job holds a permit.
        let (sender, jobs) = mpsc::unbounded_channel();
        tokio::spawn(run(jobs, hard.clone()));
        Self(sender)
    }

    /// Starts a job.
    pub(crate) fn start(&self, job: Pin<Box<dyn Future<Output = ()> + Send>>) {
        // The lane ends after its sender, or at the hard stop, which drops jobs anyway.
        self.0.send(Caught(job)).ok();
    }
}

async fn run(mut jobs: mpsc::UnboundedReceiver<Job>, hard: CancellationToken) {
    let mut running = FuturesUnordered::new();
    // One waiter for all messages.
    let mut stop = pin!(hard.cancelled());
    loop {
        tokio::select! {
            biased;
            () = &mut stop => return,
            job = jobs.recv() => match job {
                Some(job) => running.push(job),
                None => break,
            },
            Some(ended) = running.next() => report(ended),
        }
    }
    loop {
        tokio::select! {
            biased;
            () = &mut stop => return,
            ended = running.next() => match ended {
                Some(ended) => report(ended),
                None => return,
            },
        }
    }
}

/// Handlers' panics are caught further in; this is one of ours. The message comes again.
fn report(ended: Result<(), crate::Panicked>) {
    if let Err(panicked) = ended {
        let place = panicked.place.as_deref();
        tracing::error!(place, error = &panicked as &dyn std::error::Error, "message dropped");
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::sync::oneshot;
    use tokio::time::sleep;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn jobs_run_side_by_side_and_a_panic_ends_one() {
        let lane = Lane::new(&CancellationToken::new());
        lane.start(Box::pin(async { panic!("ours") }));
        let mut ends = vec![];
        for _ in 0..10 {
            let (end, ended) = oneshot::channel();
            lane.start(Box::pin(async {
                sleep(Duration::from_secs(1)).await;
                end.send(()).ok();
            }));
            ends.push(ended);
        }
        drop(lane);
        let started = tokio::time::Instant::now();
        for ended in ends {
            ended.await.unwrap();
        }
        assert_eq!(started.elapsed(), Duration::from_secs(1));
    }
}
