//! The connections to query and to ingest.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;
use clap::Args;
use gongkai_proto::v1::{
    agency_service_client::AgencyServiceClient, alert_service_client::AlertServiceClient,
    operations_service_client::OperationsServiceClient, report_service_client::ReportServiceClient,
    submission_service_client::SubmissionServiceClient,
};
use tonic::{
    Code, Request, Response, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Channel, Endpoint},
};

use crate::{
    printer::{Printer, complain},
    table::{self, Format, TableRow},
};

/// Maximum size of an answer: a report with all its prose.
const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;

/// The address of query, and the token for it.
#[derive(Debug, Args)]
pub(crate) struct QueryServer {
    /// Address of the query service
    #[arg(
        long = "query",
        value_name = "URL",
        env = "GONGKAI_QUERY_URL",
        default_value = "http://127.0.0.1:50051"
    )]
    url: String,
    /// File with the bearer token, if query requires one
    #[arg(long, value_name = "FILE", env = "GONGKAI_QUERY_TOKEN_FILE")]
    token_file: Option<PathBuf>,
}

/// The address of ingest's gRPC server, and the token for it.
#[derive(Debug, Args)]
pub(crate) struct IngestServer {
    /// Address of the ingest service for gRPC
    #[arg(
        long = "ingest-grpc",
        value_name = "URL",
        env = "GONGKAI_INGEST_GRPC_URL",
        default_value = "http://127.0.0.1:50052"
    )]
    url: String,
    /// File with the bearer token, if ingest requires one
    #[arg(long, value_name = "FILE", env = "GONGKAI_INGEST_TOKEN_FILE")]
    token_file: Option<PathBuf>,
}

/// Arguments of every command that shows a list.
#[derive(Debug, Args)]
pub(crate) struct Listing {
    /// Maximum number of rows; 0 shows all
    #[arg(long, default_value_t = 100, value_name = "N")]
    limit: usize,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Adds the bearer token to requests.
pub(crate) struct BearerToken(Option<MetadataValue<Ascii>>);

type Authorized = InterceptedService<Channel, BearerToken>;

// === impl Listing ===

impl Listing {
    /// Returns the output format.
    pub(crate) fn format(&self) -> Format {
        self.format
    }
}

// === impl QueryServer ===

impl QueryServer {
    /// Connects to the report service.
    pub(crate) async fn reports(&self) -> anyhow::Result<ReportServiceClient<Authorized>> {
        let client = ReportServiceClient::with_interceptor(self.connect().await?, BearerToken(self.token()?));
        Ok(client.max_decoding_message_size(MAX_ANSWER_BYTES))
    }

    /// Connects to the agency service.
    pub(crate) async fn agencies(&self) -> anyhow::Result<AgencyServiceClient<Authorized>> {
        let client = AgencyServiceClient::with_interceptor(self.connect().await?, BearerToken(self.token()?));
        Ok(client.max_decoding_message_size(MAX_ANSWER_BYTES))
    }

    /// Connects to the alert service.
    pub(crate) async fn alerts(&self) -> anyhow::Result<AlertServiceClient<Authorized>> {
        let client = AlertServiceClient::with_interceptor(self.connect().await?, BearerToken(self.token()?));
        Ok(client.max_decoding_message_size(MAX_ANSWER_BYTES))
    }

    /// Connects to the operations service.
    pub(crate) async fn operations(&self) -> anyhow::Result<OperationsServiceClient<Authorized>> {
        let token = BearerToken(self.token()?);
        let client = OperationsServiceClient::with_interceptor(self.connect().await?, token);
        Ok(client.max_decoding_message_size(MAX_ANSWER_BYTES))
    }

    async fn connect(&self) -> anyhow::Result<Channel> {
        connect(&self.url, "query", "--query").await
    }

