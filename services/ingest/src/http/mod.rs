//! The HTTP server:
//!
//! - `POST /v1/events`: CloudEvents → 202 and a receipt, or a list of them for a batch
//! - `POST /v1/reports`: a document → 202 and a receipt
//! - `POST /v1/check`: a document → 200 and the output of `gongkai check --format json`
//! - `GET /v1/submissions/{id}` → 200 and the receipt
//!
//! Every error is an `application/problem+json`, including unknown routes and panics.

mod app;
mod body;
mod events;
mod reports;

use std::any::Any;

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Path, State, rejection::PathRejection},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use http::HeaderMap;
use tower_http::catch_panic::CatchPanicLayer;

use self::app::App;
use crate::{
    admission::Admission,
    auth::Authenticator,
    config::Config,
    dry_run::DryRun,
    error::{Code, Problem},
    intake::Intake,
    receipt,
    signature::Covered,
};
use gongkai_worker::Runtime;

pub fn router(
    config: &Config,
    runtime: &Runtime,
    intake: Intake,
    auth: Authenticator,
    dry_run: DryRun,
    admission: Admission,
) -> Router {
    let app = App { intake, auth, dry_run, admission, limit: config.max_body_bytes };
    Router::new()
        .route("/v1/events", post(events::accept))
        .route("/v1/reports", post(reports::submit))
        .route("/v1/check", post(reports::check))
        .route("/v1/submissions/{id}", get(submission))
        .fallback(|| async {
            Problem::new(
                Code::NotFound,
                "see POST /v1/events, /v1/reports, /v1/check and GET /v1/submissions/{id}",
            )
        })
        .method_not_allowed_fallback(|| async {
            Problem::new(Code::MethodNotAllowed, "the Allow header lists what this route takes")
        })
        // `body::read` limits bodies. This is the limit of axum's own extractors.
        .layer(DefaultBodyLimit::disable())
        .layer(CatchPanicLayer::custom(panicked))
        .layer(runtime.server_layer())
        .with_state(app)
}

async fn submission(
    State(app): State<App>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Json<receipt::ReceiptJson>, Problem> {
    // It needs no slot: a status query must not wait for submissions.
    app.auth.caller(&app.auth.shown(&headers)?, Covered::Body(b""))?;
    let Path(id) = id.map_err(|_| Problem::new(Code::SubmissionNotFound, "an id is s- and 32 hex digits"))?;
    Ok(Json(app.intake.receipt(&id).await?.into()))
}

fn panicked(_what: Box<dyn Any + Send>) -> Response {
    Problem::new(Code::Internal, "a mistake of ours; the log has it under this trace id").into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use http::{Request, StatusCode};
    use tower::ServiceExt as _;

    use super::*;

    async fn broken() {
        panic!("a mistake");
    }

    #[tokio::test]
    async fn a_panic_is_a_problem_too() {
        let router = Router::new().route("/", get(broken)).layer(CatchPanicLayer::custom(panicked));
        let response = router.oneshot(Request::new(Body::empty())).await.unwrap();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let body = to_bytes(response.into_body(), 10_000).await.unwrap();
        let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!((&problem["code"], &problem["retryable"]), (&"INTERNAL".into(), &true.into()));
    }
}
