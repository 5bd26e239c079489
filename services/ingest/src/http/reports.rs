//! `POST /v1/reports` and `POST /v1/check`: the document as the body or as multipart fields, the metadata in the
//! query.
//!
//! The first field `file` of a form is the document. Further ones and the fields `attachment` are its attachments; a
//! form with fields `attachment` only has no main body.

use axum::{
    body::Body,
    extract::{FromRequest as _, Multipart, State},
    response::Response,
};
use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderMap, Request, header, request::Parts};

use super::{
    app::{Admitted, App, accepted, checked, marked},
    disposition, query,
};
use crate::{
    auth::Caller,
    cloudevent,
    error::{Code, Problem},
    fields,
    language::Language,
    publication,
    signature::Covered,
    submission::{DeclaredMetadata, File, KEY_LIMIT, Submission, SubmissionIdentity},
};
use gongkai_proto::v1::{AgencyHint, DocumentKind, Site};

/// The query parameters of both calls. Unknown ones are an error.
const PARAMETERS: [&str; 10] = [
    "agency_name",
    "agency_code",
    "year",
    "title",
    "url",
    "published_at",
    "time",
    "filename",
    "site_code",
    "backfill",
];
/// The parameter of a check that asks for the marked page.
const ANNOTATE: &str = "annotate";

pub(super) async fn submit(State(app): State<App>, request: Request<Body>) -> Result<Response, Problem> {
    let admitted = app.admit(request, covered).await?;
    let parameters = parameters(&admitted, &[])?;
    let submission = submission(&admitted, parameters).await?;
    Ok(accepted(app.reception.document(&admitted.caller, submission).await?.into()))
}

pub(super) async fn check(State(app): State<App>, request: Request<Body>) -> Result<Response, Problem> {
    let admitted = app.admit(request, covered).await?;
    let mut parameters = parameters(&admitted, &[ANNOTATE])?;
    let is_marked = is_marked(&parameters.remove(ANNOTATE).unwrap_or_default())?;
    let submission = submission(&admitted, parameters).await?;
    let draft = Submission { kind: DocumentKind::Draft, ..submission };
    if is_marked {
        let language = Language::preferred(&admitted.head.headers);
        return Ok(marked(app.dry_run.marked(draft, language).await?, language));
    }
    Ok(checked(&app.dry_run.check(draft).await?))
}

/// Returns the part of the request that the signature covers. It includes the query, which names the agency of the
/// report.
fn covered<'a>(head: &'a Parts, body: &'a [u8]) -> Covered<'a> {
    Covered::Request(&head.method, &head.uri, body)
}

/// Reads the query, which may have these parameters besides those of both calls.
fn parameters(admitted: &Admitted, own: &[&'static str]) -> Result<BTreeMap<String, String>, Problem> {
    query::parameters(admitted.head.uri.query().unwrap_or_default(), &[&PARAMETERS, own].concat())
}

/// Returns true if the marked page is asked for.
fn is_marked(value: &str) -> Result<bool, Problem> {
    match value {
        "" => Ok(false),
        "html" => Ok(true),
        other => Err(Problem::invalid(ANNOTATE, other, "只能是 html", "must be html")),
    }
}

async fn submission(
    admitted: &Admitted,
    parameters: BTreeMap<String, String>,
) -> Result<Submission, Problem> {
    let (headers, caller) = (&admitted.head.headers, &admitted.caller);
    let identity = identity(headers, caller)?;
    let (declared, filename) = declared(parameters, caller)?;
    let FormFiles { mut content, attachments } = files(headers, admitted.body.bytes.clone()).await?;
    if !filename.is_empty() {
        content.filename = filename;
    }
    Ok(Submission { kind: DocumentKind::Published, content, attachments, declared, identity })
}

fn identity(headers: &HeaderMap, caller: &Caller) -> Result<SubmissionIdentity, Problem> {
    let Some((name, value)) =
        ["webhook-id", "idempotency-key"].iter().find_map(|name| Some((name, headers.get(*name)?)))
    else {
        return Ok(SubmissionIdentity::Content);
    };
    let key = value.to_str().unwrap_or_default().trim().to_owned();
    if key.is_empty() || key.len() > KEY_LIMIT {
        return Err(Problem::invalid(
            name,
            &key,
            "须是 1 至 256 个 ASCII 字符",
            "must be 1 to 256 ASCII characters",
        ));
    }
    Ok(SubmissionIdentity::Key { caller: caller.name().to_owned(), key })
}

fn declared(
    mut parameters: BTreeMap<String, String>,
    caller: &Caller,
) -> Result<(DeclaredMetadata, String), Problem> {
    let mut take = |name: &str| parameters.remove(name);
    let site_code = fields::text("site_code", take("site_code"))?;
    let declared = DeclaredMetadata {
        agency: AgencyHint {
            code: fields::agency_code("agency_code", take("agency_code"))?,
            name: fields::text("agency_name", take("agency_name"))?,
        },
        year: fields::year("year", take("year").unwrap_or_default().trim())?,
        title: fields::text("title", take("title"))?,
        url: fields::address("url", take("url"))?,
        published_at: fields::published_at("published_at", take("published_at").unwrap_or_default().trim())?,
        site: Site {
            // A site that signed need not repeat its code.
            code: caller.site_code_or(site_code),
            column: String::new(),
        },
        review: Vec::new(),
        event_source: String::new(),
        event_id: String::new(),
        event_time: None,
        is_backfill: fields::flag("backfill", &take("backfill").unwrap_or_default())?,
    };
    let event_time = fields::published_at("time", take("time").unwrap_or_default().trim())?;
    Ok((declared.at(event_time), fields::text("filename", take("filename"))?))
}

/// The files of a request.
#[derive(Default)]
struct FormFiles {
    content: File,
    attachments: Vec<File>,
}

async fn files(headers: &HeaderMap, body: Bytes) -> Result<FormFiles, Problem> {
    let content_type = cloudevent::content_type(headers)?;
    if cloudevent::essence(&content_type) == "multipart/form-data" {
        return form_fields(&content_type, body).await;
    }
    Ok(FormFiles { content: publication::file(body, &content_type), attachments: Vec::new() })
}

/// Parses a form that is in memory.
async fn form_fields(content_type: &str, body: Bytes) -> Result<FormFiles, Problem> {
    let broken = || {
        Problem::new(
            Code::InvalidField,
            "表单格式错误：请检查 boundary 与各部分的结尾",
            "the multipart form is broken: check the boundary and where the parts end",
        )
    };
    let request = Request::builder()
        .header(header::CONTENT_TYPE, content_type)
        .body(Body::from(body))
        .map_err(|_| broken())?;
    let mut form = Multipart::from_request(request, &()).await.map_err(|_| broken())?;
    let (mut files, mut has_content) = (FormFiles::default(), false);
    while let Some(field) = form.next_field().await.map_err(|_| broken())? {
        let is_content = field.name() == Some("file") && !has_content;
        if !matches!(field.name(), Some("file" | "attachment")) {
            continue;
        }
        let filename = disposition::filename(field.headers())?;
        let content_type = field.content_type().unwrap_or_default().to_owned();
        let bytes = field.bytes().await.map_err(|_| broken())?;
        let file = File { filename, ..publication::file(bytes, &content_type) };
        if is_content {
            (files.content, has_content) = (file, true);
        } else {
            files.attachments.push(file);
        }
    }
    if !has_content && files.attachments.is_empty() {
        return Err(Problem::new(
            Code::MissingContent,
            "表单没有名为 file 的部分",
            "the form has no field \"file\"",
        ));
    }
    Ok(files)
}
