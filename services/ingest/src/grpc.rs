//! The gRPC server: `SubmissionService`, health, reflection v1 and v1alpha.
//!
//! Calls need a bearer token if credentials are configured; [`door`](crate::door) checks it before the message is read.
//! Health and reflection are open.

use std::{io, pin::Pin, sync::Arc, time::Duration};

use anyhow::Context as _;
use bytes::BytesMut;
use futures::{Stream, StreamExt as _, stream};
use prost_types::Timestamp;
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming, server::NamedService, transport::Server};

use crate::{
    admission::Admission,
    auth::{Authenticator, Caller},
    config::Config,
    connections::{self, BusyConnection, Connections},
    door::Door,
    dry_run::DryRun,
    erasure::Eraser,
    error::{Code, Problem},
    fields, health,
    intake::Intake,
    listing::Listing,
    publication,
    reception::Reception,
    server::GRACE,
    submission::{DeclaredMetadata, File, KEY_LIMIT, Submission, SubmissionIdentity},
};
use gongkai_proto::{
    FILE_DESCRIPTOR_SET,
    convert::timestamp,
    v1::{
        AgencyHint, Attachment, CheckReportRequest, CheckReportResponse, DocumentKind, EraseReportRequest,
        Erasure, GetSubmissionRequest, ListSubmissionsRequest, ListSubmissionsResponse, Receipt, Site,
        SubmitRequest, SubmitStreamRequest, WatchSubmissionRequest,
        submission_service_server::{SubmissionService, SubmissionServiceServer},
        submit_stream_request::Part,
    },
};
use gongkai_worker::Runtime;

/// Maximum size in bytes of a request without its document.
const MESSAGE_SLACK: usize = 64 * 1024;
/// How often a silent client is pinged.
const KEEPALIVE: Duration = Duration::from_secs(30);

#[derive(Clone)]
pub struct Submissions {
    intake: Intake,
    reception: Reception,
    dry_run: DryRun,
    eraser: Eraser,
    listing: Listing,
    auth: Authenticator,
    admission: Admission,
    watchers: Arc<Semaphore>,
    connections: Connections,
    limit: usize,
    max_streams: u32,
    shutdown: CancellationToken,
}

// === impl Submissions ===

impl Submissions {
    #[must_use]
    pub fn new(
        config: &Config,
        runtime: &Runtime,
        intake: Intake,
        dry_run: DryRun,
        auth: &Authenticator,
        admission: Admission,
    ) -> Self {
        let auth = auth.at(config.grpc_address);
        Self {
            reception: Reception::new(intake.clone(), auth.clone(), dry_run.clone()),
            intake,
            dry_run,
            eraser: Eraser::new(runtime),
            listing: Listing::new(config, runtime),
            auth,
            admission,
            watchers: Arc::new(Semaphore::new(config.max_watchers.min(Semaphore::MAX_PERMITS))),
            connections: Connections::new(
                config.max_connections,
                Duration::from_secs(config.header_timeout_s),
            ),
            limit: config.max_body_bytes,
            max_streams: config.max_streams_per_connection,
            shutdown: runtime.shutdown(),
        }
    }

    /// Serves until shutdown, then finishes the calls in progress, until the end of the drain at most. Connections
    /// without a request in work are closed after [`GRACE`]: a client that has stopped reading never ends its call.
    ///
    /// # Errors
    /// The listener failed, or the descriptors are invalid.
    ///
    /// # Cancel safety
    /// Dropping the future closes all connections.
    pub async fn serve(self, listener: TcpListener, runtime: &Runtime) -> anyhow::Result<()> {
        let shutdown = self.shutdown.clone();
        let (health, health_service) = tonic_health::server::health_reporter();
        let health = health::follow(runtime, health, <SubmissionServiceServer<Self> as NamedService>::NAME);
        let reflection = || {
            tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        };
        let limit = self.limit.saturating_add(MESSAGE_SLACK);
        let connections = self.connections.clone();
        let incoming = stream::unfold((listener, connections.clone()), |(listener, connections)| async {
            let connection = connections.accept(&listener).await;
            Some((Ok::<_, io::Error>(connection), (listener, connections)))
        });
        let (auth, admission, max_streams) = (self.auth.clone(), self.admission.clone(), self.max_streams);
        let service = SubmissionServiceServer::new(self).max_decoding_message_size(limit);
        let serving = Server::builder()
            .max_concurrent_streams(Some(max_streams))
            .http2_keepalive_interval(Some(KEEPALIVE))
            .layer(runtime.server_layer().of_methods(gongkai_proto::grpc_methods()))
            .add_service(health_service)
            .add_service(reflection().build_v1().context("couldn't build reflection v1")?)
            .add_service(reflection().build_v1alpha().context("couldn't build reflection v1alpha")?)
            .add_service(Door::new(service, auth, admission))
            .serve_with_incoming_shutdown(incoming, shutdown.clone().cancelled_owned());
        tokio::select! {
            served = async { tokio::join!(serving, health).0 } => served.context("the gRPC server failed"),
            () = close_idle(&shutdown, &connections) => Ok(()),
            () = runtime.drained() => Ok(()),
        }
    }

