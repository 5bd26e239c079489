//! The robots of group chats: one JSON request for each envelope, whose answer has a code beside its status. Status 200
//! with a code other than 0 means that nobody has seen the message.

use std::time::Duration;

use async_trait::async_trait;
use gongkai_worker::Clock;
use reqwest::{
    Url,
    header::{CONTENT_TYPE, HeaderMap, HeaderValue},
};
use serde_json::Value;
use time::OffsetDateTime;

use super::{
    super::{
        channel::{Channel, Error},
        letter::Envelope,
        message::{Composer, Message},
    },
    http::{self, Endpoint},
    target::Target,
};

/// What differs between the platforms of robots.
pub(crate) trait Platform: Send + Sync {
    /// Returns the URL of one request, from the configured one.
    fn url(&self, configured: &Url, _now: OffsetDateTime) -> Url {
        configured.clone()
    }

    /// Returns the body of one request.
    fn body(&self, message: &Message, now: OffsetDateTime) -> Value;

    /// Returns when to try again after a code other than 0. `None` means that the platform refuses the message.
    fn retry(&self, code: i64, text: &str) -> Option<Retry>;
}

/// When a message can be tried again that a platform did not take.
pub(crate) enum Retry {
    /// On the schedule: the platform is busy.
    Scheduled,
    /// After this time at the earliest: there were too many messages.
    Throttled(Duration),
}

/// A robot of a group chat.
pub(crate) struct Robot {
    endpoint: Endpoint,
    platform: Box<dyn Platform>,
    composer: Composer,
}

// === impl Robot ===

impl Robot {
    /// Creates the client of the robot at `target`.
    ///
    /// # Errors
    /// The HTTP client cannot be built, such as on a machine without CA certificates.
    pub(crate) fn new(
        target: Target,
        platform: Box<dyn Platform>,
        composer: Composer,
        clock: Clock,
    ) -> anyhow::Result<Self> {
        Ok(Self { endpoint: Endpoint::new(target, clock)?, platform, composer })
    }

    fn judge(&self, text: &str) -> Result<(), Error> {
        let answer: Value = serde_json::from_str(text).unwrap_or_default();
        // An answer may have its code under two names.
        let first = |names: [&str; 3]| names.into_iter().find_map(|name| answer.get(name));
        let Some(code) = first(["errcode", "code", "StatusCode"]).and_then(Value::as_i64) else {
            return Err(Error::Refused("the answer has no code: is the URL that of a robot?".to_owned()));
        };
        let text = first(["errmsg", "msg", "StatusMessage"]).and_then(Value::as_str).unwrap_or_default();
        let cause = format!("code {code}: {text}");
        match self.platform.retry(code, text) {
            _ if code == 0 => Ok(()),
            Some(Retry::Scheduled) => Err(Error::away(cause)),
            Some(Retry::Throttled(wish)) => Err(Error::throttled(wish, cause)),
            None => Err(Error::Refused(cause)),
        }
    }
}

#[async_trait]
impl Channel for Robot {
    async fn send(&self, envelope: &Envelope<'_>) -> Result<(), Error> {
        let now = self.endpoint.clock().now();
        let message = self.composer.compose(envelope);
        let body = self.platform.body(&message, now).to_string();
        let url = self.platform.url(self.endpoint.url(), now);
        let json = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        let response = self.endpoint.post(url, json, body).await?;
        self.judge(&http::text(response).await?)
    }
}
