//! Limits what callers use at once: slots for work, memory for bodies, and time to send them. HTTP and gRPC share the
//! limits.
//!
//! A slow or silent sender occupies no slot. A slot is acquired only when the body is complete and its sender known,
//! so all slots are for authenticated callers. A body counts against the memory budget by the bytes that have
//! arrived. Bodies whose sender is not known yet, because a signature covers the body, share half of the budget. A
//! body that arrives slower than `min_body_bytes_per_s` is aborted.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::body::{Body, BodyDataStream};
use bytes::Bytes;
use futures::StreamExt as _;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout_at},
};
use tokio_util::sync::CancellationToken;

use crate::{
    config::Config,
    error::{Code, Problem},
};

/// The unit of the memory budget.
const KIB: usize = 1024;
/// How long a body may be silent before its rate counts.
const PATIENCE: Duration = Duration::from_secs(5);

/// Limits slots, memory and time of callers. Cheap to clone.
#[derive(Clone)]
pub struct Admission {
    slots: Arc<Semaphore>,
    memory: Arc<Semaphore>,
    /// The part of `memory` for bodies whose sender is not known.
    unproven: Arc<Semaphore>,
    pace: Pace,
    stop: CancellationToken,
}

/// A body that is arriving.
pub struct Arriving {
    body: BodyDataStream,
    received: usize,
    started: Instant,
    hold: Arc<Hold>,
    admission: Admission,
}

/// The memory reserved for a body, until it is dropped.
pub struct Hold {
    from: Vec<Arc<Semaphore>>,
    permits: Mutex<Vec<OwnedSemaphorePermit>>,
}

#[derive(Debug, Clone, Copy)]
struct Pace {
    bytes_per_s: u64,
    longest: Duration,
}

// === impl Admission ===

impl Admission {
    /// Creates the limits. Bodies that are still arriving when `stop` is cancelled are aborted.
    #[must_use]
    pub fn new(config: &Config, stop: CancellationToken) -> Self {
        let of_bytes =
            |bytes: usize| Arc::new(Semaphore::new((bytes / KIB).clamp(1, Semaphore::MAX_PERMITS)));
        Self {
            slots: Arc::new(Semaphore::new(config.max_requests.min(Semaphore::MAX_PERMITS))),
            memory: of_bytes(config.max_buffered_bytes),
            unproven: of_bytes((config.max_buffered_bytes / 2).max(config.max_body_bytes)),
            pace: Pace {
                bytes_per_s: config.min_body_bytes_per_s,
                longest: Duration::from_secs(config.body_timeout_s),
            },
            stop,
        }
    }

    /// Acquires a slot for a complete request. Does not queue: that would only delay all requests.
    ///
    /// # Errors
    /// `OVERLOADED`.
    pub fn enter(&self) -> Result<OwnedSemaphorePermit, Problem> {
        let full = |_| {
            Problem::new(
                Code::Overloaded,
                "同时处理的调用过多，请稍后原样重试",
                "too many calls at once; send the same call again later",
            )
        };
        self.slots.clone().try_acquire_owned().map_err(full)
    }

    /// Starts to receive a body. `is_proven` is true if the headers alone authenticate the sender.
    #[must_use]
    pub fn receive(&self, body: Body, is_proven: bool) -> Arriving {
        let unproven = (!is_proven).then(|| self.unproven.clone());
        let from = unproven.into_iter().chain([self.memory.clone()]).collect();
        Arriving {
            body: body.into_data_stream(),
            received: 0,
            started: Instant::now(),
            hold: Arc::new(Hold { from, permits: Mutex::default() }),
            admission: self.clone(),
        }
    }
}

// === impl Arriving ===

impl Arriving {
    /// Returns the next piece, or `None` at the end.
    ///
    /// # Errors
    /// `TIMEOUT` if it arrives too slowly, `OVERLOADED` if the memory is used up or the process stops,
    /// `INVALID_FIELD` if the body ends early.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        let deadline = self.started + self.admission.pace.allowed(self.received);
        let piece = tokio::select! {
            piece = timeout_at(deadline, self.body.next()) => piece,
            () = self.admission.stop.cancelled() => {
                return Err(Problem::new(
                    Code::Overloaded,
                    "服务正在停止，请原样重试",
                    "the server stops; send the same call again",
                ));
            }
        };
        let piece = piece.map_err(|_| {
            Problem::new(
                Code::Timeout,
                "正文没有在时限内到达，请重试",
                "the body did not arrive in time; send it again",
            )
        })?;
        let Some(piece) = piece.transpose().map_err(|_| {
            Problem::new(Code::InvalidField, "正文中断，请重新发送", "the body broke off; send it again")
        })?
        else {
            return Ok(None);
        };
        self.received += piece.len();
        self.hold.grow(self.received)?;
        Ok(Some(piece))
    }

    /// Returns the number of bytes that have arrived.
    #[must_use]
    pub fn received(&self) -> usize {
        self.received
    }

    /// Returns the memory reserved for the body.
    #[must_use]
    pub fn hold(&self) -> Arc<Hold> {
        self.hold.clone()
    }

    /// Releases the memory and discards the rest of the body, at most `limit` bytes. A client that is still sending
    /// does not read the response and would report a closed connection as a crash.
    pub async fn discard(mut self, limit: usize) {
        self.hold = Arc::new(Hold { from: Vec::new(), permits: Mutex::default() });
        (self.received, self.started) = (0, Instant::now());
        while let Ok(Some(_)) = self.next().await {
            if self.received > limit {
                return;
            }
        }
    }
}

// === impl Hold ===

