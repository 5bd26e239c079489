//! Errors of calls: RFC 9457 `application/problem+json` over HTTP, `google.rpc.ErrorInfo` over gRPC.
//!
//! One table holds every code with its HTTP status, its gRPC code and whether a retry may succeed. Codes are public:
//! scripts and CMS plug-ins branch on them. A detail is written in Chinese and in English, and names neither types
//! nor libraries of this program. [`crate::http`] answers in the language that the caller prefers.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use strum::{IntoStaticStr, VariantArray};
use tonic_types::{ErrorDetails, StatusExt};

use crate::language::Language;
use gongkai_worker::{Recurring, inert, transport, transport::ErrorKind};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum Code {
    MalformedJson,
    /// The body of an adapter is not of the configured form.
    MalformedBody,
    MissingAttribute,
    /// An attribute, parameter or member has an invalid value.
    InvalidField,
    /// The event is not CloudEvents 1.0.
    UnsupportedSpecversion,
    UnknownEventType,
    /// The call does not accept this content type or encoding.
    UnsupportedMediaType,
    /// A member is not valid base64.
    BadBase64,
    MissingContent,
    /// The event has more than one of `base64`, `text`, `url`.
    AmbiguousContent,
    MissingUrl,
    Empty,
    /// More bytes, events or attachments than allowed.
    TooLarge,
    /// The content's host is not allowed.
    FetchNotAllowed,
    FetchFailed,
    /// The host asks for a human instead of returning the page.
    ChallengePage,
    /// The call has no valid credentials.
    Unauthenticated,
    BadSignature,
    /// The event's attributes are in headers, which a signature of the body does not cover.
    UnsignedAttributes,
    /// The time of the signature is outside the tolerance.
    StaleSignature,
    /// The agency, region, address or report is not the caller's.
    NotYours,
    NotFound,
    SubmissionNotFound,
    ReportNotFound,
    /// The content was erased on demand.
    Erased,
    /// The token of a link is malformed, or was not signed with the key of this system.
    LinkInvalid,
    LinkExpired,
    MethodNotAllowed,
    /// The idempotency key was used for another document.
    IdReused,
    /// The body did not arrive in time.
    Timeout,
    BrokerUnavailable,
    /// The S3 store of the originals does not answer.
    ObjectStoreUnavailable,
    StorageFull,
    /// The broker lost a stream or bucket, and an operator has not decided yet.
    StoreLost,
    Overloaded,
    /// The site exceeds its rate.
    RateLimited,
    /// A bug or a misconfiguration of the server.
    Internal,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {detail_en}", .code.as_str())]
pub struct Problem {
    pub code: Code,
    /// The problem and its remedy, in Chinese.
    pub detail: String,
    /// The detail in English.
    pub detail_en: String,
    /// For a batch: the problem of each faulty event.
    pub events: Vec<EventProblem>,
    /// Time after which the same call may succeed, if known.
    retry_after: Option<Duration>,
}

/// The problem of one event of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventProblem {
    /// Position in the batch, from 0.
    pub index: usize,
    pub code: Code,
    pub detail: String,
    pub detail_en: String,
}

/// The properties of a code.
#[derive(Clone, Copy)]
struct CodeRow {
    status: StatusCode,
    grpc: tonic::Code,
    retryable: bool,
    title: &'static str,
}

/// Creates the row of a lasting problem: the same call fails again.
fn lasting(status: StatusCode, grpc: tonic::Code, title: &'static str) -> CodeRow {
    CodeRow { status, grpc, retryable: false, title }
}

/// Creates the row of a transient problem: the same call may succeed later.
fn transient(status: StatusCode, grpc: tonic::Code, title: &'static str) -> CodeRow {
    CodeRow { status, grpc, retryable: true, title }
}

/// The members of `application/problem+json`.
#[derive(Serialize)]
struct ProblemJson<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'a str,
    retryable: bool,
    trace_id: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<EventJson<'a>>,
}

/// A member of `errors`.
#[derive(Serialize)]
struct EventJson<'a> {
    index: usize,
    code: &'a str,
    retryable: bool,
    detail: &'a str,
}

/// Seconds that a sender should wait before a retry.
const RETRY_AFTER_S: u64 = 5;
/// The detail of a problem whose cause is the server, in Chinese and English.
pub(crate) const NOTHING_ACCEPTED: (&str, &str) =
    ("本次调用没有受理任何内容，请稍后原样重试", "nothing was accepted; send the same call again later");
/// Maximum characters of the caller's input that a detail quotes.
const QUOTE_LIMIT: usize = 80;

// === impl Code ===

impl Code {
    /// Returns the public name, such as `ID_REUSED`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    #[must_use]
    pub fn status(self) -> StatusCode {
        self.row().status
    }

