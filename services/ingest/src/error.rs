//! Errors of calls: RFC 9457 `application/problem+json` over HTTP, `google.rpc.ErrorInfo` over gRPC.
//!
//! One table holds every code with its HTTP status, its gRPC code and whether a retry may succeed. Codes are public:
//! scripts and CMS plug-ins branch on them.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use tonic_types::{ErrorDetails, StatusExt};

use gongkai_worker::{transport, transport::ErrorKind};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    MalformedJson,
    MissingAttribute,
    /// An attribute, parameter or member has an invalid value.
    InvalidField,
    /// Not CloudEvents 1.0.
    UnsupportedSpecversion,
    UnknownEventType,
    /// The call does not take this content type or encoding.
    UnsupportedMediaType,
    /// A member that must be base64 is not.
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
    /// The call has no valid credentials.
    Unauthenticated,
    BadSignature,
    /// The time of the signature is outside the tolerance.
    StaleSignature,
    NotFound,
    SubmissionNotFound,
    MethodNotAllowed,
    /// The idempotency key was used for another document.
    IdReused,
    /// The body did not arrive in time.
    Timeout,
    BrokerUnavailable,
    StorageFull,
    Overloaded,
    /// A bug or a misconfiguration of the server.
    Internal,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {detail}", .code.as_str())]
pub struct Problem {
    pub code: Code,
    /// What went wrong, for a human reader.
    pub detail: String,
}

/// The properties of a code.
#[derive(Clone, Copy)]
struct Row {
    name: &'static str,
    status: StatusCode,
    grpc: tonic::Code,
    retryable: bool,
    title: &'static str,
}

const fn row(
    name: &'static str,
    status: StatusCode,
    grpc: tonic::Code,
    retryable: bool,
    title: &'static str,
) -> Row {
    Row { name, status, grpc, retryable, title }
}

