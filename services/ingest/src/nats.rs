//! The interface through the broker: a CMS sends one CloudEvent as a request on `gongkai.v1.cms.<site>` and gets the
//! receipt or the problem as the reply.
//!
//! The event is in structured mode, or in binary mode with `ce-` headers; without headers it is structured. The reply
//! is the JSON that `POST /v1/events` answers, with a header `status` that holds the HTTP status. The broker's
//! permissions decide who may publish for which site. Replicas share the requests. A request in work occupies a slot
//! of [`Admission`]; without a free one the reply is `OVERLOADED` at once. The broker limits the size of a message (1
//! MB by default); send larger documents over HTTP or gRPC.

use std::time::Duration;

use futures::StreamExt as _;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use tokio::time::Instant;

use crate::{
    admission::Admission,
    auth::Authenticator,
    blocking,
    cloudevent::{self, DecodedEvents},
    error::{Code, Problem},
    language::Language,
    reception::{Answer, Reception},
};
use gongkai_proto::subjects::{CMS_GROUP, cms_filter, cms_site};
use gongkai_worker::{
    Message, Recurring, Runtime,
    transport::{Headers, Request, Requests},
};

/// How long to wait before subscribing again.
const PAUSE: Duration = Duration::from_secs(1);
/// The content type of an event without headers.
const STRUCTURED: HeaderValue = HeaderValue::from_static("application/cloudevents+json");

/// Answers the requests of CMSs. Cheap to clone.
#[derive(Clone)]
pub struct CmsRequests {
    runtime: Runtime,
    reception: Reception,
    auth: Authenticator,
    admission: Admission,
}

/// The headers and the body of a reply.
struct Reply {
    status: u16,
    content_type: &'static str,
    retry_after_s: Option<u64>,
    body: Vec<u8>,
}

// === impl CmsRequests ===

impl CmsRequests {
    #[must_use]
    pub fn new(runtime: Runtime, reception: Reception, auth: Authenticator, admission: Admission) -> Self {
        Self { runtime, reception, auth, admission }
    }

    /// Answers requests until shutdown, then finishes those in work, until the end of the drain at most.
    ///
    /// # Errors
    /// Never: without a broker it keeps trying to subscribe.
    ///
    /// # Cancel safety
    /// Dropping the future drops the requests in work. Their senders get no reply and send them again.
    pub async fn serve(self) -> anyhow::Result<()> {
        let shutdown = self.runtime.shutdown();
        while let Some(requests) = shutdown.run_until_cancelled(self.subscribed()).await {
            let serving = requests
                .take_until(shutdown.clone().cancelled_owned())
                .for_each_concurrent(None, |request| self.answer(request));
            tokio::select! {
                () = serving => {}
                () = self.runtime.drained() => return Ok(()),
            }
        }
        Ok(())
    }

    async fn subscribed(&self) -> Requests {
        let failure = Recurring::new();
        loop {
            match self.runtime.requests(&cms_filter(), CMS_GROUP).await {
                Ok(requests) => return requests,
                Err(error) => {
                    // The runtime logs outages.
                    if !error.kind.is_outage()
                        && let Some(failures) = failure.due()
                    {
                        let error = &error as &dyn std::error::Error;
                        tracing::warn!(error, failures, "no requests are taken yet");
                    }
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    async fn answer(&self, request: Request) {
        let Request { message, reply_to } = request;
        let Some(reply_to) = reply_to else {
            tracing::warn!(
                subject = message.subject,
                "an event of a CMS without a reply subject was not taken: send it as a request"
            );
            return;
        };
        let span = self.runtime.continue_trace(&message, "take an event of a CMS");
        let reply = span.run(self.logged_reply(&message)).await;
        let sent = match reply.message(reply_to) {
            Ok(reply) => self.runtime.send(reply).await,
            Err(error) => Err(error),
        };
        if let Err(error) = sent
            && !error.kind.is_outage()
        {
            tracing::warn!(error = &error as &dyn std::error::Error, "a reply was not sent");
        }
    }

    /// Answers a request and logs it, as the HTTP server does.
    async fn logged_reply(&self, message: &Message) -> Reply {
        let started = Instant::now();
        let reply = self.reply(message).await;
        tracing::info!(
            protocol = "nats",
            route = cms_filter(),
            status = reply.status,
            duration_ms = started.elapsed().as_secs_f64() * 1000.0,
            caller = cms_site(&message.subject),
            request_bytes = message.payload.len(),
            response_bytes = reply.body.len(),
            "request"
        );
        reply
    }

    async fn reply(&self, message: &Message) -> Reply {
        let headers = http_headers(&message.headers);
        let language = Language::preferred(&headers);
        match self.take(message, headers).await {
            Ok(answer) => Reply {
                status: if matches!(answer, Answer::Receipt(_)) { 202 } else { 200 },
                content_type: "application/json",
                retry_after_s: None,
                body: serde_json::to_vec(&answer).expect("strings, numbers and booleans always serialise"),
            },
            Err(problem) => Reply {
                status: problem.code.status().as_u16(),
                content_type: "application/problem+json",
                retry_after_s: problem.retry_after_s(),
                body: problem.to_json(language),
            },
        }
    }

    async fn take(&self, message: &Message, headers: HeaderMap) -> Result<Answer, Problem> {
        let _slot = self.admission.enter()?;
        let caller = self.auth.permitted_as(cms_site(&message.subject).unwrap_or_default())?;
        let body = message.payload.clone();
        let decoded = blocking::run_sized(body.len(), move || cloudevent::decode(&headers, &body)).await??;
        match decoded {
            DecodedEvents::One(event) => self.reception.one(&caller, event).await,
            DecodedEvents::Batch(_) => Err(Problem::new(
                Code::UnsupportedMediaType,
                "一条消息只放一个事件；批量请用 POST /v1/events",
                "a message holds one event; send a batch to POST /v1/events",
            )),
        }
    }
}

// === impl Reply ===

impl Reply {
    fn message(self, subject: String) -> Result<Message, gongkai_worker::transport::Error> {
        let mut headers = Headers::new();
        headers.insert("status", &self.status.to_string())?;
        headers.insert("content-type", self.content_type)?;
        if let Some(seconds) = self.retry_after_s {
            headers.insert("retry-after", &seconds.to_string())?;
        }
        Ok(Message { subject, headers, payload: self.body.into() })
    }
}

/// Converts the headers to HTTP headers. A message without headers is an event in structured mode.
fn http_headers(sent: &Headers) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in sent.sorted() {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value.as_bytes())) {
            headers.insert(name, value);
        }
    }
    let is_binary = headers.keys().any(|name| name.as_str().starts_with("ce-"));
    if !is_binary && !headers.contains_key(header::CONTENT_TYPE) {
        headers.insert(header::CONTENT_TYPE, STRUCTURED);
    }
    headers
}
