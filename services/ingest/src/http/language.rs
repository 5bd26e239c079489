//! Answers problems in the language that the caller prefers.

use std::sync::Arc;

use axum::{body::Body, extract::Request, middleware::Next, response::Response};
use http::{HeaderValue, Method, header};

use crate::{error::Problem, language::Language};

/// Answers problems in the language that the caller prefers.
pub(super) async fn of_problems(request: Request, next: Next) -> Response {
    let language = Language::preferred(request.headers());
    let is_head = request.method() == Method::HEAD;
    let mut response = next.run(request).await;
    let Some(problem) = response.extensions_mut().remove::<Arc<Problem>>() else { return response };
    if language == Language::English {
        let body = problem.to_json(language);
        response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
        *response.body_mut() = if is_head { Body::empty() } else { Body::from(body) };
    }
    response.headers_mut().insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
    response.headers_mut().append(header::VARY, HeaderValue::from_static("accept-language"));
    response
}
