//! `grpc.health.v1`: serving while this process is ready, which it is once the projector runs.

use std::time::Duration;

use gongkai_proto::v1::report_service_server::ReportServiceServer;
use gongkai_worker::Runtime;
use tokio::time::interval;
use tonic::server::NamedService;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::service::Reports;

/// How often readiness is looked at. Latches do not tell; a probe comes every few seconds, so this is soon enough.
const LOOK: Duration = Duration::from_millis(250);

/// Keeps the health service true until shutdown, then says "not serving" and ends.
pub async fn follow(runtime: Runtime, reporter: HealthReporter) {
    let shutdown = runtime.shutdown();
    let mut look = interval(LOOK);
    loop {
        tell(&reporter, runtime.is_ready()).await;
        tokio::select! {
            _ = look.tick() => {}
            () = shutdown.cancelled() => break,
        }
    }
    tell(&reporter, false).await;
}

async fn tell(reporter: &HealthReporter, ready: bool) {
    let status = if ready { ServingStatus::Serving } else { ServingStatus::NotServing };
    for service in ["", <ReportServiceServer<Reports> as NamedService>::NAME] {
        reporter.set_service_status(service, status).await;
    }
}
