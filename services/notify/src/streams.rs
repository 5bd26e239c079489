//! Which stream a stored sequence belongs to.

use gongkai_worker::transport::StreamState;

/// Identifies a stream by when it was created: one that was deleted and made again has the same name and other messages.
#[must_use]
pub(crate) fn identity(state: &StreamState) -> i64 {
    i64::try_from(state.created.unix_timestamp_nanos()).unwrap_or(i64::MAX)
}
