//! Counts the open alerts, for the metrics.
//!
//! The count is that of the bucket of alerts, which each replica reads once at its start and then follows. Only reports
//! with open alerts take memory.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    time::Duration,
};

use futures::StreamExt as _;
use gongkai_model::Severity;
use gongkai_proto::{convert::finding::severity, subjects::BUCKET_ALERTS};
use gongkai_worker::{
    Figure, Recurring, Runtime,
    transport::{Change, Error},
};
use prost::Message as _;

use super::state::ReportAlerts;

/// Pause before the bucket is followed again.
const PAUSE: Duration = Duration::from_secs(1);

const SEVERITIES: [Severity; 4] = [Severity::Info, Severity::Review, Severity::Warning, Severity::Error];

/// The number of open alerts of each severity.
type Counts = [u32; SEVERITIES.len()];

/// The open alerts of all reports.
#[derive(Default)]
struct OpenAlerts {
    /// By a hash of the report's key.
    reports: HashMap<u64, Counts>,
    total: Counts,
}

/// Shows the number of open alerts until shutdown. It is absent while it is unknown.
///
/// # Errors
/// Never; a failure is retried.
pub async fn count(runtime: Runtime) -> anyhow::Result<()> {
    let figures = SEVERITIES.map(|severity| {
        let labels = [("gongkai.finding.severity", severity.as_str())];
        runtime.figure("gongkai.alerts.open", "{alert}", "alerts that are open", &labels)
    });
    let failure = Recurring::new();
    let forever = async {
        loop {
            let followed = follow(&runtime, &figures).await;
            figures.iter().for_each(|figure| figure.set(None));
            // The runtime logs outages.
            if let Err(error) = followed
                && !error.kind.is_outage()
                && let Some(failures) = failure.due()
            {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, failures, "open alerts not counted");
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    runtime.shutdown().run_until_cancelled(forever).await;
    Ok(())
}

async fn follow(runtime: &Runtime, figures: &[Figure]) -> Result<(), Error> {
    let mut changes = runtime.entries(BUCKET_ALERTS).watch_all().await?;
    let (mut open, mut is_whole) = (OpenAlerts::default(), false);
    while let Some(change) = changes.next().await {
        match change? {
            Change::Entry { key, value } => {
                // Other entries are no reports and have no alerts.
                let state = value.filter(|_| key.starts_with("reports/"));
                let counts = state.and_then(|state| ReportAlerts::decode(state).ok());
                open.set(&key, counts.map(|state| counts_of(&state)).unwrap_or_default());
            }
            Change::Present => is_whole = true,
        }
        if is_whole {
            for (figure, count) in figures.iter().zip(open.total) {
                figure.set(Some(f64::from(count)));
            }
        }
    }
    Ok(())
}

fn counts_of(state: &ReportAlerts) -> Counts {
    let mut counts = Counts::default();
    for alert in state.open() {
        let at = severity(alert.severity).ok().and_then(|own| SEVERITIES.iter().position(|s| *s == own));
        if let Some(at) = at {
            counts[at] += 1;
        }
    }
    counts
}

// === impl OpenAlerts ===

impl OpenAlerts {
    /// Sets the open alerts of a report.
    fn set(&mut self, report: &str, counts: Counts) {
        let mut hasher = DefaultHasher::new();
        report.hash(&mut hasher);
        let key = hasher.finish();
        let before = match counts == Counts::default() {
            true => self.reports.remove(&key),
            false => self.reports.insert(key, counts),
        };
        for (total, (before, now)) in
            self.total.iter_mut().zip(before.unwrap_or_default().into_iter().zip(counts))
        {
            *total = *total - before + now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_state_of_each_report_counts() {
        let mut open = OpenAlerts::default();
        open.set("reports/a", [0, 0, 1, 2]);
        open.set("reports/b", [0, 0, 0, 1]);
        assert_eq!(open.total, [0, 0, 1, 3]);
        open.set("reports/a", [0, 0, 0, 1]);
        assert_eq!(open.total, [0, 0, 0, 2]);
        open.set("reports/b", Counts::default());
        assert_eq!((open.total, open.reports.len()), ([0, 0, 0, 1], 1));
    }
}