/// Every code with its name, HTTP status, gRPC code, whether a retry may succeed, and title.
const TABLE: [(Code, Row); 26] = {
    use http::StatusCode as S;
    use tonic::Code as G;
    [
        (
            Code::MalformedJson,
            row(
                "MALFORMED_JSON",
                S::BAD_REQUEST,
                G::InvalidArgument,
                false,
                "JSON 格式错误 / Malformed JSON",
            ),
        ),
        (
            Code::MissingAttribute,
            row(
                "MISSING_ATTRIBUTE",
                S::BAD_REQUEST,
                G::InvalidArgument,
                false,
                "缺少 CloudEvents 必需属性 / Missing CloudEvents attribute",
            ),
        ),
        (
            Code::InvalidField,
            row("INVALID_FIELD", S::BAD_REQUEST, G::InvalidArgument, false, "字段取值无效 / Invalid field"),
        ),
        (
            Code::UnsupportedSpecversion,
            row(
                "UNSUPPORTED_SPECVERSION",
                S::BAD_REQUEST,
                G::InvalidArgument,
                false,
                "不支持的 CloudEvents 版本 / Unsupported CloudEvents version",
            ),
        ),
        (
            Code::UnknownEventType,
            row(
                "UNKNOWN_EVENT_TYPE",
                S::UNPROCESSABLE_ENTITY,
                G::InvalidArgument,
                false,
                "未知的事件类型 / Unknown event type",
            ),
        ),
        (
            Code::UnsupportedMediaType,
            row(
                "UNSUPPORTED_MEDIA_TYPE",
                S::UNSUPPORTED_MEDIA_TYPE,
                G::InvalidArgument,
                false,
                "不支持的内容类型 / Unsupported content type",
            ),
        ),
        (
            Code::BadBase64,
            row(
                "BAD_BASE64",
                S::BAD_REQUEST,
                G::InvalidArgument,
                false,
                "base64 编码错误 / Malformed base64",
            ),
        ),
        (
            Code::MissingContent,
            row(
                "MISSING_CONTENT",
                S::BAD_REQUEST,
                G::InvalidArgument,
                false,
                "缺少文档内容 / Missing content",
            ),
        ),
        (
            Code::AmbiguousContent,
            row(
                "AMBIGUOUS_CONTENT",
                S::BAD_REQUEST,
                G::InvalidArgument,
                false,
                "文档内容只能以一种方式给出 / More than one content",
            ),
        ),
        (
            Code::MissingUrl,
            row(
                "MISSING_URL",
                S::BAD_REQUEST,
                G::InvalidArgument,
                false,
                "撤回事件缺少网址 / Withdrawal without url",
            ),
        ),
        (
            Code::Empty,
            row("EMPTY", S::UNPROCESSABLE_ENTITY, G::InvalidArgument, false, "文档为空 / Empty document"),
        ),
        (
            Code::TooLarge,
            row("TOO_LARGE", S::PAYLOAD_TOO_LARGE, G::OutOfRange, false, "超过大小上限 / Too large"),
        ),
        (
            Code::FetchNotAllowed,
            row(
                "FETCH_NOT_ALLOWED",
                S::UNPROCESSABLE_ENTITY,
                G::InvalidArgument,
                false,
                "不允许从该主机抓取 / Host not on the fetch list",
            ),
        ),
        (
            Code::FetchFailed,
            row(
                "FETCH_FAILED",
                S::BAD_GATEWAY,
                G::Unavailable,
                true,
                "抓取失败 / Content could not be fetched",
            ),
        ),
        (
            Code::Unauthenticated,
            row("UNAUTHENTICATED", S::UNAUTHORIZED, G::Unauthenticated, false, "未认证 / Unauthenticated"),
        ),
        (
            Code::BadSignature,
            row("BAD_SIGNATURE", S::UNAUTHORIZED, G::Unauthenticated, false, "签名无效 / Invalid signature"),
        ),
        (
            Code::StaleSignature,
            row(
                "STALE_SIGNATURE",
                S::UNAUTHORIZED,
                G::Unauthenticated,
                false,
                "签名时间超出允许范围 / Signature timestamp out of tolerance",
            ),
        ),
        (Code::NotFound, row("NOT_FOUND", S::NOT_FOUND, G::NotFound, false, "没有此地址 / No such route")),
        (
            Code::SubmissionNotFound,
            row("SUBMISSION_NOT_FOUND", S::NOT_FOUND, G::NotFound, false, "没有此提交 / No such submission"),
        ),
        (
            Code::MethodNotAllowed,
            row(
                "METHOD_NOT_ALLOWED",
                S::METHOD_NOT_ALLOWED,
                G::Unimplemented,
                false,
                "不支持此方法 / Method not allowed",
            ),
        ),
        (
            Code::IdReused,
            row(
                "ID_REUSED",
                S::UNPROCESSABLE_ENTITY,
                G::AlreadyExists,
                false,
                "幂等键已用于另一文档 / Key already used for another document",
            ),
        ),
        (
            Code::Timeout,
            row("TIMEOUT", S::REQUEST_TIMEOUT, G::DeadlineExceeded, true, "接收超时 / Timed out"),
        ),
        (
            Code::BrokerUnavailable,
            row(
                "BROKER_UNAVAILABLE",
                S::SERVICE_UNAVAILABLE,
                G::Unavailable,
                true,
                "消息系统暂不可用 / Broker unavailable",
            ),
        ),
        (
            Code::StorageFull,
            row(
                "STORAGE_FULL",
                S::SERVICE_UNAVAILABLE,
                G::ResourceExhausted,
                true,
                "存储已满 / Storage full",
            ),
        ),
        (
            Code::Overloaded,
            row("OVERLOADED", S::SERVICE_UNAVAILABLE, G::ResourceExhausted, true, "请求过多 / Overloaded"),
        ),
        (
            Code::Internal,
            row("INTERNAL", S::INTERNAL_SERVER_ERROR, G::Internal, true, "内部错误 / Internal error"),
        ),
    ]
};

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
}

