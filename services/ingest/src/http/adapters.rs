//! `POST /v1/adapters/<name>`: what a CMS sends in a form of its own; see [`crate::adapters`].

use std::{net::IpAddr, sync::Arc};

use axum::{
    body::Body,
    extract::{Path, State, rejection::PathRejection},
    response::{IntoResponse as _, Response},
};
use http::{Extensions, Request, request::Parts};

use super::{app::App, body};
use crate::{
    adapters::Adapter,
    blocking, cloudevent, connections,
    error::{Code, Problem},
    language::Language,
    receipt::ReceiptJson,
    reception::Answer,
};

pub(super) async fn accept(
    State(app): State<App>,
    name: Result<Path<String>, PathRejection>,
    request: Request<Body>,
) -> Response {
    let language = Language::preferred(request.headers());
    let Some(adapter) = name.ok().and_then(|Path(name)| app.adapters.get(&name)) else {
        let (head, body) = request.into_parts();
        let unknown = Problem::new(
            Code::NotFound,
            "没有此名称的适配器；名称见 [ingest.adapters]",
            "there is no adapter of this name; [ingest.adapters] has the names",
        );
        return body::refuse(&app.admission, &head.headers, body, unknown).await.into_response();
    };
    match receipt(&app, &adapter, request).await {
        Ok(receipt) => adapter.answers.accepted(&receipt),
        Err(problem) => adapter.answers.refused(problem, language),
    }
}

/// Returns true if a request without a body has the complete proof of an adapter's sender. An HMAC is that of an empty body.
pub(super) fn is_sender(app: &App, head: &Parts) -> bool {
    let from = address(&head.extensions);
    let proves = |adapter: &Arc<Adapter>| {
        let proof = &adapter.proof;
        proof.before_body(from, &head.headers, &head.uri).is_ok() && proof.of_body(&head.headers, b"").is_ok()
    };
    app.adapters.iter().any(proves)
}

fn address(extensions: &Extensions) -> Option<IpAddr> {
    extensions.get::<connections::Peer>().map(connections::Peer::address)
}

async fn receipt(app: &App, adapter: &Arc<Adapter>, request: Request<Body>) -> Result<ReceiptJson, Problem> {
    let from = address(request.extensions());
    let admitted = app
        .admit_by(
            request,
            |head| Ok((adapter.proof.before_body(from, &head.headers, &head.uri)?, ())),
            |(), head, body| {
                adapter.proof.of_body(&head.headers, body)?;
                app.auth.permitted_as(&adapter.site)
            },
        )
        .await?;
    let content_type = cloudevent::content_type(&admitted.head.headers)?;
    let (own, bytes) = (adapter.clone(), admitted.body.bytes.clone());
    let map = move || own.mapping.event(&content_type, &bytes);
    let mapped = blocking::run_sized(admitted.body.bytes.len(), map).await??;
    adapter.check_time(mapped.sent_at)?;
    match app.reception.one(&admitted.caller, mapped.event).await? {
        Answer::Receipt(receipt) => Ok(*receipt),
        Answer::Checked(_) | Answer::Skipped { .. } => Err(Problem::new(
            Code::UnknownEventType,
            "适配器只接收发布、更新、撤回",
            "adapters take publications, updates and withdrawals only",
        )),
    }
}
