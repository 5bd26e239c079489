//! Moves waivers with the reports that were filed under another agency.
//!
//! The finding has another fingerprint under the new name, so the decision is published again for it and ended under the old
//! name. Notify carries waivers over by itself, under the same ids, so that no alert is raised in between.

use std::time::Duration;

use gongkai_model::{Revocation, Waiver, WaiverEnd};
use gongkai_proto::convert::waiver::waiver_name;
use gongkai_store::query::MovedWaiver;
use gongkai_worker::{Recurring, transport};

use super::log::Log;
use crate::reads::Reads;

/// Time between two searches for waivers to move.
const SWEEP: Duration = Duration::from_secs(2);
/// Maximum number of waivers moved per search.
const BATCH: usize = 100;

/// Moves waivers until shutdown. Several replicas publish the same events under the same ids.
///
/// # Errors
/// Never; a failure is retried at the next search.
pub async fn move_waivers(log: Log, reads: Reads) -> anyhow::Result<()> {
    let shutdown = log.runtime.shutdown();
    let mut ticks = tokio::time::interval(SWEEP);
    let failure = Recurring::new();
    while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
        let now = log.runtime.clock().now();
        match reads.run(move |store| store.waivers_to_move(now, BATCH)).await {
            Ok(moved) => move_all(&log, &failure, moved).await,
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

async fn move_all(log: &Log, failure: &Recurring, moved: Vec<MovedWaiver>) {
    for waiver in moved {
        if let Err(error) = move_one(log, &waiver).await {
            // The runtime logs outages.
            if !error.kind.is_outage()
                && let Some(failures) = failure.due()
            {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, failures, "waiver not moved, trying again soon");
            }
            return;
        }
        tracing::info!(from = %waiver.from.key, to = %waiver.to.key, waiver = waiver.to.id, "waiver moved");
    }
}

/// Grants the waiver under the new name before it ends the old one. If the process dies in between, the next search finds the old
/// one again, with the granted one, and only ends it.
async fn move_one(
    log: &Log,
    MovedWaiver { from, to, is_granted }: &MovedWaiver,
) -> Result<(), transport::Error> {
    if !is_granted {
        log.publish(to, "granted").await?;
    }
    let name = waiver_name(&to.key, &to.id);
    let revoked = Revocation {
        person: from.person.clone(),
        reason: format!("报告改归新编码，销号随之转移 / moved with the report to {name}"),
    };
    let end = WaiverEnd { at: log.runtime.clock().now(), revoked: Some(revoked) };
    log.publish(&Waiver { end: Some(end), ..from.clone() }, "revoked").await?;
    Ok(())
}
