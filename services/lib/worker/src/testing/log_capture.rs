//! [`LogCapture`]: the log lines of a test.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use tracing::subscriber::DefaultGuard;

use crate::clock::Clock;
use crate::config::LogFormat;
use crate::telemetry::lines::LogLines;

/// Captures what this thread logs at level info and above, until it is dropped. A test on a runtime of one thread has
/// all of its lines.
pub struct LogCapture {
    written: Written,
    _guard: DefaultGuard,
}

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

// === impl LogCapture ===

impl LogCapture {
    /// Starts capturing.
    #[must_use]
    pub fn start() -> Self {
        let written = Written::default();
        let writer = written.clone();
        let subscriber = tracing_subscriber::fmt()
            .event_format(LogLines::new(LogFormat::Json, Clock::system()))
            .with_writer(move || writer.clone())
            .finish();
        Self { written, _guard: tracing::subscriber::set_default(subscriber) }
    }

    /// Returns the lines so far, as they are written with `log_format = "json"`.
    #[must_use]
    pub fn lines(&self) -> Vec<Value> {
        let written = self.written.0.lock().unwrap_or_else(PoisonError::into_inner);
        let parsed = serde_json::Deserializer::from_slice(&written).into_iter();
        parsed.map(|line| line.expect("log lines are JSON")).collect()
    }
}

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
