//! `/v1/acknowledgements/{token}`: the link in a notice.
//!
//! `GET` shows a page and changes nothing, because programs that check mails open every link. `POST`, which the form on
//! that page sends, acknowledges the alert. A second `POST` answers 200 too, with who has acknowledged and when. All
//! answers are pages for people; that of an error names its code.

use axum::{
    body::Body,
    extract::{Path, State, rejection::PathRejection},
    response::Response,
};
use http::{HeaderMap, Request, header};

use super::{acknowledgement_page as page, app::App, body, query};
use crate::{
    error::{Code, Problem},
    language::Language,
};

/// Largest form, in bytes.
const LONGEST_FORM: usize = 16 * 1024;
const FORM: &str = "application/x-www-form-urlencoded";

pub(super) async fn show(
    State(app): State<App>,
    token: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Response {
    let language = Language::preferred(&headers);
    // A token that is not UTF-8 is not one of ours.
    let token = token.map_or_else(|_| String::new(), |Path(token)| token);
    match app.links.open(&token).await {
        Ok((claims, is_used)) => page::ask(&claims, is_used, language),
        Err(problem) => page::refused(problem, language),
    }
}

pub(super) async fn acknowledge(
    State(app): State<App>,
    token: Result<Path<String>, PathRejection>,
    request: Request<Body>,
) -> Response {
    let language = Language::preferred(request.headers());
    let token = token.map_or_else(|_| String::new(), |Path(token)| token);
    match acknowledged(&app, &token, request).await {
        Ok((claims, recorded)) => page::done(&claims, &recorded, language),
        Err(problem) => page::refused(problem, language),
    }
}

async fn acknowledged(
    app: &App,
    token: &str,
    request: Request<Body>,
) -> Result<(gongkai_acknowledgements::link::Claims, gongkai_acknowledgements::Recorded), Problem> {
    let (head, body) = request.into_parts();
    let body = body::read(&app.admission, LONGEST_FORM, &head.headers, body, false).await?;
    let _slot = app.admission.enter()?;
    let mut fields = query::parameters(form(&head.headers, &body.bytes)?, &["person", "comment"])?;
    let mut field = |name| fields.remove(name).unwrap_or_default();
    app.links.acknowledge(token, &field("person"), &field("comment")).await
}

/// Returns the text of a form. A request without a body is an empty form.
fn form<'a>(headers: &HeaderMap, body: &'a [u8]) -> Result<&'a str, Problem> {
    let content_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or(FORM);
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if !body.is_empty() && !media_type.eq_ignore_ascii_case(FORM) {
        return Err(Problem::new(
            Code::UnsupportedMediaType,
            format!("此地址只接受 {FORM}"),
            format!("this route takes {FORM} only"),
        ));
    }
    std::str::from_utf8(body).map_err(|_| Problem::not_utf8("form"))
}
