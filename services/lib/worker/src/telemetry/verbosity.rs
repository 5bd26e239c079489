//! The filter of log lines while the process runs: it can be changed for a limited time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::ensure;
use serde::Serialize;
use time::OffsetDateTime;
use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;
use tracing_subscriber::EnvFilter;

use crate::clock::Clock;
use crate::config::log_filter;

/// Longest time for which the filter can be changed, in seconds.
const LONGEST_S: u64 = 24 * 60 * 60;
/// Maximum length of a filter.
const MAX_BYTES: usize = 1000;

type Reload = Box<dyn Fn(EnvFilter) -> anyhow::Result<()> + Send + Sync>;

/// Changes the filter of the process's log lines. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Verbosity(Arc<Inner>);

struct Inner {
    configured: String,
    reload: Reload,
    clock: Clock,
    /// The filter that applies instead of the configured one.
    change: Mutex<Option<Change>>,
}

struct Change {
    filter: String,
    until: OffsetDateTime,
    /// Ends the change.
    _end: AbortOnDropHandle<()>,
}

/// The filter that applies, for the admin port.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct CurrentFilter {
    filter: String,
    /// The filter of the config, which applies from `until` on.
    configured: String,
    /// End of the change; `None` while the configured filter applies.
    #[serde(with = "time::serde::rfc3339::option")]
    until: Option<OffsetDateTime>,
}

// === impl Verbosity ===

impl Verbosity {
    /// Creates the control of a subscriber whose filter is the `configured` one. `reload` replaces its filter.
    pub(super) fn new(configured: &str, reload: Reload, clock: Clock) -> Self {
        Self(Arc::new(Inner { configured: configured.to_owned(), reload, clock, change: Mutex::default() }))
    }

    pub(crate) fn current(&self) -> CurrentFilter {
        let change = self.lock();
        let configured = self.0.configured.clone();
        match &*change {
            Some(change) => {
                CurrentFilter { filter: change.filter.clone(), configured, until: Some(change.until) }
            }
            None => CurrentFilter { filter: configured.clone(), configured, until: None },
        }
    }

    /// Applies another filter for a time. Replaces an earlier change.
    ///
    /// # Errors
    /// The text is not a filter, or the time is zero or too long. Nothing was changed.
    pub(crate) fn change(&self, filter: &str, seconds: u64) -> anyhow::Result<()> {
        ensure!((1..=LONGEST_S).contains(&seconds), "for_s must be 1 to {LONGEST_S}");
        ensure!(!filter.is_empty() && filter.len() <= MAX_BYTES, "the body must be a filter, such as debug");
        let parsed = log_filter(filter)?;
        let lasting = Duration::from_secs(seconds);
        let mut change = self.lock();
        (self.0.reload)(parsed)?;
        let this = self.clone();
        let end = tokio::spawn(async move {
            sleep(lasting).await;
            this.reset();
        });
        *change = Some(Change {
            filter: filter.to_owned(),
            until: self.0.clock.now() + lasting,
            _end: AbortOnDropHandle::new(end),
        });
        tracing::warn!(filter, seconds, "log filter changed for a time");
        Ok(())
    }

    /// Applies the configured filter again.
    pub(crate) fn reset(&self) {
        let Some(_ended) = self.lock().take() else { return };
        let reset = log_filter(&self.0.configured).and_then(|filter| (self.0.reload)(filter));
        match reset {
            Ok(()) => tracing::warn!(filter = self.0.configured, "configured log filter applies again"),
            Err(error) => tracing::error!(error = format!("{error:#}"), "log filter not reset"),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Change>> {
        self.0.change.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_change_ends_by_itself_or_is_ended() {
        let applied = Arc::new(Mutex::new(Vec::new()));
        let reloads = applied.clone();
        let reload = move |filter: EnvFilter| {
            reloads.lock().unwrap().push(filter.to_string().rsplit(',').next().unwrap().to_owned());
            Ok(())
        };
        let clock = Clock::fixed(OffsetDateTime::UNIX_EPOCH);
        let verbosity = Verbosity::new("info", Box::new(reload), clock);
        let until = |seconds| Some(OffsetDateTime::UNIX_EPOCH + Duration::from_secs(seconds));
        verbosity.change("debug", 60).unwrap();
        verbosity.change("trace", 120).unwrap();
        assert_eq!((verbosity.current().filter.as_str(), verbosity.current().until), ("trace", until(120)));
        // The end of the first change has no effect on the second.
        sleep(Duration::from_secs(61)).await;
        assert_eq!(verbosity.current().filter, "trace");
        sleep(Duration::from_secs(60)).await;
        assert_eq!((verbosity.current().filter.as_str(), verbosity.current().until), ("info", None));
        verbosity.change("warn", 60).unwrap();
        verbosity.reset();
        verbosity.reset();
        for (filter, seconds) in [("a=b=c", 60), ("", 60), ("debug", 0), ("debug", LONGEST_S + 1)] {
            assert!(verbosity.change(filter, seconds).is_err(), "{filter} for {seconds} s");
        }
        assert_eq!(*applied.lock().unwrap(), ["debug", "trace", "info", "warn", "info"]);
    }
}
