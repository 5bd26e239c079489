//! `POST /v1/events`: CloudEvents in structured, batch and binary mode.
//!
//! A batch is read and authorised as a whole before its first event is taken in. If the broker goes away half way, the
//! whole batch is sent again: what was accepted gets its receipt, the rest is taken in.

use axum::{
    Json,
    body::Body,
    extract::State,
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, StatusCode};

use super::{App, accepted};
use crate::{
    cloudevent::{self, Decoded, Event},
    gate::{Caller, Gate},
    offload,
    problem::Problem,
    publication::{self, Request},
    receipt,
};

pub(super) async fn accept(
    State(app): State<App>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let body = app.bodies.read(&headers, body).await?;
    let caller = app.gate.caller(&headers, &body.bytes)?;
    app.gate.admit(&caller)?;
    let bytes = body.bytes.clone();
    let decoded = offload::over(bytes.len(), move || cloudevent::decode(&headers, &bytes)).await??;
    match decoded {
        Decoded::One(event) => {
            let request = authorised(&app.gate, &caller, event)?;
            Ok(accepted(app.intake.request(request).await?))
        }
        Decoded::Batch(events) => {
            let requests: Result<Vec<Request>, Problem> = events
                .into_iter()
                .enumerate()
                .map(|(n, event)| authorised(&app.gate, &caller, event).map_err(|p| numbered(n, &p)))
                .collect();
            let mut receipts = Vec::new();
            for (n, request) in requests?.into_iter().enumerate() {
                let receipt = app.intake.request(request).await.map_err(|p| numbered(n, &p))?;
                receipts.push(receipt::Json::from(receipt));
            }
            Ok((StatusCode::ACCEPTED, Json(receipts)).into_response())
        }
    }
}

fn authorised(gate: &Gate, caller: &Caller, event: Event) -> Result<Request, Problem> {
    let source = event.source.clone();
    let request = publication::read(event)?;
    let about = match &request {
        Request::Submit(submission) | Request::Fetch(submission, _) => &submission.about,
        Request::Withdraw(withdrawal) => &withdrawal.about,
    };
    gate.admit_from(caller, &source, &about.site.code)?;
    Ok(request)
}

fn numbered(n: usize, problem: &Problem) -> Problem {
    Problem::new(problem.code, format!("event {n}: {}", problem.detail))
}
