//! One task that runs all jobs of a consumer concurrently.
//!
//! One task per message would be simpler, but then the connection's task is woken after every step of every message and
//! writes one message at a time. A job set advances all its jobs before the connection runs, so the connection writes
//! several messages at once, and a job's state stays on one core. Several job sets per consumer cost a tenth more CPU
//! time per hop than one (`benches/hops.rs`), and one handles many thousand messages per second.
//!
//! The trade-off: a handler that blocks its thread blocks its consumer. CPU work belongs on [`crate::Runtime::cpu`]. A
//! panic ends only its own job.

use std::future::Future;
use std::pin::{Pin, pin};

use futures::stream::{FuturesUnordered, StreamExt as _};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::panics::Caught;

type Job = Caught<Box<dyn Future<Output = ()> + Send>>;

/// The jobs of one consumer. Dropping the handle lets running jobs finish.
#[derive(Debug)]
pub(crate) struct JobSet(mpsc::UnboundedSender<Job>);

impl JobSet {
    /// Starts the task. Cancelling `hard` drops all running jobs.
    pub(crate) fn new(hard: &CancellationToken) -> Self {
        // Unbounded, because each job holds one of a bounded number of permits.
        let (sender, jobs) = mpsc::unbounded_channel();
        tokio::spawn(run(jobs, hard.clone()));
        Self(sender)
    }

    /// Starts a job.
    pub(crate) fn start(&self, job: Pin<Box<dyn Future<Output = ()> + Send>>) {
        // The task outlives this sender unless the hard stop ended it, and the hard stop drops jobs anyway.
        self.0.send(Caught(job)).ok();
    }
}

async fn run(mut jobs: mpsc::UnboundedReceiver<Job>, hard: CancellationToken) {
    let mut running = FuturesUnordered::new();
    // One waiter for all jobs.
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

/// Logs a panic of the runtime itself; panics of handlers are caught further in. The message will be redelivered.
fn report(ended: Result<(), crate::Panicked>) {
    if let Err(panicked) = ended {
        let place = panicked.location.as_deref();
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
        let jobs = JobSet::new(&CancellationToken::new());
        jobs.start(Box::pin(async { panic!("ours") }));
        let mut ends = vec![];
        for _ in 0..10 {
            let (end, ended) = oneshot::channel();
            jobs.start(Box::pin(async {
                sleep(Duration::from_secs(1)).await;
                end.send(()).ok();
            }));
            ends.push(ended);
        }
        drop(jobs);
        let started = tokio::time::Instant::now();
        for ended in ends {
            ended.await.unwrap();
        }
        assert_eq!(started.elapsed(), Duration::from_secs(1));
    }
}