    /// Returns true if the same call may succeed later.
    #[must_use]
    pub fn retryable(self) -> bool {
        self.row().retryable
    }

    /// Returns the table of codes.
    fn row(self) -> CodeRow {
        use http::StatusCode as S;
        use tonic::Code as G;
        let malformed = |title| lasting(S::BAD_REQUEST, G::InvalidArgument, title);
        let unusable = |title| lasting(S::UNPROCESSABLE_ENTITY, G::InvalidArgument, title);
        let unauthenticated = |title| lasting(S::UNAUTHORIZED, G::Unauthenticated, title);
        match self {
            Self::MalformedJson => malformed("JSON 格式错误 / Malformed JSON"),
            Self::MalformedBody => malformed("报文格式错误 / Malformed body"),
            Self::MissingAttribute => malformed("缺少 CloudEvents 必需属性 / Missing CloudEvents attribute"),
            Self::InvalidField => malformed("字段取值无效 / Invalid field"),
            Self::UnsupportedSpecversion => {
                malformed("不支持的 CloudEvents 版本 / Unsupported CloudEvents version")
            }
            Self::UnknownEventType => unusable("未知的事件类型 / Unknown event type"),
            Self::UnsupportedMediaType => lasting(
                S::UNSUPPORTED_MEDIA_TYPE,
                G::InvalidArgument,
                "不支持的内容类型 / Unsupported content type",
            ),
            Self::BadBase64 => malformed("base64 编码错误 / Malformed base64"),
            Self::MissingContent => malformed("缺少文档内容 / Missing content"),
            Self::AmbiguousContent => malformed("文档内容只能以一种方式给出 / More than one content"),
            Self::MissingUrl => malformed("撤回事件缺少网址 / Withdrawal without url"),
            Self::Empty => unusable("文档为空 / Empty document"),
            Self::TooLarge => lasting(S::PAYLOAD_TOO_LARGE, G::OutOfRange, "超过大小上限 / Too large"),
            Self::FetchNotAllowed => unusable("不允许从该主机抓取 / Host not on the fetch list"),
            Self::FetchFailed => {
                transient(S::BAD_GATEWAY, G::Unavailable, "抓取失败 / Content could not be fetched")
            }
            Self::ChallengePage => unusable("对方网站要求人机验证 / Robot check in place of the page"),
            Self::Unauthenticated => unauthenticated("未认证 / Unauthenticated"),
            Self::BadSignature => unauthenticated("签名无效 / Invalid signature"),
            Self::UnsignedAttributes => unauthenticated("签名不包含事件属性 / Attributes are not signed"),
            Self::StaleSignature => {
                unauthenticated("签名时间超出允许范围 / Signature timestamp out of tolerance")
            }
            Self::NotYours => lasting(S::FORBIDDEN, G::PermissionDenied, "不属于该站点 / Not this site's"),
            Self::NotFound => lasting(S::NOT_FOUND, G::NotFound, "没有此地址 / No such route"),
            Self::SubmissionNotFound => lasting(S::NOT_FOUND, G::NotFound, "没有此提交 / No such submission"),
            Self::ReportNotFound => lasting(S::NOT_FOUND, G::NotFound, "没有这份报告 / No such report"),
            Self::Erased => lasting(
                S::GONE,
                G::FailedPrecondition,
                "该内容已依申请删除，不再接收 / Content was erased on demand",
            ),
            Self::LinkInvalid => lasting(S::FORBIDDEN, G::PermissionDenied, "链接无效 / Invalid link"),
            Self::LinkExpired => lasting(S::GONE, G::FailedPrecondition, "链接已过期 / Link has expired"),
            Self::MethodNotAllowed => {
                lasting(S::METHOD_NOT_ALLOWED, G::Unimplemented, "不支持此方法 / Method not allowed")
            }
            Self::IdReused => lasting(
                S::UNPROCESSABLE_ENTITY,
                G::AlreadyExists,
                "幂等键已用于另一文档 / Key already used for another document",
            ),
            Self::Timeout => transient(S::REQUEST_TIMEOUT, G::DeadlineExceeded, "接收超时 / Timed out"),
            Self::BrokerUnavailable => {
                transient(S::SERVICE_UNAVAILABLE, G::Unavailable, "消息系统暂不可用 / Broker unavailable")
            }
            Self::ObjectStoreUnavailable => transient(
                S::SERVICE_UNAVAILABLE,
                G::Unavailable,
                "原件存储暂不可用 / Object store unavailable",
            ),
            Self::StorageFull => {
                transient(S::SERVICE_UNAVAILABLE, G::ResourceExhausted, "存储已满 / Storage full")
            }
            Self::StoreLost => {
                transient(S::SERVICE_UNAVAILABLE, G::Unavailable, "存储丢失，等待运维处理 / Store lost")
            }
            Self::Overloaded => {
                transient(S::SERVICE_UNAVAILABLE, G::ResourceExhausted, "请求过多 / Overloaded")
            }
            Self::RateLimited => transient(
                S::TOO_MANY_REQUESTS,
                G::ResourceExhausted,
                "超过站点的速率上限 / Over the site's rate",
            ),
            Self::Internal => transient(S::INTERNAL_SERVER_ERROR, G::Internal, "内部错误 / Internal error"),
        }
    }
}

