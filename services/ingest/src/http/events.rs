//! `POST /v1/events`: CloudEvents in structured, batch and binary mode.
//!
//! A batch is decoded and authorised as a whole before its first event is accepted. If the broker becomes unavailable
//! half-way, the sender repeats the whole batch: events that were accepted return their receipts, the others are accepted.

use axum::{
    Json,
    body::Body,
    extract::State,
    response::{IntoResponse as _, Response},
};
use http::{Request as HttpRequest, StatusCode};

use super::app::{App, accepted};
use crate::{
    auth::{Authenticator, Caller},
    blocking,
    cloudevent::{self, CloudEvent, DecodedEvents},
    error::Problem,
    publication::{self, Request},
    receipt,
    signature::Covered,
};

pub(super) async fn accept(State(app): State<App>, request: HttpRequest<Body>) -> Result<Response, Problem> {
    let admitted = app.admit(request, |_, body| Covered::Body(body)).await?;
    let caller = &admitted.caller;
    let (headers, bytes) = (admitted.head.headers.clone(), admitted.body.bytes.clone());
    let decoded = blocking::run_sized(bytes.len(), move || cloudevent::decode(&headers, &bytes)).await??;
    match decoded {
        DecodedEvents::One(event) => {
            let request = authorised(&app.auth, caller, event)?;
            Ok(accepted(app.intake.request(request).await?))
        }
        DecodedEvents::Batch(events) => {
            let requests: Result<Vec<Request>, Problem> = events
                .into_iter()
                .enumerate()
                .map(|(n, event)| authorised(&app.auth, caller, event).map_err(|p| numbered(n, &p)))
                .collect();
            let mut receipts = Vec::new();
            for (n, request) in requests?.into_iter().enumerate() {
                let receipt = app.intake.request(request).await.map_err(|p| numbered(n, &p))?;
                receipts.push(receipt::ReceiptJson::from(receipt));
            }
            Ok((StatusCode::ACCEPTED, Json(receipts)).into_response())
        }
    }
}

fn authorised(auth: &Authenticator, caller: &Caller, event: CloudEvent) -> Result<Request, Problem> {
    let source = event.source.clone();
    let request = publication::read(event)?;
    let declared = match &request {
        Request::Submit(submission) | Request::Fetch(submission, _) => &submission.declared,
        Request::Withdraw(withdrawal) => &withdrawal.declared,
    };
    auth.admit_from(caller, &source, &declared.site.code)?;
    Ok(request)
}

fn numbered(n: usize, problem: &Problem) -> Problem {
    Problem::new(problem.code, format!("event {n}: {}", problem.detail))
}
