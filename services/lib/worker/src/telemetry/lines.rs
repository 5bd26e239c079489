//! Format of log lines: JSON or text, both with the trace id of the current span.

use std::fmt::{self, Debug, Write as _};
use std::io::IsTerminal as _;

use opentelemetry::Context;
use opentelemetry::trace::{TraceContextExt as _, TraceId};
use serde_json::{Map, Value};
use time::format_description::well_known::Rfc3339;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::clock::Clock;
use crate::config::LogFormat;
use crate::inert;
use crate::trace::Tracer;

/// Writes one log event per line.
pub(crate) struct LogLines {
    is_json: bool,
    clock: Clock,
}

/// The fields of a log event, in order.
#[derive(Default)]
struct EventFields {
    message: String,
    rest: Map<String, Value>,
}

impl LogLines {
    pub(crate) fn new(format: LogFormat, clock: Clock) -> Self {
        let is_json = match format {
            LogFormat::Auto => !std::io::stderr().is_terminal(),
            LogFormat::Json => true,
            LogFormat::Text => false,
        };
        Self { is_json, clock }
    }
}

impl<S, N> FormatEvent<S, N> for LogLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = EventFields::default();
        event.record(&mut fields);
        let at = self.clock.now().format(&Rfc3339).map_err(|_| fmt::Error)?;
        let (level, target) = (event.metadata().level(), event.metadata().target());
        let (service, trace) = current();
        if self.is_json {
            let mut line = Map::new();
            line.insert("timestamp".to_owned(), at.into());
            line.insert("level".to_owned(), level.as_str().into());
            line.insert("target".to_owned(), target.into());
            line.insert("message".to_owned(), fields.message.into());
            line.extend(service.map(|service| ("service".to_owned(), service.into())));
            line.extend(trace.map(|trace| ("trace_id".to_owned(), trace.into())));
            line.insert("fields".to_owned(), fields.rest.into());
            return writeln!(writer, "{}", inert::escape_json(&Value::Object(line).to_string()));
        }
        let message = inert::escape(&fields.message);
        write!(writer, "{at} {level:>5} {}: {message}", service.unwrap_or(target))?;
        for (name, value) in fields.rest {
            write!(writer, " {name}={}", inert::escape_json(&value.to_string()))?;
        }
        if let Some(trace) = trace {
            write!(writer, " trace_id={trace}")?;
        }
        writeln!(writer)
    }
}

/// Returns the service and the trace id of the current context, if any.
fn current() -> (Option<&'static str>, Option<String>) {
    Context::map_current(|context| {
        let trace = context.span().span_context().trace_id();
        let trace = (trace != TraceId::INVALID).then(|| trace.to_string());
        (context.get::<Tracer>().map(Tracer::service), trace)
    })
}

impl EventFields {
    /// Adds a field. Passwords inside URLs are redacted here for all log events.
    fn insert(&mut self, field: &Field, value: Value) {
        let value = match value {
            Value::String(text) => inert::redact(&text).into(),
            value => value,
        };
        if field.name() == "message" {
            self.message = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        } else {
            self.rest.insert(field.name().to_owned(), value);
        }
    }
}

impl Visit for EventFields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.insert(field, format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.insert(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.insert(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.insert(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.insert(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.insert(field, value.into());
    }

    /// Records the error with its whole chain of sources.
    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.insert(field, with_causes(value).into());
    }
}

/// Returns an error with its whole chain of sources, in one line.
pub(crate) fn with_causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        // Writing to a string cannot fail.
        write!(text, ": {cause}").ok();
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use time::OffsetDateTime;

    use super::*;

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn line(format: LogFormat, log: impl FnOnce()) -> String {
        let sink = Sink::default();
        let writer = sink.clone();
        let subscriber = tracing_subscriber::fmt()
            .event_format(LogLines::new(format, Clock::fixed(OffsetDateTime::UNIX_EPOCH)))
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, log);
        String::from_utf8(sink.0.lock().unwrap().clone()).unwrap()
    }

    fn log_in_a_trace() {
        let tracer = Tracer::silent("stage");
        let span = tracer.start("", crate::trace::SpanKind::Internal, &tracer.base(), Vec::new);
        span.within(|| tracing::warn!(size = 3, name = "x", "no \"luck\""));
    }

    #[test]
    fn json_lines_have_a_level_and_the_trace() {
        let line: Value = serde_json::from_str(&line(LogFormat::Json, log_in_a_trace)).unwrap();
        assert_eq!(line["level"], "WARN");
        assert_eq!(line["message"], "no \"luck\"");
        assert_eq!(line["service"], "stage");
        assert_eq!(line["timestamp"], "1970-01-01T00:00:00Z");
        assert_eq!(line["fields"], serde_json::json!({"size": 3, "name": "x"}));
        assert_eq!(line["trace_id"].as_str().unwrap().len(), 32);
    }

    #[test]
    fn nothing_that_others_wrote_steers_the_reader_of_a_log() {
        let log = || {
            tracing::warn!(
                url = "nats://u:s3cret@h",
                name = "a\u{202e}\u{1b}",
                "at nats://u:s3cret@h\u{1b}[2J\nINFO fine"
            );
        };
        for format in [LogFormat::Json, LogFormat::Text] {
            let line = line(format, log);
            assert!(!line.contains("s3cret") && line.matches("u:***@h").count() == 2, "{line}");
            assert!(!line.trim_end().contains(inert::is_active), "{line}");
        }
    }

    #[test]
    fn text_lines_read_well() {
        let line = line(LogFormat::Text, || tracing::info!(port = 1, "listening"));
        assert!(line.starts_with("1970-01-01T00:00:00Z  INFO gongkai_worker"), "{line}");
        assert!(line.ends_with("listening port=1\n"), "{line}");
    }
}
