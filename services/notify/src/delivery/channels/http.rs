//! Requests to the HTTP endpoint of a receiver.
//!
//! 2xx is success. 410 means that the receiver is gone permanently. 408, 425, 429, 5xx, timeouts and failed connections
//! are tried again on the schedule of [`crate::delivery::Schedule`]. For any other status a retry does not help.
//! Redirects are not followed, because a receiver could point them anywhere.

use std::{error::Error as _, time::Duration};

use gongkai_worker::{
    Clock,
    trace::{self, SpanKind},
};
use reqwest::{
    Client, Response, StatusCode, Url,
    header::{HeaderMap, RETRY_AFTER},
    redirect::Policy,
};

use super::{
    super::{channel::Error, retry},
    target::{Target, UnacceptableUrl},
};

const TIMEOUT: Duration = Duration::from_secs(15);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest answer that is read.
const LONGEST_ANSWER_BYTES: usize = 64 * 1024;

/// The client of one endpoint.
pub(super) struct Endpoint {
    client: Client,
    target: Target,
    clock: Clock,
}

// === impl Endpoint ===

impl Endpoint {
    /// Creates a client for `target`.
    ///
    /// # Errors
    /// The HTTP client cannot be built, such as on a machine without CA certificates.
    pub(super) fn new(target: Target, clock: Clock) -> anyhow::Result<Self> {
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
        Ok(Self { client: builder.build()?, target, clock })
    }

    pub(super) fn url(&self) -> &Url {
        self.target.url()
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Posts a body to a URL of the endpoint's host, in a client span whose context goes with the request.
    ///
    /// # Errors
    /// The status is not one of success, or there is no answer.
    pub(super) async fn post(&self, url: Url, headers: HeaderMap, body: String) -> Result<Response, Error> {
        let span = trace::span("POST", SpanKind::Client);
        span.set("http.request.method", "POST").set("server.address", url.host_str().unwrap_or_default());
        let result = span.clone().run(self.attempt(url, headers, body)).await;
        if let Err(error) = &result {
            span.fail(error);
        }
        result
    }

    async fn attempt(&self, url: Url, mut headers: HeaderMap, body: String) -> Result<Response, Error> {
        trace::inject(&mut headers);
        let request = self.client.post(url).headers(headers).body(body);
        let response = request.send().await.map_err(|error| failure(&error))?;
        self.judge(response)
    }

    fn judge(&self, response: Response) -> Result<Response, Error> {
        let status = response.status();
        match status {
            _ if status.is_success() => Ok(response),
            StatusCode::GONE => Err(Error::Gone(status.to_string())),
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => {
                Err(self.later(&response))
            }
            _ if status.is_server_error() => Err(self.later(&response)),
            _ if status.is_redirection() => Err(Error::Redirected(status.to_string())),
            _ => Err(Error::Refused(status.to_string())),
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

/// Reads the body of an answer, up to its longest length.
///
/// # Errors
/// The connection fails before the end.
pub(super) async fn text(mut response: Response) -> Result<String, Error> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| failure(&error))? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > LONGEST_ANSWER_BYTES {
            bytes.truncate(LONGEST_ANSWER_BYTES);
            break;
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
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
    Error::away(causes.join(": "))
}
