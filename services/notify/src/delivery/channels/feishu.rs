//! Group robots of 飞书: interactive cards in bodies of at most 20 KB, 100 messages a minute and 5 a second, and a
//! signature in the body.
//!
//! The signature is `base64(HMAC-SHA256("{seconds}\n{secret}", ""))`: the key has the time, and the message is empty.
//! The card has plain text only, in which nothing has a meaning.

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use gongkai_model::Severity;
use gongkai_worker::Secret;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{
    super::{
        message::{Message, traces},
        pace::Limit,
    },
    robot::{Platform, Retry},
};

/// Longest card as JSON. The platform takes 20 KB for the whole body, with the signature.
const LONGEST_BYTES: usize = 19_000;
/// The longer of the two spans in which the platform counts.
const PAUSE: Duration = Duration::from_mins(1);

/// The platform of 飞书.
pub(crate) struct Feishu {
    secret: Option<Secret>,
}

// === impl Feishu ===

impl Feishu {
    /// Messages of one robot.
    pub(crate) const LIMITS: &[Limit] =
        &[Limit { messages: 5, span: Duration::from_secs(1) }, Limit::per_minute(100)];

    /// Creates the platform with the secret that signs, if the robot has one.
    pub(crate) fn new(secret: Option<Secret>) -> Self {
        Self { secret }
    }
}

impl Platform for Feishu {
    fn body(&self, message: &Message, now: OffsetDateTime) -> Value {
        let message = message.within(LONGEST_BYTES, |message| card(message).to_string().len());
        let mut body = json!({ "msg_type": "interactive", "card": card(&message) });
        if let Some(secret) = &self.secret {
            let timestamp = now.unix_timestamp().to_string();
            let mac = hmac_sha256::HMAC::mac("", format!("{timestamp}\n{}", secret.expose()));
            body["sign"] = BASE64_STANDARD.encode(mac).into();
            body["timestamp"] = timestamp.into();
        }
        body
    }

    fn retry(&self, code: i64, text: &str) -> Option<Retry> {
        let text = text.to_ascii_lowercase();
        match code {
            11232 => Some(Retry::Throttled(PAUSE)),
            // The code of a bad request, and of too many requests.
            9499 if text.contains("too many") || text.contains("frequen") => Some(Retry::Throttled(PAUSE)),
            _ => None,
        }
    }
}

fn card(message: &Message) -> Value {
    let text = |content: &str| json!({ "tag": "plain_text", "content": content });
    let line = |content: String| json!({ "tag": "div", "text": text(&content) });
    let lines = message.lines.iter().map(|line| format!("{} {}", line.label, line.text));
    let mut elements: Vec<Value> =
        lines.chain(message.remainder()).chain(message.remark.clone()).map(line).collect();
    let buttons = message.links.iter();
    let buttons: Vec<Value> = buttons
        .map(|link| json!({ "tag": "button", "text": text(link.label), "type": "default", "url": link.url }))
        .collect();
    if !buttons.is_empty() {
        elements.push(json!({ "tag": "action", "actions": buttons }));
    }
    if let Some(traces) = traces(message) {
        elements.push(json!({ "tag": "note", "elements": [text(&traces)] }));
    }
    json!({
        "config": { "wide_screen_mode": true },
        "header": { "template": colour(message.severity), "title": text(&message.title) },
        "elements": elements,
    })
}

fn colour(severity: Option<Severity>) -> &'static str {
    match severity {
        Some(Severity::Error) => "red",
        Some(Severity::Warning) => "orange",
        Some(Severity::Review | Severity::Info) => "blue",
        None => "green",
    }
}
