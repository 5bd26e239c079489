//! The webhook channel: one signed POST, and what its answer means.
//!
//! 2xx is success. 410 says that nobody is there any more. 408, 425, 429, 5xx, timeouts and failed connections are
//! tried again on the schedule of [`super::retry`]. Anything else will not get better by repeating, redirects
//! included: they are not followed, since a receiver could point them anywhere.

use std::{error::Error as _, time::Duration};

use gongkai_worker::{
    Clock,
    trace::{self, Kind},
};
use reqwest::{
    Client, Response, StatusCode,
    header::{CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER},
    redirect::Policy,
};

use super::{
    retry,
    signature::Secrets,
    target::{Refused, Target},
};

const TIMEOUT: Duration = Duration::from_secs(15);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A receiver.
pub struct Webhook {
    client: Client,
    target: Target,
    secrets: Secrets,
    clock: Clock,
}

/// Why a message was not taken.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It may be taken later; the receiver may have said when.
    #[error("receiver did not take the alert for now: {cause}")]
    Later {
        /// What it asked for with `Retry-After`.
        wish: Option<Duration>,
        /// Status or failure.
        cause: String,
    },
    /// 410: nobody is there any more.
    #[error("receiver is gone for good (410)")]
    Gone,
    /// It answers with a redirect, which is not followed.
    #[error("receiver redirects ({0}): put the final address into the config")]
    Redirected(StatusCode),
    /// It does not want this message.
    #[error("receiver refuses the alert ({0})")]
    Refused(StatusCode),
    /// The name resolves to an address that is not allowed.
    #[error("receiver's name leads to a forbidden address: {0}")]
    Forbidden(String),
}

// === impl Webhook ===

impl Webhook {
    /// A receiver at `target`.
    ///
    /// # Errors
    /// The HTTP client cannot be built, such as on a machine without certificates of authorities.
    pub fn new(target: Target, secrets: Secrets, clock: Clock) -> anyhow::Result<Self> {
        let mut builder = Client::builder()
            .redirect(Policy::none())
            .timeout(TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .dns_resolver(target.resolver())
            // A proxy would resolve names where the guard cannot see it.
            .no_proxy()
            .user_agent(concat!("gongkai-notify/", env!("CARGO_PKG_VERSION")));
        if target.url().scheme() == "http" {
            // Nothing to verify, so a machine without certificates of authorities will do.
            builder = builder.tls_certs_only([]);
        }
        Ok(Self { client: builder.build()?, target, secrets, clock })
    }

    /// Sends a body under a message id, in a client span that the receiver can join.
    ///
    /// # Errors
    /// It was not taken; the kind says what to do.
    pub async fn send(&self, id: &str, body: String) -> Result<(), Error> {
        let span = trace::span("POST", Kind::Client);
        span.set("http.request.method", "POST")
            .set("server.address", self.target.url().host_str().unwrap_or_default());
        let result = span.clone().run(self.post(id, body)).await;
        if let Err(error) = &result {
            span.fail(error);
        }
        result
    }

    async fn post(&self, id: &str, body: String) -> Result<(), Error> {
        let request = self.client.post(self.target.url().clone()).headers(self.headers(id, &body)).body(body);
        let response = request.send().await.map_err(|error| failure(&error))?;
        self.judge(&response)
    }

    fn headers(&self, id: &str, body: &str) -> HeaderMap {
        let timestamp = self.clock.now().unix_timestamp();
        let signature = self.secrets.sign(id, timestamp, body);
        let mut headers = HeaderMap::new();
        let ascii = "hex digits, decimal digits and base64 are ASCII";
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert("webhook-id", HeaderValue::from_str(id).expect(ascii));
        headers.insert("webhook-timestamp", HeaderValue::from(timestamp));
        headers.insert("webhook-signature", HeaderValue::from_str(&signature).expect(ascii));
        trace::inject(&mut headers);
        headers
    }

    fn judge(&self, response: &Response) -> Result<(), Error> {
        let status = response.status();
        match status {
            _ if status.is_success() => Ok(()),
            StatusCode::GONE => Err(Error::Gone),
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => {
                Err(self.later(response))
            }
            _ if status.is_server_error() => Err(self.later(response)),
            _ if status.is_redirection() => Err(Error::Redirected(status)),
            _ => Err(Error::Refused(status)),
        }
    }

    fn later(&self, response: &Response) -> Error {
        let header = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let wish = header.and_then(|header| retry::wish(header, self.clock.now()));
        Error::Later { wish, cause: response.status().to_string() }
    }
}

/// A request that got no answer. The address stays out of the text: it may hold a token.
fn failure(error: &reqwest::Error) -> Error {
    let mut causes = Vec::new();
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(refused) = cause.downcast_ref::<Refused>() {
            return Error::Forbidden(refused.to_string());
        }
        causes.push(cause.to_string());
        source = cause.source();
    }
    let kind = if error.is_timeout() { "timed out" } else { "no answer" };
    causes.insert(0, kind.to_owned());
    Error::Later { wish: None, cause: causes.join(": ") }
}
