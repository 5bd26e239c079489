//! The state that the routes share, the admission of a call, and the answer to an accepted one.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    response::{IntoResponse as _, Response},
};
use http::{HeaderValue, Request, StatusCode, header, request::Parts};
use tokio::sync::OwnedSemaphorePermit;

use super::body::{self, Buffered};
use crate::{
    acknowledgement_links::AcknowledgementLinks,
    adapters::Adapters,
    admission::Admission,
    auth::{Authenticator, Caller},
    checked_draft::CheckedDraft,
    connections::{self, BusyConnection},
    dry_run::DryRun,
    error::Problem,
    intake::Intake,
    language::Language,
    receipt::ReceiptJson,
    reception::Reception,
    signature::Covered,
};
use gongkai_worker::CallerName;

/// State of the routes. Cheap to clone.
#[derive(Clone)]
pub(super) struct App {
    pub(super) intake: Intake,
    pub(super) reception: Reception,
    pub(super) auth: Authenticator,
    pub(super) adapters: Adapters,
    pub(super) links: Arc<AcknowledgementLinks>,
    pub(super) dry_run: DryRun,
    pub(super) admission: Admission,
    /// Maximum size of a body, in bytes.
    pub(super) limit: usize,
}

/// A complete request of a known caller. It occupies a slot until it is dropped.
pub(super) struct Admitted {
    pub(super) head: Parts,
    pub(super) body: Buffered,
    pub(super) caller: Caller,
    _slot: (OwnedSemaphorePermit, Option<BusyConnection>),
}

// === impl App ===

impl App {
    /// Admits a request: checks its headers, reads its body, verifies its signature, and only then acquires a slot.
    ///
    /// # Errors
    /// Those of [`Authenticator`], [`body::read`] and [`Admission::enter`].
    pub(super) async fn admit(
        &self,
        request: Request<Body>,
        covers: for<'a> fn(&'a Parts, &'a [u8]) -> Covered<'a>,
    ) -> Result<Admitted, Problem> {
        let shown =
            |head: &Parts| self.auth.shown(&head.headers, &head.uri).map(|shown| (shown.is_proof(), shown));
        self.admit_by(request, shown, |shown, head, body| self.auth.caller(&shown, covers(head, body))).await
    }

    /// Admits a request by credentials of another kind. `shown` checks its headers and returns whether they prove the
    /// sender without the body; `proven` checks the body and returns the caller.
    ///
    /// # Errors
    /// Those of `shown` and `proven`, [`body::read`] and [`Admission::enter`].
    pub(super) async fn admit_by<S>(
        &self,
        request: Request<Body>,
        shown: impl FnOnce(&Parts) -> Result<(bool, S), Problem>,
        proven: impl FnOnce(S, &Parts, &[u8]) -> Result<Caller, Problem>,
    ) -> Result<Admitted, Problem> {
        let (head, body) = request.into_parts();
        let connection = head.extensions.get::<connections::Peer>();
        let (is_proof, shown) = match shown(&head) {
            Ok(shown) => shown,
            Err(problem) => return Err(body::refuse(&self.admission, &head.headers, body, problem).await),
        };
        if let Some(connection) = connection.filter(|_| is_proof) {
            connection.is_now_known();
        }
        let body = body::read(&self.admission, self.limit, &head.headers, body, is_proof).await?;
        let caller = proven(shown, &head, &body.bytes)?;
        CallerName::set(&head.extensions, caller.label());
        if let Some(connection) = connection {
            connection.is_now_known();
        }
        let slot = (self.admission.enter()?, connection.map(connections::Peer::work));
        Ok(Admitted { head, body, caller, _slot: slot })
    }
}

/// What a browser allows a marked page, which has the text of whoever wrote the draft.
const MARKED_PAGE_POLICY: &str = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/// Answers 200 with the JSON of `gongkai check`.
pub(super) fn checked(draft: &CheckedDraft) -> Response {
    let json = HeaderValue::from_static("application/json");
    (StatusCode::OK, [(header::CONTENT_TYPE, json)], draft.line().to_json()).into_response()
}

/// Answers 200 with a marked page. Nothing in it runs or loads anything, wherever it is shown.
pub(super) fn marked(page: Vec<u8>, language: Language) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, MARKED_PAGE_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_LANGUAGE, language.tag()),
        (header::VARY, "accept-language"),
    ];
    (StatusCode::OK, headers, page).into_response()
}

/// Answers 202 with the receipt. `Location` is the URL of its later states.
pub(super) fn accepted(receipt: ReceiptJson) -> Response {
    let location = HeaderValue::from_str(receipt.status_url()).ok();
    let mut response = (StatusCode::ACCEPTED, Json(receipt)).into_response();
    if let Some(location) = location {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}
