//! Reads request bodies, with limits on size, time and the memory of all bodies together.

use std::{sync::Arc, time::Duration};

use axum::body::{Body, BodyDataStream};
use bytes::{Bytes, BytesMut};
use futures::StreamExt as _;
use http::{HeaderMap, header};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    config::Config,
    error::{Code, Problem},
};

/// Bytes of a too large body that are discarded before the response. A client that is still sending does not read the
/// response, and would take a closed connection for a crash.
const DRAIN_LIMIT: usize = 256 * 1024 * 1024;
/// The unit of the memory budget.
const KIB: usize = 1024;

/// Reads request bodies. Cheap to clone.
#[derive(Clone)]
pub(super) struct Bodies {
    limit: usize,
    timeout: Duration,
    budget: Arc<Semaphore>,
}

/// A body in memory. It counts against the memory budget until it is dropped.
pub(super) struct Buffered {
    pub(super) bytes: Bytes,
    _hold: Option<OwnedSemaphorePermit>,
}

// === impl Bodies ===

impl Bodies {
    pub(super) fn new(config: &Config) -> Self {
        let budget = (config.max_buffered_bytes / KIB).clamp(1, Semaphore::MAX_PERMITS);
        Self {
            limit: config.max_body_bytes,
            timeout: Duration::from_secs(config.body_timeout_s),
            budget: Arc::new(Semaphore::new(budget)),
        }
    }

    /// Reads a whole body.
    ///
    /// # Errors
    /// `TOO_LARGE`, `TIMEOUT`, `OVERLOADED` if the memory budget is used up, `UNSUPPORTED_MEDIA_TYPE` if the body is
    /// compressed, `INVALID_FIELD` if it ended early.
    pub(super) async fn read(&self, headers: &HeaderMap, body: Body) -> Result<Buffered, Problem> {
        let encoding = headers.get(header::CONTENT_ENCODING);
        if encoding.is_some_and(|encoding| encoding != "identity") {
            return Err(Problem::new(Code::UnsupportedMediaType, "send the body without Content-Encoding"));
        }
        let reading = self.read_in_time(headers, body.into_data_stream());
        match tokio::time::timeout(self.timeout, reading).await {
            Ok(result) => result,
            Err(_) => Err(Problem::new(Code::Timeout, "the body did not arrive in time")),
        }
    }

    async fn read_in_time(&self, headers: &HeaderMap, mut body: BodyDataStream) -> Result<Buffered, Problem> {
        let declared = declared_length(headers);
        if declared.is_some_and(|length| length > self.limit) {
            return Err(self.too_large(headers, declared, body).await);
        }
        let mut bytes = BytesMut::new();
        let mut hold: Option<OwnedSemaphorePermit> = None;
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|_| Problem::new(Code::InvalidField, "the body broke off"))?;
            if bytes.len() + chunk.len() > self.limit {
                return Err(self.too_large(headers, declared, body).await);
            }
            bytes.extend_from_slice(&chunk);
            self.hold(&mut hold, bytes.len())?;
        }
        Ok(Buffered { bytes: bytes.freeze(), _hold: hold })
    }

    /// Extends a reservation of the budget to `bytes`. It does not wait, because half-read bodies could then wait for each
    /// other for ever.
    fn hold(&self, hold: &mut Option<OwnedSemaphorePermit>, bytes: usize) -> Result<(), Problem> {
        let held = hold.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let missing = u32::try_from(bytes.div_ceil(KIB).saturating_sub(held)).unwrap_or(u32::MAX);
        let Ok(more) = self.budget.clone().try_acquire_many_owned(missing) else {
            return Err(Problem::new(
                Code::Overloaded,
                "too many bodies at once; send the same call again later",
            ));
        };
        match hold {
            Some(hold) => hold.merge(more),
            None => *hold = Some(more),
        }
        Ok(())
    }

    async fn too_large(
        &self,
        headers: &HeaderMap,
        declared: Option<usize>,
        mut body: BodyDataStream,
    ) -> Problem {
        // A client that sent `Expect` has not started to send the body.
        let asked = headers.contains_key(header::EXPECT);
        if !asked && declared.is_none_or(|length| length <= DRAIN_LIMIT) {
            let mut drained = 0;
            while let Some(Ok(chunk)) = body.next().await {
                drained += chunk.len();
                if drained > DRAIN_LIMIT {
                    break;
                }
            }
        }
        Problem::new(Code::TooLarge, format!("the body is over {} bytes", self.limit))
    }
}

fn declared_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;

    fn bodies(limit: usize, budget: usize) -> Bodies {
        let config = Config { max_body_bytes: limit, max_buffered_bytes: budget, ..Config::default() };
        Bodies::new(&config)
    }

    fn streamed(chunks: usize) -> Body {
        let chunk = || Ok::<_, std::io::Error>(Bytes::from_static(&[0; KIB]));
        Body::from_stream(stream::iter((0..chunks).map(move |_| chunk())))
    }

    #[tokio::test]
    async fn limits_hold_with_and_without_a_declared_length() {
        let bodies = bodies(4 * KIB, 64 * KIB);
        let none = HeaderMap::new();
        assert_eq!(bodies.read(&none, streamed(4)).await.map(|b| b.bytes.len()).unwrap(), 4 * KIB);
        assert_eq!(bodies.read(&none, streamed(5)).await.err().unwrap().code, Code::TooLarge);
        let declared = HeaderMap::from_iter([(header::CONTENT_LENGTH, "999999".parse().unwrap())]);
        assert_eq!(bodies.read(&declared, streamed(1)).await.err().unwrap().code, Code::TooLarge);
        let gzip = HeaderMap::from_iter([(header::CONTENT_ENCODING, "gzip".parse().unwrap())]);
        assert_eq!(bodies.read(&gzip, streamed(1)).await.err().unwrap().code, Code::UnsupportedMediaType);
    }

    #[tokio::test]
    async fn bodies_share_a_budget_and_give_it_back() {
        let bodies = bodies(4 * KIB, 6 * KIB);
        let none = HeaderMap::new();
        let first = bodies.read(&none, streamed(4)).await.unwrap();
        assert_eq!(bodies.read(&none, streamed(3)).await.err().unwrap().code, Code::Overloaded);
        drop(first);
        assert!(bodies.read(&none, streamed(3)).await.is_ok());
        assert_eq!(bodies.budget.available_permits(), 6);
    }

    #[tokio::test]
    async fn a_body_that_never_ends_times_out() {
        let bodies = Bodies { timeout: Duration::from_millis(1), ..bodies(4 * KIB, 6 * KIB) };
        let endless = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
        assert_eq!(bodies.read(&HeaderMap::new(), endless).await.err().unwrap().code, Code::Timeout);
    }
}