// === impl Problem ===

impl Problem {
    /// Creates a problem. Passwords inside URLs of the detail are hidden here for all callers.
    pub fn new(code: Code, chinese: impl AsRef<str>, english: impl AsRef<str>) -> Self {
        let redacted = |text: &str| inert::redact(text).into_owned();
        Self {
            code,
            detail: redacted(chinese.as_ref()),
            detail_en: redacted(english.as_ref()),
            events: Vec::new(),
            retry_after: None,
        }
    }

    /// Sets the time after which the same call may succeed.
    #[must_use]
    pub fn after(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..self }
    }

    /// Creates a problem about an invalid field. It quotes at most 80 characters of the value.
    #[must_use]
    pub fn invalid(field: &str, value: &str, chinese: &str, english: &str) -> Self {
        let value = quote(value);
        Self::new(
            Code::InvalidField,
            format!("{field} {chinese}，收到的是“{value}”"),
            format!("{field} {english}, got \"{value}\""),
        )
    }

    /// Creates a problem about bytes that are not UTF-8 text where text is required.
    #[must_use]
    pub fn not_utf8(field: &str) -> Self {
        Self::new(
            Code::InvalidField,
            format!("{field} 不是 UTF-8 编码，请转换编码后再发送"),
            format!(
                "{field} is not UTF-8; send it as UTF-8, percent-encoded where it stands in a header or query"
            ),
        )
    }

    /// Combines the problems of some events of a batch. The code is that of the first.
    ///
    /// Returns `None` if there are none.
    #[must_use]
    pub fn of_events(wrong: Vec<(usize, Self)>) -> Option<Self> {
        let (first, problem) = wrong.first()?;
        let (detail, detail_en) = (
            format!("第 {first} 个事件：{}", problem.detail),
            format!("event {first}: {}", problem.detail_en),
        );
        let (code, retry_after) = (problem.code, problem.retry_after);
        let event = |(index, problem): (usize, Self)| EventProblem {
            index,
            code: problem.code,
            detail: problem.detail,
            detail_en: problem.detail_en,
        };
        Some(Self { code, detail, detail_en, events: wrong.into_iter().map(event).collect(), retry_after })
    }

    /// Returns the `application/problem+json`.
    #[must_use]
    pub fn to_json(&self, language: Language) -> Vec<u8> {
        let said = |chinese: &'_ str, english: &'_ str| match language {
            Language::Chinese => chinese.to_owned(),
            Language::English => english.to_owned(),
        };
        let details: Vec<String> =
            self.events.iter().map(|event| said(&event.detail, &event.detail_en)).collect();
        let errors = self.events.iter().zip(&details).map(|(event, detail)| EventJson {
            index: event.index,
            code: event.code.as_str(),
            retryable: event.code.retryable(),
            detail,
        });
        let json = ProblemJson {
            r#type: format!(
                "urn:gongkai:problem:{}",
                self.code.as_str().to_ascii_lowercase().replace('_', "-")
            ),
            title: self.code.row().title,
            status: self.code.status().as_u16(),
            detail: &said(&self.detail, &self.detail_en),
            code: self.code.as_str(),
            retryable: self.code.retryable(),
            trace_id: gongkai_worker::trace::current_trace_id(),
            errors: errors.collect(),
        };
        serde_json::to_vec(&json).expect("strings, numbers and booleans always serialise")
    }

    /// Returns the seconds that the sender should wait before it repeats the call, or `None` if that does not help.
    #[must_use]
    pub fn retry_after_s(&self) -> Option<u64> {
        let whole_seconds = |wait: Duration| wait.as_millis().div_ceil(1000).max(1);
        let known = self.retry_after.map(|wait| u64::try_from(whole_seconds(wait)).unwrap_or(u64::MAX));
        self.code.retryable().then(|| known.unwrap_or(RETRY_AFTER_S))
    }
}

/// Quotes a caller's text in a message: without control characters, and cut to [`QUOTE_LIMIT`].
#[must_use]
pub fn quote(text: &str) -> String {
    let text = inert::redact(text);
    let head: String = text.chars().take(QUOTE_LIMIT).filter(|c| !inert::is_active(*c)).collect();
    if text.chars().nth(QUOTE_LIMIT).is_some() { format!("{head}…") } else { head }
}