/// Seconds that a sender should wait before a retry.
const RETRY_AFTER_S: u64 = 5;
/// Maximum characters of the caller's input that a detail quotes.
const QUOTE_LIMIT: usize = 80;

// === impl Code ===

impl Code {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.row().name
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

    fn row(self) -> Row {
        let row = TABLE.into_iter().find(|(code, _)| *code == self);
        row.expect("a unit test finds every code in the table").1
    }
}

// === impl Problem ===

impl Problem {
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }

    /// Creates a problem about an invalid field. It quotes at most 80 characters of the value.
    #[must_use]
    pub fn invalid(field: &str, value: &str, must: &str) -> Self {
        Self::new(Code::InvalidField, format!("{field} {must}, got \"{}\"", quote(value)))
    }

    fn retry_after_s(&self) -> Option<u64> {
        self.code.retryable().then_some(RETRY_AFTER_S)
    }
}

/// Quotes a caller's text in a message: without control characters, and cut to [`QUOTE_LIMIT`].
#[must_use]
pub fn quote(text: &str) -> String {
    let head: String = text.chars().take(QUOTE_LIMIT).filter(|c| !c.is_control()).collect();
    if text.chars().nth(QUOTE_LIMIT).is_some() { format!("{head}…") } else { head }
}

impl From<transport::Error> for Problem {
    fn from(error: transport::Error) -> Self {
        let code = match error.kind {
            ErrorKind::Unavailable | ErrorKind::Conflict => Code::BrokerUnavailable,
            ErrorKind::Full => Code::StorageFull,
            ErrorKind::TooLarge => Code::TooLarge,
            ErrorKind::NotFound | ErrorKind::Denied | ErrorKind::Unreadable | ErrorKind::Other => {
                Code::Internal
            }
        };
        // The broker's message goes to the log. The caller only learns what to do.
        match code {
            Code::Internal => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "broker refused a call; check the deployment"
                );
            }
            // The runtime logs an outage once. Do not repeat it for each caller.
            Code::BrokerUnavailable | Code::StorageFull => {
                tracing::debug!(error = &error as &dyn std::error::Error, "nothing was accepted");
            }
            _ => tracing::warn!(error = &error as &dyn std::error::Error, "broker did not take a call"),
        }
        Self::new(code, "nothing was accepted; send the same call again later")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let json = ProblemJson {
            r#type: format!(
                "urn:gongkai:problem:{}",
                self.code.as_str().to_ascii_lowercase().replace('_', "-")
            ),
            title: self.code.row().title,
            status: self.code.status().as_u16(),
            detail: &self.detail,
            code: self.code.as_str(),
            retryable: self.code.retryable(),
            trace_id: gongkai_worker::trace::current_trace_id(),
        };
        let body = serde_json::to_vec(&json).expect("strings, numbers and booleans always serialise");
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
            details.set_retry_info(Some(std::time::Duration::from_secs(seconds)));
        }
        Self::with_error_details(problem.code.row().grpc, problem.detail, details)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_one_row_and_one_name() {
        let mut names: Vec<&str> = TABLE.iter().map(|(code, _)| code.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Code::Internal as usize + 1, "Internal is the last code");
    }

    #[test]
    fn a_retryable_problem_says_when() {
        let response = Problem::new(Code::StorageFull, "later").into_response();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[header::RETRY_AFTER], "5");
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
    }

    #[test]
    fn grpc_callers_get_the_same_code_as_a_reason() {
        let status = tonic::Status::from(Problem::new(Code::SubmissionNotFound, "no such submission"));
        assert_eq!(status.code(), tonic::Code::NotFound);
        let info = status.get_details_error_info().unwrap();
        assert_eq!((info.reason.as_str(), info.domain.as_str()), ("SUBMISSION_NOT_FOUND", "gongkai"));
    }

    #[test]
    fn a_quotation_is_short_and_printable() {
        assert_eq!(quote("a\nb"), "ab");
        assert_eq!(quote(&"字".repeat(200)).chars().count(), QUOTE_LIMIT + 1);
    }
}