    fn token(&self) -> anyhow::Result<Option<MetadataValue<Ascii>>> {
        bearer(self.token_file.as_deref())
    }
}

// === impl IngestServer ===

impl IngestServer {
    /// Connects to the submission service.
    pub(crate) async fn submissions(&self) -> anyhow::Result<SubmissionServiceClient<Authorized>> {
        let channel = connect(&self.url, "ingest", "--ingest-grpc").await?;
        let token = BearerToken(bearer(self.token_file.as_deref())?);
        let client = SubmissionServiceClient::with_interceptor(channel, token);
        Ok(client.max_decoding_message_size(MAX_ANSWER_BYTES))
    }
}

async fn connect(url: &str, service: &str, flag: &str) -> anyhow::Result<Channel> {
    let endpoint =
        Endpoint::from_shared(url.to_owned()).with_context(|| format!("{flag} {url} is no URL"))?;
    endpoint.connect().await.with_context(|| {
        format!("couldn't reach {service} at {url}: is `gongkai up` running? {flag} names another address")
    })
}

/// Returns the header with the token of a file.
fn bearer(file: Option<&Path>) -> anyhow::Result<Option<MetadataValue<Ascii>>> {
    let Some(file) = file else { return Ok(None) };
    let mut value: MetadataValue<Ascii> = format!("Bearer {}", read_token(file)?)
        .parse()
        .with_context(|| format!("{} holds no token", file.display()))?;
    value.set_sensitive(true);
    Ok(Some(value))
}

impl Interceptor for BearerToken {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(token) = &self.0 {
            request.metadata_mut().insert("authorization", token.clone());
        }
        Ok(request)
    }
}

/// Reads a file that contains a token or a secret.
pub(crate) fn read_token(file: &Path) -> anyhow::Result<String> {
    let text = fs::read_to_string(file).with_context(|| format!("couldn't read {}", file.display()))?;
    Ok(text.trim().to_owned())
}

/// Returns the answer of query to a call, or its error message.
pub(crate) fn answer<T>(response: Result<Response<T>, Status>) -> anyhow::Result<T> {
    response.map(Response::into_inner).map_err(|status| query_error(&status))
}

/// Returns the error message of query.
pub(crate) fn query_error(status: &Status) -> anyhow::Error {
    refusal("query", status)
}

/// Returns a service's error message.
pub(crate) fn refusal(service: &str, status: &Status) -> anyhow::Error {
    match status.code() {
        Code::Unknown | Code::Internal => anyhow::anyhow!("{service} failed: {}", status.message()),
        code => anyhow::anyhow!("{} ({code:?})", status.message()),
    }
}

/// Writes the rows of a list, page by page. `ask` is called with the size and the token of a page and returns its rows
/// and the token of the next.
///
/// # Errors
/// `ask` failed, or standard output is closed.
pub(crate) async fn list<R: TableRow>(
    out: &mut Printer,
    listing: &Listing,
    mut ask: impl AsyncFnMut(i32, String) -> anyhow::Result<(Vec<R>, String)>,
) -> anyhow::Result<ExitCode> {
    let mut pages = Pages::new(listing.limit);
    let mut rows = Vec::new();
    while let Some((size, token)) = pages.next() {
        let (page, next) = ask(size, token).await?;
        pages.got(page.len(), next);
        rows.extend(page);
    }
    table::write(out, listing.format, &rows)?;
    if pages.has_more() {
        complain(format_args!("there are more: --limit 0 shows all"));
    }
    Ok(ExitCode::SUCCESS)
}

/// The state of paging through a list up to a limit.
struct Pages {
    /// Rows still to show; `None` for all.
    left: Option<usize>,
    token: Option<String>,
}

/// Rows per page.
const PAGE_ROWS: usize = 500;

// === impl Pages ===

impl Pages {
    /// Creates the state for up to `limit` rows; 0 for all.
    fn new(limit: usize) -> Self {
        Self { left: (limit > 0).then_some(limit), token: Some(String::new()) }
    }

    /// Returns the size and the token of the next page, or `None` after the last.
    fn next(&mut self) -> Option<(i32, String)> {
        let rows = self.left.unwrap_or(PAGE_ROWS).min(PAGE_ROWS);
        if rows == 0 {
            return None;
        }
        Some((i32::try_from(rows).unwrap_or(i32::MAX), self.token.take()?))
    }

    /// Records the number of rows of a page and the token of the next.
    fn got(&mut self, rows: usize, next_page_token: String) {
        self.left = self.left.map(|left| left.saturating_sub(rows));
        self.token = (!next_page_token.is_empty()).then_some(next_page_token);
    }

    /// Returns true if the limit was reached before the end.
    fn has_more(&self) -> bool {
        self.token.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_end_at_the_limit_or_with_the_rows() {
        let mut pages = Pages::new(700);
        assert_eq!(pages.next(), Some((500, String::new())));
        pages.got(500, "a".into());
        assert_eq!(pages.next(), Some((200, "a".into())));
        pages.got(200, "b".into());
        assert_eq!(pages.next(), None);
        assert!(pages.has_more());

        let mut all = Pages::new(0);
        assert_eq!(all.next(), Some((500, String::new())));
        all.got(3, String::new());
        assert_eq!(all.next(), None);
        assert!(!all.has_more());
    }
}
