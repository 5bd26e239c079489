//! A layer of the gRPC services that checks the bearer token before the message is read, and bounds its body by
//! [`crate::admission`].
//!
//! gRPC requests cannot be signed, so only tokens count.

use std::{
    convert::Infallible,
    task::{Context, Poll},
};

use axum::body::Body as DataBody;
use futures::{FutureExt as _, future::BoxFuture, stream};
use http::{Request, Response};
use tonic::{Status, body::Body, server::NamedService};
use tower::Service;

use crate::{admission::Admission, auth::Authenticator, connections, error::Problem};
use gongkai_worker::CallerName;

/// A gRPC service behind this layer.
#[derive(Clone)]
pub struct Door<S> {
    service: S,
    auth: Authenticator,
    admission: Admission,
}

impl<S> Door<S> {
    #[must_use]
    pub fn new(service: S, auth: Authenticator, admission: Admission) -> Self {
        Self { service, auth, admission }
    }

    /// Checks the headers, and returns the request with a body that is bounded in memory and time.
    fn admit(&self, request: Request<Body>) -> Result<Request<Body>, Problem> {
        let shown = self.auth.shown_unsigned(request.headers(), request.uri())?;
        if let Some(connection) = request.extensions().get::<connections::Peer>() {
            connection.is_now_known();
        }
        let (mut head, body) = request.into_parts();
        let arriving = self.admission.receive(DataBody::new(body), shown.is_proof());
        head.extensions.insert(arriving.hold());
        let caller = self.auth.unsigned_caller(&shown);
        CallerName::set(&head.extensions, caller.label());
        head.extensions.insert(caller);
        let pieces = stream::try_unfold(arriving, |mut arriving| async {
            let piece = arriving.next().await.map_err(Status::from)?;
            Ok::<_, Status>(piece.map(|piece| (piece, arriving)))
        });
        Ok(Request::from_parts(head, Body::new(DataBody::from_stream(pieces))))
    }
}

impl<S> Service<Request<Body>> for Door<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        match self.admit(request) {
            Ok(request) => self.service.call(request).boxed(),
            Err(problem) => std::future::ready(Ok(Status::from(problem).into_http())).boxed(),
        }
    }
}

impl<S: NamedService> NamedService for Door<S> {
    const NAME: &'static str = S::NAME;
}
