//! Answers about routes and methods: 404, 405, `OPTIONS`, and the headers that list what is accepted.

use std::sync::Arc;

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http::{HeaderValue, Method, StatusCode, header};

use super::body;
use crate::error::{Code, Problem};

/// The path of every route with its methods.
pub(super) type Methods = Arc<[(&'static str, &'static [Method])]>;

pub(super) async fn no_such_route() -> Problem {
    Problem::new(
        Code::NotFound,
        "可用的有 POST /v1/events、/v1/reports、/v1/check、/v1/adapters/{name} 与 GET /v1/submissions/{id}",
        "see POST /v1/events, /v1/reports, /v1/check, /v1/adapters/{name} and GET /v1/submissions/{id}",
    )
}

/// Answers `OPTIONS` with 204, and anything else with 405. [`headers`] adds `Allow` to both answers.
pub(super) async fn no_such_method(method: Method) -> Response {
    if method == Method::OPTIONS {
        return StatusCode::NO_CONTENT.into_response();
    }
    Problem::new(
        Code::MethodNotAllowed,
        "此地址可用的方法见 Allow 头",
        "the Allow header lists what this route takes",
    )
    .into_response()
}

/// Adds `Allow` to an answer about a wrong method, and `Accept-Encoding` (RFC 7694) where a body could be sent or had
/// a coding that is not accepted.
pub(super) async fn headers(State(methods): State<Methods>, request: Request, next: Next) -> Response {
    let has_known_coding = body::has_known_coding(request.headers());
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let methods = methods.iter().find(|(path, _)| *path == route).map_or(&[][..], |(_, methods)| methods);
    let mut response = next.run(request).await;
    let status = response.status();
    let is_described = status == StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    if is_described || status == StatusCode::METHOD_NOT_ALLOWED {
        let allow = match (methods.contains(&Method::GET), methods.contains(&Method::POST)) {
            (true, true) => "GET,HEAD,POST,OPTIONS",
            (true, false) => "GET,HEAD,OPTIONS",
            _ => "POST,OPTIONS",
        };
        headers.insert(header::ALLOW, HeaderValue::from_static(allow));
    }
    let is_refused = status == StatusCode::UNSUPPORTED_MEDIA_TYPE && !has_known_coding;
    if is_refused || is_described && methods.contains(&Method::POST) {
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(body::CODINGS));
    }
    response
}
