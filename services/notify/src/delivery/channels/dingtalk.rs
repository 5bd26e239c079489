//! Group robots of 钉钉: Markdown, 20 messages a minute, and a signature in the URL.
//!
//! The signature is `base64(HMAC-SHA256(secret, "{milliseconds}\n{secret}"))`. Each request is signed from the
//! configured URL, so that the URL stays as long as it is. A robot that is secured by keywords or addresses has no
//! secret.

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use gongkai_worker::Secret;
use reqwest::Url;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{
    super::{
        message::{Message, markdown},
        pace::Limit,
    },
    robot::{Platform, Retry},
};

/// Longest body.
const LONGEST_BYTES: usize = 20_000;
/// How long the platform takes nothing after too many messages in a minute.
const PAUSE: Duration = Duration::from_mins(10);

/// The platform of 钉钉.
pub(crate) struct Dingtalk {
    secret: Option<Secret>,
}

// === impl Dingtalk ===

impl Dingtalk {
    /// Messages of one robot.
    pub(crate) const LIMITS: &[Limit] = &[Limit::per_minute(20)];

    /// Creates the platform with the secret that signs, if the robot has one.
    pub(crate) fn new(secret: Option<Secret>) -> Self {
        Self { secret }
    }
}

impl Platform for Dingtalk {
    fn url(&self, configured: &Url, now: OffsetDateTime) -> Url {
        let mut url = configured.clone();
        if let Some(secret) = &self.secret {
            let secret = secret.expose();
            let timestamp = now.unix_timestamp_nanos() / 1_000_000;
            let mac = hmac_sha256::HMAC::mac(format!("{timestamp}\n{secret}"), secret);
            url.query_pairs_mut()
                .append_pair("timestamp", &timestamp.to_string())
                .append_pair("sign", &BASE64_STANDARD.encode(mac));
        }
        url
    }

    fn body(&self, message: &Message, _now: OffsetDateTime) -> Value {
        let body = |message: &Message| json!({ "msgtype": "markdown", "markdown": { "title": message.title, "text": markdown(message) } });
        body(&message.within(LONGEST_BYTES, |message| body(message).to_string().len()))
    }

    fn retry(&self, code: i64, _text: &str) -> Option<Retry> {
        match code {
            // Too fast; the second is the code for a robot that is limited already.
            130_101 | 130_102 => Some(Retry::Throttled(PAUSE)),
            -1 => Some(Retry::Scheduled),
            _ => None,
        }
    }
}
