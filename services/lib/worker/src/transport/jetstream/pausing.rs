//! Pausing and resuming consumers, for operators.

use time::OffsetDateTime;

use super::JetStream;
use crate::transport::Error;

impl JetStream {
    /// Keeps a consumer from delivering messages until `until`. Deliveries that wait for a retry wait too; messages in
    /// work finish. A later call replaces the time, which may have passed.
    ///
    /// # Errors
    /// `Unavailable`: try again. `NotFound`: there is no such stream or consumer. `Denied`: it is not permitted.
    pub async fn pause_consumer(
        &self,
        stream: &str,
        durable: &str,
        until: OffsetDateTime,
    ) -> Result<(), Error> {
        let connection = &self.connection;
        let handle =
            connection.bounded("look up", stream, connection.context.get_stream_no_info(stream)).await?;
        connection.bounded("pause", durable, handle.pause_consumer(durable, until)).await.map(drop)
    }

    /// Ends the pause of a consumer, if it is paused.
    ///
    /// # Errors
    /// As for [`Self::pause_consumer`].
    pub async fn resume_consumer(&self, stream: &str, durable: &str) -> Result<(), Error> {
        let connection = &self.connection;
        let handle =
            connection.bounded("look up", stream, connection.context.get_stream_no_info(stream)).await?;
        connection.bounded("resume", durable, handle.resume_consumer(durable)).await.map(drop)
    }
}
