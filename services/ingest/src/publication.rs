//! Interprets the type and data of an event as a submission or a withdrawal.
//!
//! This module does no I/O. Content given by `url` stays a URL, which [`crate::fetch`] resolves.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    cloudevent::{self, CloudEvent, EventData},
    error::{Code, Problem, quote},
    fields::{self, address, agency_code, published_at, text, year},
    submission::{DeclaredMetadata, File, Submission, SubmissionIdentity, WithdrawalRequest},
};
use gongkai_proto::{
    convert,
    v1::{AgencyHint, DocumentKind, ReviewStep, Site},
};
use gongkai_worker::inert::without_credentials;

/// Maximum number of review steps.
const LIST_LIMIT: usize = 50;

/// What an event requests.
#[derive(Debug, Clone, PartialEq)]
pub enum Purpose {
    /// Check this draft without storing it. If a URL is given, its content is still to be fetched.
    Check(Box<Submission>, RemoteFiles),
    Accept(PublicationRequest),
}

#[derive(Debug, Clone, PartialEq)]
pub enum PublicationRequest {
    Submit(Box<Submission>),
    /// Fetch the document from this URL and accept it. The content of the submission is still empty.
    Fetch(Box<Submission>, RemoteFiles),
    Withdraw(Box<WithdrawalRequest>),
}

impl Purpose {
    /// Returns the number of events that count against the rate of a site.
    #[must_use]
    pub fn counted(&self) -> usize {
        match self {
            Self::Check(..) => 0,
            Self::Accept(_) => 1,
        }
    }
}

/// The URLs of the files that an event does not contain itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RemoteFiles {
    pub content: Option<String>,
    /// For each attachment, if it is to be fetched.
    pub attachments: Vec<Option<String>>,
}

impl RemoteFiles {
    /// Returns true if the event contains all files.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.content.is_none() && self.attachments.iter().all(Option::is_none)
    }
}

