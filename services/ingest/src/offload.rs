//! Keeps long stretches of CPU work off the threads that serve the network.
//!
//! This is for ingest's own chores over large bodies (decoding base64, hashing), which are linear in their size and
//! must not queue behind the readers on the CPU pool.

use crate::problem::{Code, Problem};

/// Bytes up to which another thread is not worth the trouble.
const INLINE: usize = 256 * 1024;

/// Runs `work` over `size` bytes here, or on a blocking thread if that is a lot.
///
/// # Errors
/// `INTERNAL`: it panicked.
///
/// # Cancel safety
/// Dropping it does not stop work that runs on another thread.
pub async fn over<T: Send + 'static>(
    size: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    if size <= INLINE {
        return Ok(work());
    }
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, "work on a large body stopped");
        Problem::new(Code::Internal, "nothing was accepted; send the same call again later")
    })
}
