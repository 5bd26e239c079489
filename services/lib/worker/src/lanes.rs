//! Lanes: as many tasks as cores, each of which runs many messages side by side.
//!
//! One task a message would be simpler, but the connection's own task is then woken, and run, after each message's every
//! step, and writes one message at a time. A lane takes all its messages one step further before the connection has its
//! turn, which writes them together: a fifth less CPU time a hop (`benches/hops.rs`).
//!
//! The price: a handler that blocks its thread holds up its lane. CPU work belongs on [`crate::Runtime::cpu`]. A panic
//! ends its own message only.

use std::future::Future;
use std::pin::Pin;

use futures::stream::{FuturesUnordered, StreamExt as _};
use tokio::sync::mpsc;

use crate::panics::Caught;

type Job = Caught<Box<dyn Future<Output = ()> + Send>>;

/// The lanes of one consumer. Dropping it lets what runs end by itself.
#[derive(Debug)]
pub(crate) struct Lanes {
    /// Not bounded here: each job holds a permit.
    lanes: Vec<mpsc::UnboundedSender<Job>>,
    next: usize,
}

impl Lanes {
    /// At most `limit` lanes: more than there are jobs at once make no sense.
    pub(crate) fn new(limit: usize) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let lane = |_| {
            let (sender, receiver) = mpsc::unbounded_channel();
            tokio::spawn(run(receiver));
            sender
        };
        Self { lanes: (0..cores.min(limit).max(1)).map(lane).collect(), next: 0 }
    }

    /// Starts a job in the next lane.
    pub(crate) fn start(&mut self, job: impl Future<Output = ()> + Send + 'static) {
        self.next = (self.next + 1) % self.lanes.len();
        let job: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(job);
        // A lane ends after its sender, or with the process.
        self.lanes[self.next].send(Caught(job)).ok();
    }
}

async fn run(mut jobs: mpsc::UnboundedReceiver<Job>) {
    let mut running = FuturesUnordered::new();
    loop {
        tokio::select! {
            biased;
            job = jobs.recv() => match job {
                Some(job) => running.push(job),
                None => break,
            },
            Some(ended) = running.next() => report(ended),
        }
    }
    while let Some(ended) = running.next().await {
        report(ended);
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
        let mut lanes = Lanes::new(1);
        lanes.start(async { panic!("ours") });
        let mut ends = vec![];
        for _ in 0..10 {
            let (end, ended) = oneshot::channel();
            lanes.start(async {
                sleep(Duration::from_secs(1)).await;
                end.send(()).ok();
            });
            ends.push(ended);
        }
        drop(lanes);
        let started = tokio::time::Instant::now();
        for ended in ends {
            ended.await.unwrap();
        }
        assert_eq!(started.elapsed(), Duration::from_secs(1));
    }
}