impl PublicationRequest {
    /// Returns the sender's metadata about the report.
    #[must_use]
    pub fn declared(&self) -> &DeclaredMetadata {
        match self {
            Self::Submit(submission) | Self::Fetch(submission, _) => &submission.declared,
            Self::Withdraw(withdrawal) => &withdrawal.declared,
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Members {
    agency: Option<AgencyMember>,
    year: Option<i32>,
    title: Option<String>,
    url: Option<String>,
    published_at: Option<String>,
    site: Option<SiteMember>,
    content: Option<ContentMember>,
    attachments: Option<Vec<AttachmentMember>>,
    review: Option<Vec<ReviewMember>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct AgencyMember {
    code: Option<String>,
    name: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct SiteMember {
    code: Option<String>,
    column: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ContentMember {
    media_type: Option<String>,
    charset: Option<String>,
    filename: Option<String>,
    base64: Option<String>,
    text: Option<String>,
    url: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct AttachmentMember {
    name: Option<String>,
    media_type: Option<String>,
    base64: Option<String>,
    url: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ReviewMember {
    level: Option<String>,
    decision: Option<String>,
    at: Option<String>,
}

/// Where the document of an event is: in the event, or at a URL.
enum ContentLocation {
    Inline(File),
    Remote(File, String),
}

/// Interprets an event.
///
/// # Errors
/// The type is unknown, or the data lacks what the type requires.
pub fn read(event: CloudEvent) -> Result<Purpose, Problem> {
    let kind = match event.r#type.as_str() {
        "gongkai.report.published.v1" => DocumentKind::Published,
        "gongkai.report.updated.v1" => DocumentKind::Updated,
        "gongkai.report.draft.v1" => DocumentKind::Draft,
        "gongkai.report.withdrawn.v1" => return withdrawal(event).map(Purpose::Accept),
        other => {
            return Err(Problem::new(
                Code::UnknownEventType,
                format!(
                    "类型“{}”不是 gongkai.report.published.v1、.updated.v1、.withdrawn.v1、.draft.v1 之一",
                    quote(other)
                ),
                format!(
                    "type \"{}\" is none of gongkai.report.published.v1, .updated.v1, .withdrawn.v1, .draft.v1",
                    quote(other)
                ),
            ));
        }
    };
    let CloudEvent { id, source, subject, time, extensions, data, .. } = event;
    let (mut members, content) = match data {
        EventData::None => {
            return Err(Problem::new(Code::MissingContent, "事件没有 data", "the event has no data"));
        }
        EventData::Json(json) => (members(json)?, None),
        EventData::Document(bytes, content_type) => {
            (from_extensions(&extensions)?, Some(file(bytes, &content_type)))
        }
    };
    let (attachments, remote): (Vec<_>, Vec<_>) =
        attachments(members.attachments.take())?.into_iter().unzip();
    let location = match (content, members.content.take()) {
        (Some(file), _) => ContentLocation::Inline(file),
        // The attachments are the document.
        (None, None) if !attachments.is_empty() => ContentLocation::Inline(File::default()),
        (None, content) => content_location(content)?,
    };
    let declared = declared(members, subject, EventId { source, id })?;
    let is_backfill = match extensions.get("gongkaibackfill") {
        Some(text) => fields::flag("gongkaibackfill", text)?,
        None => false,
    };
    let declared = DeclaredMetadata { is_backfill, ..declared.at(time.map(convert::timestamp::timestamp)) };
    let submission = |content| {
        Box::new(Submission { kind, content, attachments, declared, identity: SubmissionIdentity::Event })
    };
    let (submission, content) = match location {
        ContentLocation::Inline(file) => (submission(file), None),
        ContentLocation::Remote(file, url) => (submission(file), Some(url)),
    };
    let remote = RemoteFiles { content, attachments: remote };
    Ok(match kind {
        DocumentKind::Draft => Purpose::Check(submission, remote),
        _ if remote.is_empty() => Purpose::Accept(PublicationRequest::Submit(submission)),
        _ => Purpose::Accept(PublicationRequest::Fetch(submission, remote)),
    })
}

fn withdrawal(event: CloudEvent) -> Result<PublicationRequest, Problem> {
    let CloudEvent { id, source, subject, time, extensions, data, .. } = event;
    let members = match data {
        EventData::Json(json) => members(json)?,
        EventData::None | EventData::Document(..) => from_extensions(&extensions)?,
    };
    let mut declared = declared(members, subject, EventId { source, id })?;
    declared.event_time = time.map(convert::timestamp::timestamp);
    if declared.url.is_empty() {
        return Err(Problem::new(
            Code::MissingUrl,
            "撤回须以 data.url 或 subject 属性指明文章",
            "a withdrawal names the article by data.url or the subject attribute",
        ));
    }
    Ok(PublicationRequest::Withdraw(Box::new(WithdrawalRequest { declared })))
}

#[must_use]
pub fn file(bytes: Bytes, content_type: &str) -> File {
    // Clients send these types by default.
    let vague = ["application/x-www-form-urlencoded", "application/octet-stream"];
    let essence = cloudevent::essence(content_type);
    File {
        bytes,
        media_type: if vague.contains(&essence.as_str()) { String::new() } else { essence },
        charset: cloudevent::parameter(content_type, "charset").unwrap_or_default().to_ascii_lowercase(),
        filename: String::new(),
    }
}

fn members(json: Value) -> Result<Members, Problem> {
    if !json.is_object() {
        return Err(Problem::new(Code::InvalidField, "data 须是 JSON 对象", "data must be a JSON object"));
    }
    let content = json.get("content");
    if content.is_some_and(|content| !content.is_object() && !content.is_null()) {
        return Err(Problem::new(
            Code::InvalidField,
            "data.content 须是含 base64、text 或 url 的对象",
            "data.content must be an object with base64, text or url",
        ));
    }
    serde_path_to_error::deserialize(json).map_err(|error| of_another_kind(error.path()))
}

/// Returns the problem with a member of the wrong type.
fn of_another_kind(path: &serde_path_to_error::Path) -> Problem {
    let last = path.iter().next_back().map(ToString::to_string).unwrap_or_default();
    let (chinese, english) = match last.as_str() {
        "year" => ("须是四位数的年份（数字）", "must be a year of four digits, as a number"),
        "attachments" | "review" => ("须是数组", "must be an array"),
        "agency" | "site" | "content" => ("须是对象", "must be an object"),
        index if index.starts_with('[') => ("须是对象", "must be an object"),
        _ => ("须是字符串", "must be a string"),
    };
    Problem::new(Code::InvalidField, format!("data.{path} {chinese}"), format!("data.{path} {english}"))
}

fn from_extensions(extensions: &BTreeMap<String, String>) -> Result<Members, Problem> {
    let get = |name: &str| extensions.get(name).cloned();
    let year = year("reportyear", extensions.get("reportyear").map_or("", String::as_str))?;
    Ok(Members {
        agency: Some(AgencyMember { code: get("agencycode"), name: get("agencyname") }),
        year: Some(year),
        title: None,
        url: None,
        published_at: get("publishedat"),
        site: Some(SiteMember { code: get("sitecode"), column: None }),
        content: None,
        attachments: None,
        review: None,
    })
}

/// Source and id, which together identify a CloudEvent.
struct EventId {
    source: String,
    id: String,
}

/// Destructures the members, so that the compiler demands a use of every one.
fn declared(members: Members, subject: Option<String>, event: EventId) -> Result<DeclaredMetadata, Problem> {
    let Members {
        agency,
        year: stated_year,
        title,
        url,
        published_at: published,
        site,
        content: _,
        attachments: _,
        review: steps,
    } = members;
    let AgencyMember { code, name } = agency.unwrap_or_default();
    let SiteMember { code: site_code, column } = site.unwrap_or_default();
    let year = match stated_year.unwrap_or_default() {
        0 => 0,
        number => year("data.year", &number.to_string())?,
    };
    let url = url.filter(|url| !url.trim().is_empty()).or(subject);
    Ok(DeclaredMetadata {
        agency: AgencyHint { code: agency_code("agency.code", code)?, name: text("agency.name", name)? },
        year,
        title: text("title", title)?,
        url: address("url", url)?,
        published_at: published_at("published_at", published.as_deref().unwrap_or_default())?,
        site: Site { code: text("site.code", site_code)?, column: text("site.column", column)? },
        review: review(steps.unwrap_or_default())?,
        event_source: without_credentials(&event.source).into_owned(),
        event_id: event.id,
        event_time: None,
        is_backfill: false,
    })
}

fn review(steps: Vec<ReviewMember>) -> Result<Vec<ReviewStep>, Problem> {
    ensure_few(steps.len())?;
    let step = |step: ReviewMember| {
        Ok(ReviewStep {
            level: text("review.level", step.level)?,
            decision: text("review.decision", step.decision)?,
            decided_at: published_at("review.at", step.at.as_deref().unwrap_or_default())?,
        })
    };
    steps.into_iter().map(step).collect()
}

/// Checks steps of review from messages.
///
/// # Errors
/// `TOO_LARGE`, `INVALID_FIELD`.
pub fn review_steps(steps: Vec<ReviewStep>) -> Result<Vec<ReviewStep>, Problem> {
    ensure_few(steps.len())?;
    let step = |step: ReviewStep| {
        Ok(ReviewStep {
            level: text("review.level", Some(step.level))?,
            decision: text("review.decision", Some(step.decision))?,
            decided_at: step.decided_at,
        })
    };
    steps.into_iter().map(step).collect()
}

fn ensure_few(steps: usize) -> Result<(), Problem> {
    if steps <= LIST_LIMIT {
        return Ok(());
    }
    Err(Problem::new(
        Code::TooLarge,
        format!("review 有 {steps} 步，最多 {LIST_LIMIT} 步"),
        format!("{steps} steps of review, at most {LIST_LIMIT}"),
    ))
}

fn content_location(content: Option<ContentMember>) -> Result<ContentLocation, Problem> {
    let content = content.unwrap_or_default();
    let file = File {
        bytes: Bytes::new(),
        media_type: text("content.media_type", content.media_type)?.to_ascii_lowercase(),
        charset: text("content.charset", content.charset)?.to_ascii_lowercase(),
        filename: text("content.filename", content.filename)?,
    };
    match (content.base64, content.text, content.url) {
        (Some(base64), None, None) => Ok(ContentLocation::Inline(File {
            bytes: cloudevent::base64("content.base64", &base64)?,
            ..file
        })),
        // JSON text is Unicode, whatever charset the page had.
        (None, Some(text), None) => {
            Ok(ContentLocation::Inline(File { bytes: text.into(), charset: "utf-8".to_owned(), ..file }))
        }
        (None, None, Some(url)) => Ok(ContentLocation::Remote(file, text("content.url", Some(url))?)),
        (None, None, None) => Err(Problem::new(
            Code::MissingContent,
            "data.content 须有 base64、text、url 之一；只有附件时可不带 content",
            "data.content must have one of base64, text, url, unless there are attachments and no content",
        )),
        _ => Err(Problem::new(
            Code::AmbiguousContent,
            "data.content 只能有 base64、text、url 之一",
            "data.content must have exactly one of base64, text, url",
        )),
    }
}

/// Returns the attachments, each with its URL if it is to be fetched.
fn attachments(list: Option<Vec<AttachmentMember>>) -> Result<Vec<(File, Option<String>)>, Problem> {
    let read = |attachment: AttachmentMember| {
        let (bytes, url) = match (attachment.base64, attachment.url) {
            (Some(base64), None) => (cloudevent::base64("attachments.base64", &base64)?, None),
            (None, Some(url)) => (Bytes::new(), Some(text("attachments.url", Some(url))?)),
            (None, None) => {
                let (chinese, english) = ("附件须有 base64 或 url", "an attachment needs base64 or url");
                return Err(Problem::new(Code::MissingContent, chinese, english));
            }
            (Some(_), Some(_)) => {
                let (chinese, english) =
                    ("附件只能有 base64、url 之一", "an attachment must have one of base64 and url");
                return Err(Problem::new(Code::AmbiguousContent, chinese, english));
            }
        };
        let file = File {
            bytes,
            media_type: text("attachments.media_type", attachment.media_type)?.to_ascii_lowercase(),
            charset: String::new(),
            filename: text("attachments.name", attachment.name)?,
        };
        Ok((file, url))
    };
    list.unwrap_or_default().into_iter().map(read).collect()
}

#[cfg(test)]
mod tests;