impl Hold {
    /// Extends the reservation to `bytes`. Does not wait, because half-read bodies could then wait for each other
    /// forever.
    ///
    /// # Errors
    /// `OVERLOADED`: the memory is used up.
    pub(crate) fn grow(&self, bytes: usize) -> Result<(), Problem> {
        let mut permits = self.permits.lock().unwrap_or_else(PoisonError::into_inner);
        for (n, from) in self.from.iter().enumerate() {
            let held = permits.get(n).map_or(0, OwnedSemaphorePermit::num_permits);
            let missing = u32::try_from(bytes.div_ceil(KIB).saturating_sub(held)).unwrap_or(u32::MAX);
            let Ok(more) = from.clone().try_acquire_many_owned(missing) else {
                return Err(Problem::new(
                    Code::Overloaded,
                    "同时接收的正文过多，请稍后原样重试",
                    "too many bodies at once; send the same call again later",
                ));
            };
            match permits.get_mut(n) {
                Some(hold) => hold.merge(more),
                None => permits.push(more),
            }
        }
        Ok(())
    }
}

// === impl Pace ===

impl Pace {
    /// Returns the time from the start within which more than `received` bytes must have arrived.
    fn allowed(self, received: usize) -> Duration {
        let received = u64::try_from(received).unwrap_or(u64::MAX);
        let by_rate = Duration::from_millis(received.saturating_mul(1000) / self.bytes_per_s.max(1));
        self.longest.min(PATIENCE.saturating_add(by_rate))
    }
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;

    fn admission(limit: usize, budget: usize) -> Admission {
        let config = Config { max_body_bytes: limit, max_buffered_bytes: budget, ..Config::default() };
        Admission::new(&config, CancellationToken::new())
    }

    fn of_pieces(pieces: usize) -> Body {
        let piece = || Ok::<_, std::io::Error>(Bytes::from_static(&[0; KIB]));
        Body::from_stream(stream::iter((0..pieces).map(move |_| piece())))
    }

    async fn all(arriving: &mut Arriving) -> Result<usize, Code> {
        while arriving.next().await.map_err(|problem| problem.code)?.is_some() {}
        Ok(arriving.received())
    }

    #[tokio::test]
    async fn bodies_share_a_budget_and_give_it_back() {
        let admission = admission(2 * KIB, 6 * KIB);
        let mut first = admission.receive(of_pieces(4), true);
        assert_eq!(all(&mut first).await, Ok(4 * KIB));
        assert_eq!(all(&mut admission.receive(of_pieces(3), true)).await, Err(Code::Overloaded));
        let hold = first.hold();
        drop(first);
        assert_eq!(admission.memory.available_permits(), 2);
        drop(hold);
        assert_eq!(all(&mut admission.receive(of_pieces(3), true)).await, Ok(3 * KIB));
        assert_eq!(admission.memory.available_permits(), 6);
    }

    #[tokio::test]
    async fn unknown_senders_leave_half_of_the_budget_to_known_ones() {
        let admission = admission(KIB, 6 * KIB);
        let mut unknown = admission.receive(of_pieces(3), false);
        assert_eq!(all(&mut unknown).await, Ok(3 * KIB));
        assert_eq!(all(&mut admission.receive(of_pieces(1), false)).await, Err(Code::Overloaded));
        assert_eq!(all(&mut admission.receive(of_pieces(3), true)).await, Ok(3 * KIB));
        drop(unknown);
        assert_eq!((admission.memory.available_permits(), admission.unproven.available_permits()), (6, 3));
    }

    /// Returns a body that sends one KiB per `every`.
    fn dripping(every: Duration) -> Body {
        Body::from_stream(stream::unfold((), move |()| async move {
            tokio::time::sleep(every).await;
            Some((Ok::<_, std::io::Error>(Bytes::from_static(&[0; KIB])), ()))
        }))
    }

    #[tokio::test(start_paused = true)]
    async fn who_sends_too_slowly_is_given_up() {
        let admission = admission(1 << 20, 1 << 20);
        let started = Instant::now();
        assert_eq!(
            all(&mut admission.receive(Body::from_stream(stream::pending::<std::io::Result<Bytes>>()), true))
                .await,
            Err(Code::Timeout)
        );
        assert_eq!(started.elapsed(), PATIENCE);
        // This is half of the required rate: every two seconds the body falls behind by one second.
        let mut slow = admission.receive(dripping(Duration::from_secs(2)), true);
        assert_eq!((all(&mut slow).await, slow.received()), (Err(Code::Timeout), 4 * KIB));
        // This is fast enough, until the maximum time is over.
        let mut steady = admission.receive(dripping(Duration::from_millis(900)), true);
        let started = Instant::now();
        assert_eq!(all(&mut steady).await, Err(Code::Timeout));
        assert_eq!(started.elapsed(), Duration::from_secs(120));
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_and_a_refusal_wait_for_nobody() {
        let admission = admission(1 << 20, 1 << 20);
        let silent = || Body::from_stream(stream::pending::<std::io::Result<Bytes>>());
        let started = Instant::now();
        admission.receive(silent(), false).discard(1 << 20).await;
        assert_eq!(started.elapsed(), PATIENCE);
        admission.stop.cancel();
        assert_eq!(all(&mut admission.receive(silent(), true)).await, Err(Code::Overloaded));
        assert_eq!(started.elapsed(), PATIENCE);
    }

    #[test]
    fn slots_are_given_back() {
        let admission =
            Admission::new(&Config { max_requests: 1, ..Config::default() }, CancellationToken::new());
        let slot = admission.enter().unwrap();
        assert_eq!(admission.enter().err().unwrap().code, Code::Overloaded);
        drop(slot);
        assert!(admission.enter().is_ok());
    }
}
