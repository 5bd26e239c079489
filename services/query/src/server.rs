//! The gRPC server: ReportService, AgencyService, AlertService, health, reflection v1 and v1alpha, over HTTP/2 and gRPC-Web.
//!
//! Health is open to everybody; all else asks for a token if there are any.

use std::time::Duration;

use anyhow::Context as _;
use gongkai_proto::FILE_DESCRIPTOR_SET;
use gongkai_proto::v1::agency_service_server::{self, AgencyServiceServer};
use gongkai_proto::v1::alert_service_server::{self, AlertServiceServer};
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
use crate::auth::Tokens;
use crate::config::Config;
use crate::health;
use crate::service::Reports;
use crate::waivers::Waivers;

/// What connections may take to close after shutdown. Watchers end at once; a health watcher never does by itself.
const GRACE: Duration = Duration::from_secs(5);
/// A province's list of agencies takes a few MiB.
const MAX_LIST_BYTES: usize = 32 * 1024 * 1024;
const KEEPALIVE: Duration = Duration::from_secs(30);

/// What answers.
pub struct Services {
    /// ReportService.
    pub reports: Reports,
    /// AgencyService.
    pub agencies: Agencies,
    /// AlertService.
    pub waivers: Waivers,
}

/// Takes the address, before anything else is started.
///
/// # Errors
/// It is taken or not ours; the message names the key.
pub async fn bind(config: &Config) -> anyhow::Result<TcpListener> {
    TcpListener::bind(config.bind)
        .await
        .with_context(|| format!("couldn't listen on query.bind = {}", config.bind))
}

/// Serves until shutdown, and at most a few seconds longer.
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
    let Services { reports, agencies, waivers } = services;
    let service = ReportServiceServer::new(reports)
        .max_decoding_message_size(config.max_request_bytes)
        .max_encoding_message_size(config.max_response_bytes);
    let agencies = AgencyServiceServer::new(agencies).max_decoding_message_size(MAX_LIST_BYTES);
    let waivers = AlertServiceServer::new(waivers)
        .max_decoding_message_size(config.max_request_bytes)
        .max_encoding_message_size(config.max_response_bytes);
    let (reporter, health) = health_reporter();
    let router = Server::builder()
        .accept_http1(true)
        .max_concurrent_streams(config.max_streams_per_connection)
        .http2_keepalive_interval(Some(KEEPALIVE))
        .layer(runtime.server_layer())
        .layer(GrpcWebLayer::new())
        .add_service(health)
        .add_service(InterceptedService::new(service, tokens.clone()))
        .add_service(InterceptedService::new(agencies, tokens.clone()))
        .add_service(InterceptedService::new(waivers, tokens.clone()))
        .add_service(InterceptedService::new(reflection().build_v1()?, tokens.clone()))
        .add_service(InterceptedService::new(reflection().build_v1alpha()?, tokens));
    // The builder's own settings of sockets do not reach a listener that it did not bind.
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

/// Only what is served here is listed; the files also hold the services of ingest.
fn reflection() -> Reflection<'static> {
    Reflection::configure()
        .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .with_service_name(SERVICE_NAME)
        .with_service_name(agency_service_server::SERVICE_NAME)
        .with_service_name(alert_service_server::SERVICE_NAME)
        .with_service_name("grpc.health.v1.Health")
}