impl From<transport::Error> for Problem {
    fn from(error: transport::Error) -> Self {
        let code = match error.kind {
            ErrorKind::Unavailable | ErrorKind::Conflict => Code::BrokerUnavailable,
            ErrorKind::ObjectsUnavailable => Code::ObjectStoreUnavailable,
            ErrorKind::Full => Code::StorageFull,
            ErrorKind::Lost => Code::StoreLost,
            ErrorKind::TooLarge => Code::TooLarge,
            ErrorKind::NotFound | ErrorKind::Denied | ErrorKind::Unreadable | ErrorKind::Other => {
                Code::Internal
            }
        };
        // The broker's message goes to the log. The caller only learns what to do.
        static REFUSED: Recurring = Recurring::new();
        let cause = &error as &dyn std::error::Error;
        match code {
            Code::Internal => {
                if let Some(failures) = REFUSED.due() {
                    tracing::error!(error = cause, failures, "broker refused a call; check the deployment");
                }
            }
            // The runtime logs an outage once. Do not repeat it for each caller.
            Code::BrokerUnavailable | Code::ObjectStoreUnavailable | Code::StorageFull | Code::StoreLost => {
                tracing::debug!(error = cause, "nothing was accepted");
            }
            _ => tracing::warn!(error = cause, "broker did not take a call"),
        }
        Self::new(code, NOTHING_ACCEPTED.0, NOTHING_ACCEPTED.1)
    }
}

/// Answers in Chinese. [`crate::http`] finds the problem among the extensions and replaces the answer where English
/// is preferred.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = self.to_json(Language::Chinese);
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.code.status();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after_s() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.code.status() == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

impl From<Problem> for tonic::Status {
    fn from(problem: Problem) -> Self {
        let retryable = problem.code.retryable().to_string();
        let mut details = ErrorDetails::with_error_info(
            problem.code.as_str(),
            "gongkai",
            [("retryable".to_owned(), retryable)],
        );
        if let Some(seconds) = problem.retry_after_s() {
            details.set_retry_info(Some(Duration::from_secs(seconds)));
        }
        details.set_localized_message("zh-CN", problem.detail);
        Self::with_error_details(problem.code.row().grpc, problem.detail_en, details)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_public_name() {
        let names: Vec<&str> = Code::VARIANTS.iter().map(|code| code.as_str()).collect();
        let public = "MALFORMED_JSON MALFORMED_BODY MISSING_ATTRIBUTE INVALID_FIELD UNSUPPORTED_SPECVERSION UNKNOWN_EVENT_TYPE \
             UNSUPPORTED_MEDIA_TYPE BAD_BASE64 MISSING_CONTENT AMBIGUOUS_CONTENT MISSING_URL EMPTY TOO_LARGE \
             FETCH_NOT_ALLOWED FETCH_FAILED CHALLENGE_PAGE UNAUTHENTICATED BAD_SIGNATURE UNSIGNED_ATTRIBUTES STALE_SIGNATURE NOT_YOURS NOT_FOUND \
             SUBMISSION_NOT_FOUND REPORT_NOT_FOUND ERASED LINK_INVALID LINK_EXPIRED METHOD_NOT_ALLOWED ID_REUSED TIMEOUT BROKER_UNAVAILABLE OBJECT_STORE_UNAVAILABLE STORAGE_FULL STORE_LOST \
             OVERLOADED RATE_LIMITED INTERNAL";
        assert_eq!(names.join(" "), public);
    }

    #[test]
    fn a_retryable_problem_says_when() {
        let response = Problem::new(Code::StorageFull, "稍后", "later").into_response();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[header::RETRY_AFTER], "5");
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
    }

    #[test]
    fn grpc_callers_get_the_same_code_as_a_reason() {
        let status =
            tonic::Status::from(Problem::new(Code::SubmissionNotFound, "没有此提交", "no such submission"));
        assert_eq!(status.code(), tonic::Code::NotFound);
        let info = status.get_details_error_info().unwrap();
        assert_eq!((info.reason.as_str(), info.domain.as_str()), ("SUBMISSION_NOT_FOUND", "gongkai"));
    }

    #[test]
    fn a_detail_tells_no_password() {
        let problem = Problem::invalid("data.url", "https://u:s3cret@h/", "须另填", "must be another");
        assert_eq!(problem.detail_en, "data.url must be another, got \"https://u:***@h/\"");
        assert_eq!(problem.detail, "data.url 须另填，收到的是“https://u:***@h/”");
    }

    #[test]
    fn a_quotation_is_short_and_printable() {
        assert_eq!(quote("a\n\u{202e}b"), "ab");
        assert_eq!(quote(&"字".repeat(200)).chars().count(), QUOTE_LIMIT + 1);
    }
}