    /// Assembles a request that arrives in pieces. An incomplete one leaves nothing behind.
    async fn whole(&self, mut parts: Streaming<SubmitStreamRequest>) -> Result<SubmitRequest, Status> {
        let first = parts.message().await?.and_then(|first| first.part);
        let Some(Part::Request(mut request)) = first else {
            return Err(Problem::new(
                Code::InvalidField,
                "第一条消息须是 request",
                "the first message must have the request",
            )
            .into());
        };
        let mut content = BytesMut::from(request.content.as_ref());
        while let Some(SubmitStreamRequest { part }) = parts.message().await? {
            let Some(Part::Chunk(chunk)) = part else {
                return Err(Problem::new(
                    Code::InvalidField,
                    "第一条之后的消息须是 chunk",
                    "every message after the first must have a chunk",
                )
                .into());
            };
            if content.len() + chunk.len() > self.limit {
                return Err(self.too_large().into());
            }
            content.extend_from_slice(&chunk);
        }
        request.content = content.freeze();
        Ok(*request)
    }

    fn too_large(&self) -> Problem {
        Problem::new(
            Code::TooLarge,
            format!("content 超过 {} 字节", self.limit),
            format!("content is over {} bytes", self.limit),
        )
    }

    /// Destructures the request, so that the compiler demands a use of every field.
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
            review,
            event_time,
            attachments,
            backfill,
        } = request;
        if content.len() > self.limit {
            return Err(self.too_large());
        }
        let kind = document_kind(kind)?;
        let identity = match fields::text("request_id", Some(request_id))? {
            key if key.is_empty() => SubmissionIdentity::Content,
            key if key.len() <= KEY_LIMIT => SubmissionIdentity::Key { caller: String::new(), key },
            key => {
                return Err(Problem::invalid(
                    "request_id",
                    &key,
                    "最多 256 字节",
                    "must be at most 256 bytes",
                ));
            }
        };
        let (agency, site) = (agency.unwrap_or_default(), site.unwrap_or_default());
        let declared = DeclaredMetadata {
            agency: AgencyHint {
                code: fields::agency_code("agency.code", Some(agency.code))?,
                name: fields::text("agency.name", Some(agency.name))?,
            },
            year: match year {
                0 => 0,
                year => fields::year("year", &year.to_string())?,
            },
            title: fields::text("title", Some(title))?,
            url: fields::address("url", Some(url))?,
            published_at,
            site: Site {
                code: fields::text("site.code", Some(site.code))?,
                column: fields::text("site.column", Some(site.column))?,
            },
            review: publication::review_steps(review)?,
            event_source: String::new(),
            event_id: String::new(),
            event_time: None,
            is_backfill: backfill,
        };
        let declared = declared.at(valid_time(event_time)?);
        let content = File {
            media_type: fields::text("media_type", Some(media_type))?.to_ascii_lowercase(),
            charset: fields::text("charset", Some(charset))?.to_ascii_lowercase(),
            filename: fields::text("filename", Some(filename))?,
            bytes: content,
        };
        let attachments = attachments.into_iter().map(attachment).collect::<Result<_, _>>()?;
        Ok(Submission { kind, content, attachments, declared, identity })
    }

    /// Accepts a caller's request.
    async fn accept(&self, caller: Caller, message: SubmitRequest) -> Result<Receipt, Problem> {
        let mut submission = self.submission(message)?;
        submission.declared.site.code = caller.site_code_or(submission.declared.site.code);
        if let SubmissionIdentity::Key { caller: name, .. } = &mut submission.identity {
            caller.name().clone_into(name);
        }
        self.reception.document(&caller, submission).await
    }

    /// Converts a draft, which is a submit request without the fields that only a submission has.
    fn draft(&self, request: CheckReportRequest) -> Result<Submission, Problem> {
        let CheckReportRequest {
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
            review,
            attachments,
        } = request;
        let request = SubmitRequest {
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
            review,
            attachments,
            request_id: String::new(),
            kind: DocumentKind::Unspecified.into(),
            event_time: None,
            backfill: false,
        };
        let submission = self.submission(request)?;
        Ok(Submission { kind: DocumentKind::Draft, ..submission })
    }
}

fn attachment(attachment: Attachment) -> Result<File, Problem> {
    let Attachment { content, name, media_type, charset } = attachment;
    Ok(File {
        media_type: fields::text("attachments.media_type", Some(media_type))?.to_ascii_lowercase(),
        charset: fields::text("attachments.charset", Some(charset))?.to_ascii_lowercase(),
        filename: fields::text("attachments.name", Some(name))?,
        bytes: content,
    })
}

