//! A client of ingest's HTTP API.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, anyhow};
use reqwest::{
    Client, Request, RequestBuilder, Response, StatusCode, Url,
    header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER},
};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use super::{
    document::{self, SubmittedDocument},
    signer::Signer,
};
use crate::{client, view::Counts};

const TIMEOUT: Duration = Duration::from_secs(60);
const FIRST_LOOK: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A client of one server.
pub(super) struct IngestClient {
    client: Client,
    base: Url,
    token: Option<String>,
    signer: Option<Signer>,
}

/// The receipt of a submission, as JSON.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ReceiptAnswer {
    pub(super) submission_id: String,
    pub(super) state: State,
    pub(super) report: Option<String>,
    pub(super) revision: Option<String>,
    pub(super) trace_id: String,
    pub(super) status_url: String,
    pub(super) findings: Counts,
    pub(super) rejection: Option<RejectionAnswer>,
}

/// The state of a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    Received,
    Parsed,
    Validated,
    Rejected,
    Withdrawn,
    Unchanged,
    Dead,
}

/// Why a document was rejected.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RejectionAnswer {
    pub(super) code: String,
    pub(super) message: String,
    #[serde(default)]
    pub(super) message_en: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) kind: Option<String>,
}

/// An error, as in RFC 9457.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ProblemAnswer {
    code: String,
    title: String,
    detail: String,
}

// === impl State ===

impl State {
    /// Returns the public name.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Parsed => "parsed",
            Self::Validated => "validated",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
            Self::Unchanged => "unchanged",
            Self::Dead => "dead",
        }
    }

    fn is_final(self) -> bool {
        !matches!(self, Self::Received | Self::Parsed)
    }
}

// === impl IngestClient ===

impl IngestClient {
    /// Creates a client of the server at `server`.
    pub(super) fn new(
        server: &str,
        token_file: Option<&Path>,
        secret_file: Option<&Path>,
    ) -> anyhow::Result<Self> {
        let base = Url::parse(server).with_context(|| format!("--ingest {server} is no URL"))?;
        let token = token_file.map(client::read_token).transpose()?;
        let secret = |file: &Path| {
            let key = client::read_token(file)?;
            let key = key.parse().with_context(|| format!("--secret-file {}", file.display()))?;
            anyhow::Ok(Signer::new(key))
        };
        let signer = secret_file.map(secret).transpose()?;
        Ok(Self { client: document::client(&base).timeout(TIMEOUT).build()?, base, token, signer })
    }

    /// Submits a document; `about` becomes query parameters.
    pub(super) async fn submit(
        &self,
        document: &SubmittedDocument,
        about: &[(&str, &str)],
    ) -> Result<ReceiptAnswer, Failure> {
        let mut url = self.at("v1/reports").map_err(Failure::fatal)?;
        url.query_pairs_mut().extend_pairs(about);
        let body = document.body();
        let request = self.client.post(url).header(CONTENT_TYPE, body.content_type).body(body.bytes);
        self.send(request).await
    }

    /// Polls until the state is final or the time is over, and returns the last receipt.
    pub(super) async fn follow(
        &self,
        mut receipt: ReceiptAnswer,
        limit: Duration,
    ) -> Result<ReceiptAnswer, Failure> {
        let end = Instant::now() + limit;
        let mut pause = FIRST_LOOK;
        while !receipt.state.is_final() && Instant::now() < end {
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            let url =
                self.at(&format!("v1/submissions/{}", receipt.submission_id)).map_err(Failure::fatal)?;
            receipt = self.send(self.client.get(url)).await?;
        }
        Ok(receipt)
    }

    /// Returns the address of the server.
    pub(super) fn address(&self) -> &str {
        self.base.as_str()
    }

    fn at(&self, path: &str) -> anyhow::Result<Url> {
        let base = self.base.as_str().trim_end_matches('/');
        Url::parse(&format!("{base}/{path}")).context("ingest's address is no base of addresses")
    }

    async fn send(&self, request: RequestBuilder) -> Result<ReceiptAnswer, Failure> {
        let request = self.signed(request).map_err(Failure::fatal)?;
        let response = self.client.execute(request).await.with_context(|| {
            format!(
                "couldn't reach ingest at {}: is `gongkai up` running? --ingest names another address",
                self.base
            )
        });
        let response = response.map_err(Failure::away)?;
        if !response.status().is_success() {
            return Err(Failure::of(response).await);
        }
        response.json().await.context("ingest's answer is no receipt").map_err(Failure::away)
    }

    fn signed(&self, request: RequestBuilder) -> anyhow::Result<Request> {
        let mut headers = HeaderMap::new();
        gongkai_worker::trace::inject(&mut headers);
        let request = request.headers(headers);
        let request = match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let mut request = request.build().context("the call is no HTTP request")?;
        if let Some(signer) = &self.signer {
            signer.sign(&mut request)?;
        }
        Ok(request)
    }
}

/// Why a document was not accepted.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) kind: FailureKind,
    /// The code of ingest's answer, or one of ours.
    pub(super) code: String,
    pub(super) error: anyhow::Error,
}

/// What a failure means for the documents after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FailureKind {
    /// The failure concerns only this document.
    Document,
    /// Ingest is reachable but accepts nothing now. It may ask for a delay.
    Busy(Option<Duration>),
    /// Ingest cannot be reached.
    Away,
    /// Ingest does not know the caller, or the run itself cannot continue.
    Denied,
}

impl Failure {
    /// Creates the failure of an unreadable document.
    pub(super) fn unreadable(error: anyhow::Error) -> Self {
        Self { kind: FailureKind::Document, code: "UNREADABLE".to_owned(), error }
    }

    /// Creates a failure that ends the run.
    pub(super) fn fatal(error: anyhow::Error) -> Self {
        Self { kind: FailureKind::Denied, code: "STOPPED".to_owned(), error }
    }

    fn away(error: anyhow::Error) -> Self {
        Self { kind: FailureKind::Away, code: "INGEST_AWAY".to_owned(), error }
    }

    async fn of(response: Response) -> Self {
        let status = response.status();
        let asked = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let kind = match status {
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE | StatusCode::REQUEST_TIMEOUT => {
                FailureKind::Busy(asked.map(Duration::from_secs))
            }
            StatusCode::UNAUTHORIZED => FailureKind::Denied,
            _ => FailureKind::Document,
        };
        let ProblemAnswer { code, title, detail } = response.json().await.unwrap_or_default();
        let number = status.as_u16();
        if code.is_empty() {
            let error = anyhow!("ingest refused it: {status}");
            return Self { kind, code: format!("HTTP_{number}"), error };
        }
        let error = anyhow!("ingest refused it: {number} {code}: {title} {detail}");
        Self { kind, code, error }
    }
}
