//! The gRPC server: ReportService, AgencyService, AlertService, OperationsService, health, reflection v1 and v1alpha, over HTTP/2 and
//! gRPC-Web.
//!
//! Health needs no token. All other services need one, if tokens are configured.

use std::time::Duration;

use anyhow::Context as _;
use gongkai_proto::FILE_DESCRIPTOR_SET;
use gongkai_proto::v1::agency_service_server::{self, AgencyServiceServer};
use gongkai_proto::v1::alert_service_server::{self, AlertServiceServer};
use gongkai_proto::v1::operations_service_server::{self, OperationsServiceServer};
use gongkai_proto::v1::report_service_server::{ReportServiceServer, SERVICE_NAME};
use gongkai_worker::Runtime;
use tokio::net::TcpListener;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic_health::server::health_reporter;
use tonic_reflection::server::Builder as Reflection;
use tonic_web::GrpcWebLayer;

use crate::agencies::Agencies;
use crate::alerts::Alerts;
use crate::auth::Tokens;
use crate::config::Config;
use crate::dead_letters::Operations;
use crate::health;
use crate::service::Reports;

/// How long connections may stay open after shutdown. Watchers end at once, but a health watcher never ends by itself.
const GRACE: Duration = Duration::from_secs(5);
/// Maximum size of a list of agencies. That of a province has a few MiB.
const MAX_LIST_BYTES: usize = 32 * 1024 * 1024;
const KEEPALIVE: Duration = Duration::from_secs(30);

/// The services on one listener.
pub struct Services {
    pub reports: Reports,
    pub agencies: Agencies,
    pub alerts: Alerts,
    pub operations: Operations,
}

/// Binds the address, before anything else is started.
///
/// # Errors
/// The address is in use or not one of this machine. The error names the key.
pub async fn bind(config: &Config) -> anyhow::Result<TcpListener> {
    TcpListener::bind(config.bind)
        .await
        .with_context(|| format!("couldn't listen on query.bind = {}", config.bind))
}

/// Serves until shutdown, and at most [`GRACE`] longer.
///
/// # Errors
/// The listener failed.
pub async fn serve(
    config: &Config,
    runtime: Runtime,
    listener: TcpListener,
    services: Services,
) -> anyhow::Result<()> {
    let tokens = Tokens::new(&config.all_tokens()?);
    let Services { reports, agencies, alerts, operations } = services;
    let service = ReportServiceServer::new(reports)
        .max_decoding_message_size(config.max_request_bytes)
        .max_encoding_message_size(config.max_response_bytes);
    let agencies = AgencyServiceServer::new(agencies).max_decoding_message_size(MAX_LIST_BYTES);
    let alerts = AlertServiceServer::new(alerts)
        .max_decoding_message_size(config.max_request_bytes)
        .max_encoding_message_size(config.max_response_bytes);
    let operations = OperationsServiceServer::new(operations)
        .max_decoding_message_size(config.max_request_bytes)
        .max_encoding_message_size(config.max_response_bytes);
    let (reporter, health) = health_reporter();
    let router = Server::builder()
        .accept_http1(true)
        .max_concurrent_streams(config.max_streams_per_connection)
        .http2_keepalive_interval(Some(KEEPALIVE))
        .layer(runtime.server_layer().of_methods(gongkai_proto::grpc_methods()))
        .layer(GrpcWebLayer::new())
        .add_service(health)
        .add_service(InterceptedService::new(service, tokens.clone()))
        .add_service(InterceptedService::new(agencies, tokens.clone()))
        .add_service(InterceptedService::new(alerts, tokens.clone()))
        .add_service(InterceptedService::new(operations, tokens.clone()))
        .add_service(InterceptedService::new(reflection().build_v1()?, tokens.clone()))
        .add_service(InterceptedService::new(reflection().build_v1alpha()?, tokens));
    // The builder's socket settings do not apply to a listener that it did not bind.
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true)).with_keepalive(Some(KEEPALIVE));
    let shutdown = runtime.shutdown();
    let serving = router.serve_with_incoming_shutdown(incoming, shutdown.clone().cancelled_owned());
    let health = health::follow(runtime, reporter);
    let grace = async {
        shutdown.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        served = async { tokio::join!(serving, health).0 } => served.context("the gRPC server failed"),
        () = grace => {
            tracing::info!("closed connections that stayed open after shutdown");
            Ok(())
        }
    }
}

/// Lists only the services of this server; the descriptor files also have those of ingest.
fn reflection() -> Reflection<'static> {
    Reflection::configure()
        .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .with_service_name(SERVICE_NAME)
        .with_service_name(agency_service_server::SERVICE_NAME)
        .with_service_name(alert_service_server::SERVICE_NAME)
        .with_service_name(operations_service_server::SERVICE_NAME)
        .with_service_name("grpc.health.v1.Health")
}
