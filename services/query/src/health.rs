//! `grpc.health.v1`: serving while this process is ready.

use std::time::Duration;

use gongkai_proto::v1::report_service_server::ReportServiceServer;
use gongkai_worker::Runtime;
use tokio::time::interval;
use tonic::server::NamedService;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::service::Reports;

/// How often readiness is polled. Probes come every few seconds.
const POLL: Duration = Duration::from_millis(250);

/// Keeps the health service up to date until shutdown, then reports "not serving" and returns.
pub async fn follow(runtime: Runtime, reporter: HealthReporter) {
    let shutdown = runtime.shutdown();
    let mut poll = interval(POLL);
    loop {
        report(&reporter, runtime.is_ready()).await;
        tokio::select! {
            _ = poll.tick() => {}
            () = shutdown.cancelled() => break,
        }
    }
    report(&reporter, false).await;
}

async fn report(reporter: &HealthReporter, ready: bool) {
    let status = if ready { ServingStatus::Serving } else { ServingStatus::NotServing };
    for service in ["", <ReportServiceServer<Reports> as NamedService>::NAME] {
        reporter.set_service_status(service, status).await;
    }
}
