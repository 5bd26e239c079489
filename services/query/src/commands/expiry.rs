//! Ends waivers that have expired. The end is an event, so that readers of the log need no clock.

use std::time::Duration;

use gongkai_model::{Waiver, WaiverEnd};
use gongkai_worker::Recurring;

use super::log::Log;
use crate::reads::Reads;

/// Time between two searches for expired waivers.
const SWEEP: Duration = Duration::from_secs(10);
/// Maximum number of waivers ended per search.
const BATCH: usize = 100;

/// Ends expired waivers until shutdown. Several replicas publish the same event under the same id.
///
/// # Errors
/// Never; a failure is retried at the next search.
pub async fn expire(log: Log, reads: Reads) -> anyhow::Result<()> {
    let shutdown = log.runtime.shutdown();
    let mut ticks = tokio::time::interval(SWEEP);
    let failure = Recurring::new();
    while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
        let now = log.runtime.clock().now();
        match reads.run(move |store| store.waivers_to_expire(now, BATCH)).await {
            Ok(due) => expire_all(&log, &failure, due).await,
            Err(error) => {
                if let Some(failures) = failure.due() {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, failures, "waivers not looked through");
                }
            }
        }
    }
    Ok(())
}

async fn expire_all(log: &Log, failure: &Recurring, due: Vec<Waiver>) {
    for waiver in due {
        let end = WaiverEnd { at: waiver.expires_at, revoked: None };
        let ended = Waiver { end: Some(end), ..waiver };
        match log.publish(&ended, "expired").await {
            Ok(_) => tracing::info!(waiver = ended.id, report = %ended.key, "waiver expired"),
            Err(error) => {
                // The runtime logs outages.
                if !error.kind.is_outage()
                    && let Some(failures) = failure.due()
                {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, failures, "waiver not ended, trying again soon");
                }
                return;
            }
        }
    }
}
