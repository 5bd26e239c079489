//! The webhook channel: it sends one signed POST and interprets the response.
//!
//! 2xx is success. 410 means that the receiver is gone permanently. 408, 425, 429, 5xx, timeouts and failed connections
//! are tried again on the schedule of [`super::retry`]. For any other status a retry does not help. Redirects are not
//! followed, because a receiver could point them anywhere.

use std::{error::Error as _, time::Duration};

use gongkai_worker::{
    Clock, dead_letter,
    trace::{self, SpanKind},
};
use reqwest::{
    Client, Response, StatusCode,
    header::{CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER},
    redirect::Policy,
};

use super::{
    notice::NoticeBody,
    retry,
    signature::Secrets,
    target::{Target, UnacceptableUrl},
};

const TIMEOUT: Duration = Duration::from_secs(15);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The client of one receiver.
pub struct Webhook {
    client: Client,
    target: Target,
    secrets: Secrets,
    clock: Clock,
}

/// Error: the receiver did not accept a message.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum Error {
    /// The receiver may accept the message later.
    #[error("receiver did not take the message for now: {cause}")]
    Later {
        /// Delay that the receiver asked for with `Retry-After`.
        wish: Option<Duration>,
        /// Status or failure of the request.
        cause: String,
        /// True if the cause may be this message, so that the receiver may accept others.
        may_be_message: bool,
    },
    /// 410: the receiver is gone permanently.
    #[error("receiver is gone for good (410)")]
    Gone,
    /// The receiver answered with a redirect, which is not followed.
    #[error("receiver redirects ({0}): put the final address into the config")]
    Redirected(StatusCode),
    /// The receiver refused the message.
    #[error("receiver refuses the message ({0})")]
    Refused(StatusCode),
    /// The host name resolves to an address that is not allowed.
    #[error("receiver's name leads to a forbidden address: {0}")]
    Forbidden(String),
    /// Every attempt failed.
    #[error("receiver did not take the message in any attempt: {0}")]
    Exhausted(String),
}

// === impl Error ===

impl Error {
    /// Creates the error of a waiting message that is not in its stream, or not yet on the replica that answered.
    pub(super) fn missing() -> Self {
        Self::Later { wish: None, cause: "alert is not in its stream".to_owned(), may_be_message: true }
    }

    /// Returns true if another attempt may succeed.
    pub(super) fn may_pass(&self) -> bool {
        matches!(self, Self::Later { .. })
    }

    /// Returns true if the cause may be this message, so that the receiver may accept others.
    pub(super) fn may_be_message(&self) -> bool {
        matches!(self, Self::Later { may_be_message: true, .. })
    }

    /// Returns the delay that the receiver asked for.
    pub(super) fn wish(&self) -> Option<Duration> {
        match self {
            Self::Later { wish, .. } => *wish,
            _ => None,
        }
    }

    /// The values of [`Self::outcome`].
    pub(super) const OUTCOMES: [&'static str; 5] = ["later", "gone", "redirected", "refused", "forbidden"];

    /// Returns the result of an attempt as a label.
    pub(super) fn outcome(&self) -> &'static str {
        let [later, gone, redirected, refused, forbidden] = Self::OUTCOMES;
        match self {
            Self::Later { .. } | Self::Exhausted(_) => later,
            Self::Gone => gone,
            Self::Redirected(_) => redirected,
            Self::Refused(_) => refused,
            Self::Forbidden(_) => forbidden,
        }
    }

    /// Returns the code of the dead letter.
    #[must_use]
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Later { .. } | Self::Exhausted(_) => dead_letter::ATTEMPTS_EXHAUSTED,
            Self::Gone => "GONE",
            Self::Redirected(_) => "REDIRECTED",
            Self::Refused(_) => "REFUSED",
            Self::Forbidden(_) => "FORBIDDEN_ADDRESS",
        }
    }
}

// === impl Webhook ===

impl Webhook {
    /// Creates a client for `target`.
    ///
    /// # Errors
    /// The HTTP client cannot be built, such as on a machine without CA certificates.
    pub fn new(target: Target, secrets: Secrets, clock: Clock) -> anyhow::Result<Self> {
        let mut builder = Client::builder()
            .redirect(Policy::none())
            .timeout(TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .dns_resolver(target.resolver())
            // A proxy would resolve names without our resolver.
            .no_proxy()
            .user_agent(concat!("gongkai-notify/", env!("CARGO_PKG_VERSION")));
        if target.url().scheme() == "http" {
            // Plain HTTP verifies nothing, so do not require CA certificates.
            builder = builder.tls_certs_only([]);
        }
        Ok(Self { client: builder.build()?, target, secrets, clock })
    }

    /// Sends a body under a message id, in a client span whose context goes with the request.
    ///
    /// # Errors
    /// The receiver did not accept it. Only [`Error::Later`] is worth a retry.
    pub(super) async fn send(&self, id: &str, body: NoticeBody) -> Result<(), Error> {
        let span = trace::span("POST", SpanKind::Client);
        span.set("http.request.method", "POST")
            .set("server.address", self.target.url().host_str().unwrap_or_default());
        let result = span.clone().run(self.post(id, body)).await;
        if let Err(error) = &result {
            span.fail(error);
        }
        result
    }

    async fn post(&self, id: &str, body: NoticeBody) -> Result<(), Error> {
        let request =
            self.client.post(self.target.url().clone()).headers(self.headers(id, &body)).body(body.text);
        let response = request.send().await.map_err(|error| failure(&error))?;
        self.outcome(&response)
    }

    fn headers(&self, id: &str, body: &NoticeBody) -> HeaderMap {
        let timestamp = self.clock.now().unix_timestamp();
        let signature = self.secrets.sign(id, timestamp, &body.text);
        let mut headers = HeaderMap::new();
        let ascii = "hex digits, decimal digits and base64 are ASCII";
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(body.media_type));
        headers.insert("webhook-id", HeaderValue::from_str(id).expect(ascii));
        headers.insert("webhook-timestamp", HeaderValue::from(timestamp));
        headers.insert("webhook-signature", HeaderValue::from_str(&signature).expect(ascii));
        trace::inject(&mut headers);
        headers
    }

    fn outcome(&self, response: &Response) -> Result<(), Error> {
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
        let status = response.status();
        // The statuses 429, 502, 503 and 504 concern the receiver and not the message.
        let may_be_message = matches!(status.as_u16(), 408 | 425 | 500 | 501 | 505..);
        Error::Later { wish, cause: status.to_string(), may_be_message }
    }
}

/// Converts the error of a request without a response. The text omits the URL, which may contain a token.
fn failure(error: &reqwest::Error) -> Error {
    let mut causes = Vec::new();
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(refused) = cause.downcast_ref::<UnacceptableUrl>() {
            return Error::Forbidden(refused.to_string());
        }
        causes.push(cause.to_string());
        source = cause.source();
    }
    let kind = if error.is_timeout() { "timed out" } else { "no answer" };
    causes.insert(0, kind.to_owned());
    Error::Later { wish: None, cause: causes.join(": "), may_be_message: false }
}
