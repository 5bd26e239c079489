//! `POST /v1/events`: CloudEvents in structured, batch and binary mode.
//!
//! A signature covers the body. A signed event in binary mode is refused: an attacker who captures one could send the
//! body again with other headers, as another event. A draft is checked and not stored; its answer is that of
//! `POST /v1/check`. [`crate::reception`] has the rules of a batch.

use axum::{
    Json,
    body::Body,
    extract::State,
    response::{IntoResponse as _, Response},
};
use http::{Request as HttpRequest, StatusCode};

use super::app::{App, accepted};
use crate::{
    blocking,
    cloudevent::{self, DecodedEvents},
    error::{Code, Problem},
    reception::Answer,
    signature::Covered,
};

pub(super) async fn accept(State(app): State<App>, request: HttpRequest<Body>) -> Result<Response, Problem> {
    let admitted = app.admit(request, |_, body| Covered::Body(body)).await?;
    let caller = &admitted.caller;
    if caller.has_signed() && cloudevent::is_binary(&admitted.head.headers) {
        return Err(Problem::new(
            Code::UnsignedAttributes,
            "签名只覆盖正文，而二进制模式下起决定作用的属性在请求头中；请以结构化或批量模式发送事件，或将文件发送到 POST /v1/reports",
            "the signature covers the body, and in binary mode the attributes that decide are headers; send the event in \
             structured or batch mode, or the document to POST /v1/reports",
        ));
    }
    let (headers, bytes) = (admitted.head.headers.clone(), admitted.body.bytes.clone());
    let decoded = blocking::run_sized(bytes.len(), move || cloudevent::decode(&headers, &bytes)).await??;
    match decoded {
        DecodedEvents::One(event) => Ok(match app.reception.one(caller, event).await? {
            Answer::Receipt(receipt) => accepted(*receipt),
            other => Json(other).into_response(),
        }),
        DecodedEvents::Batch(events) => {
            let answers = app.reception.batch(caller, events).await?;
            let is_taken = answers.iter().any(|answer| matches!(answer, Answer::Receipt(_)));
            let status = if is_taken { StatusCode::ACCEPTED } else { StatusCode::OK };
            Ok((status, Json(answers)).into_response())
        }
    }
}
