//! Runs CPU work on large bodies on blocking threads, away from the threads that serve the network.
//!
//! This is for decoding base64 and hashing. Their time is linear in the size of the body, and they must not queue
//! behind the readers on the CPU pool.

use crate::error::{Code, NOTHING_ACCEPTED, Problem};

/// Maximum number of bytes that are handled inline, because handing them to another thread costs more.
const INLINE: usize = 256 * 1024;

/// Runs `work`, which handles `size` bytes: inline if `size` is small, otherwise on a blocking thread.
///
/// # Errors
/// `INTERNAL`: `work` panicked on another thread.
///
/// # Cancel safety
/// Dropping the future does not stop work that runs on another thread.
pub async fn run_sized<T: Send + 'static>(
    size: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    if size <= INLINE {
        return Ok(work());
    }
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, "work on a large body stopped");
        Problem::new(Code::Internal, NOTHING_ACCEPTED.0, NOTHING_ACCEPTED.1)
    })
}
