//! The HTTP server's loop. It uses hyper directly, because `axum::serve` has no timeout for headers.
//!
//! On shutdown the loop accepts no more connections and finishes the requests in work. Connections without a request
//! in work are closed after [`GRACE`].

use std::time::Duration;

use axum::Router;
use http::Request;
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::connections::Connections;

/// How long connections without a request in work may stay open after shutdown.
pub const GRACE: Duration = Duration::from_secs(3);

/// Serves until `shutdown`, then waits for the requests in work. The caller bounds that wait.
///
/// A request's headers must be complete within `header_timeout`, which also limits how long a connection may be idle.
///
/// # Cancel safety
/// Dropping the future closes the listener. Connections in progress continue until they end.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    connections: Connections,
    header_timeout: Duration,
    shutdown: CancellationToken,
) {
    let graceful = GracefulShutdown::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(header_timeout);
    loop {
        let connection = tokio::select! {
            () = shutdown.cancelled() => break,
            connection = connections.accept(&listener) => connection,
        };
        let peer = connection.peer();
        let service = router.clone().map_request(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(peer.clone());
            request
        });
        let service = TowerToHyperService::new(service);
        let connection = graceful.watch(http.serve_connection(TokioIo::new(connection), service));
        tokio::spawn(async move {
            // A client that hangs up or is too slow is not an error of the server.
            if let Err(error) = connection.await {
                tracing::debug!(error = &error as &dyn std::error::Error, "connection ended early");
            }
        });
    }
    drop(listener);
    let silent = async {
        loop {
            tokio::time::sleep(GRACE).await;
            connections.close_idle();
        }
    };
    tokio::select! {
        () = graceful.shutdown() => {}
        () = silent => {}
    }
}
