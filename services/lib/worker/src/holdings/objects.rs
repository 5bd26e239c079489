//! Looks whether the S3 store answers and takes our key, if objects lie in one.

use std::time::Duration;

use tokio::time::sleep;

use super::Holdings;
use crate::outage::Outage;
use crate::transport::{Error, s3::S3};

/// Time between two looks, and after a look that failed.
const INTERVAL: Duration = Duration::from_secs(5);
const SOON: Duration = Duration::from_secs(1);

/// Looks regularly, for ever. While the store does not answer or refuses, the process is not ready and says why; its calls go on
/// trying.
pub(crate) async fn watch(store: S3, holdings: Holdings, outage: Outage) {
    loop {
        let pause = match store.probe().await {
            Ok(()) => {
                outage.objects_answered();
                holdings.set_objects(None);
                INTERVAL
            }
            Err(error) => {
                let sentence = sentence(&error);
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

/// The error with its causes, in one line.
fn sentence(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
