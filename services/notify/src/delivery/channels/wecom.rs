//! Group robots of 企业微信: Markdown of at most 4,096 bytes, 20 messages a minute. The key in the URL is the only secret.

use std::time::Duration;

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{
    super::{
        message::{Message, markdown},
        pace::Limit,
    },
    robot::{Platform, Retry},
};

/// Longest Markdown text.
const LONGEST_BYTES: usize = 4096;
/// The platform counts by minutes.
const PAUSE: Duration = Duration::from_mins(1);

/// The platform of 企业微信.
pub(crate) struct Wecom;

// === impl Wecom ===

impl Wecom {
    /// Messages of one robot.
    pub(crate) const LIMITS: &[Limit] = &[Limit::per_minute(20)];
}

impl Platform for Wecom {
    fn body(&self, message: &Message, _now: OffsetDateTime) -> Value {
        let message = message.within(LONGEST_BYTES, |message| markdown(message).len());
        json!({ "msgtype": "markdown", "markdown": { "content": markdown(&message) } })
    }

    fn retry(&self, code: i64, _text: &str) -> Option<Retry> {
        match code {
            // Calls per minute, and calls at the same time.
            45009 | 45033 => Some(Retry::Throttled(PAUSE)),
            -1 => Some(Retry::Scheduled),
            _ => None,
        }
    }
}
