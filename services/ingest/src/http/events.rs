//! `POST /v1/events`: CloudEvents in structured, batch and binary mode.
//!
//! A signature covers the body. A signed event in binary mode is refused: whoever captures one could send the body again with other
//! headers, as another event.
//! A draft is checked and not kept; its answer is that of `POST /v1/check`.
//!
//! A batch is decoded and authorised as a whole before its first event is accepted. If the broker becomes unavailable
//! half-way, the sender repeats the whole batch: events that were accepted return their receipts, the others are accepted.

use axum::{
    Json,
    body::Body,
    extract::State,
    response::{IntoResponse as _, Response},
};
use gongkai_check::CheckLine;
use http::{Request as HttpRequest, StatusCode};
use serde::Serialize;

use super::app::{App, accepted, checked};
use crate::{
    auth::{Authenticator, Caller},
    blocking,
    cloudevent::{self, CloudEvent, DecodedEvents},
    error::{Code, Problem},
    publication::{self, Purpose, Request},
    receipt::ReceiptJson,
    signature::Covered,
};

pub(super) async fn accept(State(app): State<App>, request: HttpRequest<Body>) -> Result<Response, Problem> {
    let admitted = app.admit(request, |_, body| Covered::Body(body)).await?;
    let caller = &admitted.caller;
    if caller.has_signed() && cloudevent::is_binary(&admitted.head.headers) {
        return Err(Problem::new(
            Code::UnsignedAttributes,
            "the signature covers the body, and in binary mode the attributes that decide are headers; send the event in \
             structured or batch mode, or the document to POST /v1/reports",
        ));
    }
    let (headers, bytes) = (admitted.head.headers.clone(), admitted.body.bytes.clone());
    let decoded = blocking::run_sized(bytes.len(), move || cloudevent::decode(&headers, &bytes)).await??;
    match decoded {
        DecodedEvents::One(event) => Ok(match authorised(&app.auth, caller, event)? {
            Purpose::Accept(request) => accepted(app.intake.request(request).await?),
            Purpose::Check(draft, url) => checked(&app.dry_run.event(*draft, url).await?),
        }),
        DecodedEvents::Batch(events) => {
            let purposes: Result<Vec<Purpose>, Problem> = events
                .into_iter()
                .enumerate()
                .map(|(n, event)| authorised(&app.auth, caller, event).map_err(|p| numbered(n, &p)))
                .collect();
            let mut answers = Vec::new();
            for (n, purpose) in purposes?.into_iter().enumerate() {
                answers.push(answer(&app, purpose).await.map_err(|p| numbered(n, &p))?);
            }
            let is_taken = answers.iter().any(|answer| matches!(answer, Answer::Receipt(_)));
            let status = if is_taken { StatusCode::ACCEPTED } else { StatusCode::OK };
            Ok((status, Json(answers)).into_response())
        }
    }
}

/// The answer to one event of a batch.
#[derive(Serialize)]
#[serde(untagged)]
enum Answer {
    Receipt(Box<ReceiptJson>),
    Checked(Box<CheckLine>),
}

async fn answer(app: &App, purpose: Purpose) -> Result<Answer, Problem> {
    Ok(match purpose {
        Purpose::Accept(request) => Answer::Receipt(Box::new(app.intake.request(request).await?.into())),
        Purpose::Check(draft, url) => Answer::Checked(Box::new(app.dry_run.event(*draft, url).await?.line())),
    })
}

fn authorised(auth: &Authenticator, caller: &Caller, event: CloudEvent) -> Result<Purpose, Problem> {
    let source = event.source.clone();
    let purpose = publication::read(event)?;
    let declared = match &purpose {
        Purpose::Check(submission, _)
        | Purpose::Accept(Request::Submit(submission) | Request::Fetch(submission, _)) => {
            &submission.declared
        }
        Purpose::Accept(Request::Withdraw(withdrawal)) => &withdrawal.declared,
    };
    auth.admit_from(caller, &source, &declared.site.code)?;
    Ok(purpose)
}

fn numbered(n: usize, problem: &Problem) -> Problem {
    Problem::new(problem.code, format!("event {n}: {}", problem.detail))
}