/// Closes idle connections once the grace period after a stop has passed, until no connection is left.
async fn close_idle(shutdown: &CancellationToken, connections: &Connections) {
    shutdown.cancelled().await;
    loop {
        tokio::time::sleep(GRACE).await;
        if connections.close_idle() == 0 {
            return;
        }
    }
}

/// Returns the caller that the door authenticated.
fn caller(extensions: &tonic::Extensions) -> Caller {
    extensions.get::<Caller>().cloned().unwrap_or_default()
}

fn working<T>(request: &Request<T>) -> Option<BusyConnection> {
    request.extensions().get::<connections::Peer>().map(connections::Peer::work)
}

fn valid_time(stated: Option<Timestamp>) -> Result<Option<Timestamp>, Problem> {
    match timestamp::optional(stated, "event_time") {
        Ok(_) => Ok(stated),
        Err(_) => {
            Err(Problem::new(Code::InvalidField, "event_time 不是有效的时间", "event_time is no valid time"))
        }
    }
}

/// Converts the kind of a document. Unspecified means published.
fn document_kind(number: i32) -> Result<DocumentKind, Problem> {
    match DocumentKind::try_from(number) {
        Ok(DocumentKind::Unspecified) => Ok(DocumentKind::Published),
        Ok(DocumentKind::Draft) => Err(Problem::invalid(
            "kind",
            "DRAFT",
            "不能是草稿，草稿请用 CheckReport",
            "must not be a draft, which CheckReport checks",
        )),
        Ok(kind) => Ok(kind),
        Err(_) => {
            Err(Problem::invalid("kind", &number.to_string(), "须是已知的种类", "must be a known kind"))
        }
    }
}

#[tonic::async_trait]
impl SubmissionService for Submissions {
    type WatchSubmissionStream = Pin<Box<dyn Stream<Item = Result<Receipt, Status>> + Send>>;

    async fn submit(&self, request: Request<SubmitRequest>) -> Result<Response<Receipt>, Status> {
        let _slot = (self.admission.enter()?, working(&request));
        // The message counts as a body in memory until the answer is sent.
        let (_, held, message) = request.into_parts();
        Ok(Response::new(self.accept(caller(&held), message).await?))
    }

    async fn submit_stream(
        &self,
        request: Request<Streaming<SubmitStreamRequest>>,
    ) -> Result<Response<Receipt>, Status> {
        let working = working(&request);
        let (_, held, parts) = request.into_parts();
        let message = self.whole(parts).await?;
        // A slot is only for a complete request.
        let _slot = (self.admission.enter()?, working);
        Ok(Response::new(self.accept(caller(&held), message).await?))
    }

    async fn check_report(
        &self,
        request: Request<CheckReportRequest>,
    ) -> Result<Response<CheckReportResponse>, Status> {
        let _slot = (self.admission.enter()?, working(&request));
        let (_, _held, message) = request.into_parts();
        let draft = self.draft(message)?;
        Ok(Response::new(self.dry_run.check(draft).await?.response()))
    }

    async fn get_submission(
        &self,
        request: Request<GetSubmissionRequest>,
    ) -> Result<Response<Receipt>, Status> {
        let id = request.into_inner().submission_id;
        Ok(Response::new(self.intake.receipt(&id).await?))
    }

    async fn list_submissions(
        &self,
        request: Request<ListSubmissionsRequest>,
    ) -> Result<Response<ListSubmissionsResponse>, Status> {
        let sites = self.auth.readable_sites(&caller(request.extensions()))?;
        Ok(Response::new(self.listing.list(sites, request.get_ref()).await?))
    }

    async fn erase_report(&self, request: Request<EraseReportRequest>) -> Result<Response<Erasure>, Status> {
        let _slot = (self.admission.enter()?, working(&request));
        let caller = caller(request.extensions());
        if !self.auth.admit_from(&caller, "", "")?.is_operator() {
            return Err(Problem::new(
                Code::NotYours,
                "只有运维令牌可以删除",
                "erasing is for operators; send one of their tokens",
            )
            .into());
        }
        Ok(Response::new(self.eraser.erase(request.into_inner()).await?))
    }

    async fn watch_submission(
        &self,
        request: Request<WatchSubmissionRequest>,
    ) -> Result<Response<Self::WatchSubmissionStream>, Status> {
        let slot = self.watchers.clone().try_acquire_owned();
        let slot = slot.map_err(|_| {
            Problem::new(
                Code::Overloaded,
                "同时等待的调用过多，请稍后再试",
                "too many watchers; watch again later",
            )
        })?;
        let receipts = self.intake.watch(&request.into_inner().submission_id).await?;
        // The drain must not wait for a long-running submission.
        let receipts = receipts.take_until(self.shutdown.clone().cancelled_owned());
        let receipts = receipts.map(move |receipt| {
            let _held = &slot;
            receipt.map_err(|error| Problem::from(error).into())
        });
        Ok(Response::new(receipts.boxed()))
    }
}
