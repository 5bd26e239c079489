//! `grpc.health.v1`: serving while this process is ready, like `/readyz`.

use std::time::Duration;

use gongkai_worker::Runtime;
use tokio::time::interval;
use tonic_health::{ServingStatus, server::HealthReporter};

/// How often readiness is checked. Probes come every few seconds.
const POLL: Duration = Duration::from_millis(250);

/// Keeps the health of the server as a whole and of `service` up to date until shutdown, then sets it to not serving.
///
/// # Cancel safety
/// Cancel safe: the last status stays.
pub async fn follow(runtime: &Runtime, reporter: HealthReporter, service: &str) {
    let shutdown = runtime.shutdown();
    let mut poll = interval(POLL);
    while shutdown.run_until_cancelled(poll.tick()).await.is_some() {
        report(&reporter, service, runtime.is_ready()).await;
    }
    report(&reporter, service, false).await;
}

async fn report(reporter: &HealthReporter, service: &str, is_ready: bool) {
    let status = if is_ready { ServingStatus::Serving } else { ServingStatus::NotServing };
    for name in ["", service] {
        reporter.set_service_status(name, status).await;
    }
}
