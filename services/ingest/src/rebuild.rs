//! Restores the receipts from the log, after the loss of their bucket was accepted.
//!
//! The handlers that keep the receipts up to date handle the whole log once more, under consumers of their own. That
//! is harmless for known receipts. An accepted loss gives the log a new epoch, and with every new epoch the bucket is
//! checked once. Submissions that were answered `unchanged` are not in the log and are not restored. The ends of
//! submissions are published once more too, because the stream that had them may be the lost one.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use crate::{
    endings::Endings,
    progress::{Dead, Stages},
    receipt_store::ReceiptStore,
};
use gongkai_worker::{Consume, Runtime, transport::Error};

/// Time between two checks.
const INTERVAL: Duration = Duration::from_secs(5);
/// Time between two checks while the receipts are being restored.
const WORKING: Duration = Duration::from_millis(500);
/// Time without a pull after which the broker deletes a consumer of the log. Until then `gongkai status` shows the
/// consumer as behind. A replica that stopped for longer reads the log from the first event.
const FORGET_AFTER: Duration = Duration::from_secs(60);

/// Restores the receipts whenever that is needed, until shutdown.
///
/// # Errors
/// A consumer cannot be created because of a deployment mistake.
pub async fn keep(runtime: Runtime, receipts: ReceiptStore, endings: Endings) -> anyhow::Result<()> {
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = runtime.shutdown().cancelled_owned() => return Ok(()),
            _ = ticks.tick() => {}
        }
        let epoch = receipts.log_epoch();
        // While the broker is unavailable, the state is unknown. The next check finds out.
        if !matches!(receipts.is_whole().await, Ok(false)) {
            continue;
        }
        tracing::info!("reading the log for the receipts that are missing");
        rebuild(&runtime, &receipts, &endings, epoch).await?;
    }
}

async fn rebuild(
    runtime: &Runtime,
    receipts: &ReceiptStore,
    endings: &Endings,
    epoch: u64,
) -> anyhow::Result<()> {
    let again = |consume: Consume| Consume {
        durable: format!("{}-again-{epoch}", consume.durable),
        forget_after: Some(FORGET_AFTER),
        ..consume
    };
    let (stages, dead) = (again(Stages::consume()), again(Dead::consume()));
    let consumers = [&stages, &dead].map(|consume| (consume.stream.clone(), consume.durable.clone()));
    let handled = async {
        tokio::try_join!(
            runtime.consume(stages, Stages::new(runtime).telling(endings.clone())),
            runtime.consume(dead, Dead::new(receipts.clone()).telling(endings.clone()))
        )
    };
    let done = async {
        let mut looks = interval(WORKING);
        loop {
            looks.tick().await;
            if receipts.log_epoch() != epoch {
                return;
            }
            let is_done = async {
                for (stream, durable) in &consumers {
                    let lag = runtime.consumer_lag(stream, durable).await?;
                    if lag.is_none_or(|lag| lag.outstanding > 0) {
                        return Ok(false);
                    }
                }
                receipts.note_whole(epoch).await?;
                Ok::<_, Error>(true)
            };
            if let Ok(true) = is_done.await {
                tracing::info!("the receipts have everything that the log has");
                return;
            }
        }
    };
    tokio::select! {
        handled = Box::pin(handled) => handled.map(drop),
        () = done => Ok(()),
    }
}
