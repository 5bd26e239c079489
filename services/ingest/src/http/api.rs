//! The descriptions of the interfaces: `/v1/openapi.json`, `/v1/asyncapi.json`, and `/v1/docs`, a page that shows
//! both without any other host.
//!
//! The files are in `api`. `tests/ways_in/api.rs` checks them against the running service. The schemas of a check's line
//! are those of gongkai-check.

use std::sync::LazyLock;

use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, header};
use serde_json::Value;

static OPENAPI: LazyLock<String> = LazyLock::new(openapi_with_lines);
const ASYNCAPI: &str = include_str!("../../api/asyncapi.json");
const DOCS: &str = include_str!("../../api/docs.html");

/// The page loads nothing but the two descriptions.
const POLICY: &str =
    "default-src 'none'; connect-src 'self'; script-src 'unsafe-inline'; style-src 'unsafe-inline'";

pub(super) async fn openapi() -> Response {
    of_type("application/json", &OPENAPI)
}

/// Returns the description of the HTTP interface with the definitions of a check's line among its schemas.
fn openapi_with_lines() -> String {
    let line = gongkai_check::LINE_SCHEMA.replace("#/$defs/", "#/components/schemas/");
    let parsed = |text: &str| -> Value {
        serde_json::from_str(text).expect("the descriptions are compiled in, and a test parses them")
    };
    let (mut api, mut line) = (parsed(include_str!("../../api/openapi.json")), parsed(&line));
    let schemas = api["components"]["schemas"].as_object_mut();
    if let (Some(schemas), Some(definitions)) = (schemas, line["$defs"].as_object_mut()) {
        schemas.append(definitions);
    }
    format!("{api:#}")
}

pub(super) async fn asyncapi() -> Response {
    of_type("application/json", ASYNCAPI)
}

pub(super) async fn docs() -> Response {
    let mut response = of_type("text/html; charset=utf-8", DOCS);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}

fn of_type(content_type: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static(content_type))], text).into_response()
}
