//! Messages as they are published, for operators who look on. Services do not use it.

use bytes::Bytes;
use futures::{Stream, StreamExt as _, stream::select_all};

use super::JetStream;
use crate::transport::{Error, Headers};

/// A message as it was published.
#[derive(Debug, Clone)]
pub struct Passing {
    /// The subject.
    pub subject: String,
    /// The headers.
    pub headers: Headers,
    /// The body.
    pub payload: Bytes,
}

impl JetStream {
    /// Returns the messages of subject filters, which must not overlap, as they are published from now on.
    ///
    /// No consumer is created, so that this disturbs nobody: what is published while the connection is lost, or faster
    /// than the stream is read, is not repeated.
    ///
    /// # Errors
    /// `Unavailable`: try again. `Denied`: the subscription is not permitted.
    pub async fn tap(&self, filters: &[String]) -> Result<impl Stream<Item = Passing> + use<>, Error> {
        let mut subscribers = Vec::with_capacity(filters.len());
        for filter in filters {
            subscribers.push(self.connection.subscribe(filter).await?);
        }
        Ok(select_all(subscribers).map(|message| Passing {
            subject: message.subject.to_string(),
            headers: Headers::of(message.headers),
            payload: message.payload,
        }))
    }
}
