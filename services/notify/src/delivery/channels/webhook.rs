//! The webhook channel: one POST for each letter, signed by Standard Webhooks.

use async_trait::async_trait;
use gongkai_worker::Clock;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};

use super::{
    super::{
        channel::{Channel, Error},
        letter::{Envelope, Letter},
        notice::Notice,
    },
    body::{self, EndedEvent, WebhookBody},
    http::Endpoint,
    signature::Secrets,
    target::Target,
};

/// A webhook, whose requests each of its secrets signs.
pub(crate) struct Webhook {
    endpoint: Endpoint,
    secrets: Secrets,
}

// === impl Webhook ===

impl Webhook {
    /// Creates a client for `target`.
    ///
    /// # Errors
    /// The HTTP client cannot be built, such as on a machine without CA certificates.
    pub(crate) fn new(target: Target, secrets: Secrets, clock: Clock) -> anyhow::Result<Self> {
        Ok(Self { endpoint: Endpoint::new(target, clock)?, secrets })
    }

    async fn post(&self, letter: &Letter<'_>) -> Result<(), Error> {
        let id = letter.id();
        let (media_type, body) = body_of(letter, &id);
        let headers = self.headers(&id, media_type, &body);
        self.endpoint.post(self.endpoint.url().clone(), headers, body).await?;
        Ok(())
    }

    fn headers(&self, id: &str, media_type: &'static str, body: &str) -> HeaderMap {
        let timestamp = self.endpoint.clock().now().unix_timestamp();
        let signature = self.secrets.sign(id, timestamp, body);
        let mut headers = HeaderMap::new();
        let ascii = "hex digits, decimal digits and base64 are ASCII";
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        headers.insert("webhook-id", HeaderValue::from_str(id).expect(ascii));
        headers.insert("webhook-timestamp", HeaderValue::from(timestamp));
        headers.insert("webhook-signature", HeaderValue::from_str(&signature).expect(ascii));
        headers
    }
}

#[async_trait]
impl Channel for Webhook {
    async fn send(&self, envelope: &Envelope<'_>) -> Result<(), Error> {
        for letter in envelope.letters() {
            self.post(letter).await?;
        }
        Ok(())
    }
}

/// Returns media type and body of a request with this `webhook-id`, which is the same for every attempt.
fn body_of(letter: &Letter<'_>, id: &str) -> (&'static str, String) {
    let (media_type, text) = match letter.notice {
        Notice::Alert(alert) => {
            let body = WebhookBody::about_alert(alert, letter.context.sequence);
            (body::JSON, serde_json::to_string(&body))
        }
        Notice::Ended(ended) => {
            let body = EndedEvent::new(ended, id, letter.context.logged_at);
            (body::CLOUD_EVENT, serde_json::to_string(&body))
        }
        Notice::Deadline(notice) => {
            let body = WebhookBody::about_deadline(notice, letter.context);
            (body::JSON, serde_json::to_string(&body))
        }
    };
    (media_type, text.expect("a body has string keys and no maps"))
}
