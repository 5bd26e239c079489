//! The state that the routes share, and the answer to an accepted call.

use std::sync::Arc;

use axum::{
    Json,
    response::{IntoResponse as _, Response},
};
use http::{HeaderValue, StatusCode, header};
use tokio::sync::Semaphore;

use super::body::Bodies;
use crate::{auth::Authenticator, dry_run::DryRun, intake::Intake, receipt};
use gongkai_proto::v1::Receipt;

/// State of the routes. Cheap to clone.
#[derive(Clone)]
pub(super) struct App {
    pub(super) intake: Intake,
    pub(super) auth: Authenticator,
    pub(super) dry_run: DryRun,
    pub(super) bodies: Bodies,
    /// One permit per request in progress.
    pub(super) slots: Arc<Semaphore>,
}

/// Answers 202 with the receipt. `Location` is the URL of its later states.
pub(super) fn accepted(receipt: Receipt) -> Response {
    let location = HeaderValue::from_str(&receipt.status_url).ok();
    let mut response = (StatusCode::ACCEPTED, Json(receipt::ReceiptJson::from(receipt))).into_response();
    if let Some(location) = location {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}
