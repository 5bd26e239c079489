//! The gRPC server: `SubmissionService`, health, reflection v1 and v1alpha.
//!
//! Calls need a bearer token if credentials are configured. Health and reflection are open.

use std::pin::Pin;

use anyhow::Context as _;
use futures::{Stream, StreamExt as _};
use http::HeaderMap;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, transport::Server};

use crate::{
    auth::Authenticator,
    config::Config,
    error::{Code, Problem},
    intake::Intake,
    publication,
    signature::Covered,
    submission::{DeclaredMetadata, File, Identity, Submission},
};
use gongkai_proto::{
    FILE_DESCRIPTOR_SET,
    v1::{
        AgencyHint, DocumentKind, GetSubmissionRequest, Receipt, Site, SubmitRequest, WatchSubmissionRequest,
        submission_service_server::{SubmissionService, SubmissionServiceServer},
    },
};
use gongkai_worker::Runtime;

/// Bytes allowed for a request besides its document.
const MESSAGE_SLACK: usize = 64 * 1024;
/// Maximum length of `request_id`, in bytes.
const KEY_LIMIT: usize = 256;
/// Maximum requests in progress per connection.
const PER_CONNECTION: usize = 32;

#[derive(Clone)]
pub struct Submissions {
    intake: Intake,
    auth: Authenticator,
    limit: usize,
    shutdown: CancellationToken,
}

// === impl Submissions ===

impl Submissions {
    #[must_use]
    pub fn new(config: &Config, runtime: &Runtime, intake: Intake, auth: Authenticator) -> Self {
        Self { intake, auth, limit: config.max_body_bytes, shutdown: runtime.shutdown() }
    }

    /// Serves until shutdown.
    ///
    /// # Errors
    /// The listener failed, or the descriptors are invalid.
    ///
    /// # Cancel safety
    /// Dropping the future closes all connections.
    pub async fn serve(self, listener: TcpListener, runtime: &Runtime) -> anyhow::Result<()> {
        let shutdown = self.shutdown.clone();
        let (health, health_service) = tonic_health::server::health_reporter();
        health.set_serving::<SubmissionServiceServer<Self>>().await;
        let reflection = || {
            tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        };
        let limit = self.limit.saturating_add(MESSAGE_SLACK);
        let incoming = tonic::transport::server::TcpIncoming::from(listener).with_nodelay(Some(true));
        Server::builder()
            .concurrency_limit_per_connection(PER_CONNECTION)
            .http2_keepalive_interval(Some(std::time::Duration::from_secs(30)))
            .layer(runtime.server_layer())
            .add_service(health_service)
            .add_service(reflection().build_v1().context("couldn't build reflection v1")?)
            .add_service(reflection().build_v1alpha().context("couldn't build reflection v1alpha")?)
            .add_service(SubmissionServiceServer::new(self).max_decoding_message_size(limit))
            .serve_with_incoming_shutdown(incoming, async move {
                shutdown.cancelled().await;
                health.set_not_serving::<SubmissionServiceServer<Self>>().await;
            })
            .await
            .context("the gRPC server failed")
    }

    /// Authorises a call by the bearer token in its metadata. gRPC requests cannot be signed.
    fn admit<T>(&self, request: Request<T>) -> Result<T, Problem> {
        let (metadata, _, message) = request.into_parts();
        let mut headers: HeaderMap = metadata.into_headers();
        headers.remove("webhook-signature");
        self.auth.admit(&self.auth.caller(&headers, Covered::Body(b""))?)?;
        Ok(message)
    }

    /// Takes the request apart by name: a field that is added does not compile until it is used here.
    fn submission(&self, request: SubmitRequest) -> Result<Submission, Problem> {
        let SubmitRequest {
            content,
            media_type,
            charset,
            filename,
            agency,
            year,
            title,
            url,
            published_at,
            site,
            request_id,
            kind,
        } = request;
        if content.len() > self.limit {
            return Err(Problem::new(Code::TooLarge, format!("content is over {} bytes", self.limit)));
        }
        let kind = document_kind(kind)?;
        let identity = match publication::text("request_id", Some(request_id))? {
            key if key.is_empty() => Identity::Content,
            key if key.len() <= KEY_LIMIT => Identity::Key { caller: String::new(), key },
            key => return Err(Problem::invalid("request_id", &key, "must be at most 256 bytes")),
        };
        let (agency, site) = (agency.unwrap_or_default(), site.unwrap_or_default());
        let declared = DeclaredMetadata {
            agency: AgencyHint {
                code: publication::agency_code("agency.code", Some(agency.code))?,
                name: publication::text("agency.name", Some(agency.name))?,
            },
            year: match year {
                0 => 0,
                year => publication::year("year", &year.to_string())?,
            },
            title: publication::text("title", Some(title))?,
            url: publication::text("url", Some(url))?,
            published_at,
            site: Site {
                code: publication::text("site.code", Some(site.code))?,
                column: publication::text("site.column", Some(site.column))?,
            },
            review: Vec::new(),
            event_source: String::new(),
            event_id: String::new(),
        };
        let content = File {
            media_type: publication::text("media_type", Some(media_type))?.to_ascii_lowercase(),
            charset: publication::text("charset", Some(charset))?.to_ascii_lowercase(),
            filename: publication::text("filename", Some(filename))?,
            bytes: content,
        };
        Ok(Submission { kind, content, attachments: Vec::new(), declared, identity })
    }
}

/// Unspecified means published.
fn document_kind(number: i32) -> Result<DocumentKind, Problem> {
    match DocumentKind::try_from(number) {
        Ok(DocumentKind::Unspecified) => Ok(DocumentKind::Published),
        Ok(kind) => Ok(kind),
        Err(_) => Err(Problem::invalid("kind", &number.to_string(), "must be a known kind")),
    }
}

#[tonic::async_trait]
impl SubmissionService for Submissions {
    type WatchSubmissionStream = Pin<Box<dyn Stream<Item = Result<Receipt, Status>> + Send>>;

    async fn submit(&self, request: Request<SubmitRequest>) -> Result<Response<Receipt>, Status> {
        let submission = self.submission(self.admit(request)?)?;
        Ok(Response::new(self.intake.submit(submission).await?))
    }

    async fn get_submission(
        &self,
        request: Request<GetSubmissionRequest>,
    ) -> Result<Response<Receipt>, Status> {
        let id = self.admit(request)?.submission_id;
        Ok(Response::new(self.intake.receipt(&id).await?))
    }

    async fn watch_submission(
        &self,
        request: Request<WatchSubmissionRequest>,
    ) -> Result<Response<Self::WatchSubmissionStream>, Status> {
        let id = self.admit(request)?.submission_id;
        let receipts = self.intake.watch(&id).await?;
        // The drain must not wait for a submission that takes long.
        let receipts = receipts.take_until(self.shutdown.clone().cancelled_owned());
        Ok(Response::new(receipts.map(|receipt| receipt.map_err(|e| Problem::from(e).into())).boxed()))
    }
}
