//! Checks whether the S3 store answers and accepts the access key, if the configuration has a store.

use std::time::Duration;

use tokio::time::sleep;

use super::Holdings;
use crate::outage::Outage;
use crate::telemetry::with_causes;
use crate::transport::s3::S3;

/// Time between two checks.
const INTERVAL: Duration = Duration::from_secs(5);
const SOON: Duration = Duration::from_secs(1);

/// Checks the store regularly. Never returns. While the store does not answer or refuses, readiness gives the reason;
/// calls are still tried.
pub(crate) async fn watch(store: S3, holdings: Holdings, outage: Outage) {
    loop {
        let pause = match store.probe().await {
            Ok(()) => {
                outage.objects_answered();
                holdings.set_objects(None);
                INTERVAL
            }
            Err(error) => {
                let sentence = with_causes(&error);
                if holdings.set_objects(Some(sentence.clone())) && !error.kind.is_outage() {
                    tracing::error!("{sentence}");
                }
                outage.seen(&error);
                SOON
            }
        };
        sleep(pause).await;
    }
}
