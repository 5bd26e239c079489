//! The errors of requests, and the only mapping from them to gRPC codes, reasons and messages.
//!
//! Every status carries `google.rpc.ErrorInfo` with domain `gongkai` and a stable `reason`, and the Chinese message as
//! `google.rpc.LocalizedMessage`.

use std::collections::HashMap;
use std::time::Duration;

use gongkai_store::Error as StoreError;
use gongkai_worker::{Recurring, transport::ErrorKind};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

/// `ErrorInfo.domain` of every error.
pub const DOMAIN: &str = "gongkai";
/// The delay after which a client of a busy server should retry.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// No answer is possible, because the broker lost a stream or bucket.
const STORE_LOST: (Code, &str, &str) =
    (Code::Unavailable, "STORE_LOST", "消息服务器的数据丢失或已被替换，须由管理员处理");

/// Why a request fails.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// No report has that name, or none had it at `as_of`.
    #[error("no such report: {0}")]
    ReportNotFound(String),
    /// The report was erased on demand.
    #[error("the report was erased: {0}")]
    ReportErased(String),
    /// The report was filed under another agency.
    #[error("the report {0} is filed as {1} now")]
    ReportMoved(String, String),
    /// No agency with that key is listed or has a report.
    #[error("no such agency: {0}")]
    AgencyNotFound(String),
    /// The current revision has no such finding.
    #[error("no such finding: {0}")]
    FindingNotFound(String),
    /// There is no such waiver.
    #[error("no such waiver: {0}")]
    WaiverNotFound(String),
    /// There is no such alert, or its stream no longer keeps it.
    #[error("no such alert: {0}")]
    AlertNotFound(String),
    /// The alert is not open.
    #[error("the alert is resolved: nobody needs to take care of it")]
    AlertResolved,
    /// There is no such dead letter, or its stream no longer keeps it.
    #[error("no such dead letter: {0}")]
    DeadLetterNotFound(String),
    /// Neither names nor a filter select dead letters, or both do, or there are too many names.
    #[error("either names, {most} at most, or a filter is required")]
    InvalidSelection {
        /// Maximum number of names.
        most: usize,
    },
    /// The stage cannot be run again.
    #[error("the stage is parse or validate")]
    InvalidStage,
    /// A waiver covers the finding.
    #[error("the finding is waived already by {0}")]
    AlreadyWaived(String),
    /// The waiver has ended.
    #[error("the waiver has ended")]
    WaiverEnded,
    /// The finding was made by a version that did not record its operands.
    #[error("the finding was made by an older version: it can be waived once its report is validated again")]
    FindingOutdated,
    /// A text is blank, too long, or contains control characters.
    #[error("{field} takes 1 to {most} characters on one line")]
    InvalidText {
        /// The request's field.
        field: &'static str,
        /// Maximum length in characters.
        most: usize,
    },
    /// `expires_at` is missing, in the past, or too far ahead.
    #[error("expires_at must be ahead, by ten years at most")]
    InvalidExpiry,
    /// The list of agencies is invalid.
    #[error("the list of agencies is not usable: {0}")]
    InvalidRegistry(String),
    /// The broker did not store the change.
    #[error("the broker did not take it")]
    Broker(#[source] gongkai_worker::transport::Error),
    /// A resource name is malformed.
    #[error("{field} is not a resource name of the form {form}")]
    InvalidName {
        /// The request's field.
        field: &'static str,
        /// The required form of the name.
        form: &'static str,
    },
    /// The filter does not parse, or names an unknown field.
    #[error("filter, character {position}: {what}")]
    InvalidFilter {
        /// Position of the character, from 1.
        position: usize,
        /// What is wrong.
        what: String,
    },
    /// `order_by` is not a known order.
    #[error("order_by takes one of {known}, with \" desc\" for the other way round")]
    InvalidOrderBy {
        /// The known orders.
        known: &'static str,
    },
    /// `page_size` is negative.
    #[error("page_size must not be negative")]
    InvalidPageSize,
    /// `page_token` is malformed, or belongs to another request.
    #[error("page_token does not belong to this question: repeat parent, filter and order_by unchanged")]
    InvalidPageToken,
    /// `as_of` is out of range.
    #[error("as_of is not a point in time")]
    InvalidTime,
    /// `resume_token` is malformed.
    #[error("resume_token is malformed: start anew with an empty one")]
    InvalidResumeToken,
    /// `resume_token` belongs to a read model that was replaced.
    #[error("resume_token belongs to a read model that was rebuilt: start anew with an empty one")]
    StaleResumeToken,
    /// The bearer token is missing or wrong.
    #[error("a bearer token is required")]
    Unauthenticated,
    /// The maximum number of watchers is connected.
    #[error("too many watchers")]
    TooManyWatchers,
    /// The request exceeded its time limit.
    #[error("the question took too long: narrow it with parent or filter")]
    TooSlow,
    /// The read model is being built from the log. A part of the log must not be served as the whole.
    #[error("the read model is being rebuilt: {done} of {total} events")]
    Rebuilding {
        /// Number of events that the read model contains.
        done: u64,
        /// Number of events in the log when the rebuild began.
        total: u64,
    },
    /// The broker lost the log or has another one: it is not known whether the read model matches it.
    #[error("the broker's store is lost or another one: {0}")]
    StoreLost(String),
    /// The read model is being opened and compared with the log.
    #[error("the read model is being opened, waiting for {0}")]
    Opening(String),
    /// The read model does not match its log and may not be replaced.
    #[error("the read model is not usable: {0}; query.rebuild = \"refuse\" forbids to replace it")]
    Refused(String),
    /// The read model failed.
    #[error("the read model failed")]
    Store(#[from] StoreError),
}

impl QueryError {
    /// Returns the code, the stable reason and the Chinese message.
    fn facets(&self) -> (Code, &'static str, &'static str) {
        match self {
            Self::ReportNotFound(_) => (Code::NotFound, "REPORT_NOT_FOUND", "没有这份报告"),
            Self::ReportErased(_) => (Code::NotFound, "ERASED", "该报告已依申请删除"),
            Self::ReportMoved(..) => (Code::NotFound, "MOVED", "该报告已改归其他机构编码"),
            Self::AgencyNotFound(_) => (Code::NotFound, "AGENCY_NOT_FOUND", "没有这个机构"),
            Self::FindingNotFound(_) => (Code::NotFound, "FINDING_NOT_FOUND", "没有这个疑点"),
            Self::WaiverNotFound(_) => (Code::NotFound, "WAIVER_NOT_FOUND", "没有这条销号记录"),
            Self::AlertNotFound(_) => (Code::NotFound, "ALERT_NOT_FOUND", "没有这条告警，或已超过保存期限"),
            Self::AlertResolved => (Code::FailedPrecondition, "ALERT_RESOLVED", "该告警已解除，无须确认"),
            Self::DeadLetterNotFound(_) => {
                (Code::NotFound, "DEAD_LETTER_NOT_FOUND", "没有这封死信，或已超过保存期限")
            }
            Self::InvalidSelection { .. } => {
                (Code::InvalidArgument, "INVALID_SELECTION", "须给出死信编号或筛选条件之一，编号不能过多")
            }
            Self::InvalidStage => (Code::InvalidArgument, "INVALID_STAGE", "只能从读取或核查重新处理"),
            Self::AlreadyWaived(_) => {
                (Code::AlreadyExists, "ALREADY_WAIVED", "该疑点已销号（经核实无须整改）")
            }
            Self::WaiverEnded => (Code::FailedPrecondition, "WAIVER_ENDED", "该销号已失效"),
            Self::FindingOutdated => {
                (Code::FailedPrecondition, "FINDING_OUTDATED", "该疑点由旧版本得出，报告重新核查后方可销号")
            }
            Self::InvalidText { .. } => (Code::InvalidArgument, "INVALID_TEXT", "文字为空、过长或含控制字符"),
            Self::InvalidExpiry => (Code::InvalidArgument, "INVALID_EXPIRY", "到期时间须晚于现在，最长十年"),
            Self::InvalidRegistry(_) => (Code::InvalidArgument, "INVALID_REGISTRY", "机构名录有误"),
            Self::StoreLost(_) => STORE_LOST,
            Self::Broker(error) if error.kind == ErrorKind::Lost => STORE_LOST,
            Self::Broker(_) => (Code::Unavailable, "BROKER_UNAVAILABLE", "消息服务器暂不可用，请稍后再试"),
            Self::InvalidName { .. } => (Code::InvalidArgument, "INVALID_NAME", "资源名称格式不对"),
            Self::InvalidFilter { .. } => (Code::InvalidArgument, "INVALID_FILTER", "筛选条件有误"),
            Self::InvalidOrderBy { .. } => (Code::InvalidArgument, "INVALID_ORDER_BY", "不支持这种排序"),
            Self::InvalidPageSize => (Code::InvalidArgument, "INVALID_PAGE_SIZE", "每页条数不能为负"),
            Self::InvalidPageToken | Self::Store(StoreError::OutOfRange(_)) => {
                (Code::InvalidArgument, "INVALID_PAGE_TOKEN", "翻页标记与本次查询不符，请保持查询条件不变")
            }
            Self::InvalidTime => (Code::InvalidArgument, "INVALID_TIME", "时间有误"),
            Self::InvalidResumeToken => {
                (Code::InvalidArgument, "INVALID_RESUME_TOKEN", "续传标记有误，请留空从头开始")
            }
            Self::StaleResumeToken => {
                (Code::FailedPrecondition, "STALE_RESUME_TOKEN", "数据库已重建，续传标记失效，请留空从头开始")
            }
            Self::Unauthenticated => (Code::Unauthenticated, "UNAUTHENTICATED", "需要有效的访问令牌"),
            Self::TooManyWatchers => (Code::ResourceExhausted, "TOO_MANY_WATCHERS", "订阅连接已达上限"),
            Self::TooSlow => (Code::DeadlineExceeded, "TOO_SLOW", "查询超时，请缩小范围"),
            Self::Rebuilding { .. } => {
                (Code::Unavailable, "REBUILDING", "数据库正在重建，完成后方可查询，请稍后再试")
            }
            Self::Opening(_) | Self::Store(StoreError::Closed) => {
                (Code::Unavailable, "READ_MODEL_OPENING", "数据库正在打开，请稍后再试")
            }
            Self::Refused(_) => {
                (Code::Unavailable, "READ_MODEL_REFUSED", "数据库与消息日志不符，须由管理员处理")
            }
            Self::Store(StoreError::Full) => (Code::ResourceExhausted, "DISK_FULL", "数据库所在磁盘已满"),
            Self::Store(StoreError::Busy) => (Code::Unavailable, "READ_MODEL_BUSY", "数据库繁忙，请稍后再试"),
            Self::Store(
                StoreError::Newer { .. }
                | StoreError::Damaged(_)
                | StoreError::OtherLog { .. }
                | StoreError::Backend(_),
            ) => (Code::Internal, "READ_MODEL_FAILED", "数据库出错"),
        }
    }

    fn metadata(&self) -> HashMap<String, String> {
        let pair = match self {
            Self::ReportNotFound(name)
            | Self::ReportErased(name)
            | Self::FindingNotFound(name)
            | Self::WaiverNotFound(name)
            | Self::AlertNotFound(name)
            | Self::DeadLetterNotFound(name)
            | Self::AlreadyWaived(name) => ("name", name.clone()),
            Self::ReportMoved(name, moved_to) => {
                let pairs = [("name", name), ("moved_to", moved_to)];
                return pairs.map(|(key, value)| (key.to_owned(), value.clone())).into();
            }
            Self::InvalidName { field, .. } => ("field", (*field).to_owned()),
            Self::InvalidFilter { position, .. } => ("position", position.to_string()),
            Self::Rebuilding { done, total } => {
                let pairs = [("done", done), ("total", total)];
                return pairs.map(|(name, n)| (name.to_owned(), n.to_string())).into();
            }
            _ => return HashMap::new(),
        };
        HashMap::from([(pair.0.to_owned(), pair.1)])
    }

    /// Returns the invalid field of the request.
    fn field(&self) -> Option<&'static str> {
        match self {
            Self::InvalidName { field, .. } | Self::InvalidText { field, .. } => Some(field),
            Self::InvalidExpiry => Some("expires_at"),
            Self::InvalidFilter { .. } => Some("filter"),
            Self::InvalidOrderBy { .. } => Some("order_by"),
            Self::InvalidPageSize => Some("page_size"),
            Self::InvalidPageToken | Self::Store(StoreError::OutOfRange(_)) => Some("page_token"),
            Self::InvalidTime => Some("as_of"),
            Self::InvalidSelection { .. } => Some("names"),
            Self::InvalidStage => Some("stage"),
            Self::InvalidResumeToken => Some("resume_token"),
            _ => None,
        }
    }

    fn words(&self) -> String {
        match self {
            Self::Store(StoreError::OutOfRange(_)) => Self::InvalidPageToken.to_string(),
            Self::Store(error @ (StoreError::Full | StoreError::Busy)) => error.to_string(),
            other => other.to_string(),
        }
    }
}

impl From<QueryError> for Status {
    fn from(error: QueryError) -> Self {
        let (code, reason, chinese) = error.facets();
        static FAILURE: Recurring = Recurring::new();
        if code == Code::Internal
            && let Some(failures) = FAILURE.due()
        {
            tracing::error!(error = &error as &dyn std::error::Error, failures, "request failed");
        }
        let english = error.words();
        let mut details = ErrorDetails::with_error_info(reason, DOMAIN, error.metadata());
        details.set_localized_message("zh-CN", chinese);
        if let Some(field) = error.field() {
            details.add_bad_request_violation(field, &english);
        }
        if matches!(code, Code::Unavailable | Code::ResourceExhausted) {
            details.set_retry_info(Some(RETRY_AFTER));
        }
        Self::with_error_details(code, format!("{english} ({chinese})"), details)
    }
}
