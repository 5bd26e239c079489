//! The HTTP server:
//!
//! - `POST /v1/events`: CloudEvents → 202 and a receipt, or a list of them for a batch
//! - `POST /v1/reports`: a document → 202 and a receipt
//! - `POST /v1/check`: a draft → 200 and the output of `gongkai check --format json`, compared with the stored
//!   reports around it; with `annotate=html` the draft as a page with its findings marked
//! - `POST /v1/adapters/{name}`: a body in the format of a CMS → an answer in the format of the CMS
//! - `GET /v1/submissions/{id}` → 200 and the receipt
//! - `GET /v1/acknowledgements/{token}` → a page, `POST` → the alert of the link is acknowledged
//! - `GET /v1/openapi.json`, `/v1/asyncapi.json`, `/v1/docs`: descriptions of the interfaces
//!
//! Every error is an `application/problem+json`, including unknown routes and panics; those of links are pages for people. `OPTIONS` and 405 name the
//! methods of a route in `Allow`.

mod acknowledgement_page;
mod acknowledgements;
mod adapters;
mod api;
mod app;
mod body;
mod disposition;
mod events;
mod language;
mod manners;
mod query;
mod reports;

use std::{any::Any, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    body::Body,
    extract::{DefaultBodyLimit, Path, State, rejection::PathRejection},
    middleware,
    response::{IntoResponse as _, Response},
    routing::{MethodRouter, get, post},
};
use http::{HeaderName, Method, Request, header};
use tower_http::{
    catch_panic::CatchPanicLayer,
    cors::{AllowOrigin, CorsLayer},
};

use self::app::App;
use crate::{
    acknowledgement_links::AcknowledgementLinks,
    adapters::Adapters,
    admission::Admission,
    auth::Authenticator,
    config::Config,
    dry_run::DryRun,
    error::{Code, Problem},
    intake::Intake,
    receipt,
    reception::Reception,
    signature::Covered,
};
use gongkai_worker::{CallerName, Runtime};

/// How long a browser may cache the answer to a preflight request.
const PREFLIGHT_AGE: Duration = Duration::from_secs(3600);

/// Returns the routes of the service.
///
/// # Errors
/// The key of the links that acknowledge alerts cannot be read.
pub fn router(
    config: &Config,
    runtime: &Runtime,
    intake: Intake,
    auth: &Authenticator,
    dry_run: DryRun,
    adapters: Adapters,
    admission: Admission,
) -> anyhow::Result<Router> {
    let links = Arc::new(AcknowledgementLinks::new(config, runtime)?);
    let auth = auth.at(config.http_address);
    let reception = Reception::new(intake.clone(), auth.clone(), dry_run.clone());
    let app =
        App { intake, reception, auth, adapters, links, dry_run, admission, limit: config.max_body_bytes };
    let router = routes()
        .into_iter()
        .fold(Router::new(), |router, (path, _, methods)| router.route(path, methods))
        .fallback(manners::no_such_route)
        .method_not_allowed_fallback(manners::no_such_method)
        // `body::read` limits bodies. This is the limit of axum's own extractors.
        .layer(DefaultBodyLimit::disable())
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn(language::of_problems))
        .layer(middleware::from_fn_with_state(manners::Methods::from(paths()), manners::headers))
        .with_state(app);
    let router = match cors(&config.cors_origins) {
        // A browser sends its preflight request without credentials, and hides an error without these headers from the
        // page.
        Some(cors) => router.layer(cors),
        None => router,
    };
    Ok(router.layer(runtime.server_layer()))
}

/// Returns every route with its methods, which `api/openapi.json` describes. `GET` includes `HEAD`.
fn routes() -> [(&'static str, &'static [Method], MethodRouter<App>); 9] {
    [
        ("/v1/events", &[Method::POST], post(events::accept)),
        ("/v1/reports", &[Method::POST], post(reports::submit)),
        ("/v1/check", &[Method::POST], post(reports::check)),
        ("/v1/adapters/{name}", &[Method::POST], post(adapters::accept)),
        ("/v1/submissions/{id}", &[Method::GET], get(submission)),
        (
            "/v1/acknowledgements/{token}",
            &[Method::GET, Method::POST],
            get(acknowledgements::show).post(acknowledgements::acknowledge),
        ),
        ("/v1/openapi.json", &[Method::GET], get(api::openapi)),
        ("/v1/asyncapi.json", &[Method::GET], get(api::asyncapi)),
        ("/v1/docs", &[Method::GET], get(api::docs)),
    ]
}

/// Returns the path of every route with its methods.
#[must_use]
pub fn paths() -> Vec<(&'static str, &'static [Method])> {
    routes().into_iter().map(|(path, methods, _)| (path, methods)).collect()
}

/// Allows pages of these origins to call from a browser. Returns `None` if there are no origins. Cookies are not
/// allowed.
fn cors(origins: &[String]) -> Option<CorsLayer> {
    let allowed = match origins {
        [] => return None,
        origins if origins.iter().any(|origin| origin == "*") => AllowOrigin::any(),
        origins => AllowOrigin::list(origins.iter().filter_map(|origin| origin.parse().ok())),
    };
    let signing = ["webhook-id", "webhook-timestamp", "webhook-signature", "idempotency-key"];
    let headers = signing.map(HeaderName::from_static).into_iter();
    Some(
        CorsLayer::new()
            .allow_origin(allowed)
            .allow_methods([Method::GET, Method::POST])
            .allow_headers(headers.chain([header::CONTENT_TYPE, header::AUTHORIZATION]).collect::<Vec<_>>())
            .expose_headers([header::LOCATION, header::RETRY_AFTER])
            .max_age(PREFLIGHT_AGE),
    )
}

async fn submission(
    State(app): State<App>,
    id: Result<Path<String>, PathRejection>,
    request: Request<Body>,
) -> Result<Json<receipt::ReceiptJson>, Problem> {
    // No slot is needed: a status query must not wait for submissions.
    let (head, _) = request.into_parts();
    let shown = app.auth.shown(&head.headers, &head.uri);
    let caller = shown.and_then(|shown| app.auth.caller(&shown, Covered::Body(b"")));
    match caller {
        Ok(caller) => CallerName::set(&head.extensions, caller.label()),
        Err(problem) if !adapters::is_sender(&app, &head) => return Err(problem),
        Err(_) => {}
    }
    let Path(id) = id.map_err(|_| {
        Problem::new(
            Code::SubmissionNotFound,
            "提交的编号是 s- 加 32 位十六进制数字",
            "an id is s- and 32 hex digits",
        )
    })?;
    Ok(Json(app.intake.receipt(&id).await?.into()))
}

fn panicked(_what: Box<dyn Any + Send>) -> Response {
    Problem::new(
        Code::Internal,
        "本服务出错；请凭 trace_id 联系运维查日志",
        "a mistake of ours; the log has it under this trace id",
    )
    .into_response()
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
