//! W3C trace context in the headers of messages and of HTTP.

use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator as _};
use opentelemetry_sdk::propagation::TraceContextPropagator;

use crate::transport::Headers;

/// Returns `base` with the trace context of a message's sender.
pub(crate) fn extract_from_message(base: &Context, headers: &Headers) -> Context {
    TraceContextPropagator::new().extract_with_context(base, &MessageHeaders(headers))
}

/// Writes the trace context into a message's headers.
pub(crate) fn inject_into_message(context: &Context, headers: &mut Headers) {
    TraceContextPropagator::new().inject_context(context, &mut MessageHeadersMut(headers));
}

pub(crate) fn extract_from_http(base: &Context, headers: &http::HeaderMap) -> Context {
    TraceContextPropagator::new().extract_with_context(base, &HttpHeaders(headers))
}

pub(super) fn inject_into_http(context: &Context, headers: &mut http::HeaderMap) {
    TraceContextPropagator::new().inject_context(context, &mut HttpHeadersMut(headers));
}

struct MessageHeaders<'a>(&'a Headers);

impl Extractor for MessageHeaders<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)
    }

    fn keys(&self) -> Vec<&str> {
        self.0.names().collect()
    }
}

struct MessageHeadersMut<'a>(&'a mut Headers);

impl Injector for MessageHeadersMut<'_> {
    fn set(&mut self, key: &str, value: String) {
        if !value.is_empty() {
            self.0.insert(key, &value).expect("W3C trace context is one line of ASCII under a plain name");
        }
    }
}

struct HttpHeaders<'a>(&'a http::HeaderMap);

impl Extractor for HttpHeaders<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(http::HeaderName::as_str).collect()
    }
}

struct HttpHeadersMut<'a>(&'a mut http::HeaderMap);

impl Injector for HttpHeadersMut<'_> {
    fn set(&mut self, key: &str, value: String) {
        if value.is_empty() {
            return;
        }
        if let (Ok(name), Ok(value)) = (http::HeaderName::try_from(key), http::HeaderValue::try_from(value)) {
            self.0.insert(name, value);
        }
    }
}
